/** Filling a repository: with files, and with packages the catalog knows already. */
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { LockFolder } from '../catalog/lock.ts';
import type { RecordHead } from '../catalog/records.ts';
import type { SeenFiles } from '../catalog/seen-files.ts';
import type { Clock, Context } from '../core/context.ts';
import { formatOf } from '../formats/index.ts';
import type { Pool } from '../pool/index.ts';
import type { Signer } from '../sign/signer.ts';
import * as durable from '../util/durable.ts';
import { changeRepo, entrantOf, joinRivals, rivalsOf, type Addition, type Entrant } from './change.ts';
import { findFiles, type FoundFile } from './find-files.ts';
import { takeIn } from './intake.ts';
import { openKnownFiles } from './known-files.ts';
import { openReceiver } from './receive.ts';
import { requireSignatures, signPackages, type SignatureRequest } from './sign-packages.ts';
import { countPackages, findRepo, openRepo, type DeclaredRepo, type KnownRepo } from './repos.ts';

export interface RepoTools {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly locks: LockFolder;
  readonly clock: Clock;
  readonly declared: readonly DeclaredRepo[];
  /** Where it is remembered which files were read before; undefined: all are read every time. */
  readonly seen?: Omit<SeenFiles, 'keepSeenFiles'>;
  /** Runs work that changes the catalog, under the aptly lock. */
  change<T>(ctx: Context, work: () => Promise<T>): Promise<T>;
}

export interface AddRequest {
  readonly repo: string;
  /** Files, and folders that are searched for them. */
  readonly paths: readonly string[];
  readonly replace: boolean;
  /** Remove the files once the repository has them. */
  readonly removeFiles: boolean;
  /** Keys of which one must have signed every package. */
  readonly signedBy?: SignatureRequest;
  /** Sign packages that have no signature by one of these keys, in copies of them. */
  readonly sign?: { readonly signer: Signer; /** For the copies. */ readonly temporary: string };
}

/** What became of an addition. */
export interface Added extends Omit<Addition, 'fresh' | 'gone'> {
  readonly repo: string;
  /** How many packages the repository has now. */
  readonly packages: number;
}

/**
 * Adds package files. All or nothing: when one is refused, all that are refused are told, and nothing is added or kept.
 * Throws E_FORMAT for what is no package, E_NOT_FOUND for a part of a source package that is missing, E_CONFLICT.
 */
export async function addFiles(request: AddRequest, tools: RepoTools, ctx: Context): Promise<Added> {
  const repo = findRepo(tools.catalog, request.repo, tools.declared);
  const format = formatOf(repo.format);
  const files = findFiles(request.paths, { format: format.local, kinds: ['package', 'source'], noun: `packages of ${repo.format}` });
  if (request.signedBy !== undefined) await requireSignatures(files, request.signedBy, { format: format.local, now: tools.clock() });
  if (request.sign === undefined) return addFound(files, { ...request, extra: [] }, tools, ctx);
  const { signer, temporary } = request.sign;
  const folder = join(temporary, `sign-${request.repo}`);
  durable.removeTree(folder);
  try {
    const signed = await signPackages(files, { format: format.local, signer, folder }, ctx);
    return await addFound(signed, { ...request, extra: files.map(({ path }) => path) }, tools, ctx);
  } finally {
    durable.removeTree(folder);
  }
}

export interface FoundRequest extends Omit<AddRequest, 'paths'> {
  /** Further files to be removed with those that were added. */
  readonly extra: readonly string[];
}

