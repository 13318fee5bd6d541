import { defineOperation } from './operation.ts';
import { renderStaged, stage, stageArguments, stageOptions } from './publish-stage.ts';

export const publishSourceUpdate = defineOperation({
  name: 'publish source update',
  summary: 'Stage another snapshot for a component',
  example: `$ artifacts publish source update bookworm bookworm-2026-11-22
COMPONENT  PUBLISHED            STAGED
main       bookworm-2026-11-21  bookworm-2026-11-22

Apply with: artifacts publish update bookworm apt-mirror/integrated`,
  arguments: stageArguments,
  options: stageOptions,
  run: async (app, input, ctx) =>
    stage(app, input, ({ components, names, sourceOf, requirePresent }) => {
      requirePresent(true);
      for (const [index, name] of names.entries()) components.set(name, sourceOf(index));
    }, ctx),
  render: renderStaged,
});
