import { defineOperation } from './operation.ts';
import { followFrom, FOLLOW_OPTIONS, missingText, readQueries, viewMissing } from './queries.ts';
import { viewPackage, viewSnapshot, type PackageView } from './snapshot-view.ts';
import { counted } from './text.ts';

export const snapshotPull = defineOperation({
  name: 'snapshot pull',
  summary: 'Pull packages and what they need from one snapshot into another, as a third',
  description: `DEST becomes NAME with the packages of SOURCE that the queries mean, and with whatever these need and NAME does
not have. Other versions of a pulled package leave, unless --no-remove is given. Of each package the highest
version is pulled, or with --all-matches every one. NAME itself stays as it is. Of rpm packages their modules and
the advisories about them come along.

Each QUERY may be @FILE: a file with one query a line.`,
  example: `$ artifacts snapshot pull stable-0 testing-0 stable-1 'nginx (>= 1.24)'
- nginx_1.22.1-9_amd64
+ nginx_1.24.0-2_amd64
Snapshot stable-1: 40 packages.`,
  arguments: {
    name: { summary: 'the snapshot to pull into' },
    source: { summary: 'the snapshot to pull from' },
    dest: { summary: 'the name of the new snapshot' },
    queries: { summary: 'which packages: any of these queries', variadic: true },
  },
  options: {
    noDeps: { kind: 'flag', summary: 'pull only what the queries mean' },
    noRemove: { kind: 'flag', summary: 'keep the other versions of what is pulled' },
    allMatches: { kind: 'flag', summary: 'pull every version, not the highest alone' },
    dryRun: { kind: 'flag', summary: 'only show what would be pulled' },
    ...FOLLOW_OPTIONS,
  },
  run: async (app, input, ctx) => {
    const { formatOf } = await import('../formats/index.ts');
    const { applyPull, planPull } = await import('../snapshot/pull.ts');
    const { receiveCarried, viewCarried, withCarried } = await import('../repo/metadata.ts');
    const { carriedMetadata } = await import('../snapshot/carried-metadata.ts');
    const { requireSnapshot } = await import('../snapshot/snapshots.ts');
    const queries = readQueries(input.queries);
    const catalog = await app.catalog();
    const pool = await app.pool();
    const prepare = async () => {
      const [target, source] = [requireSnapshot(catalog, input.name), requireSnapshot(catalog, input.source)];
      const { noDeps, noRemove, allMatches } = input;
      const request = { target, source, queries, follow: followFrom(input), withDependencies: !noDeps, remove: !noRemove, allMatches };
      const plan = planPull(catalog, request);
      const { names } = formatOf(target.format);
      const views = (heads: typeof plan.added): PackageView[] => heads.map((head) => viewPackage(head, names));
      const view = { added: views(plan.added), removed: views(plan.removed), missing: plan.missing.map(viewMissing) };
      const carrying = { format: target.format, source: source.content, target: target.content, packages: plan.pulled, whole: [] };
      const carried = await carriedMetadata(carrying, { catalog, pool }, ctx);
      return { request, plan, carried, view: { ...view, metadata: viewCarried(carried) } };
    };
    if (input.dryRun) return { dryRun: true, snapshot: null, ...(await prepare()).view };
    return app.change(ctx, async () => {
      const { request, plan, carried, view } = await prepare();
      await receiveCarried(carried, 'snapshots', pool);
      const snapshot = catalog.transaction(() => {
        const target = { ...request.target, content: withCarried(carried, request.target, catalog) };
        return applyPull(catalog, { ...request, target }, { plan, name: input.dest, now: app.clock() });
      });
      return { dryRun: false, snapshot: viewSnapshot(snapshot), ...view };
    });
  },
  render: ({ snapshot, added, removed, metadata, missing }) =>
    [
      ...removed.map((one) => `- ${one.package}`),
      ...added.map((one) => `+ ${one.package}`),
      ...metadata.map(({ type }) => `+ ${type} (metadata)`),
      ...(missing.length === 0 ? [] : [missingText(missing)]),
      snapshot === null
        ? `${counted(added.length, 'package')} would be added, ${removed.length} removed.`
        : `Snapshot ${snapshot.name}: ${counted(snapshot.packages, 'package')}.`,
    ].join('\n'),
});
