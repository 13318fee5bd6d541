/** `base_repositories`: what a release stands upon, and takes packages from that it does not have itself. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { AptSource, BaseRepositories } from '../sandbox/root.ts';
import { joinKeyrings } from '../sign/keyring.ts';
import { makeFolder, writeFileDurably } from '../util/durable.ts';
import { check, refuse } from './check.ts';
import type { CheckContext } from './check.ts';
import { SYSTEM } from './config.ts';
import type { Config } from './config.ts';
import type { Machine } from './machine.ts';
import { formatPath, formatPlace } from './problem.ts';
import type { Path, Place } from './problem.ts';
import { findSystemSource } from './system-source.ts';
import { flag, fromRoot, httpUrl, line, path, quote, safeName, strict, textAs, words } from './values.ts';

/** Paths are absolute. */
export interface BaseRepository {
  /** Undefined: this machine's own source of that suite. */
  readonly uri: string | undefined;
  /** Undefined: the codename. */
  readonly suite: string | undefined;
  /** Empty: those of the machine's source. */
  readonly components: readonly string[];
  /** Empty: those of the machine's source. */
  readonly keyrings: readonly string[];
  /** Full fingerprints; empty: every key of the keyrings. */
  readonly fingerprints: readonly string[];
  readonly priority: number | undefined;
  readonly place: Place;
}

const fingerprint = textAs((text) => (/^[0-9A-Fa-f]{40}$/.test(text) ? { value: text.toUpperCase() } : { problem: `${quote(text)} is no full fingerprint of 40 hex digits` }));

export const baseRepositorySchema = strict({
  system: flag.optional(),
  uri: httpUrl.optional(),
  suite: line.optional(),
  components: words(safeName).default([]),
  keyring: words(path).default([]),
  key: words(fingerprint).default([]),
  priority: z.int().min(-1).max(1000).optional(),
}).refine(({ system, uri }) => (system === true) === (uri === undefined), 'say either `system: yes` or a uri')
  .refine(({ uri, keyring, components }) => uri === undefined || (keyring.length > 0 && components.length > 0), 'a uri needs a keyring and components');

/** The entries of `base_repositories` by codename. Whatever is wrong is reported and left out. */
export function buildBaseRepositories(entries: readonly (readonly [string, unknown])[], root: string, context: CheckContext): Config['baseRepositories'] {
  return new Map(
    entries.map(([codename, list]) => {
      const at: Path = ['base_repositories', codename];
      if (Array.isArray(list)) return [codename, list.flatMap((value: unknown, index) => build(value, [...at, index], { root, context }))];
      refuse(context, at, `${formatPath(at)}: expected a list`);
      return [codename, []];
    }),
  );
}

function build(value: unknown, at: Path, { root, context }: { readonly root: string; readonly context: CheckContext }): readonly BaseRepository[] {
  const written = check(baseRepositorySchema, value, { path: at, context });
  if (written === undefined) return [];
  const { uri, suite, components, key, priority } = written;
  const keyrings = written.keyring.map((file) => fromRoot(root, file));
  return [{ uri, suite, components, keyrings, fingerprints: key, priority, place: context.variables.locate(at) }];
}

export interface BaseTools {
  readonly machine: Machine;
  /** A folder for keyrings put together from several; it may be deleted between runs. */
  readonly keys: string;
}

/** The repositories below a release of that codename, nearest first. Resolving them throws E_CONFIG, E_NO_KEY. */
export async function baseRepositories(config: Config, codename: string, { machine, keys }: BaseTools): Promise<BaseRepositories> {
  const own = config.baseRepositories.has(SYSTEM) && (await machine.codename()) === codename;
  const repositories = config.baseRepositories.get(codename) ?? (own ? config.baseRepositories.get(SYSTEM) : undefined) ?? [];
  return {
    described: repositories.map(({ uri, suite = codename, components, priority }) => ({ system: uri === undefined, suite, components, priority: priority ?? null })),
    resolve: () => Promise.all(repositories.map((repository) => sourceOf(repository, codename, { machine, keys }))),
  };
}

async function sourceOf(repository: BaseRepository, codename: string, { machine, keys }: BaseTools): Promise<AptSource> {
  const { uri, suite = codename, priority, fingerprints } = repository;
  const signedBy = (files: readonly string[], blocks: readonly string[], pinned: readonly string[]): Promise<string> => keyringFile({ files, blocks, pinned, place: repository.place }, keys);
  const common = { suite, ...(priority === undefined ? {} : { priority }) };
  if (uri !== undefined) {
    return { ...common, uri, components: repository.components, signedBy: await signedBy(repository.keyrings, [], fingerprints) };
  }
  const source = await findSystemSource(
    { name: `base_repositories.${codename}`, upstream: { kind: 'system', suite }, distribution: undefined, components: repository.components, place: repository.place },
    machine,
  );
  const named = repository.keyrings.length > 0 ? repository.keyrings : source.keys.files;
  const files = named.length > 0 || source.keys.blocks.length > 0 ? named : await machine.trustedKeyrings();
  const pinned = fingerprints.length > 0 ? fingerprints : source.keys.fingerprints;
  return {
    ...common,
    uri: source.urls[0] ?? '',
    components: repository.components.length > 0 ? repository.components : source.components,
    signedBy: await signedBy(files, source.keys.blocks, pinned),
  };
}

interface Keyrings {
  readonly files: readonly string[];
  readonly blocks: readonly string[];
  readonly pinned: readonly string[];
  readonly place: Place;
}

/** apt takes one file: that of the source, or one with the keys of all of them. */
async function keyringFile({ files, blocks, pinned, place }: Keyrings, folder: string): Promise<string> {
  const [only] = files;
  if (only !== undefined && files.length === 1 && blocks.length === 0 && pinned.length === 0) return only;
  const read = await Promise.all(
    files.map(async (file) =>
      readFile(file).catch((error: unknown) => {
        throw new ArtifactsError('E_NO_KEY', `${formatPlace(place)}: the keyring ${file} cannot be read`, { cause: error });
      }),
    ),
  );
  const joined = await joinKeyrings([...read, ...blocks.map((block) => Buffer.from(block))].filter(({ length }) => length > 0), pinned);
  const path = join(folder, `${sha256(joined)}.gpg`);
  makeFolder(folder);
  writeFileDurably(path, joined);
  return path;
}
