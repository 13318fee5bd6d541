import { defineOperation } from './operation.ts';
import { table } from './text.ts';

export const releaseList = defineOperation({
  name: 'release list',
  summary: 'List the releases and their latest complete builds',
  example: `$ artifacts release list
RELEASE  STATE  CODENAMES  LATEST BUILD
r1.0.0   draft  bookworm   20261121T031502Z`,
  arguments: {},
  options: {},
  run: async (app) => {
    const { releases } = await app.config();
    const catalog = await app.catalog();
    return releases.map(({ name, series, state, codenames }) => ({
      name,
      series,
      state,
      codenames,
      latestBuild: catalog.builds.latest(name)?.id ?? null,
    }));
  },
  render: (list) =>
    list.length === 0
      ? 'There are no releases: declare them as `releases` in vars/.'
      : table(
          ['RELEASE', 'STATE', 'CODENAMES', 'LATEST BUILD'],
          list.map(({ name, state, codenames, latestBuild }) => [name, state, codenames.join(' '), latestBuild ?? 'not built']),
        ),
});
