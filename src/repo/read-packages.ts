/** From package files to records: read on their way to the pool, unpacked together, understood. */
import { basename, dirname } from 'node:path';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import { recordDigest, type PackageRecord } from '../core/package.ts';
import type { LocalPackage, PackedDescription, RepoFormat } from '../formats/format.ts';
import { unpackMany } from '../util/unpack-many.ts';
import type { Entrant } from './change.ts';
import type { FoundFile } from './find-files.ts';
import { isAboutFile, type Receiver } from './receive.ts';

/** Packages read before their descriptions are unpacked together, and packed bytes of these: enough for the tools, little for the memory. */
const GROUP = 512;
const GROUP_BYTES = 32 * 1024 * 1024;

export interface ReadingTools {
  readonly format: RepoFormat;
  readonly receiver: Receiver;
}

export interface ReadingCourse {
  readonly signal: AbortSignal;
  /** Called before each file. */
  next(): Promise<void>;
}

/** What a file is, or what is wrong with it. */
export interface ReadFile {
  readonly path: string;
  readonly outcome: Entrant | ArtifactsError;
}

/** Reads the files in their order. Throws only what is about none of them: a full disk, a missing tool. */
export async function readPackages(files: readonly FoundFile[], tools: ReadingTools, { signal, next }: ReadingCourse): Promise<ReadFile[]> {
  const found: ReadFile[] = [];
  let group: (ReadPackage | ReadFile)[] = [];
  let bytes = 0;
  const understand = async (): Promise<void> => {
    found.push(...(await understandAll(group, tools, signal)));
    group = [];
    bytes = 0;
  };
  for (const file of files) {
    await next();
    const one = readPackage(file, tools);
    group.push(one);
    if ('bytes' in one) bytes += one.bytes.length;
    if (group.length >= GROUP || bytes >= GROUP_BYTES) await understand();
  }
  await understand();
  return found;
}

/** A package with its packed description. */
interface ReadPackage extends PackedDescription {
  readonly path: string;
  readonly file: LocalPackage;
}

function readPackage({ path, expected }: FoundFile, { format, receiver }: ReadingTools): ReadPackage | ReadFile {
  try {
    const scan = format.local.scan(path);
    const digested = receiver.receive(path, { look: (chunk) => scan.push(chunk), expected });
    return { path, file: { fileName: basename(path), ...digested }, ...scan.end() };
  } catch (error) {
    if (!isAboutFile(error)) throw error;
    return { path, outcome: error };
  }
}

async function understandAll(group: readonly (ReadPackage | ReadFile)[], tools: ReadingTools, signal: AbortSignal): Promise<ReadFile[]> {
  const packed = group.filter((one): one is ReadPackage => 'bytes' in one);
  const outcomes = new Map<ReadPackage, Entrant | ArtifactsError>();
  for await (const { piece, plain } of unpackMany(packed, signal)) outcomes.set(piece, outcomeOf(piece, plain, tools));
  return group.flatMap((one): ReadFile[] => {
    if ('outcome' in one) return [one];
    const outcome = outcomes.get(one);
    return outcome === undefined ? [] : [{ path: one.path, outcome }];
  });
}

function outcomeOf({ path, file }: ReadPackage, description: Buffer | ArtifactsError, { format }: ReadingTools): Entrant | ArtifactsError {
  try {
    if (isArtifactsError(description)) {
      throw new ArtifactsError(description.code, `${path}: its description ${description.message}`, { cause: description });
    }
    return newEntrant(format.local.readPackage(file, description), path);
  } catch (error) {
    const told = withPath(error, path);
    if (!isAboutFile(told)) throw told;
    return told;
  }
}

/**
 * Formats know the name of a file; people need its path. No function is called with the reading in it: an error that is
 * kept keeps the functions on its stack, and with them all they refer to, hundreds of megabytes for every refused file.
 */
export function withPath(error: unknown, path: string): unknown {
  if (!isArtifactsError(error) || !error.message.startsWith(basename(path))) return error;
  return new ArtifactsError(error.code, `${dirname(path)}/${error.message}`, { cause: error });
}

export function newEntrant(record: PackageRecord, origin: string, digest = recordDigest(record)): Entrant {
  const { partition, name, version, architecture, files, text } = record;
  return { partition, name, version, architecture, files, digest, size: text.length, origin, source: record };
}
