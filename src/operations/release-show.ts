import { defineOperation } from './operation.ts';
import { viewPublication } from './publish-view.ts';
import { table } from './text.ts';

export const releaseShow = defineOperation({
  name: 'release show',
  summary: 'Show a release: its sources, what it publishes, its builds',
  example: `$ artifacts release show r1.0.0
Release:  r1.0.0 (series r1, draft)
bookworm:  merged from debian-bookworm
Published:  apt-mirror/integrated r1.0.0-bookworm
apt:  ready, 1 of 1
Latest complete build:  20261121T031500Z`,
  arguments: { name: { summary: 'the release' } },
  options: {},
  run: async (app, { name }) => {
    const { publicationPlaces } = await import('../release/spec.ts');
    const { kindStates } = await import('../release/kind-states.ts');
    const { findRelease } = await import('../config/resolve-release.ts');
    const { releaseSpec } = await import('./release-spec.ts');
    const { state, series } = findRelease(await app.config(), name);
    const spec = await releaseSpec(app, name);
    const catalog = await app.catalog();
    const { builds, publications } = catalog;
    const published = publicationPlaces(spec).flatMap(({ prefix, distribution }) => publications.find(prefix, distribution) ?? []);
    return {
      name,
      series,
      state,
      codenames: spec.codenames,
      published: published.map((publication) => viewPublication(catalog, publication, app.clock())),
      kinds: kindStates(spec, { catalog, now: app.clock(), isBuilding: (await app.locks()).isHeld(`release-${name}`) }),
      latestBuild: builds.latest(name)?.id ?? null,
      builds: builds.list(name).map(({ id, result, finishedAt }) => ({ id, result, finishedAt })),
    };
  },
  render: ({ name, series, state, codenames, published, kinds, latestBuild, builds }) =>
    [
      `Release:  ${name} (series ${series}, ${state})`,
      ...codenames.flatMap(({ codename, merged, independent }) => [
        `${codename}:  merged from ${merged.join(', ') || 'nothing'}`,
        ...independent.map(({ source, dest }) => `${codename}:  ${source} apart, as independent/${dest}`),
      ]),
      ...published.map(({ prefix, distribution }) => `Published:  ${prefix} ${distribution}`),
      ...kinds.map(({ kind, state, ready, of }) => `${kind}:  ${state}, ${ready} of ${of}`),
      ...kinds.flatMap(({ problems }) => problems.map((problem) => `  ${problem}`)),
      `Latest complete build:  ${latestBuild ?? 'none'}`,
      ...(builds.length === 0 ? [] : ['', table(['BUILD', 'RESULT', 'FINISHED'], builds.map(({ id, result, finishedAt }) => [id, result, finishedAt]))]),
    ].join('\n'),
});
