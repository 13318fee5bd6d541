import { defineOperation } from './operation.ts';
import { viewSnapshot } from './snapshot-view.ts';
import { counted } from './text.ts';

export const snapshotCreate = defineOperation({
  name: 'snapshot create',
  summary: 'Freeze what a mirror holds now',
  example: `$ artifacts snapshot create bookworm-2026-11-21 --from-mirror debian-bookworm
Snapshot bookworm-2026-11-21: 38 packages.`,
  arguments: { name: { summary: 'the name of the new snapshot' } },
  options: { fromMirror: { kind: 'text', value: 'MIRROR', summary: 'the mirror to freeze', required: true } },
  run: async (app, { name, fromMirror }, ctx) => {
    const { requireMirrorState } = await import('../mirror/update.ts');
    const { createSnapshot } = await import('../snapshot/snapshots.ts');
    const catalog = await app.catalog();
    return app.change(ctx, async () => {
      const { format, content, inputs } = requireMirrorState(catalog, fromMirror);
      const origin = { kind: 'mirror', mirror: fromMirror, inputs } as const;
      return viewSnapshot(catalog.transaction(() => createSnapshot(catalog, { name, format, content, origin, now: app.clock() })));
    });
  },
  render: ({ name, packages }) => `Snapshot ${name}: ${counted(packages, 'package')}.`,
});
