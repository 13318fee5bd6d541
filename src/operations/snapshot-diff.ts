import { LISTED } from '../core/package.ts';
import { defineOperation } from './operation.ts';

export const snapshotDiff = defineOperation({
  name: 'snapshot diff',
  summary: 'Show what changed from one snapshot to another',
  description: `A package whose description changed while its version did not is listed as redescribed. What is published beside the
indexes, as comps, advisories and translations are, is listed as metadata, by the beginning of its SHA-256.`,
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
      ...diff.removed.map((one) => `- ${line(one, [one.version])}`),
      ...diff.added.map((one) => `+ ${line(one, [one.version])}`),
      ...diff.changed.map((one) => `! ${line(one, one.from, one.to)}`),
      ...diff.redescribed.map((one) => `~ ${line(one, [one.version])} (${one.files} files)`),
    ].join('\n');
  },
});

/** `jq 1.6-2.1 amd64`. What stands beside the indexes has a digest for a version, and no architecture. */
function line({ name, architecture }: { readonly name: string; readonly architecture: string }, ...versions: readonly (readonly string[])[]): string {
  const isBeside = architecture === LISTED;
  const shown = versions.map((list) => list.map((version) => (isBeside ? version.slice(0, 12) : version)).join(', ')).join(' -> ');
  return isBeside ? `metadata ${name} ${shown}` : `${name} ${shown} ${architecture}`;
}
