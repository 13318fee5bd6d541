/** Files that their size and SHA-256 do not settle: fetched and looked at before anything of them is recorded. */
import { statSync } from 'node:fs';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import type { Digested, FileChecks, OtherDigests } from '../formats/format.ts';
import { METADATA_LIMIT } from '../http/limits.ts';
import { hashChunks } from '../util/hash-file.ts';
import { unpackFile } from '../util/unpack.ts';
import { fetchFiles, fetchOthers, fetchUnsized, type FileTools, type UnsizedFile } from './files.ts';
import { checked, unpackError, type IndexPackages } from './indexes.ts';
import type { Candidate, Spool } from './spool.ts';
import type { MirrorTools } from './update.ts';

export interface SettleTools extends FileTools, Pick<MirrorTools, 'catalog'> {
  readonly spool: Spool;
  readonly others: OtherDigests | undefined;
}

export interface Settled {
  readonly chosen: readonly IndexPackages[];
  readonly fetched: { readonly files: number; readonly bytes: number };
}

/**
 * The same indexes with the true digests and sizes of all packages. What is listed without a SHA-256 is fetched, unless a
 * package of the mirror's last state was listed with the same digest, and what is listed without a size unless the pool
 * has it; what unpacks to a listed digest is unpacked, unless it was recorded with it before. Throws like `fetchFiles`, and E_HASH, E_SIZE or E_FORMAT of what is unpacked.
 */
export async function settlePackages(chosen: readonly IndexPackages[], tools: SettleTools, ctx: Context): Promise<Settled> {
  const unsettled = chosen.flatMap((part) => ('candidates' in part ? part.candidates.filter(({ checks }) => checks !== undefined) : []));
  if (unsettled.length === 0) return { chosen, fetched: { files: 0, bytes: 0 } };
  const found = await settleFiles(unsettled.filter(({ checks }) => isOpen(checks)), tools, ctx);
  const first = await fetchFiles(newListed(unsettled, tools), tools, ctx);

  const settled = new Map<Candidate, Candidate>();
  for (const candidate of unsettled) {
    ctx.signal.throwIfAborted();
    const { checks, locations, base, origin, files: [listed] } = candidate;
    if (listed === undefined) throw new Error(`${candidate.name} has no file to look at`);
    const file = found.settled.get(listed.sha256) ?? listed;
    const plain = await checkPlain(candidate, file.sha256, tools, ctx);
    if (!isOpen(checks) && isTold(checks?.plain)) continue;
    const record = tools.others?.settle(candidate, file, plain);
    if (record === undefined) throw new Error('A format leaves digests or sizes open and cannot settle them');
    settled.set(candidate, tools.spool.add({ record, locations, ...(base === undefined ? {} : { base }) }, origin));
  }
  const replaced = (part: IndexPackages): IndexPackages =>
    'candidates' in part ? { ...part, candidates: part.candidates.map((candidate) => settled.get(candidate) ?? candidate) } : part;
  return { chosen: chosen.map(replaced), fetched: { files: found.files + first.files, bytes: found.bytes + first.bytes } };
}

/** Whether SHA-256 or size of the file itself shows only when it is there. */
function isOpen(checks: FileChecks | undefined): boolean {
  return checks?.other !== undefined || checks?.unsized === true;
}

/** Whether the record can tell what the file unpacks to before it was unpacked. */
function isTold(plain: FileChecks['plain']): boolean {
  return plain === undefined || (plain.sha256 !== undefined && plain.size !== undefined && plain.other === undefined);
}

interface FoundFiles {
  /** What is true of each file, by the SHA-256 it was listed with or that stood for it. */
  readonly settled: ReadonlyMap<Sha256, Digested>;
  readonly files: number;
  readonly bytes: number;
}

