/**
 * Checking a published tree as a client sees it: what is served, by the key that is handed out, against what it promises.
 * The catalog is asked only which tree should be served and who signed it.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { Publication } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import { isArtifactsError } from '../core/errors.ts';
import type { BundledFile, Digested, RepoFormat, Seat, ServedRoot, UpstreamIndex } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import { verifyClearsigned, verifyDetached, type Trust } from '../sign/verify.ts';
import { unpackFile } from '../util/unpack.ts';
import type { FileCheck } from './check-file.ts';
import { isServing } from './generations.ts';
import { distributionLink, keyPath, prefixFolder, type Place } from './layout.ts';

export interface VerifyRequest {
  readonly catalog: Pick<Catalog, 'publications'>;
  readonly publicRoot: string;
  readonly now: Date;
  readonly check: FileCheck;
  /** Whether packed indexes are unpacked to compare their plain bytes too. */
  readonly unpack: boolean;
}

export interface VerifyProblem {
  /** Below the public folder. */
  readonly path: string;
  /** Follows the path in a sentence. */
  readonly problem: string;
}

export interface Verification {
  readonly prefix: string;
  readonly distribution: string;
  readonly generation: number;
  /** Every path that was looked at, each once, below the public folder. */
  readonly checked: readonly string[];
  /** Packages the served indexes name. */
  readonly packages: number;
  readonly problems: readonly VerifyProblem[];
}

/** Looks at everything a publication serves. Problems are told, not thrown. */
export async function verifyPublication(publication: Publication, request: VerifyRequest, ctx: Context): Promise<Verification> {
  const { prefix, distribution, generation } = publication;
  const place: Place = { publicRoot: request.publicRoot, prefix, distribution };
  const format = formatOf(publication.format);
  const seen = newFindings(request.publicRoot);
  const folder = distributionLink(place, format.publishing);
  ctx.report({ type: 'phase', subject: `${prefix} ${distribution}`, text: 'verifying' });
  if (!isServing(place, publication)) seen.problem(folder, `is not generation ${generation}, which should be served`);
  let packages = 0;
  const { components, spec } = publication;
  for (const seat of format.publishing.seats(components.map(({ component }) => component), spec.architectures)) {
    if (seat.component !== undefined && spec.exact?.includes(seat.component) === true) {
      packages += await verifyExact({ seat, folder, seen, request, publication }, ctx);
      continue;
    }
    const looking: Looking = { publication, place, folder, format, seen, request, seat };
    const text = await verifySignatures(looking);
    const root = text === undefined ? undefined : readRoot(text, looking);
    if (root === undefined) continue;
    await verifyListed(root, looking, ctx);
    for (const path of root.bundles) await verifyBundle(path, looking, ctx);
    for (const index of root.indexes) packages += await verifyPackages(index, looking, ctx);
  }
  return { prefix, distribution, generation, checked: [...seen.checked], packages, problems: seen.problems };
}

interface Looking {
  readonly publication: Publication;
  readonly place: Place;
  /** What clients read: the link to the generation. */
  readonly folder: string;
  readonly format: RepoFormat;
  readonly seen: Findings;
  readonly request: VerifyRequest;
  /** Which of the distribution's root metadata is looked at. */
  readonly seat: Seat;
}

interface Findings {
  readonly checked: ReadonlySet<string>;
  readonly problems: readonly VerifyProblem[];
  /** Whether a path has a problem already: what follows from it need not be told as well. */
  isWrong(path: string): boolean;
  /** Notes that a path was looked at; false when it was before. */
  look(path: string): boolean;
  problem(path: string, problem: string): void;
}

function newFindings(publicRoot: string): Findings {
  const checked = new Set<string>();
  const problems: VerifyProblem[] = [];
  const wrong = new Set<string>();
  const look = (path: string): boolean => {
    const name = relative(publicRoot, path);
    if (checked.has(name)) return false;
    checked.add(name);
    return true;
  };
  return {
    checked,
    problems,
    isWrong: (path) => wrong.has(path),
    look,
    problem: (path, problem) => {
      look(path);
      wrong.add(path);
      problems.push({ path: relative(publicRoot, path), problem });
    },
  };
}

