import { LISTED } from '../core/package.ts';
import { defineOperation } from './operation.ts';
import { describeOrigin, metadataLines, viewMetadata, viewPackage, viewSnapshot } from './snapshot-view.ts';
import { table } from './text.ts';

export const snapshotShow = defineOperation({
  name: 'snapshot show',
  summary: 'Show a snapshot, and its packages if asked',
  description: 'Metadata is what is published beside the indexes: comps, advisories, modules; Translation, DEP-11.',
  example: `$ artifacts snapshot show bookworm-2026-11-21 --packages
Snapshot:  bookworm-2026-11-21
Packages:  38
...`,
  arguments: { name: { summary: 'the snapshot' } },
  options: { packages: { kind: 'flag', summary: 'list every package' } },
  run: async (app, { name, packages }) => {
    const { formatOf } = await import('../formats/index.ts');
    const { membersOf, requireSnapshot, usersOf } = await import('../snapshot/snapshots.ts');
    const catalog = await app.catalog();
    const snapshot = requireSnapshot(catalog, name);
    const { names } = formatOf(snapshot.format);
    const { packages: count, ...view } = viewSnapshot(snapshot);
    const members = packages ? [...membersOf(catalog, snapshot.content)] : [];
    const listed = members.filter(({ partition }) => partition !== LISTED).map((head) => viewPackage(head, names));
    return {
      ...view,
      count,
      usedBy: usersOf(catalog, snapshot),
      metadata: viewMetadata(catalog, snapshot.content),
      ...(packages ? { packages: listed } : {}),
    };
  },
  render: (snapshot) => {
    const head = [
      ['Snapshot', snapshot.name],
      ['Id', snapshot.id],
      ['Packages', String(snapshot.count)],
      ...metadataLines(snapshot.metadata),
      ['Created', snapshot.createdAt],
      ['From', describeOrigin(snapshot.origin)],
      ['Used by', snapshot.usedBy.join(', ') || 'nothing'],
    ];
    const lines = head.map(([name = '', value = '']) => `${`${name}:`.padEnd(11)}${value}`).join('\n');
    if (snapshot.packages === undefined) return lines;
    const rows = snapshot.packages.map(({ name, version, architecture }) => [name, version, architecture]);
    return `${lines}\n\n${table(['PACKAGE', 'VERSION', 'ARCHITECTURE'], rows)}`;
  },
});
