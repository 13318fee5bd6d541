import { defineOperation } from './operation.ts';
import { bytes, counted } from './text.ts';

export const dbCleanup = defineOperation({
  name: 'db cleanup',
  summary: 'Remove what nothing refers to any more',
  description: `Records and files that no mirror, snapshot, publication or kept generation needs. Package files stay a day
after they came or were last served, so a running update or client never loses one.`,
  example: `$ artifacts db cleanup
12 records, 12 pool files (3.1 MiB), 12 published files removed.`,
  arguments: {},
  options: { dryRun: { kind: 'flag', summary: 'only show what would go' } },
  run: async (app, { dryRun }, ctx) => {
    const { cleanUp } = await import('../publish/cleanup.ts');
    return app.change(ctx, async () => cleanUp({ ...(await app.tools()), dryRun }, ctx));
  },
  render: ({ records, poolFiles, poolBytes, publishedFiles, dryRun }) =>
    `${counted(records, 'record')}, ${counted(poolFiles, 'pool file')} (${bytes(poolBytes)}), ${counted(publishedFiles, 'published file')} ${
      dryRun ? 'would be removed' : 'removed'
    }.`,
});
