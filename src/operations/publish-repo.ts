import { ArtifactsError } from '../core/errors.ts';
import { componentNames, publishChange, renderPublished, splitSources } from './publish-change.ts';
import { fieldOptions, givenFields } from './publish-fields.ts';
import { defineOperation } from './operation.ts';
import { DEFAULT_PREFIX } from './publish-view.ts';

export const publishRepo = defineOperation({
  name: 'publish repo',
  summary: 'Publish local repositories as a signed distribution',
  description: `Freezes each repository first, as REPO@DATE, so that what is published never changes by itself;
\`artifacts publish update\` does the same again when the repository has changed.`,
  example: `$ artifacts publish repo ours --distribution bookworm
Published apt-mirror/integrated bookworm: generation 1.`,
  arguments: {
    words: { summary: `the repositories, then perhaps the folder below the public one (default: ${DEFAULT_PREFIX}): REPO... [PREFIX]`, variadic: true },
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
        hint: `To publish what changed: artifacts publish update ${distribution} ${prefix}`,
      });
    }
    const components = new Map(names.map((name, index) => [name, { repo: sources[index] ?? '' }]));
    return publishChange(app, { prefix, distribution, components, given: await givenFields(fields), refresh: false }, ctx);
  },
  render: renderPublished,
});
