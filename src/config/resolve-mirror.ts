/** A mirror of the configuration, tied to this machine: nothing is left to look up when it is updated. */
import { readFile } from 'node:fs/promises';
import { ArtifactsError, fromSystemError, hasCode } from '../core/errors.ts';
import type { ProxyOptions } from '../http/proxy.ts';
import type { MirrorDefinition } from '../mirror/definition.ts';
import type { Config, Mirror } from './config.ts';
import { describeMirror, resolveArchitectures, resolveDistribution } from './describe-mirror.ts';
import { localMachine } from './machine.ts';
import type { Machine } from './machine.ts';
import { suggestion } from './nearest.ts';
import { formatPlace } from './problem.ts';
import { findSystemSource } from './system-source.ts';
import type { SystemSource } from './system-source.ts';

export interface ResolvedMirror {
  readonly definition: MirrorDefinition;
  /** Proxy of the configuration, or for the machine's own sources the machine's. Undefined: the environment's. */
  readonly proxy: ProxyOptions | undefined;
  /** What a person should know: parts of the machine's sources that were left out. */
  readonly warnings: readonly string[];
}

/** The mirror of that name. E_NOT_FOUND with the nearest name. */
export function findMirror(config: Config, name: string): Mirror {
  const mirror = config.mirrors.find((candidate) => candidate.name === name);
  if (mirror !== undefined) return mirror;
  const near = suggestion(name, config.mirrors.map((candidate) => candidate.name));
  throw new ArtifactsError('E_NOT_FOUND', `No mirror is called "${name}"${near}`, {
    hint: 'Mirrors are declared as aptly_mirrors and rpm_mirrors in vars/.',
  });
}

/**
 * Resolves `system:` and `native` and reads the keyrings. E_CONFIG when a key id is short, a keyring is missing, or this
 * machine has no source for the suite.
 */
export async function resolveMirror(
  config: Config,
  mirror: Mirror,
  machine: Machine = localMachine,
): Promise<ResolvedMirror> {
  refuseShortIds(mirror);
  const source = mirror.upstream.kind === 'system' ? await findSystemSource(mirror, machine) : undefined;
  const distribution = await resolveDistribution(mirror, machine);
  const components = mirror.components.length > 0 ? mirror.components : (source?.components ?? []);
  const architectures = await resolveArchitectures(mirror.architectures, machine);
  const fingerprints = mirror.fingerprints.length > 0 ? mirror.fingerprints : (source?.keys.fingerprints ?? []);
  const packageKeys = mirror.packageFingerprints ?? [];
  const follow = { suggests: config.followSuggests };
  const { proxy } = config.downloads;
  return {
    definition: {
      name: mirror.name,
      format: mirror.format,
      urls: [...(mirror.list === undefined ? (source?.urls ?? [mirror.archiveUrl]) : []), ...mirror.fallbackUrls],
      ...(mirror.list === undefined ? {} : { listUrl: mirror.archiveUrl }),
      request: { distribution, components, architectures, kinds: requestedKinds(mirror), files: mirror.files },
      ...(mirror.filter === undefined
        ? {}
        : { filter: { query: mirror.filter, withDependencies: mirror.filterWithDeps, follow } }),
      ...(mirror.newest === undefined ? {} : { newest: mirror.newest }),
      ...(mirror.duplicates === undefined ? {} : { duplicates: mirror.duplicates }),
      keyrings: isVouched(mirror) ? [] : await readKeyrings(mirror, source, machine),
      fingerprints,
      ...(packageKeys.length === 0 ? {} : { packageTrust: { fingerprints: packageKeys, keyrings: await readKeyrings(mirror, source, machine) } }),
      ...(mirror.maxAge === undefined ? {} : { maxAge: mirror.maxAge }),
      checkValidUntil: mirror.checkValidUntil ?? source?.checkValidUntil ?? true,
      ...(await describeMirror(config, mirror, machine)),
    },
    proxy: proxy === undefined ? source?.proxy : { http: proxy, https: proxy },
    warnings: source?.warnings ?? [],
  };
}

/** Which packages belong to modules matters only where old ones are left out. */
function requestedKinds({ format, kinds, newest }: Mirror): readonly string[] {
  return format === 'rpm' && newest !== undefined ? [...kinds, 'modules'] : kinds;
}

function refuseShortIds(mirror: Mirror): void {
  if (mirror.shortKeyIds.length === 0) return;
  const ids = mirror.shortKeyIds.join(', ');
  throw problem(mirror, `key id ${ids} is too short to pin a key`, 'Put the full fingerprint (40 hex digits) into gpg.key.');
}

/** Trusted by its metalink alone. */
function isVouched({ list, fingerprints }: Mirror): boolean {
  return list === 'metalink' && fingerprints.length === 0;
}

async function readKeyrings(
  mirror: Mirror,
  source: SystemSource | undefined,
  machine: Machine,
): Promise<readonly Buffer[]> {
  const pinned = mirror.fingerprints.length > 0;
  const own = await readAll(mirror.keyrings);
  const missing = mirror.keyrings.find((_file, index) => own[index] === undefined);
  // A pinned fingerprint narrows the machine's keyrings down to the same key, so they may stand in for a missing file.
  if (missing !== undefined && !(pinned && source !== undefined)) {
    throw problem(mirror, `the keyring ${missing} does not exist`, 'Keys are never fetched: save the public key there.');
  }
  if (own.length > 0 && !(pinned && source !== undefined)) return present(own);
  const files = source?.keys.files ?? [];
  const blocks = (source?.keys.blocks ?? []).map((block) => Buffer.from(block, 'utf8'));
  if (files.length > 0 || blocks.length > 0) return [...present(own), ...(await readSigned(mirror, files)), ...blocks];
  const trusted = await readAll(await machine.trustedKeyrings());
  const all = [...present(own), ...present(trusted)];
  if (all.length > 0) return all;
  throw problem(mirror, 'there is no keyring', 'Name the file that holds the public key: gpg.keyring.');
}

async function readSigned(mirror: Mirror, files: readonly string[]): Promise<readonly Buffer[]> {
  const read = await readAll(files);
  const missing = files.find((_file, index) => read[index] === undefined);
  if (missing === undefined) return present(read);
  throw problem(mirror, `the source's Signed-By ${missing} does not exist`, 'Install the keyring, or name one as gpg.keyring.');
}

function present(buffers: readonly (Buffer | undefined)[]): readonly Buffer[] {
  return buffers.filter((buffer) => buffer !== undefined && buffer.length > 0) as Buffer[];
}

async function readAll(files: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        return await readFile(file);
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return undefined;
        throw fromSystemError(error, `reading the keyring ${file}`);
      }
    }),
  );
}

function problem(mirror: Mirror, message: string, hint: string): ArtifactsError {
  return new ArtifactsError('E_CONFIG', `${formatPlace(mirror.place)}: mirror ${mirror.name}: ${message}`, { hint });
}
