import { defineOperation } from './operation.ts';
import { readQueries } from './queries.ts';
import { repoLine, repoTools, selectRecords } from './repo-access.ts';
import { viewPackage } from './snapshot-view.ts';

export const repoRemove = defineOperation({
  name: 'repo remove',
  summary: 'Remove the packages that queries mean from a local repository',
  description: 'Snapshots and publications keep them. Each QUERY may be @FILE: a file with one query a line.',
  example: `$ artifacts repo remove ours 'hello (<< 2.10)'
- hello_2.9-1_amd64
Repository ours: 12 packages.`,
  arguments: {
    repo: { summary: 'the repository' },
    queries: { summary: 'which packages: any of these queries', variadic: true },
  },
  options: { dryRun: { kind: 'flag', summary: 'only show what would be removed' } },
  run: async (app, { repo: name, queries, dryRun }, ctx) => {
    const { removeRecords } = await import('../repo/add.ts');
    const { formatOf } = await import('../formats/index.ts');
    const { countPackages, findRepo } = await import('../repo/repos.ts');
    const tools = await repoTools(app);
    const { catalog } = tools;
    const wanted = readQueries(queries);
    const choose = async () => {
      const repo = findRepo(catalog, name, tools.declared);
      const { records } = await selectRecords(catalog, repo, { queries: wanted, follow: undefined });
      const { names } = formatOf(repo.format);
      return { count: countPackages(repo), records, removed: records.map((head) => viewPackage(head, names)) };
    };
    if (dryRun) {
      const { count, removed } = await choose();
      return { repo: name, packages: count - removed.length, removed, dryRun };
    }
    return app.change(ctx, async () => {
      const { records, removed } = await choose();
      const { packages } = catalog.transaction(() => removeRecords(records, name, tools));
      return { repo: name, packages, removed, dryRun };
    });
  },
  render: (result) => {
    const lines = result.removed.map((one) => `- ${one.package}`);
    return [...(lines.length > 0 ? lines : ['No package of it is what these queries mean: nothing is removed.']), repoLine(result, result.dryRun)].join('\n');
  },
});
