import { ArtifactsError } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { publishOne, renderPublished } from './publish-snapshot.ts';
import { DEFAULT_PREFIX, requirePublication } from './publish-view.ts';

export const publishSwitch = defineOperation({
  name: 'publish switch',
  summary: 'Make a distribution serve another snapshot, in one step',
  description: 'Clients in the middle of the old generation finish with it: it is kept for a while, as publish.keep_* say.',
  example: `$ artifacts publish switch bookworm bookworm-2026-11-22
Published apt-mirror/integrated bookworm: generation 2.`,
  arguments: {
    distribution: { summary: 'the distribution' },
    words: { summary: `the snapshot, with the prefix before it if it is not ${DEFAULT_PREFIX}: [PREFIX] SNAPSHOT`, variadic: true },
  },
  options: { component: { kind: 'text', value: 'NAME', summary: 'the component (default: the only one)' } },
  run: async (app, { distribution, words, component }, ctx) => {
    const snapshot = words.at(-1);
    if (snapshot === undefined || words.length > 2) {
      throw new ArtifactsError('E_USAGE', 'Expected a distribution, perhaps a prefix, and a snapshot');
    }
    const prefix = words.length === 2 ? (words[0] ?? DEFAULT_PREFIX) : DEFAULT_PREFIX;
    const { components } = requirePublication(await app.catalog(), prefix, distribution);
    const only = components.length === 1 ? components[0]?.component : undefined;
    const chosen = component ?? only;
    if (chosen === undefined) {
      throw new ArtifactsError('E_USAGE', `${prefix} ${distribution} has the components ${components.map((item) => item.component).join(', ')}`, {
        hint: 'Say which one with --component.',
      });
    }
    return publishOne(app, { prefix, distribution, snapshot, component: chosen }, ctx);
  },
  render: renderPublished,
});