/** Fetches those of these files that neither the last state nor the pool knows. */
async function settleFiles(open: readonly Candidate[], tools: SettleTools, ctx: Context): Promise<FoundFiles> {
  const settled = new Map<Sha256, Digested>();
  let [files, bytes] = [0, 0];
  for (let rest = open; rest.length > 0; rest = rest.filter(({ files: [file] }) => file !== undefined && !settled.has(file.sha256))) {
    const known = knownDigests(rest, tools);
    const unknown = rest.filter(({ files: [file] }) => file !== undefined && !known.has(file.sha256));
    const sized = await fetchOthers(unknown.filter(({ checks }) => checks?.unsized !== true), tools, ctx);
    const unsized = await fetchUnsized(unsizedFiles(unknown), { ...tools, what: 'metadata', limit: METADATA_LIMIT }, ctx);
    files += sized.files + unsized.files;
    bytes += sized.bytes + unsized.bytes;
    for (const { files: [file], checks } of rest) {
      if (file === undefined) continue;
      const sha256 = [known, sized.digests, unsized.digests].map((digests) => digests.get(file.sha256)).find((digest) => digest !== undefined) ?? file.sha256;
      const size = checks?.unsized === true ? statSync(tools.pool.path(sha256), { throwIfNoEntry: false })?.size : file.size;
      if (size !== undefined) settled.set(file.sha256, { sha256, size }); // else a clean-up took it away meanwhile
    }
  }
  return { settled, files, bytes };
}

function unsizedFiles(candidates: readonly Candidate[]): UnsizedFile[] {
  return candidates.flatMap(({ files: [file], locations: [path = ''], base, checks }) =>
    checks?.unsized === true && file !== undefined ? [{ path, sha256: file.sha256, base, ...(checks.other === undefined ? {} : { other: checks.other }) }] : [],
  );
}

/** What the mirror's last state knows, and the pool still has. */
function knownDigests(candidates: readonly Candidate[], { catalog, pool, mirror, others }: SettleTools): Map<Sha256, Sha256> {
  const wanted = new Map(candidates.flatMap(({ files: [file], checks }) => (checks?.other === undefined || file === undefined ? [] : [[checks.other.hex, file.sha256] as const])));
  const known = new Map<Sha256, Sha256>();
  const before = catalog.mirrors.get(mirror.name);
  if (before === undefined || others === undefined || wanted.size === 0) return known;
  for (const id of catalog.contents.allMembers(before.content.id)) {
    const record = catalog.records.get(id);
    const [standing, file] = [wanted.get(others.listed(record)?.hex ?? ''), record.files[0]];
    if (standing !== undefined && file !== undefined && pool.has(file.sha256)) known.set(standing, file.sha256);
  }
  return known;
}

/** Those of known SHA-256 whose plain bytes nobody looked at yet. */
function newListed(candidates: readonly Candidate[], { catalog }: SettleTools): Candidate[] {
  const listed = candidates.filter(({ checks }) => checks?.plain !== undefined && !isOpen(checks));
  const ids = catalog.members.find(listed.map(({ digest }) => digest));
  return listed.filter((_, index) => ids[index] === undefined);
}

/** What a file unpacks to, compared with what is listed of that. Undefined where it is not packed. */
async function checkPlain(candidate: Candidate, sha256: Sha256, { pool, catalog }: SettleTools, ctx: Context): Promise<Digested | undefined> {
  const { checks, digest, name } = candidate;
  if (checks?.plain === undefined) return undefined;
  const { packing, ...plain } = checks.plain;
  const { sha256: listed, size: listedSize } = plain;
  const wasRead = !isOpen(checks) && isTold(checks.plain) && catalog.members.find([digest])[0] !== undefined;
  if (wasRead && listed !== undefined && listedSize !== undefined) return { sha256: listed, size: listedSize };
  try {
    return await hashChunks(checked({ name, plain }, unpackFile(pool.path(sha256), packing, ctx.signal)));
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw unpackError({ name }, error) ?? error;
  }
}
