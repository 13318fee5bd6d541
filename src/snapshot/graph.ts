/** Where everything came from, as a graph: mirrors and local repositories, the snapshots made of them, what is published. */
import type { Catalog } from '../catalog/catalog.ts';
import type { Snapshot } from '../core/snapshot.ts';

export interface OriginNode {
  /** Unique in the graph: `snapshot miko-r1-bookworm`. */
  readonly id: string;
  readonly kind: 'mirror' | 'repo' | 'snapshot' | 'publication';
  readonly name: string;
  /** Packages it holds; null where nothing is known of it any more, as of a dropped mirror. */
  readonly packages: number | null;
}

export interface OriginEdge {
  readonly from: string;
  readonly to: string;
  /** What was done: `frozen`, `merge no-remove`, `filter`, `pull`, or the component it is published as. */
  readonly label: string;
}

export interface OriginGraph {
  readonly nodes: readonly OriginNode[];
  readonly edges: readonly OriginEdge[];
}

/** Nodes by kind and name, edges by their ends: equal catalogs give equal graphs. */
export function originGraph(catalog: Catalog): OriginGraph {
  const snapshots = catalog.snapshots.list();
  const nodes = new Map<string, OriginNode>();
  const add = (kind: OriginNode['kind'], name: string, packages: number | null): string => {
    const id = `${kind} ${name}`;
    if (!nodes.has(id)) nodes.set(id, { id, kind, name, packages });
    return id;
  };
  for (const { name, content } of catalog.mirrors.list()) add('mirror', name, content.count);
  for (const { name, content } of catalog.repos.list()) add('repo', name, content.count);
  for (const { name, content } of snapshots) add('snapshot', name, content.count);
  const names = new Map(snapshots.map(({ id, name }) => [id, name]));
  const edges = [
    ...snapshots.flatMap((snapshot) => originEdges(snapshot, names, add)),
    ...publicationEdges(catalog, add),
  ];
  return {
    nodes: [...nodes.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || compare(a.name, b.name)),
    edges: edges.sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to) || compare(a.label, b.label)),
  };
}

const KINDS: readonly OriginNode['kind'][] = ['mirror', 'repo', 'snapshot', 'publication'];

type AddNode = (kind: OriginNode['kind'], name: string, packages: number | null) => string;

function originEdges({ name, origin }: Snapshot, names: ReadonlyMap<number, string>, add: AddNode): OriginEdge[] {
  const to = `snapshot ${name}`;
  switch (origin.kind) {
    case 'mirror':
      return [{ from: add('mirror', origin.mirror, null), to, label: 'frozen' }];
    case 'repo':
      return [{ from: add('repo', origin.repo, null), to, label: 'frozen' }];
    case 'merge':
    case 'filter':
    case 'pull': {
      const label = origin.kind === 'merge' ? `merge ${origin.policy}` : origin.kind;
      // A source may have been renamed since; its number stays.
      return origin.sources.map((source) => ({ from: add('snapshot', names.get(source.id) ?? source.name, null), to, label }));
    }
    case 'empty':
    case 'import':
      return [];
    default:
      return origin satisfies never;
  }
}

function publicationEdges(catalog: Catalog, add: AddNode): OriginEdge[] {
  return catalog.publications.list().flatMap(({ prefix, distribution, components }) => {
    const parts = components.map(({ component, snapshot }) => ({ component, snapshot: catalog.snapshots.get(snapshot) }));
    const packages = parts.reduce((sum, { snapshot }) => sum + snapshot.content.count, 0);
    const to = add('publication', `${prefix} ${distribution}`, packages);
    return parts.map(({ component, snapshot }) => ({ from: `snapshot ${snapshot.name}`, to, label: component }));
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const SHAPES: Readonly<Record<OriginNode['kind'], { readonly dot: string; readonly mermaid: readonly [string, string] }>> = {
  mirror: { dot: 'cylinder', mermaid: ['[("', '")]'] },
  repo: { dot: 'folder', mermaid: ['[/"', '"/]'] },
  snapshot: { dot: 'box', mermaid: ['["', '"]'] },
  publication: { dot: 'ellipse', mermaid: ['(["', '"])'] },
};

/** In Graphviz's language; what is in a name cannot end its text (The DOT Language, "ID"). */
export function dotText({ nodes, edges }: OriginGraph): string {
  const quote = (text: string): string => `"${text.replace(/[\\"]/g, String.raw`\$&`)}"`;
  return [
    'digraph artifacts {',
    '  rankdir=LR;',
    ...nodes.map((node) => `  ${quote(node.id)} [shape=${SHAPES[node.kind].dot}, label=${quote(`${node.kind}\n${describe(node)}`).replaceAll('\n', String.raw`\n`)}];`),
    ...edges.map(({ from, to, label }) => `  ${quote(from)} -> ${quote(to)} [label=${quote(label)}];`),
    '}',
  ].join('\n');
}

/** As a Mermaid flow chart; names stand in quotation marks, with what means something there as entities. */
export function mermaidText({ nodes, edges }: OriginGraph): string {
  const quote = (text: string): string => text.replace(/[^A-Za-z0-9 .,:/()+=@~_-]/g, (character) => `#${character.codePointAt(0)};`);
  const keys = new Map(nodes.map(({ id }, index) => [id, `n${index + 1}`]));
  return [
    'flowchart LR',
    ...nodes.map((node) => {
      const [open, close] = SHAPES[node.kind].mermaid;
      return `  ${keys.get(node.id)}${open}${node.kind}: ${quote(describe(node))}${close}`;
    }),
    ...edges.map(({ from, to, label }) => `  ${keys.get(from)} -->|"${quote(label)}"| ${keys.get(to)}`),
  ].join('\n');
}

function describe({ name, packages }: OriginNode): string {
  return packages === null ? `${name} (gone)` : `${name} (${packages})`;
}
