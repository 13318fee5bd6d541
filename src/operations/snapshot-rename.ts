import { defineOperation } from './operation.ts';

export const snapshotRename = defineOperation({
  name: 'snapshot rename',
  summary: 'Give a snapshot another name',
  description: 'What was made from it or serves it stays tied to it. A release looks for its snapshots by name, and makes a renamed one anew.',
  example: `$ artifacts snapshot rename web web-2026
Snapshot web is web-2026 now.`,
  arguments: { old: { summary: 'the snapshot' }, new: { summary: 'its new name' } },
  options: {},
  run: async (app, input, ctx) => {
    const { renameSnapshot, requireSnapshot } = await import('../snapshot/snapshots.ts');
    const catalog = await app.catalog();
    return app.change(ctx, async () => {
      catalog.transaction(() => renameSnapshot(catalog, requireSnapshot(catalog, input.old), input.new));
      return { from: input.old, to: input.new };
    });
  },
  render: ({ from, to }) => `Snapshot ${from} is ${to} now.`,
});
