/** Recording an update: records, content and the mirror's new state in one transaction under the aptly lock. */
import type { Catalog } from '../catalog/catalog.ts';
import type { LockFolder } from '../catalog/lock.ts';
import { isTrusted, type KnownIndex, type MirrorState } from '../catalog/mirrors.ts';
import type { Clock, Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Member } from '../core/leaf-cutter.ts';
import { compareMembers, memberKey } from '../core/member-order.ts';
import { describePackage, sameFiles, type FileRef, type PackageKey } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import type { Pool } from '../pool/index.ts';
import { isChoosing, type MirrorDefinition } from './definition.ts';
import { indexDigest, type IndexPackages } from './indexes.ts';
import type { FreshRoot } from './root.ts';
import type { Candidate } from './spool.ts';

export interface StoreRequest {
  readonly mirror: MirrorDefinition;
  readonly format: RepoFormat;
  readonly fresh: FreshRoot;
  readonly chosen: readonly IndexPackages[];
  /**
   * The state whose files entered the pool before it was recorded: that they are there is enough, their size need not be
   * looked at. While the mirror's lock is held it is not dropped, so no clean-up takes them. None: nothing is known.
   */
  readonly known: MirrorState | undefined;
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
}

function isCandidate(entry: Entry): entry is Candidate {
  return 'locations' in entry;
}

/** What an update will record, in order. Made before anything is fetched, because it may be refused. */
export interface PreparedUpdate {
  readonly parts: readonly { readonly part: IndexPackages; readonly entries: readonly Entry[] }[];
  readonly entries: readonly Entry[];
  /** Packages whose files may have to be fetched: the mirror does not hold them yet, or a file of theirs is gone. */
  readonly coming: readonly Candidate[];
}

/** Throws E_CONFLICT when two of the packages cannot stand beside each other. */
export function prepareUpdate({ mirror, format, chosen, known }: StoreRequest, { catalog, pool }: StoreTools): PreparedUpdate {
  const parts = chosen.map((part) => ({ part, entries: entriesOf(part, catalog) }));
  const entries = unite(mirror.name, parts.flatMap(({ entries: list }) => list));
  sortEntries(entries, format);
  const held = new Set(known === undefined ? [] : catalog.contents.allMembers(known.content.id));
  if (held.size > 0) findRecords(entries, catalog, (id) => held.has(id));
  const lacks = ({ files }: Entry): boolean => files.some(({ sha256 }) => !pool.has(sha256));
  return { parts, entries, coming: entries.filter(isCandidate).filter((entry) => entry.id === undefined || lacks(entry)) };
}

/** The new state, or undefined when a file is no longer in the pool and must be fetched first. */
export async function storeUpdate(
  request: StoreRequest,
  prepared: PreparedUpdate,
  tools: StoreTools,
  ctx: Context,
): Promise<MirrorState | undefined> {
  const { catalog, pool, locks } = tools;
  return locks.hold('aptly', ctx, async () => {
    const { entries, coming } = prepared;
    if (coming.some(({ files }) => files.some(({ sha256 }) => !pool.has(sha256)))) return undefined;
    // Under the lock: a clean-up may have taken records away that nothing held.
    findRecords(entries, catalog, () => true);
    return catalog.transaction(() => store(request, prepared, tools));
  });
}

/** Gives entries without a number that of their record, where the catalog has one that counts. */
function findRecords(entries: readonly Entry[], { members }: Catalog, counts: (id: number) => boolean): void {
  const open = entries.filter(({ id }) => id === undefined);
  const ids = members.find(open.map(({ digest }) => digest));
  for (const [index, entry] of open.entries()) {
    const id = ids[index];
    if (id !== undefined && counts(id)) entry.id = id;
  }
}

function entriesOf(part: IndexPackages, catalog: Catalog): readonly Entry[] {
  const origin = part.index.name;
  if ('known' in part) {
    return catalog.members.heads(catalog.contents.allMembers(part.known.content)).map((head) => ({ ...head, origin }));
  }
  return part.candidates;
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
  const place = (entry: Entry): string => (isCandidate(entry) ? ` as ${entry.locations[0]}` : '');
  const side = (entry: Entry): string => `${entry.files[0]?.sha256.slice(0, 12)} in ${entry.origin}${place(entry)}`;
  return new ArtifactsError(
    'E_CONFLICT',
    `Mirror "${mirror}": ${describePackage(first)} is ${side(first)} and ${side(second)}`,
    { hint: 'Filter one of the two out. Of rpm, `duplicates: newest` takes the one built last; of apt, components may be mirrored apart.' },
  );
}

function sortEntries(entries: Entry[], { compareVersions }: RepoFormat): void {
  entries.sort((a, b) => compareMembers(a, b, compareVersions));
}

function store({ mirror, fresh, format, known }: StoreRequest, { parts, entries }: PreparedUpdate, { catalog, clock }: StoreTools): MirrorState {
  for (const entry of entries) {
    if (isCandidate(entry)) entry.id ??= catalog.records.add(entry, entry.digest);
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
    indexes: isChoosing(mirror) ? [] : indexContents(parts, content, { catalog, format }),
    content,
    checkedAt: now,
    changedAt: before?.content.id === content.id ? before.changedAt : now,
  };
  catalog.mirrors.put(state);
  // A file was found missing while this update was on its way: the next one is to look for it.
  if (before !== undefined && !isTrusted(before) && known !== undefined) catalog.mirrors.distrust(mirror.name);
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
    const known = { name: part.index.name, sha256: indexDigest(part.index) };
    if (parts.length === 1) return { ...known, content: content.id };
    if ('known' in part) return part.known;
    const own = [...entries];
    for (const entry of own) entry.id ??= catalog.records.find(entry.digest);
    sortEntries(own, format);
    return { ...known, content: catalog.contents.storeMembers(numbered(own)).id };
  });
}
