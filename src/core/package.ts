import { createHash } from 'node:crypto';
import type { Sha256 } from './digest.ts';

/** A file of a package as it lies in the pool. */
export interface FileRef {
  /** Base name, as the upstream called it; of what another file of the record lists, the path below its folder. */
  readonly name: string;
  readonly size: number;
  readonly sha256: Sha256;
}

/**
 * One package as an index describes it: an entry of a snapshot.
 * The same files with another description are another record.
 */
export interface PackageRecord {
  /** Id of the repository format, e.g. `apt`. */
  readonly format: string;
  /** Which index of a publication it belongs to, as its format names it: `binary-amd64`, `binary-all`, `source`. */
  readonly partition: string;
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly files: readonly FileRef[];
  /** The description exactly as it is published: upstream's bytes, with only the place of the files made ours. */
  readonly text: Buffer;
}

/**
 * The partition of files that stand beside the indexes as the upstream wrote them, in every format: they travel as records,
 * and are no packages.
 */
export const LISTED = 'listed';

/** A record with its identity, as the catalog keeps it. */
export interface StoredRecord extends PackageRecord {
  /** Number of the record in this catalog; never leaves it. */
  readonly id: number;
  readonly digest: RecordDigest;
}

/** The identity of a package record, 64 hex digits. */
export type RecordDigest = string & { readonly __brand: 'RecordDigest' };

/**
 * Identity = SHA-256 over the canonical record: format, partition, name, version, architecture, each file's size,
 * digest and name, and the text. Parts are separated by NUL, which none of them can hold, and the text comes last.
 */
export function recordDigest(record: PackageRecord): RecordDigest {
  const files = record.files.map((file) => `${file.sha256} ${file.size} ${file.name}`).join('\n');
  const head = [record.format, record.partition, record.name, record.version, record.architecture, files, ''];
  return createHash('sha256').update(head.join('\0')).update(record.text).digest('hex') as RecordDigest;
}

/** What two different packages must not share within one index: name, version and architecture. */
export interface PackageKey {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** These of whatever has them, and nothing else. */
export function packageKey({ name, version, architecture }: PackageKey): PackageKey {
  return { name, version, architecture };
}

/** `name version architecture`, for messages. */
export function describePackage(key: PackageKey): string {
  return `${key.name} ${key.version} ${key.architecture}`;
}

/** True when both stand for the same bytes, whatever their descriptions say. */
export function sameFiles(a: readonly FileRef[], b: readonly FileRef[]): boolean {
  if (a.length !== b.length) return false;
  const digests = new Set(a.map((file) => file.sha256));
  return b.every((file) => digests.has(file.sha256));
}

/** What is said beside packages, going along with them: it takes the place of what is there of its name. */
export interface CarriedRecord {
  readonly record: PackageRecord;
  /** Of its file; undefined: the pool has it. */
  readonly bytes?: Buffer;
}
