import { defineOperation } from './operation.ts';
import { declaredRepos } from './repo-access.ts';

export const repoDrop = defineOperation({
  name: 'repo drop',
  summary: 'Drop a local repository; snapshots of it stay',
  description: `The files leave the pool with the next \`artifacts db cleanup\`, as far as no snapshot needs them. Refused while a
publication follows the repository; the error names it.`,
  example: `$ artifacts repo drop ours
Repository ours dropped.`,
  arguments: { name: { summary: 'the repository' } },
  options: {},
  run: async (app, { name }, ctx) => {
    const { findRepo, refuseUsed } = await import('../repo/repos.ts');
    const catalog = await app.catalog();
    const declared = await declaredRepos(app);
    return app.change(ctx, async () => {
      findRepo(catalog, name, declared);
      refuseUsed(catalog, name);
      catalog.transaction(() => catalog.repos.drop(name));
      return { dropped: name };
    });
  },
  render: ({ dropped }) => `Repository ${dropped} dropped.`,
});