/** The same for files that were found already, as those an upload lists. */
export async function addFound(files: readonly FoundFile[], request: FoundRequest, tools: RepoTools, ctx: Context): Promise<Added> {
  const owner = `repo-${request.repo}`;
  return tools.locks.hold(owner, ctx, async () => {
    const { catalog, pool, seen } = tools;
    const repo = findRepo(catalog, request.repo, tools.declared);
    const format = formatOf(repo.format);
    const receiver = openReceiver(pool, owner);
    const knownFiles = seen === undefined ? undefined : openKnownFiles({ format, catalog, pool, seen });
    try {
      for (;;) {
        const known = knownFiles?.find(files) ?? new Map<string, Entrant>();
        const { entrants, used } = await takeIn(files, { format, pool, receiver, known }, ctx);
        // Refused before it is in the pool, if it is to be refused; under the lock it is looked at again.
        joinRequest(catalog, repo, { entrants, request });
        await receiver.settle();
        const added = await tools.change(ctx, async () => (knownFiles?.hold(entrants) === false ? undefined : commit(entrants, request, tools)));
        if (added === undefined) continue; // a clean-up took away what nothing used and we had counted on
        if (!request.removeFiles) knownFiles?.remember(entrants);
        if (request.removeFiles) for (const path of new Set([...used, ...request.extra])) durable.removeFile(path);
        return added;
      }
    } finally {
      receiver.clear();
    }
  });
}

/** Puts packages the catalog knows into a repository. Call it within a transaction, under the aptly lock. */
export function addRecords(
  records: readonly RecordHead[],
  request: { readonly repo: string; readonly origin: string; readonly replace: boolean },
  tools: Pick<RepoTools, 'catalog' | 'clock' | 'declared'>,
): Added {
  return store(records.map((record) => entrantOf(record, request.origin)), request, tools);
}

/** What `addRecords` would do. */
export function previewRecords(
  records: readonly RecordHead[],
  request: { readonly repo: string; readonly origin: string; readonly replace: boolean },
  { catalog, declared }: Pick<RepoTools, 'catalog' | 'declared'>,
): Added {
  const repo = findRepo(catalog, request.repo, declared);
  const { fresh, gone, ...outcome } = joinRequest(catalog, repo, { entrants: records.map((record) => entrantOf(record, request.origin)), request });
  return { repo: request.repo, packages: countPackages(repo) + fresh.length - gone.length, ...outcome };
}

/** Takes packages out of a repository. Call it within a transaction, under the aptly lock. */
export function removeRecords(
  records: readonly RecordHead[],
  name: string,
  { catalog, clock, declared }: Pick<RepoTools, 'catalog' | 'clock' | 'declared'>,
): { readonly repo: string; readonly packages: number } {
  const now = clock();
  const repo = openRepo(catalog, name, { declared, now });
  return { repo: name, packages: countPackages(changeRepo(catalog, repo, { fresh: [], gone: records, now })) };
}

/** What was added, or undefined when a file is no longer in the pool. */
function commit(entrants: readonly Entrant[], request: FoundRequest, { catalog, pool, clock, declared }: RepoTools): Added | undefined {
  if (entrants.some(({ files }) => files.some(({ sha256 }) => !pool.has(sha256)))) return undefined;
  return catalog.transaction(() => store(entrants, request, { catalog, clock, declared }));
}

function store(
  entrants: readonly Entrant[],
  request: { readonly repo: string; readonly replace: boolean },
  { catalog, clock, declared }: Pick<RepoTools, 'catalog' | 'clock' | 'declared'>,
): Added {
  const now = clock();
  const repo = openRepo(catalog, request.repo, { declared, now });
  const { fresh, gone, ...outcome } = joinRequest(catalog, repo, { entrants, request });
  return { repo: repo.name, packages: countPackages(changeRepo(catalog, repo, { fresh, gone, now })), ...outcome };
}

interface Joining {
  readonly entrants: readonly Entrant[];
  readonly request: { readonly repo: string; readonly replace: boolean };
}

/** What the addition would do. Throws E_CONFLICT. */
function joinRequest(catalog: Catalog, { name, content, format }: KnownRepo, { entrants, request: { repo, replace } }: Joining): Addition {
  const rivals = content === undefined ? [] : rivalsOf(catalog, { name, content }, entrants);
  return joinRivals(rivals, entrants, { repo, replace, names: formatOf(format).names });
}
