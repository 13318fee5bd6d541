import { defineOperation } from './operation.ts';
import { bytes, counted } from './text.ts';

export const dbCleanup = defineOperation({
  name: 'db cleanup',
  summary: 'Remove what nothing refers to any more',
  description: `Records and files that no mirror, snapshot, publication or kept generation needs. Package files stay a day
after they came or were last served, so a running update or client never loses one. Of what artifacts keep to be made
faster (copies of git repositories, wheels, files of package indexes) goes what no run used for 30 days.`,
  example: `$ artifacts db cleanup
12 records, 12 pool files (3.1 MB), 12 published files, 2 unused caches removed.`,
  arguments: {},
  options: { dryRun: { kind: 'flag', summary: 'only show what would go' } },
  run: async (app, { dryRun }, ctx) => {
    const { cleanUp } = await import('../publish/cleanup.ts');
    const { artifactKinds } = await import('../artifacts/index.ts');
    const { sweepCaches } = await import('../artifacts/sweep-caches.ts');
    const request = { ...(await app.tools()), dryRun };
    const cleaned = await app.change(ctx, async () => cleanUp(request, ctx));
    return { ...cleaned, cacheEntries: await sweepCaches(artifactKinds, request, ctx) };
  },
  render: ({ records, poolFiles, poolBytes, publishedFiles, cacheEntries, dryRun }) =>
    `${counted(records, 'record')}, ${counted(poolFiles, 'pool file')} (${bytes(poolBytes)}), ${counted(publishedFiles, 'published file')}, ${counted(cacheEntries, 'unused cache')} ${
      dryRun ? 'would be removed' : 'removed'
    }.`,
});
