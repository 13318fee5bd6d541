/** What the verbs have in common that publish a distribution for the first time. */
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { App } from './app.ts';
import { componentNames, publishChange, type PublishedView, type Source } from './publish-change.ts';
import { fieldOptions, givenFields, type FieldInput } from './publish-fields.ts';
import { integratedPrefix } from '../release/spec.ts';
import { declaredRepos } from './repo-access.ts';

export const newOptions = {
  distribution: { kind: 'text', value: 'NAME', summary: 'what clients ask for', required: true },
  component: { kind: 'text', value: 'NAMES', summary: 'the components, joined with commas (default: main)' },
  ...fieldOptions,
} as const;

export interface NewInput extends FieldInput {
  /** The sources, then perhaps the prefix. */
  readonly words: readonly string[];
  readonly distribution: string;
  readonly component?: string | undefined;
}

export interface NewKind {
  readonly source: (name: string) => Source;
  /** What to do about a distribution that exists. */
  readonly instead: (existing: { readonly prefix: string; readonly distribution: string; readonly sources: readonly string[] }) => string;
}

/** Throws E_EXISTS for a distribution that is published, E_USAGE for words that do not match the components. */
export async function publishNew(app: App, { words, distribution, component, ...fields }: NewInput, { source, instead }: NewKind, ctx: Context): Promise<PublishedView> {
  const names = componentNames(component ?? 'main');
  const { sources, prefix: named } = splitSources(words, names);
  const prefix = named ?? integratedPrefix(await formatOfSource(app, source(sources[0] ?? '')));
  if ((await app.catalog()).publications.find(prefix, distribution) !== undefined) {
    throw new ArtifactsError('E_EXISTS', `${prefix} ${distribution} is published already`, { hint: instead({ prefix, distribution, sources }) });
  }
  const components = new Map(names.map((name, index) => [name, source(sources[index] ?? '')]));
  return publishChange(app, { prefix, distribution, components, given: await givenFields(fields), refresh: false }, ctx);
}

async function formatOfSource(app: App, source: Source): Promise<string> {
  const catalog = await app.catalog();
  if ('repo' in source) {
    const { findRepo } = await import('../repo/repos.ts');
    return findRepo(catalog, source.repo, await declaredRepos(app)).format;
  }
  const { requireSnapshot } = await import('../snapshot/snapshots.ts');
  return requireSnapshot(catalog, String(source.snapshot)).format;
}

/** As aptly: as many sources as components, then perhaps the prefix. */
function splitSources(words: readonly string[], components: readonly string[]): { readonly sources: readonly string[]; readonly prefix: string | undefined } {
  const { length } = components;
  if (words.length === length || words.length === length + 1) return { sources: words.slice(0, length), prefix: words[length] };
  throw new ArtifactsError('E_USAGE', `Expected ${length === 1 ? 'one source' : `${length} sources`} for the ${length === 1 ? 'component' : 'components'} ${components.join(', ')}, then perhaps a prefix`, {
    hint: 'Name as many components with --component as there are sources: --component main,contrib.',
  });
}
