/** Files that their size and SHA-256 do not settle: fetched and looked at before anything of them is recorded. */
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import type { OtherDigests } from '../formats/format.ts';
import { hashChunks } from '../util/hash-file.ts';
import { unpackFile } from '../util/unpack.ts';
import { fetchFiles, fetchOthers, type FileTools } from './files.ts';
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
 * The same indexes with the true digests of all packages. What is listed without a SHA-256 is fetched, unless a package of
 * the mirror's last state was listed with the same digest; what unpacks to a listed digest is unpacked, unless it was
 * recorded with it before. Throws like `fetchFiles`, and E_HASH, E_SIZE or E_FORMAT of what is unpacked.
 */
export async function settlePackages(chosen: readonly IndexPackages[], tools: SettleTools, ctx: Context): Promise<Settled> {
  const unsettled = chosen.flatMap((part) => ('candidates' in part ? part.candidates.filter(({ checks }) => checks !== undefined) : []));
  if (unsettled.length === 0) return { chosen, fetched: { files: 0, bytes: 0 } };
  const others = unsettled.filter(({ checks }) => checks?.other !== undefined);
  const known = knownDigests(others, tools);
  const unknown = others.filter(({ files: [file] }) => file === undefined || !known.has(file.sha256));
  const digests = await fetchOthers(unknown, tools, ctx);
  const first = await fetchFiles(newListed(unsettled, tools), tools, ctx);

  const settled = new Map<Candidate, Candidate>();
  const trueDigest = (standing: Sha256): Sha256 => known.get(standing) ?? digests.digests.get(standing) ?? standing;
  for (const candidate of unsettled) {
    ctx.signal.throwIfAborted();
    const sha256 = trueDigest(candidate.files[0]?.sha256 as Sha256);
    const plain = await checkPlain(candidate, sha256, tools, ctx);
    if (candidate.checks?.other === undefined && candidate.checks?.plain?.other === undefined) continue;
    const record = tools.others?.settle(candidate, sha256, plain);
    if (record === undefined) throw new Error('A format lists other digests and cannot settle them');
    const { locations, base, origin } = candidate;
    settled.set(candidate, tools.spool.add({ record, locations, ...(base === undefined ? {} : { base }) }, origin));
  }
  const replaced = (part: IndexPackages): IndexPackages =>
    'candidates' in part ? { ...part, candidates: part.candidates.map((candidate) => settled.get(candidate) ?? candidate) } : part;
  return { chosen: chosen.map(replaced), fetched: { files: digests.files + first.files, bytes: digests.bytes + first.bytes } };
}

/** What the mirror's last state knows, and the pool still has. */
function knownDigests(candidates: readonly Candidate[], { catalog, pool, mirror, others }: SettleTools): Map<Sha256, Sha256> {
  const wanted = new Map(candidates.map(({ files, checks }) => [checks?.other?.hex, files[0]?.sha256]));
  const known = new Map<Sha256, Sha256>();
  const before = catalog.mirrors.get(mirror.name);
  if (before === undefined || others === undefined || wanted.size === 0) return known;
  for (const id of catalog.contents.allMembers(before.content.id)) {
    const record = catalog.records.get(id);
    const [standing, file] = [wanted.get(others.listed(record)?.hex), record.files[0]];
    if (standing !== undefined && file !== undefined && pool.has(file.sha256)) known.set(standing, file.sha256);
  }
  return known;
}

/** Those of known SHA-256 whose plain bytes nobody looked at yet. */
function newListed(candidates: readonly Candidate[], { catalog }: SettleTools): Candidate[] {
  const listed = candidates.filter(({ checks }) => checks?.plain !== undefined && checks.other === undefined);
  const ids = catalog.members.find(listed.map(({ digest }) => digest));
  return listed.filter((_, index) => ids[index] === undefined);
}

/** The SHA-256 of what a file unpacks to, compared with what is listed. Undefined where nothing is. */
async function checkPlain(candidate: Candidate, sha256: Sha256, { pool, catalog }: SettleTools, ctx: Context): Promise<Sha256 | undefined> {
  const { checks, digest, name } = candidate;
  if (checks?.plain === undefined) return undefined;
  const { plain } = checks;
  if (plain.other === undefined && catalog.members.find([digest])[0] !== undefined) return plain.sha256;
  try {
    return await hashChunks(checked({ name, plain }, unpackFile(pool.path(sha256), plain.packing, ctx.signal)));
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw unpackError({ name }, error) ?? error;
  }
}
