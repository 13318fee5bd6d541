import { defineOperation } from './operation.ts';
import { renderStaged, stageOptions, viewStaged } from './publish-stage.ts';
import { findPublication } from './publish-view.ts';

export const publishSourceList = defineOperation({
  name: 'publish source list',
  summary: 'Show what the components of a distribution serve, and what is staged',
  example: `$ artifacts publish source list bookworm
COMPONENT  PUBLISHED            STAGED
main       bookworm-2026-11-21

Nothing is staged.`,
  arguments: { distribution: { summary: 'the distribution' } },
  options: { prefix: stageOptions.prefix },
  run: async (app, { distribution, prefix }) => {
    const catalog = await app.peek();
    return viewStaged(catalog, findPublication(catalog, prefix, distribution));
  },
  render: renderStaged,
});