/** What an upstream made and signed is compared with what was mirrored, file by file. Returns how many packages it has. */
async function verifyExact({ seat, folder, seen, request, publication }: Pick<Looking, 'seat' | 'folder' | 'seen' | 'request' | 'publication'>, ctx: Context): Promise<number> {
  const generations = request.catalog.publications.generations(publication.prefix, publication.distribution);
  const files = generations.find(({ number }) => number === publication.generation)?.indexes ?? [];
  const own = files.filter(({ path }) => path.startsWith(`${seat.base ?? ''}/`));
  for (const file of own) {
    ctx.signal.throwIfAborted();
    const target = join(folder, file.path);
    const problem = seen.look(target) ? await request.check(target, file) : undefined;
    if (problem !== undefined) seen.problem(target, problem);
  }
  return own.filter(({ path }) => !path.startsWith(`${seat.root}/`)).length;
}

/** The text of the root metadata, also when its signature is not good: so that one problem hides no other. */
async function verifySignatures(looking: Looking): Promise<Buffer | undefined> {
  const { format, seen, place, publication, request } = looking;
  const folder = join(looking.folder, looking.seat.root);
  const names = format.publishing.signedFiles;
  const read = (path: string): Buffer | undefined => {
    seen.look(path);
    if (existsSync(path)) return readFileSync(path);
    seen.problem(path, 'is missing');
    return undefined;
  };
  const key = read(join(request.publicRoot, keyPath(place.prefix)));
  const whole = names.clearsigned === undefined ? undefined : read(join(folder, names.clearsigned));
  const [plain, signature] = [names.plain, names.detached].map((name) => read(join(folder, name)));
  const trust = { keyrings: key === undefined ? [] : [key], fingerprints: [], now: request.now };
  const told = async (name: string, verify: (trust: Trust) => ReturnType<typeof verifyDetached>): Promise<Buffer | undefined> => {
    try {
      const { fingerprints, text } = await verify({ ...trust, name });
      const absent = publication.spec.signedBy.filter((fingerprint) => !fingerprints.includes(fingerprint));
      for (const fingerprint of absent) seen.problem(join(folder, name), `has no good signature by ${fingerprint}`);
      return text;
    } catch (error) {
      if (!isArtifactsError(error)) throw error;
      seen.problem(join(folder, name), `is not to be trusted: ${error.message}`);
      return undefined;
    }
  };
  const clearsigned = names.clearsigned ?? names.plain;
  const signed = whole && key && (await told(clearsigned, (by) => verifyClearsigned(whole, by)));
  if (plain && signature && key) await told(names.detached, (by) => verifyDetached(plain, signature, { ...by, name: names.plain }));
  if (signed && plain && !signed.equals(plain)) seen.problem(join(folder, clearsigned), `says something else than ${names.plain}`);
  return signed ?? plain;
}

function readRoot(text: Buffer, { folder, format, seen, request, seat }: Looking): ServedRoot | undefined {
  const { clearsigned, plain } = format.publishing.signedFiles;
  const path = join(folder, seat.root, clearsigned ?? plain);
  try {
    const root = format.publishing.readServed(text, seat);
    if (root.validUntil !== undefined && root.validUntil <= request.now) {
      seen.problem(path, `is no longer valid, since ${root.validUntil.toISOString()}`);
    }
    return root;
  } catch (error) {
    if (!isArtifactsError(error)) throw error;
    seen.problem(path, `cannot be read: ${error.message}`);
    return undefined;
  }
}

