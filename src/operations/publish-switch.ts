import { ArtifactsError } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { componentNames, publishChange, renderPublished } from './publish-change.ts';
import { FIELD_NOTE, fieldOptions, givenFields } from './publish-fields.ts';
import { DEFAULT_PREFIX, requirePublication } from './publish-view.ts';
import type { Publication } from '../catalog/publications.ts';

export const publishSwitch = defineOperation({
  name: 'publish switch',
  summary: 'Make a distribution serve other snapshots, in one step',
  description: `With --component main,contrib two components change together. Clients in the middle of the old generation
finish with it: it is kept for a while, as publish.keep_* say. ${FIELD_NOTE}`,
  example: `$ artifacts publish switch bookworm bookworm-2026-11-22
Published apt-mirror/integrated bookworm: generation 2.`,
  arguments: {
    distribution: { summary: 'the distribution' },
    words: { summary: `the snapshots, with the prefix before them unless it is ${DEFAULT_PREFIX}: [PREFIX] SNAPSHOT...`, variadic: true },
  },
  options: {
    component: { kind: 'text', value: 'NAMES', summary: 'the components, joined with commas (default: the only one)' },
    ...fieldOptions,
  },
  run: async (app, { distribution, words, component, ...fields }, ctx) => {
    const count = component === undefined ? 1 : componentNames(component).length;
    if (words.length !== count && words.length !== count + 1) {
      throw new ArtifactsError('E_USAGE', `Expected a distribution, perhaps a prefix, and ${count === 1 ? 'a snapshot' : `${count} snapshots`}`, {
        hint: 'Name as many components with --component as there are snapshots: --component main,contrib.',
      });
    }
    const publication = requirePublication(await app.catalog(), words.length > count ? words[0] : undefined, distribution);
    const { prefix } = publication;
    const names = chooseComponents(publication, component);
    const snapshots = words.slice(-count);
    const components = new Map(names.map((name, index) => [name, { snapshot: snapshots[index] ?? '' }]));
    return publishChange(app, { prefix, distribution, components, given: await givenFields(fields), refresh: false }, ctx);
  },
  render: renderPublished,
});

function chooseComponents({ prefix, distribution, components }: Publication, given: string | undefined): string[] {
  const there = components.map(({ component }) => component);
  if (given === undefined && there.length === 1) return there;
  const listed = `${prefix} ${distribution} has the components ${there.join(', ')}`;
  if (given === undefined) throw new ArtifactsError('E_USAGE', listed, { hint: 'Say which of them with --component.' });
  const names = componentNames(given);
  const unknown = names.find((name) => !there.includes(name));
  if (unknown === undefined) return names;
  throw new ArtifactsError('E_NOT_FOUND', `${listed} and no "${unknown}"`, {
    hint: `To add it: artifacts publish source add ${distribution} SNAPSHOT --component ${unknown} --prefix ${prefix}`,
  });
}
