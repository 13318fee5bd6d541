import { defineOperation } from './operation.ts';
import { renderStaged, stage, stageArguments, stageOptions } from './publish-stage.ts';

export const publishSourceReplace = defineOperation({
  name: 'publish source replace',
  summary: 'Stage all components anew: those not named go',
  example: `$ artifacts publish source replace bookworm bookworm-2026-11-22
COMPONENT  PUBLISHED            STAGED
extras     extras-2026-11-21    goes
main       bookworm-2026-11-21  bookworm-2026-11-22

Apply with: artifacts publish update bookworm apt-mirror/integrated`,
  arguments: stageArguments,
  options: stageOptions,
  run: async (app, input, ctx) =>
    stage(app, input, ({ components, names, sourceOf }) => {
      const wanted = names.map((_, index) => sourceOf(index));
      components.clear();
      for (const [index, source] of wanted.entries()) components.set(names[index] ?? '', source);
    }, ctx),
  render: renderStaged,
});
