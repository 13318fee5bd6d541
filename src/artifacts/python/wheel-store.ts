/**
 * Wheels that were built or looked at before, by all that decides them: the archive or commit, the packages of the build
 * root, and how it was done. A cache: it may be deleted, and what was damaged in it is made again.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, sha256, type Sha256 } from '../../core/digest.ts';
import { moveFile } from '../../util/durable.ts';
import type { FetchedFile } from './indexes.ts';
import { touch } from './kept.ts';

/** A shared library a wheel is linked against, and the package of the build root that has it. */
export interface LinkedLibrary {
  readonly library: string;
  /** Null where no package has it. */
  readonly package: string | null;
  readonly version: string | null;
}

/** What is known of a wheel. */
export interface WheelFacts {
  readonly file: string;
  /** Normalized. */
  readonly name: string;
  /** As its metadata spells it. */
  readonly title: string;
  readonly version: string;
  readonly size: number;
  readonly sha256: Sha256;
  readonly requiresPython: string | null;
  readonly metadata: string;
  readonly libraries: readonly LinkedLibrary[];
  /** What a reader may want to look at: files that run in every Python. */
  readonly notices: readonly string[];
  /** What its build fetched; empty for a wheel that was taken as it is. */
  readonly builtWith: readonly FetchedFile[];
}

export interface StoredWheel {
  readonly facts: WheelFacts;
  readonly path: string;
}

export interface WheelStore {
  /** A wheel by its key; undefined when there is none, or its bytes are not those that were stored. */
  find(key: Sha256): StoredWheel | undefined;
  /** Keeps the wheel that lies at `from`; the file is copied. */
  keep(key: Sha256, facts: WheelFacts, from: string): StoredWheel;
  /** A file for the output of a build. */
  log(name: string): string;
}

/** Text that is equal exactly when a wheel would come out the same. */
export function buildKey(decides: Readonly<Record<string, unknown>>): Sha256 {
  return sha256(canonicalJson({ ...decides, format: 1 }));
}

export function openWheelStore(folder: string, below: string | undefined): WheelStore {
  const known = new Map<Sha256, StoredWheel>();
  const remember = (key: Sha256, wheel: StoredWheel | undefined): StoredWheel | undefined => {
    if (wheel !== undefined) known.set(key, wheel);
    return wheel;
  };
  return {
    find: (key) => {
      if (known.has(key)) return known.get(key);
      const own = read(entry(folder, key));
      if (own !== undefined) touch(entry(folder, key));
      return remember(key, own ?? (below === undefined ? undefined : read(entry(below, key))));
    },
    keep: (key, facts, from) => {
      const target = entry(folder, key);
      const temporary = `${target}.${process.pid}.part`;
      rmSync(temporary, { recursive: true, force: true });
      mkdirSync(temporary, { recursive: true });
      writeFileSync(join(temporary, facts.file), readFileSync(from), { mode: 0o444 });
      writeFileSync(join(temporary, 'wheel.json'), canonicalJson(facts));
      return remember(key, putInPlace(temporary, target)) ?? { facts, path: from };
    },
    log: (name) => {
      mkdirSync(join(folder, 'logs'), { recursive: true });
      const file = join(folder, 'logs', `${name}.log`);
      rmSync(file, { force: true });
      return file;
    },
  };
}

function entry(folder: string, key: Sha256): string {
  return join(folder, 'wheels', key.slice(0, 2), key);
}

/** Another run may have built the same at the same time; one of the two stays. */
function putInPlace(temporary: string, target: string): StoredWheel | undefined {
  rmSync(target, { recursive: true, force: true });
  try {
    moveFile(temporary, target);
  } catch (error) {
    if (read(target) === undefined) throw error;
    rmSync(temporary, { recursive: true, force: true });
  }
  return read(target);
}

/** A power cut may leave a name without its bytes: only what still has its digest counts. */
function read(folder: string): StoredWheel | undefined {
  if (!existsSync(join(folder, 'wheel.json'))) return undefined;
  try {
    const facts = JSON.parse(readFileSync(join(folder, 'wheel.json'), 'utf8')) as WheelFacts;
    const path = join(folder, facts.file);
    return sha256(readFileSync(path)) === facts.sha256 ? { facts, path } : undefined;
  } catch {
    return undefined;
  }
}
