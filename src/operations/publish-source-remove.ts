import { defineOperation } from './operation.ts';
import { renderStaged, stage, stageOptions } from './publish-stage.ts';

export const publishSourceRemove = defineOperation({
  name: 'publish source remove',
  summary: 'Stage that a component goes',
  example: `$ artifacts publish source remove bookworm --component extras
COMPONENT  PUBLISHED            STAGED
extras     extras-2026-11-21    goes
main       bookworm-2026-11-21

Apply with: artifacts publish update bookworm apt-mirror/integrated`,
  arguments: {
    distribution: { summary: 'the distribution' },
  },
  options: stageOptions,
  run: async (app, input, ctx) =>
    stage(app, { ...input, sources: [] }, ({ components, names, requirePresent }) => {
      requirePresent(true);
      for (const name of names) components.delete(name);
    }, ctx),
  render: renderStaged,
});
