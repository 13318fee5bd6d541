import { defineOperation } from './operation.ts';

export const snapshotDrop = defineOperation({
  name: 'snapshot drop',
  summary: 'Drop a snapshot that nothing uses',
  description: 'Refused while a publication serves it or another snapshot was made from it; the error names them.',
  example: `$ artifacts snapshot drop bookworm-2026-11-20
Snapshot bookworm-2026-11-20 dropped.`,
  arguments: { name: { summary: 'the snapshot' } },
  options: {},
  run: async (app, { name }, ctx) => {
    const { dropSnapshot, requireSnapshot } = await import('../snapshot/snapshots.ts');
    const catalog = await app.catalog();
    return app.change(ctx, async () => {
      catalog.transaction(() => dropSnapshot(catalog, requireSnapshot(catalog, name)));
      return { dropped: name };
    });
  },
  render: ({ dropped }) => `Snapshot ${dropped} dropped.`,
});
