import { defineOperation } from './operation.ts';
import { table } from './text.ts';

export const releaseShow = defineOperation({
  name: 'release show',
  summary: 'Show a release: its sources, what it publishes, its builds',
  example: `$ artifacts release show r1.0.0
Release:  r1.0.0 (series r1, draft)
...`,
  arguments: { name: { summary: 'the release' } },
  options: {},
  run: async (app, { name }) => {
    const { findRelease } = await import('../config/resolve-release.ts');
    const { releaseSpec } = await import('./release-spec.ts');
    const { state, series } = findRelease(await app.config(), name);
    const spec = await releaseSpec(app, name);
    const { builds } = await app.catalog();
    return {
      name,
      series,
      state,
      codenames: spec.codenames,
      latestBuild: builds.latest(name)?.id ?? null,
      builds: builds.list(name).map(({ id, result, finishedAt }) => ({ id, result, finishedAt })),
    };
  },
  render: ({ name, series, state, codenames, latestBuild, builds }) =>
    [
      `Release:  ${name} (series ${series}, ${state})`,
      ...codenames.flatMap(({ codename, merged, independent }) => [
        `${codename}:  merged from ${merged.join(', ') || 'nothing'}`,
        ...independent.map(({ source, dest }) => `${codename}:  ${source} apart, as independent/${dest}`),
      ]),
      `Latest complete build:  ${latestBuild ?? 'none'}`,
      ...(builds.length === 0 ? [] : ['', table(['BUILD', 'RESULT', 'FINISHED'], builds.map(({ id, result, finishedAt }) => [id, result, finishedAt]))]),
    ].join('\n'),
});
