/** Staging changes of components: kept in the catalog until `publish update` applies them all in one step. */
import type { Catalog } from '../catalog/catalog.ts';
import type { Publication, StagedComponent } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { App } from './app.ts';
import { componentNames, type Source } from './publish-change.ts';
import { componentsAfter } from './publish-update.ts';
import { DEFAULT_PREFIX, requirePublication } from './publish-view.ts';
import { declaredRepos } from './repo-access.ts';
import { table } from './text.ts';

export interface StagedView {
  readonly prefix: string;
  readonly distribution: string;
  readonly components: readonly {
    readonly component: string;
    /** What is served; null: the component is new. */
    readonly published: string | null;
    /** What will be served; null: it goes. */
    readonly staged: string | null;
    readonly changes: boolean;
  }[];
}

export const stageOptions = {
  component: { kind: 'text', value: 'NAMES', summary: 'the components, joined with commas (default: main)' },
  prefix: { kind: 'text', value: 'PREFIX', summary: `the prefix (default: ${DEFAULT_PREFIX})` },
} as const;

/** Of the verbs that stage sources. */
export const stageArguments = {
  distribution: { summary: 'the distribution' },
  sources: { summary: 'snapshots or local repositories, one for each component', variadic: true },
} as const;

export interface StageInput {
  readonly distribution: string;
  readonly prefix: string | undefined;
  readonly component: string | undefined;
  /** Names of snapshots or local repositories, one for each component. */
  readonly sources: readonly string[];
}

export interface Staging {
  /** What is to be served, before the change. */
  readonly components: Map<string, Source>;
  readonly names: readonly string[];
  readonly sourceOf: (index: number) => Source;
  readonly requirePresent: (present: boolean) => void;
}

/** Changes what is staged: `change` edits the components. */
export async function stage(app: App, input: StageInput, change: (staging: Staging) => void, ctx: Context): Promise<StagedView> {
  const names = componentNames(input.component ?? 'main');
  const catalog = await app.catalog();
  const { listRepos } = await import('../repo/repos.ts');
  const repos = new Set(listRepos(catalog, await declaredRepos(app)).map((repo) => repo.name));
  return app.change(ctx, async () => {
    const publication = requirePublication(catalog, input.prefix, input.distribution);
    const { prefix } = publication;
    const components = componentsAfter(publication, catalog.publications.staged(prefix, input.distribution));
    change({
      components,
      names,
      sourceOf: (index) => findSource({ catalog, repos }, requireOne(input.sources, index, names)),
      requirePresent: (present) => requirePresence(publication, { components, names, present }),
    });
    const staged = changesOf(publication, components);
    catalog.transaction(() => catalog.publications.stage(prefix, input.distribution, staged));
    return viewStaged(catalog, publication);
  });
}

function requireOne(sources: readonly string[], index: number, names: readonly string[]): string {
  const source = sources[index];
  if (source !== undefined && sources.length === names.length) return source;
  throw new ArtifactsError('E_USAGE', `Expected one source for each of the components ${names.join(', ')}`);
}

function requirePresence(
  { prefix, distribution }: Publication,
  { components, names, present }: { readonly components: ReadonlyMap<string, Source>; readonly names: readonly string[]; readonly present: boolean },
): void {
  const wrong = names.find((name) => components.has(name) !== present);
  if (wrong === undefined) return;
  const where = `${prefix} ${distribution}`;
  throw present
    ? new ArtifactsError('E_NOT_FOUND', `${where} has no component "${wrong}"`, { hint: 'To add it: `artifacts publish source add`.' })
    : new ArtifactsError('E_EXISTS', `${where} has the component "${wrong}" already`, { hint: 'To change it: `artifacts publish source update`.' });
}

function findSource({ catalog, repos }: { readonly catalog: Catalog; readonly repos: ReadonlySet<string> }, name: string): Source {
  const snapshot = catalog.snapshots.find(name);
  if (snapshot !== undefined) return { snapshot: snapshot.id };
  if (repos.has(name)) return { repo: name };
  throw new ArtifactsError('E_NOT_FOUND', `No snapshot or local repository is called "${name}"`, {
    hint: '`artifacts snapshot list` and `artifacts repo list` show what there is.',
  });
}

/** Only what differs from what is published. */
function changesOf(publication: Publication, components: ReadonlyMap<string, Source>): StagedComponent[] {
  const before = componentsAfter(publication, []);
  const changed = [...components].flatMap(([component, source]): StagedComponent[] => {
    if (JSON.stringify(before.get(component)) === JSON.stringify(source)) return [];
    if ('repo' in source) return [{ component, repo: source.repo }];
    return typeof source.snapshot === 'number' ? [{ component, snapshot: source.snapshot }] : [];
  });
  return [...changed, ...[...before.keys()].filter((component) => !components.has(component)).map((component) => ({ component }))];
}

/** Every component with what it serves and what it will. */
export function viewStaged(catalog: Catalog, publication: Publication): StagedView {
  const { prefix, distribution } = publication;
  const name = (source: Source | undefined): string | null => {
    if (source === undefined) return null;
    if ('repo' in source) return `${source.repo} (local repository)`;
    return typeof source.snapshot === 'number' ? catalog.snapshots.get(source.snapshot).name : source.snapshot;
  };
  const before = componentsAfter(publication, []);
  const staged = catalog.publications.staged(prefix, distribution);
  const after = componentsAfter(publication, staged);
  const components = [...new Set([...before.keys(), ...after.keys()])].sort().map((component) => ({
    component,
    published: name(before.get(component)),
    staged: name(after.get(component)),
    changes: staged.some((change) => change.component === component),
  }));
  return { prefix, distribution, components };
}

export function renderStaged({ prefix, distribution, components }: StagedView): string {
  const rows = components.map(({ component, published, staged, changes }) => [component, published ?? '-', changes ? (staged ?? 'goes') : '']);
  const shown = table(['COMPONENT', 'PUBLISHED', 'STAGED'], rows);
  const hint = components.some(({ changes }) => changes)
    ? `Apply with: artifacts publish update ${distribution} ${prefix}`
    : 'Nothing is staged.';
  return `${shown}\n\n${hint}`;
}
