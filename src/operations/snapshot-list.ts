import { defineOperation } from './operation.ts';
import { describeOrigin, viewSnapshot, type SnapshotView } from './snapshot-view.ts';
import { bytes as sizeText, table } from './text.ts';

export const snapshotList = defineOperation({
  name: 'snapshot list',
  summary: 'List the snapshots',
  description: `With --sizes: the bytes of all files of a snapshot's packages, and how many of them nothing else needs, no other
snapshot, mirror, repository or published tree. Files common to two snapshots are unique to neither.`,
  example: `$ artifacts snapshot list
SNAPSHOT                        PACKAGES  CREATED                   FROM
slushie-r1.0.0-debian-bookworm  38        2026-11-21T03:15:00.000Z  mirror debian-bookworm`,
  arguments: {},
  options: { sizes: { kind: 'flag', summary: 'also the bytes of their files, and what dropping each alone would free' } },
  run: async (app, { sizes }) => {
    const catalog = await app.catalog();
    if (!sizes) return catalog.snapshots.list().map(viewSnapshot);
    const { measureSnapshots } = await import('../retention/sizes.ts');
    const measured = measureSnapshots(catalog);
    const snapshots = catalog.snapshots.list().map((snapshot) => ({
      ...viewSnapshot(snapshot),
      bytes: measured.snapshots.get(snapshot.id)?.bytes ?? 0,
      unique: measured.snapshots.get(snapshot.id)?.unique ?? 0,
    }));
    return { snapshots, total: measured.total };
  },
  render: (result) => {
    const list: readonly SizedView[] = 'snapshots' in result ? result.snapshots : result;
    if (list.length === 0) return 'There are no snapshots.';
    const sized = 'snapshots' in result;
    const lines = table(
      ['SNAPSHOT', 'PACKAGES', ...(sized ? ['SIZE', 'UNIQUE'] : []), 'CREATED', 'FROM'],
      list.map(({ name, packages, bytes = 0, unique = 0, createdAt, origin }) => [
        name,
        String(packages),
        ...(sized ? [sizeText(bytes), sizeText(unique)] : []),
        createdAt,
        describeOrigin(origin),
      ]),
    );
    return sized ? `${lines}\n\n${sizeText(result.total)} in all.` : lines;
  },
});

interface SizedView extends SnapshotView {
  readonly bytes?: number;
  readonly unique?: number;
}
