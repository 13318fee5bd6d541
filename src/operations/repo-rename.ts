import { defineOperation } from './operation.ts';
import { declaredRepos, viewRepo } from './repo-access.ts';

export const repoRename = defineOperation({
  name: 'repo rename',
  summary: 'Give a local repository another name',
  description: `Publications go on following it; snapshots of it keep saying the name it had. One that vars/ declares is there
again, and empty, under its old name.`,
  example: `$ artifacts repo rename ours theirs
Repository ours is now called theirs.`,
  arguments: { name: { summary: 'the repository' }, newName: { summary: 'its new name' } },
  options: {},
  run: async (app, { name, newName }, ctx) => {
    const { countPackages, openRepo, renameRepo } = await import('../repo/repos.ts');
    const catalog = await app.catalog();
    const declared = await declaredRepos(app);
    return app.change(ctx, async () =>
      catalog.transaction(() => {
        const repo = openRepo(catalog, name, { declared, now: app.clock() });
        const renamed = renameRepo(catalog, repo, newName);
        return { ...viewRepo(renamed, countPackages(renamed)), formerName: name };
      }),
    );
  },
  render: ({ name, formerName }) => `Repository ${formerName} is now called ${name}.`,
});
