/** What the verbs that publish have in common: which component serves what, and what is said of it. */
import type { Catalog } from '../catalog/catalog.ts';
import type { Publication, PublicationFields } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { DeclaredRepo } from '../repo/repos.ts';
import type { App } from './app.ts';
import { checkTold, effectiveFields } from './publish-fields.ts';
import { viewPublication, type PublicationView } from './publish-view.ts';
import { declaredRepos } from './repo-access.ts';

/** What a component is to serve: a snapshot by name or number, or a local repository as it is now. */
export type Source = { readonly snapshot: string | number } | { readonly repo: string };

export interface PublishChange {
  readonly prefix: string;
  readonly distribution: string;
  /** What each component serves; undefined: it goes. Components not named stay as they are. */
  readonly components: ReadonlyMap<string, Source | undefined>;
  readonly given: PublicationFields;
  /** Publish also what is served already, and follow local repositories. */
  readonly refresh: boolean;
}

export interface PublishedView extends PublicationView {
  readonly changed: boolean;
}

/** Publishes with these changes. What was said of the publication before stays said. */
export async function publishChange(app: App, change: PublishChange, ctx: Context): Promise<PublishedView> {
  const { publish } = await import('../publish/publish.ts');
  const config = await app.config();
  const { publish: settings } = config;
  const { resolveArchitectures } = await import('../config/describe-mirror.ts');
  const architectures = await resolveArchitectures(config.architectures, app.machine());
  const catalog = await app.catalog();
  const signer = await app.signer();
  for (const message of signer.warnings) ctx.report({ type: 'warning', message });
  const { listRepos } = await import('../repo/repos.ts');
  const declared = await declaredRepos(app);
  const tools = await app.tools();
  return app.change(ctx, async () => {
    const { prefix, distribution } = change;
    const before = catalog.publications.find(prefix, distribution);
    const known = new Set(listRepos(catalog, declared).map(({ name }) => name));
    const sources = sourcesAfter(before, change, known);
    for (const message of lostRepos(before, sources, change)) ctx.report({ type: 'warning', message });
    const components = new Map<string, Snapshot>();
    for (const [component, source] of sources) {
      const served = before?.components.find((item) => item.component === component)?.snapshot;
      components.set(component, await snapshotOf(source, served, { catalog, declared, now: app.clock() }));
    }
    for (const { format } of components.values()) checkTold(change.given, format);
    const given = { ...before?.spec.given, ...change.given };
    const repos = reposAfter(before, change, sources);
    const { origin, label, ...fields } = effectiveFields(given, settings);
    const request = { prefix, distribution, components, origin, label, architectures, fields, given, repos, refresh: change.refresh };
    const { publication, changed } = await publish(request, signer, tools, ctx);
    if (change.refresh) catalog.transaction(() => catalog.publications.stage(prefix, distribution, []));
    return { ...viewPublication(catalog, publication, app.clock()), changed };
  });
}

function sourcesAfter(
  before: Publication | undefined,
  { prefix, distribution, components, refresh }: PublishChange,
  repos: ReadonlySet<string>,
): Map<string, Source> {
  const sources = new Map<string, Source>();
  for (const { component, snapshot } of before?.components ?? []) {
    const repo = before?.spec.repos?.[component];
    // Only an update follows the repository: a switch of one component leaves the others as they are.
    sources.set(component, repo !== undefined && refresh && repos.has(repo) ? { repo } : { snapshot });
  }
  for (const [component, source] of components) {
    if (source === undefined) sources.delete(component);
    else sources.set(component, source);
  }
  if (sources.size > 0) return sources;
  throw new ArtifactsError('E_USAGE', `${prefix} ${distribution} would have no component left`, {
    hint: `To stop serving it: artifacts publish drop ${distribution} ${prefix}`,
  });
}

/** Repositories that were dropped or renamed: what was published of them stays, and is followed no longer. */
function lostRepos(before: Publication | undefined, sources: ReadonlyMap<string, Source>, { components, refresh }: PublishChange): string[] {
  return Object.entries(before?.spec.repos ?? {}).flatMap(([component, repo]) => {
    const source = sources.get(component);
    if (!refresh || components.has(component) || source === undefined || 'repo' in source) return [];
    return [`${component} no longer follows the local repository "${repo}", which is gone: it serves what it served`];
  });
}

/** Which components follow a repository from now on: those published from one, until they are given a snapshot. */
function reposAfter(before: Publication | undefined, { components, refresh }: PublishChange, sources: ReadonlyMap<string, Source>): Record<string, string> {
  const kept = Object.entries(before?.spec.repos ?? {}).filter(([component]) => !refresh && sources.has(component) && !components.has(component));
  const named = [...sources].flatMap(([component, source]) => ('repo' in source ? [[component, source.repo] as const] : []));
  return Object.fromEntries([...kept, ...named]);
}

async function snapshotOf(
  source: Source,
  served: number | undefined,
  { catalog, declared, now }: { readonly catalog: Catalog; readonly declared: readonly DeclaredRepo[]; readonly now: Date },
): Promise<Snapshot> {
  const { createSnapshot, freeName, requireSnapshot } = await import('../snapshot/snapshots.ts');
  if ('snapshot' in source) {
    return typeof source.snapshot === 'number' ? catalog.snapshots.get(source.snapshot) : requireSnapshot(catalog, source.snapshot);
  }
  const { openRepo } = await import('../repo/repos.ts');
  const { compactDate } = await import('../release/build-id.ts');
  const repo = catalog.transaction(() => openRepo(catalog, source.repo, { declared, now }));
  const current = served === undefined ? undefined : catalog.snapshots.get(served);
  if (current?.content.id === repo.content.id) return current;
  const name = freeName(catalog, `${repo.name}@${compactDate(now)}`);
  const origin = { kind: 'repo', repo: repo.name } as const;
  return catalog.transaction(() => createSnapshot(catalog, { name, format: repo.format, content: repo.content, origin, now }));
}

export function renderPublished({ prefix, distribution, generation, changed }: PublishedView): string {
  if (!changed) return `${prefix} ${distribution} serves that already.`;
  return `Published ${prefix} ${distribution}: generation ${generation}.`;
}

/** `main,contrib` -> its names. Throws E_USAGE for none and for one twice. */
export function componentNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('') || new Set(names).size < names.length) {
    throw new ArtifactsError('E_USAGE', `--component: ${JSON.stringify(text)} names no list of components`, { hint: 'Write them like main,contrib.' });
  }
  return names;
}
