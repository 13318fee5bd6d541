/** Recording an update: records, content and the mirror's new state in one transaction under the aptly lock. */
import type { Catalog } from '../catalog/catalog.ts';
import type { LockFolder } from '../catalog/lock.ts';
import type { KnownIndex, MirrorState } from '../catalog/mirrors.ts';
import type { Clock, Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Member } from '../core/leaf-cutter.ts';
import { describePackage, sameFiles, type FileRef, type PackageKey } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import type { Pool } from '../pool/index.ts';
import type { MirrorDefinition } from './definition.ts';
import type { IndexPackages } from './indexes.ts';
import type { FreshRoot } from './root.ts';
import type { Candidate } from './spool.ts';

export interface StoreRequest {
  readonly mirror: MirrorDefinition;
  readonly format: RepoFormat;
  readonly fresh: FreshRoot;
  readonly chosen: readonly IndexPackages[];
}

export interface StoreTools {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly locks: LockFolder;
  readonly clock: Clock;
}

/** A member of the new content: in the catalog already, or a candidate that will get its number on the way in. */
interface Entry extends Omit<Member, 'id'>, PackageKey {
  readonly files: readonly FileRef[];
  readonly origin: string;
  id: number | undefined;
  readonly candidate?: Candidate;
}

/** The new state, or undefined when a file is no longer in the pool and must be fetched first. */
export async function storeUpdate(request: StoreRequest, tools: StoreTools, ctx: Context): Promise<MirrorState | undefined> {
  const parts = request.chosen.map((part) => ({ part, entries: entriesOf(part, tools.catalog) }));
  const entries = unite(request.mirror.name, parts.flatMap(({ entries: list }) => list));
  sortEntries(entries, request.format);
  return tools.locks.hold('aptly', ctx, async () => {
    if (entries.some(({ candidate }) => candidate?.files.some(({ sha256 }) => !tools.pool.has(sha256)))) return undefined;
    return tools.catalog.transaction(() => store(request, { parts, entries }, tools));
  });
}

function entriesOf(part: IndexPackages, catalog: Catalog): Entry[] {
  const origin = part.index.name;
  if ('known' in part) {
    return Array.from(catalog.contents.allMembers(part.known.content), (id) => ({ ...catalog.records.head(id), origin }));
  }
  return part.candidates.map((candidate) => ({
    digest: candidate.digest,
    partition: candidate.partition,
    name: candidate.name,
    version: candidate.version,
    architecture: candidate.architecture,
    size: candidate.size,
    files: candidate.files,
    origin,
    id: undefined,
    candidate,
  }));
}

/** Each package once. The same version with other bytes within one upstream is refused, naming both indexes. */
function unite(mirror: string, entries: readonly Entry[]): Entry[] {
  const united = new Map<string, Entry>();
  for (const entry of entries) {
    const key = `${entry.partition}\0${entry.name}\0${entry.version}\0${entry.architecture}`;
    const before = united.get(key);
    if (before === undefined) united.set(key, entry);
    else if (!sameFiles(before.files, entry.files)) throw conflict(mirror, before, entry);
  }
  return [...united.values()];
}

function conflict(mirror: string, first: Entry, second: Entry): ArtifactsError {
  const side = ({ files, origin }: Entry): string => `${files[0]?.sha256.slice(0, 12)} in ${origin}`;
  return new ArtifactsError(
    'E_CONFLICT',
    `Mirror "${mirror}": ${describePackage(first)} is ${side(first)} and ${side(second)}`,
    { hint: 'Mirror the components apart, or filter one of the two out.' },
  );
}

function sortEntries(entries: Entry[], { compareVersions }: RepoFormat): void {
  entries.sort((a, b) => {
    if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
    if (a.name !== b.name) return a.name < b.name ? -1 : 1;
    if (a.version !== b.version) return compareVersions(a.version, b.version) || (a.version < b.version ? -1 : 1);
    return a.digest < b.digest ? -1 : 1;
  });
}

interface Sorted {
  readonly parts: readonly { readonly part: IndexPackages; readonly entries: readonly Entry[] }[];
  readonly entries: readonly Entry[];
}

function store({ mirror, fresh, format }: StoreRequest, { parts, entries }: Sorted, { catalog, clock }: StoreTools): MirrorState {
  for (const entry of entries) {
    if (entry.candidate === undefined) continue;
    entry.id = catalog.records.find(entry.digest) ?? catalog.records.add(entry.candidate, entry.digest);
  }
  const content = catalog.contents.storeMembers(numbered(entries));
  const now = clock().toISOString();
  const before = catalog.mirrors.get(mirror.name);
  const state: MirrorState = {
    name: mirror.name,
    format: format.id,
    inputs: mirror.inputs,
    description: mirror.description,
    root: fresh.state,
    indexes: mirror.filter === undefined ? indexContents(parts, content, { catalog, format }) : [],
    content,
    checkedAt: now,
    changedAt: before?.content.id === content.id ? before.changedAt : now,
  };
  catalog.mirrors.put(state);
  return state;
}

function* numbered(entries: readonly Entry[]): Generator<Member> {
  for (const { id, digest, partition, name, size } of entries) {
    if (id === undefined) continue;
    yield { id, digest, partition, name, size };
  }
}

/** Remembers each index's own packages. With a single index that is the content itself. */
function indexContents(
  parts: Sorted['parts'],
  content: Content,
  { catalog, format }: { readonly catalog: Catalog; readonly format: RepoFormat },
): KnownIndex[] {
  return parts.map(({ part, entries }) => {
    const known = { name: part.index.name, sha256: part.index.plain.sha256 };
    if (parts.length === 1) return { ...known, content: content.id };
    if ('known' in part) return part.known;
    const own = [...entries];
    for (const entry of own) entry.id ??= catalog.records.find(entry.digest);
    sortEntries(own, format);
    return { ...known, content: catalog.contents.storeMembers(numbered(own)).id };
  });
}
