import { canonicalJson, sha256 } from '../core/digest.ts';
import type { Sha256 } from '../core/digest.ts';
import { isArtifactsError } from '../core/errors.ts';
import { redact } from '../http/redact.ts';
import { NATIVE } from './config.ts';
import type { Config, Mirror } from './config.ts';
import { localMachine } from './machine.ts';
import type { Machine } from './machine.ts';
import { systemComponents, systemSuite } from './system-source.ts';

/** What decides on a mirror's content, in the words of the configuration. Plain JSON, to be stored and compared. */
export type MirrorDescription = Readonly<Record<string, unknown>>;

export interface DescribedMirror {
  readonly description: MirrorDescription;
  readonly inputs: Sha256;
}

/** Cheap: asks the machine only for what the mirror leaves to it, and reads no keys. */
export async function describeMirror(
  config: Config,
  mirror: Mirror,
  machine: Machine = localMachine,
): Promise<DescribedMirror> {
  const withDependencies = mirror.filter !== undefined && mirror.filterWithDeps;
  const { packageFingerprints = [] } = mirror;
  const description = {
    // Left out for apt, so that adding the field changed no fingerprint.
    ...(mirror.format === 'apt' ? {} : { format: mirror.format }),
    // Without credentials: they do not decide on the content, and the description is stored. `system:` stays as it is
    // written: another host of the same archive is no other archive.
    archive_url: mirror.upstream.kind === 'url' ? redact(mirror.archiveUrl) : mirror.archiveUrl,
    distribution: await resolveDistribution(mirror, machine),
    components: (await wantedComponents(mirror, machine)).toSorted(),
    architectures: (await resolveArchitectures(mirror.architectures, machine)).toSorted(),
    filter: mirror.filter ?? null,
    filter_with_deps: withDependencies,
    ...(mirror.newest === undefined ? {} : { newest: mirror.newest }),
    ...(mirror.duplicates === undefined ? {} : { duplicates: mirror.duplicates }),
    // Left out when there are none, so that adding the fields changed no fingerprint of a mirror that has none.
    ...(mirror.kinds.length === 0 ? {} : { kinds: mirror.kinds.toSorted() }),
    ...(mirror.files.length === 0 ? {} : { files: mirror.files.toSorted() }),
    aptly_dependency_follow_suggests: withDependencies && config.followSuggests,
    'gpg.key': mirror.fingerprints.toSorted(),
    ...(packageFingerprints.length === 0 ? {} : { 'gpg.package_key': packageFingerprints.toSorted() }),
  };
  return { description, inputs: mirrorFingerprint(description) };
}

/** Equal exactly when an update need not start afresh. */
export function mirrorFingerprint(description: MirrorDescription): Sha256 {
  return sha256(canonicalJson(description));
}

/** The suite that is asked for; with `system:` the machine's own when none is named. */
export async function resolveDistribution(mirror: Mirror, machine: Machine): Promise<string> {
  return mirror.upstream.kind === 'system' ? systemSuite(mirror, machine) : (mirror.distribution ?? '');
}

/** Those that are named, or with `system:` those of the machine's source. */
async function wantedComponents(mirror: Mirror, machine: Machine): Promise<readonly string[]> {
  if (mirror.components.length > 0 || mirror.upstream.kind === 'url') return mirror.components;
  try {
    return await systemComponents(mirror, machine);
  } catch (error) {
    // A machine without that source cannot update the mirror, and is told so then; it can still plan.
    if (isArtifactsError(error, 'E_CONFIG')) return [];
    throw error;
  }
}

/** `native` becomes the machine's architecture; each stands once. */
export async function resolveArchitectures(
  architectures: readonly string[],
  machine: Machine,
): Promise<readonly string[]> {
  const resolved = architectures.map((name) => (name === NATIVE ? machine.architecture() : name));
  return [...new Set(await Promise.all(resolved))];
}
