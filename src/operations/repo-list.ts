import { defineOperation } from './operation.ts';
import { declaredRepos, viewRepo } from './repo-access.ts';
import { table } from './text.ts';

export const repoList = defineOperation({
  name: 'repo list',
  summary: 'List the local repositories',
  example: `$ artifacts repo list
REPOSITORY  PACKAGES  CHANGED                   COMMENT
ours        12        2026-11-21T03:15:00.000Z  packages we build`,
  arguments: {},
  options: {},
  run: async (app) => {
    const { countPackages, listRepos } = await import('../repo/repos.ts');
    const catalog = await app.catalog();
    return listRepos(catalog, await declaredRepos(app)).map((repo) => viewRepo(repo, countPackages(repo)));
  },
  render: (list) =>
    list.length === 0
      ? 'There are no local repositories: `artifacts repo create NAME` makes one.'
      : table(
          ['REPOSITORY', 'PACKAGES', 'CHANGED', 'COMMENT'],
          list.map(({ name, packages, changedAt, comment }) => [name, String(packages), changedAt ?? 'never', comment]),
        ),
});
