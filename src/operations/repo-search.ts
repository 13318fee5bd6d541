import { defineOperation } from './operation.ts';
import { declaredRepos } from './repo-access.ts';
import { renderFound, search, SEARCH_OPTIONS, SEARCH_QUERY } from './search.ts';

export const repoSearch = defineOperation({
  name: 'repo search',
  summary: 'List the packages of a local repository that a query means',
  example: `$ artifacts repo search ours 'Name (% hello*)'
hello_2.10-3_amd64`,
  arguments: { repo: { summary: 'the repository' }, query: SEARCH_QUERY },
  options: SEARCH_OPTIONS,
  run: async (app, input) => {
    const { findRepo } = await import('../repo/repos.ts');
    const catalog = await app.catalog();
    const { format, content } = findRepo(catalog, input.repo, await declaredRepos(app));
    return content === undefined ? [] : search(catalog, { format, content }, input);
  },
  render: renderFound,
});
