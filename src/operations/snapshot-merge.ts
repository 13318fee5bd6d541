import { defineOperation } from './operation.ts';
import { viewSnapshot } from './snapshot-view.ts';
import { counted } from './text.ts';

export const snapshotMerge = defineOperation({
  name: 'snapshot merge',
  summary: 'Merge snapshots into a new one',
  description: `no-remove keeps every version of every source, latest the highest version of each package, replace what the last
source that has the package has (aptly's default), first what the first has; source takes all that was built from a
source package from the first source that has any of it, newest of each package the one whose file is newest (rpm
only). The same version with other bytes is a conflict that names both origins, unless source or newest chose one of
them: publish one of the two apart. Packages that modules list are all kept, and are compared with no others.`,
  example: `$ artifacts snapshot merge all base updates --policy latest
Snapshot all: 40 packages.`,
  arguments: {
    name: { summary: 'the name of the new snapshot' },
    sources: { summary: 'the snapshots to merge, in order', variadic: true },
  },
  options: {
    policy: { kind: 'choice', choices: ['no-remove', 'latest', 'replace', 'first', 'source', 'newest'], summary: 'what becomes of several versions (default: replace)' },
  },
  run: async (app, { name, sources, policy }, ctx) => {
    const { boundPackages } = await import('../snapshot/bound-packages.ts');
    const { mergeSnapshots, requireSnapshot } = await import('../snapshot/snapshots.ts');
    const catalog = await app.catalog();
    return app.change(ctx, async () => {
      const found = sources.map((source) => requireSnapshot(catalog, source));
      const isBound = await boundPackages(found, { catalog, pool: await app.pool() }, ctx.signal);
      const merged = catalog.transaction(() =>
        mergeSnapshots(catalog, { name, sources: found, policy: policy ?? 'replace', isBound, now: app.clock() }),
      );
      return { ...viewSnapshot(merged.snapshot), redescribed: merged.redescribed };
    });
  },
  render: ({ name, packages, redescribed }) => {
    const note = redescribed > 0 ? ` ${counted(redescribed, 'package')} described differently by several sources; the last one counts.` : '';
    return `Snapshot ${name}: ${counted(packages, 'package')}.${note}`;
  },
});
