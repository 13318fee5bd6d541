import { ArtifactsError } from '../core/errors.ts';
import { componentNames, publishChange, renderPublished, splitSources } from './publish-change.ts';
import { fieldOptions, givenFields } from './publish-fields.ts';
import { defineOperation } from './operation.ts';
import { DEFAULT_PREFIX } from './publish-view.ts';

export const publishSnapshot = defineOperation({
  name: 'publish snapshot',
  summary: 'Publish snapshots as a signed distribution',
  description: `One snapshot for each component: with --component main,contrib two of them, in that order, and perhaps the prefix
behind them. Refused when the distribution exists: \`artifacts publish switch\` replaces what it serves.

What is said here of the distribution stays said until it is said anew with \`publish switch\` or \`publish update\`;
everything else follows publish.* in vars/.`,
  example: `$ artifacts publish snapshot bookworm-2026-11-21 --distribution bookworm
Published apt-mirror/integrated bookworm: generation 1.`,
  arguments: {
    words: { summary: `the snapshots, then perhaps the folder below the public one (default: ${DEFAULT_PREFIX}): SNAPSHOT... [PREFIX]`, variadic: true },
  },
  options: {
    distribution: { kind: 'text', value: 'NAME', summary: 'what clients ask for', required: true },
    component: { kind: 'text', value: 'NAMES', summary: 'the components, joined with commas (default: main)' },
    ...fieldOptions,
  },
  run: async (app, { words, distribution, component, ...fields }, ctx) => {
    const names = componentNames(component ?? 'main');
    const { sources, prefix = DEFAULT_PREFIX } = splitSources(words, names);
    if ((await app.catalog()).publications.find(prefix, distribution) !== undefined) {
      throw new ArtifactsError('E_EXISTS', `${prefix} ${distribution} is published already`, {
        hint: `To replace what it serves: artifacts publish switch ${distribution} ${prefix} ${sources.join(' ')}`,
      });
    }
    const components = new Map(names.map((name, index) => [name, { snapshot: sources[index] ?? '' }]));
    return publishChange(app, { prefix, distribution, components, given: await givenFields(fields), refresh: false }, ctx);
  },
  render: renderPublished,
});
