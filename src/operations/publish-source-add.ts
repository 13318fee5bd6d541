import { defineOperation } from './operation.ts';
import { renderStaged, stage, stageArguments, stageOptions } from './publish-stage.ts';

export const publishSourceAdd = defineOperation({
  name: 'publish source add',
  summary: 'Stage a further component',
  example: `$ artifacts publish source add bookworm extras-2026-11-22 --component extras
COMPONENT  PUBLISHED            STAGED
extras     -                    extras-2026-11-22
main       bookworm-2026-11-21

Apply with: artifacts publish update bookworm apt-mirror/integrated`,
  arguments: stageArguments,
  options: stageOptions,
  run: async (app, input, ctx) =>
    stage(app, input, ({ components, names, sourceOf, requirePresent }) => {
      requirePresent(false);
      for (const [index, name] of names.entries()) components.set(name, sourceOf(index));
    }, ctx),
  render: renderStaged,
});
