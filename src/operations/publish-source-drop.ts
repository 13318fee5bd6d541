import { defineOperation } from './operation.ts';
import { renderStaged, stageOptions, viewStaged } from './publish-stage.ts';
import { requirePublication } from './publish-view.ts';

export const publishSourceDrop = defineOperation({
  name: 'publish source drop',
  summary: 'Forget what is staged for a distribution',
  example: `$ artifacts publish source drop bookworm
COMPONENT  PUBLISHED            STAGED
main       bookworm-2026-11-21

Nothing is staged.`,
  arguments: { distribution: { summary: 'the distribution' } },
  options: { prefix: stageOptions.prefix },
  run: async (app, { distribution, prefix }, ctx) => {
    const catalog = await app.catalog();
    return app.change(ctx, async () => {
      const publication = requirePublication(catalog, prefix, distribution);
      catalog.transaction(() => catalog.publications.stage(publication.prefix, distribution, []));
      return viewStaged(catalog, publication);
    });
  },
  render: renderStaged,
});
