import { defineOperation } from './operation.ts';
import { declaredRepos, viewRepo } from './repo-access.ts';
import { viewPackage } from './snapshot-view.ts';
import { table } from './text.ts';

export const repoShow = defineOperation({
  name: 'repo show',
  summary: 'Show a local repository, and its packages if asked',
  example: `$ artifacts repo show ours
Repository: ours
Comment:    packages we build
Packages:   12
Metadata:   group, updateinfo
Created:    2026-11-20T03:15:00.000Z
Changed:    2026-11-21T03:15:00.000Z`,
  arguments: { name: { summary: 'the repository' } },
  options: { packages: { kind: 'flag', summary: 'list every package' } },
  run: async (app, { name, packages }) => {
    const { listMetadata } = await import('../repo/metadata.ts');
    const { formatOf } = await import('../formats/index.ts');
    const { countPackages, findRepo } = await import('../repo/repos.ts');
    const catalog = await app.catalog();
    const repo = findRepo(catalog, name, await declaredRepos(app));
    const { packages: count, ...view } = viewRepo(repo, countPackages(repo));
    const metadata = listMetadata(catalog, repo);
    const beside = new Set<string>(metadata.map(({ digest }) => digest));
    const all = repo.content === undefined || !packages ? [] : catalog.members.heads(catalog.contents.allMembers(repo.content.id));
    const heads = all.filter(({ digest }) => !beside.has(digest));
    const { names } = formatOf(repo.format);
    return { ...view, count, metadata, ...(packages ? { packages: heads.map((head) => viewPackage(head, names)) } : {}) };
  },
  render: (repo) => {
    const head = [
      ['Repository', repo.name],
      ['Comment', repo.comment],
      ['Packages', String(repo.count)],
      ...(repo.metadata.length === 0 ? [] : [['Metadata', repo.metadata.map(({ type }) => type).join(', ')]]),
      ['Created', repo.createdAt ?? 'declared in vars/, nothing was put in yet'],
      ['Changed', repo.changedAt ?? 'never'],
    ];
    const lines = head.map(([name = '', value = '']) => `${`${name}:`.padEnd(12)}${value}`.trimEnd()).join('\n');
    if (repo.packages === undefined) return lines;
    const rows = repo.packages.map(({ name, version, architecture }) => [name, version, architecture]);
    return `${lines}\n\n${table(['PACKAGE', 'VERSION', 'ARCHITECTURE'], rows)}`;
  },
});
