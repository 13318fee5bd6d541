/** Recording an update: records, content and the mirror's new state in one transaction under the aptly lock. */
import type { Catalog } from '../catalog/catalog.ts';
import type { LockFolder } from '../catalog/lock.ts';
import type { KnownIndex, MirrorState } from '../catalog/mirrors.ts';
import type { Clock, Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Member } from '../core/leaf-cutter.ts';
import { compareMembers, memberKey } from '../core/member-order.ts';
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

/** What an update will record, in order. Made before anything is fetched, because it may be refused. */
export interface PreparedUpdate {
  readonly parts: readonly { readonly part: IndexPackages; readonly entries: readonly Entry[] }[];
  readonly entries: readonly Entry[];
}

/** Throws E_CONFLICT when two of the packages cannot stand beside each other. */
export function prepareUpdate({ mirror, format, chosen }: StoreRequest, { catalog }: StoreTools): PreparedUpdate {
  const parts = chosen.map((part) => ({ part, entries: entriesOf(part, catalog) }));
  const entries = unite(mirror.name, parts.flatMap(({ entries: list }) => list));
  sortEntries(entries, format);
  return { parts, entries };
}

/** The new state, or undefined when a file is no longer in the pool and must be fetched first. */
export async function storeUpdate(
  request: StoreRequest,
  prepared: PreparedUpdate,
  tools: StoreTools,
  ctx: Context,
): Promise<MirrorState | undefined> {
  return tools.locks.hold('aptly', ctx, async () => {
    findRecords(prepared, tools.catalog);
    if (lacksFiles(request, prepared, tools)) return undefined;
    return tools.catalog.transaction(() => store(request, prepared, tools));
  });
}

/** Gives entries that the catalog knows their numbers; under the lock, for a clean-up may have taken records away. */
function findRecords({ parts, entries }: PreparedUpdate, { members }: Catalog): void {
  const read = new Set([...entries, ...parts.flatMap(({ entries: own }) => own)].filter(({ candidate }) => candidate !== undefined));
  const ids = members.find(Array.from(read, ({ digest }) => digest));
  for (const [index, entry] of [...read].entries()) entry.id = ids[index];
}

/** What the mirror holds already keeps its files in the pool; all others may have gone since they were counted on. */
function lacksFiles({ mirror }: StoreRequest, { entries }: PreparedUpdate, { catalog, pool }: StoreTools): boolean {
  const before = catalog.mirrors.get(mirror.name);
  const held = new Set(before === undefined ? [] : catalog.contents.allMembers(before.content.id));
  return entries.some(({ id, candidate }) => {
    if (candidate === undefined || (id !== undefined && held.has(id))) return false;
    return candidate.files.some(({ sha256 }) => !pool.has(sha256));
  });
}

function entriesOf(part: IndexPackages, catalog: Catalog): Entry[] {
  const origin = part.index.name;
  if ('known' in part) {
    return catalog.members.heads(catalog.contents.allMembers(part.known.content)).map((head) => ({ ...head, origin }));
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
    const key = memberKey(entry);
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
  entries.sort((a, b) => compareMembers(a, b, compareVersions));
}

function store({ mirror, fresh, format }: StoreRequest, { parts, entries }: PreparedUpdate, { catalog, clock }: StoreTools): MirrorState {
  for (const entry of entries) {
    if (entry.candidate === undefined) continue;
    entry.id ??= catalog.records.add(entry.candidate, entry.digest);
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
  parts: PreparedUpdate['parts'],
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
