import { defineOperation } from './operation.ts';
import { followFrom, FOLLOW_OPTIONS, missingText, readQueries, viewMissing } from './queries.ts';
import { viewSnapshot } from './snapshot-view.ts';
import { counted } from './text.ts';

export const snapshotFilter = defineOperation({
  name: 'snapshot filter',
  summary: 'Freeze those packages of a snapshot that queries mean',
  description: `With --with-deps everything these packages need comes along, as far as the snapshot has it; what it has not
is told. Each QUERY may be @FILE: a file with one query a line.`,
  example: `$ artifacts snapshot filter bookworm-2026-11-21 web 'nginx-light' 'Section (= web), Priority (= important)' --with-deps
Snapshot web: 38 packages.`,
  arguments: {
    source: { summary: 'the snapshot to choose from' },
    dest: { summary: 'the name of the new snapshot' },
    queries: { summary: 'which packages: any of these queries', variadic: true },
  },
  options: { withDeps: { kind: 'flag', summary: 'also what the packages need' }, ...FOLLOW_OPTIONS },
  run: async (app, input, ctx) => {
    const { filterSnapshot } = await import('../snapshot/select.ts');
    const { requireSnapshot } = await import('../snapshot/snapshots.ts');
    const queries = readQueries(input.queries);
    const catalog = await app.catalog();
    return app.change(ctx, async () => {
      const source = requireSnapshot(catalog, input.source);
      const follow = input.withDeps ? followFrom(input) : undefined;
      const request = { name: input.dest, source, queries, follow, now: app.clock() };
      const { snapshot, missing } = catalog.transaction(() => filterSnapshot(catalog, request));
      return { ...viewSnapshot(snapshot), missing: missing.map(viewMissing) };
    });
  },
  render: ({ name, packages, missing }) =>
    [`Snapshot ${name}: ${counted(packages, 'package')}.`, ...(missing.length === 0 ? [] : [missingText(missing)])].join('\n'),
});