/** Every listed file under its name and under its digest. A plain one need not be served, if a packed form is. */
async function verifyListed(root: ServedRoot, looking: Looking, ctx: Context): Promise<void> {
  const { folder, format, seen, request } = looking;
  for (const [name, forms] of root.forms) {
    for (const { path, packing } of forms) {
      ctx.signal.throwIfAborted();
      const listed = root.files.get(path);
      const file = join(folder, path);
      if (listed === undefined || (packing === 'none' && forms.length > 1 && !existsSync(file))) continue;
      for (const place of [file, join(folder, format.publishing.hashedPath(path, listed.sha256))]) {
        if (!seen.look(place)) continue;
        const problem = await request.check(place, listed);
        if (problem !== undefined) seen.problem(place, problem);
      }
      const plain = root.files.get(name);
      if (!request.unpack || packing === 'none' || plain === undefined || seen.isWrong(file)) continue;
      const problem = await comparePlain(unpackFile(file, packing, ctx.signal), plain, ctx);
      if (problem !== undefined) seen.problem(file, problem);
    }
  }
}

/** What a listed file vouches for. */
async function verifyBundle(path: string, { folder, format, seen, request }: Looking, ctx: Context): Promise<void> {
  const list = join(folder, path);
  if (seen.isWrong(list)) return;
  let files: readonly BundledFile[] = [];
  try {
    files = format.publishing.readBundle?.(path, readFileSync(list)) ?? [];
  } catch (error) {
    if (!isArtifactsError(error)) throw error;
    seen.problem(list, `cannot be read: ${error.message}`);
  }
  for (const file of files) {
    ctx.signal.throwIfAborted();
    const target = join(folder, file.path);
    const problem = seen.look(target) ? await request.check(target, file) : undefined;
    if (problem !== undefined) seen.problem(target, problem);
  }
}

async function comparePlain(chunks: AsyncIterable<Buffer>, expected: Digested, ctx: Context): Promise<string | undefined> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    ctx.signal.throwIfAborted();
    return `cannot be unpacked: ${(error as Error).message}`;
  }
  return size === expected.size && hash.digest('hex') === expected.sha256 ? undefined : 'unpacks to other bytes than are listed';
}

/** Every file that a served index names. Returns how many packages it names. */
async function verifyPackages(index: UpstreamIndex, looking: Looking, ctx: Context): Promise<number> {
  const { folder, format, seen, place, request, seat } = looking;
  const packagesFrom = seat.base === undefined ? prefixFolder(place) : join(folder, seat.base);
  const offers = index.offers.map((offer) => ({ ...offer, path: join(folder, offer.paths[0] ?? '') })).filter(({ path }) => existsSync(path));
  const offer = offers.find(({ path }) => !seen.isWrong(path)) ?? offers[0];
  const path = offer?.path ?? join(folder, index.name);
  if (offer === undefined) {
    if (index.plain?.size !== 0 && !index.offers.some(({ paths }) => seen.isWrong(join(folder, paths[0] ?? '')))) seen.problem(path, 'is missing in every form');
    return 0;
  }
  const progress = { type: 'progress', id: 'verify', label: `verifying ${index.name}`, unit: 'packages' } as const;
  let packages = 0;
  try {
    for await (const batch of format.upstream.readIndex(index, unpackFile(path, offer.compression, ctx.signal))) {
      packages += batch.length;
      for (const { record, locations } of batch) {
        for (const [at, file] of record.files.entries()) {
          ctx.signal.throwIfAborted();
          const target = join(packagesFrom, locations[at] ?? '');
          if (!seen.look(target)) continue;
          const problem = await request.check(target, file);
          if (problem !== undefined) seen.problem(target, problem);
        }
      }
      ctx.report({ ...progress, done: packages, total: packages });
    }
  } catch (error) {
    ctx.signal.throwIfAborted();
    // What unpacking fails with is not ours, and comes of what is served.
    if (!seen.isWrong(path)) seen.problem(path, `cannot be read: ${(error as Error).message}`);
  } finally {
    ctx.report({ type: 'progress-end', id: 'verify' });
  }
  return packages;
}
