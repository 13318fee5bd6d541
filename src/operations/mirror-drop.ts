import { defineOperation } from './operation.ts';

export const mirrorDrop = defineOperation({
  name: 'mirror drop',
  summary: "Forget a mirror's content; snapshots of it stay",
  description: 'The files leave the pool with the next `artifacts db cleanup`, as far as no snapshot needs them.',
  example: `$ artifacts mirror drop debian-bookworm
Mirror debian-bookworm dropped.`,
  arguments: { name: { summary: 'the mirror' } },
  options: {},
  run: async (app, { name }, ctx) => {
    const { requireMirrorState } = await import('../mirror/require-state.ts');
    const catalog = await app.catalog();
    const locks = await app.locks();
    // Not beside an update of the same mirror, which counts on what the mirror holds.
    return locks.hold(`mirror-${name}`, ctx, () =>
      app.change(ctx, async () => {
        requireMirrorState(catalog, name);
        catalog.transaction(() => catalog.mirrors.drop(name));
        return { dropped: name };
      }),
    );
  },
  render: ({ dropped }) => `Mirror ${dropped} dropped.`,
});
