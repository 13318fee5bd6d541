import { defineOperation } from './operation.ts';
import { repoTools } from './repo-access.ts';

export const repoMetadataRemove = defineOperation({
  name: 'repo metadata remove',
  summary: 'Take metadata of some types out of a local repository',
  description: '`repo show` lists the types. Snapshots and publications keep theirs.',
  example: `$ artifacts repo metadata remove ours updateinfo
- updateinfo`,
  arguments: {
    repo: { summary: 'the repository' },
    types: { summary: 'which types', variadic: true },
  },
  options: { dryRun: { kind: 'flag', summary: 'only show what would be removed' } },
  run: async (app, { repo, types, dryRun }, ctx) => {
    const { removeMetadata } = await import('../repo/metadata.ts');
    return { ...(await removeMetadata({ repo, types, dryRun }, await repoTools(app), ctx)), dryRun };
  },
  render: ({ removed }) => removed.map(({ type }) => `- ${type}`).join('\n'),
});
