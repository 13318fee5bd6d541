import { ArtifactsError } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { viewRepo } from './repo-access.ts';
import { counted } from './text.ts';

export const repoCreate = defineOperation({
  name: 'repo create',
  summary: 'Create a local repository for packages of your own',
  description: `Repositories that vars/ declares as aptly_repos or rpm_repos need not be created. With --from-snapshot it begins with the
packages of a snapshot.`,
  example: `$ artifacts repo create ours --comment 'packages we build'
Repository ours: 0 packages.`,
  arguments: { name: { summary: 'the name of the new repository' } },
  options: {
    comment: { kind: 'text', value: 'TEXT', summary: 'what it is for' },
    format: { kind: 'choice', choices: ['apt', 'rpm'], summary: 'what kind of packages (default: apt, or the snapshot\'s)' },
    fromSnapshot: { kind: 'text', value: 'SNAPSHOT', summary: 'begin with the packages of this snapshot' },
  },
  run: async (app, { name, comment, format, fromSnapshot }, ctx) => {
    const { countPackages, createRepo, DEFAULT_FORMAT } = await import('../repo/repos.ts');
    const { requireSnapshot } = await import('../snapshot/snapshots.ts');
    const catalog = await app.catalog();
    return app.change(ctx, async () => {
      const from = fromSnapshot === undefined ? undefined : requireSnapshot(catalog, fromSnapshot);
      if (from !== undefined && format !== undefined && from.format !== format) {
        throw new ArtifactsError('E_USAGE', `Snapshot "${from.name}" holds packages of ${from.format}`, { hint: 'Leave --format out.' });
      }
      const repo = catalog.transaction(() => {
        const content = from?.content ?? catalog.contents.storeMembers([]);
        return createRepo(catalog, { name, comment: comment ?? '', format: format ?? from?.format ?? DEFAULT_FORMAT, content, now: app.clock() });
      });
      return viewRepo(repo, countPackages(repo));
    });
  },
  render: ({ name, packages }) => `Repository ${name}: ${counted(packages, 'package')}.`,
});
