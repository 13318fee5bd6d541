import type { Publication, StagedComponent } from '../catalog/publications.ts';
import { defineOperation } from './operation.ts';
import { publishChange, renderPublished, type Source } from './publish-change.ts';
import { FIELD_NOTE, fieldOptions, givenFields } from './publish-fields.ts';
import { DEFAULT_PREFIX, requirePublication } from './publish-view.ts';

export const publishUpdate = defineOperation({
  name: 'publish update',
  summary: 'Publish a distribution anew: staged changes, local repositories, keys, labels and dates',
  description: `Applies what \`artifacts publish source\` staged, all of it in one step; takes local repositories as they are now;
signs with the keys of today; counts Valid-Until from now; follows changes of publish.* in vars/.
${FIELD_NOTE}`,
  example: `$ artifacts publish update bookworm
Published apt-mirror/integrated bookworm: generation 3.`,
  arguments: {
    distribution: { summary: 'the distribution' },
    prefix: { summary: `the prefix (default: ${DEFAULT_PREFIX})`, optional: true },
  },
  options: fieldOptions,
  run: async (app, { distribution, prefix: named, ...fields }, ctx) => {
    const catalog = await app.catalog();
    const { prefix } = requirePublication(catalog, named, distribution);
    const components = new Map(catalog.publications.staged(prefix, distribution).map((staged) => [staged.component, stagedSource(staged)]));
    return publishChange(app, { prefix, distribution, components, given: await givenFields(fields), refresh: true }, ctx);
  },
  render: renderPublished,
});

function stagedSource({ snapshot, repo }: Omit<StagedComponent, 'component'>): Source | undefined {
  if (repo !== undefined) return { repo };
  return snapshot === undefined ? undefined : { snapshot };
}

/** What each component will serve after the next update. */
export function componentsAfter(publication: Publication, staged: readonly StagedComponent[]): Map<string, Source> {
  const components = new Map<string, Source>();
  for (const { component, snapshot } of publication.components) {
    const repo = publication.spec.repos?.[component];
    components.set(component, repo === undefined ? { snapshot } : { repo });
  }
  for (const change of staged) {
    const source = stagedSource(change);
    if (source === undefined) components.delete(change.component);
    else components.set(change.component, source);
  }
  return components;
}
