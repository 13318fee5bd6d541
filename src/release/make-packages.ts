/** Making the nodes of packages: mirrors, snapshots, merges and publications. */
import type { Catalog } from '../catalog/catalog.ts';
import type { Context } from '../core/context.ts';
import { canonicalJson } from '../core/digest.ts';
import { describePackage, LISTED } from '../core/package.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { requireMirrorState } from '../mirror/require-state.ts';
import { updateMirror } from '../mirror/update.ts';
import { publish } from '../publish/publish.ts';
import { boundPackages } from '../snapshot/bound-packages.ts';
import type { ContentDiff } from '../snapshot/diff.ts';
import { createSnapshot, diffSnapshots, freeName, mergeSnapshots, requireSnapshot } from '../snapshot/snapshots.ts';
import { counted } from '../util/counted.ts';
import { compactDate } from './build-id.ts';
import { required, type BuildTools, type Made, type Making } from './making.ts';
import type { NodeOf } from './nodes.ts';
import type { SourceSpec } from './spec.ts';

export async function makeMirror(node: NodeOf<'mirror'>, tools: BuildTools, ctx: Context): Promise<Made> {
  if (!node.source.update) {
    const { checkedAt } = requireMirrorState(tools.catalog, node.source.name);
    return { state: 'fresh', detail: `not to be updated; as of ${checkedAt}` };
  }
  const update = await updateMirror(await node.source.resolve(ctx), {}, tools, ctx);
  if (!update.changed) return { state: 'fresh', detail: `${counted(update.packages, 'package')}, unchanged upstream` };
  return { state: 'done', detail: `${counted(update.packages, 'package')}, ${counted(update.files, 'file')} fetched` };
}

export async function makeSlushie(
  node: NodeOf<'snapshot'>,
  { needed }: Making,
  tools: BuildTools,
  ctx: Context,
): Promise<Made> {
  const { catalog, clock } = tools;
  if (needed.some(({ state }) => state === 'kept')) return { state: 'fresh', detail: 'kept as it was' };
  return tools.change(ctx, async () =>
    catalog.transaction(() => {
      const { format, content, origin } = contentOf(node.source, catalog);
      const before = catalog.snapshots.find(node.name);
      const same = before?.content.id === content.id && canonicalJson(before.origin) === canonicalJson(origin);
      if (same) return { state: 'fresh', detail: 'the same packages' };
      setAside(catalog, before);
      const made = createSnapshot(catalog, { name: node.name, format, content, origin, now: clock() });
      const changes = before === undefined ? '' : describeChanges(node.source.name, diffSnapshots(catalog, before, made), ctx);
      return { state: 'done', detail: `${counted(content.count, 'package')}${changes}` };
    }),
  );
}

/** In numbers. Whoever has installed a version whose bytes are others now is not offered them: that is a warning. */
function describeChanges(source: string, diff: ContentDiff, ctx: Context): string {
  const packages = <T extends { readonly architecture: string }>(list: readonly T[]): readonly T[] => list.filter(({ architecture }) => architecture !== LISTED);
  const [added, removed, changed, redescribed] = [packages(diff.added), packages(diff.removed), packages(diff.changed), packages(diff.redescribed)];
  const [first, ...others] = redescribed.filter(({ files }) => files === 'different');
  if (first !== undefined) {
    const more = others.length === 0 ? '' : ` and ${counted(others.length, 'other package')}`;
    ctx.report({ type: 'warning', message: `${source}: ${describePackage(first)}${more}: the same version has other bytes than before` });
  }
  const parts = Object.entries({ added, removed, changed, 'described anew': redescribed }).filter(([, list]) => list.length > 0);
  return parts.length === 0 ? '' : `: ${parts.map(([what, list]) => `${list.length} ${what}`).join(', ')}`;
}

/** What a source holds. A repository nothing was put in holds nothing. */
function contentOf(source: SourceSpec, catalog: Catalog): Pick<Snapshot, 'format' | 'content' | 'origin'> {
  if (source.kind === 'mirror') {
    const { format, content, inputs } = requireMirrorState(catalog, source.name);
    return { format, content, origin: { kind: 'mirror', mirror: source.name, inputs } };
  }
  const repo = catalog.repos.find(source.name);
  const content = repo?.content ?? catalog.contents.storeMembers([]);
  return { format: repo?.format ?? source.format, content, origin: { kind: 'repo', repo: source.name } };
}

/** A snapshot never changes: its successor takes over the name, and it stays under a dated one. */
function setAside(catalog: Catalog, snapshot: Snapshot | undefined): void {
  if (snapshot === undefined) return;
  catalog.snapshots.rename(snapshot.id, freeName(catalog, `${snapshot.name}@${compactDate(new Date(snapshot.createdAt))}`));
}

export async function makeMerge(node: NodeOf<'merge'>, tools: BuildTools, ctx: Context): Promise<Made> {
  const { catalog, clock } = tools;
  return tools.change(ctx, async () => {
    const sources = node.sources.map((name) => requireSnapshot(catalog, name));
    const before = catalog.snapshots.find(node.name);
    if (before?.origin.kind === 'merge' && before.origin.policy === node.policy) {
      if (JSON.stringify(before.origin.sources.map(({ id }) => id)) === JSON.stringify(sources.map(({ id }) => id))) {
        return { state: 'fresh', detail: 'the same sources' };
      }
    }
    const isBound = await boundPackages(sources, tools, ctx.signal);
    const merged = catalog.transaction(() => {
      setAside(catalog, before);
      return mergeSnapshots(catalog, { name: node.name, sources, policy: node.policy, isBound, now: clock() });
    });
    const notes = merged.redescribed > 0 ? `, ${merged.redescribed} described differently by several sources` : '';
    return { state: 'done', detail: `${counted(merged.snapshot.content.count, 'package')}${notes}` };
  });
}

export async function makePublication(
  node: NodeOf<'publish'>,
  { spec, signer }: Making,
  tools: BuildTools,
  ctx: Context,
): Promise<Made> {
  return tools.change(ctx, async () => {
    const { prefix, distribution, clients } = node;
    const components = new Map([['main', requireSnapshot(tools.catalog, node.snapshot)]]);
    const { origin, label, architectures } = spec;
    const fields = { ...spec.fields, ...(clients === undefined ? {} : { clients }) };
    const published = await publish({ prefix, distribution, components, origin, label, fields, architectures }, required(signer), tools, ctx);
    if (!published.changed) return { state: 'fresh', detail: 'served already' };
    return { state: 'done', detail: `generation ${published.publication.generation}, ${counted(published.linked, 'file')} added` };
  });
}
