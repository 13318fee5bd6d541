import { defineOperation } from './operation.ts';

export const snapshotDiff = defineOperation({
  name: 'snapshot diff',
  summary: 'Show what changed from one snapshot to another',
  description: 'A package whose description changed while its version did not is listed as redescribed.',
  example: `$ artifacts snapshot diff bookworm-2026-11-20 bookworm-2026-11-21
+ jq 1.6-2.1+deb12u1 amd64
! nginx-light 1.22.1-9 -> 1.22.1-9+deb12u1 amd64`,
  arguments: { a: { summary: 'the snapshot to compare from' }, b: { summary: 'the snapshot to compare to' } },
  options: {},
  run: async (app, { a, b }) => {
    const { diffSnapshots, requireSnapshot } = await import('../snapshot/snapshots.ts');
    const catalog = await app.catalog();
    const diff = diffSnapshots(catalog, requireSnapshot(catalog, a), requireSnapshot(catalog, b));
    const identical = Object.values(diff).every((list) => list.length === 0);
    return { a, b, identical, ...diff };
  },
  render: (diff) => {
    if (diff.identical) return `${diff.a} and ${diff.b} are identical.`;
    return [
      ...diff.removed.map(({ name, version, architecture }) => `- ${name} ${version} ${architecture}`),
      ...diff.added.map(({ name, version, architecture }) => `+ ${name} ${version} ${architecture}`),
      ...diff.changed.map(({ name, from, to, architecture }) => `! ${name} ${from.join(', ')} -> ${to.join(', ')} ${architecture}`),
      ...diff.redescribed.map(({ name, version, architecture, files }) => `~ ${name} ${version} ${architecture} (${files} files)`),
    ].join('\n');
  },
});
