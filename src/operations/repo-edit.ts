import { defineOperation } from './operation.ts';
import { declaredRepos, viewRepo } from './repo-access.ts';

export const repoEdit = defineOperation({
  name: 'repo edit',
  summary: 'Change what is said of a local repository',
  example: `$ artifacts repo edit ours --comment 'packages we build'
Repository ours: packages we build`,
  arguments: { name: { summary: 'the repository' } },
  options: { comment: { kind: 'text', value: 'TEXT', summary: 'what it is for', required: true } },
  run: async (app, { name, comment }, ctx) => {
    const { countPackages, openRepo } = await import('../repo/repos.ts');
    const catalog = await app.catalog();
    const declared = await declaredRepos(app);
    return app.change(ctx, async () =>
      catalog.transaction(() => {
        const edited = { ...openRepo(catalog, name, { declared, now: app.clock() }), comment };
        catalog.repos.put(edited);
        return viewRepo(edited, countPackages(edited));
      }),
    );
  },
  render: ({ name, comment }) => `Repository ${name}: ${comment}`,
});
