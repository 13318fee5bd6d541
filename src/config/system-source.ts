import { ArtifactsError } from '../core/errors.ts';
import type { ProxyOptions } from '../http/proxy.ts';
import type { AptSource, SourceKeys } from './apt-sources.ts';
import type { Mirror } from './config.ts';
import type { AptSettings, Machine } from './machine.ts';
import { formatPlace } from './problem.ts';

/** What `archive_url: system:<suite>` means on a machine. */
export interface SystemSource {
  /** The preferred URL first. */
  readonly urls: readonly string[];
  readonly components: readonly string[];
  readonly keys: SourceKeys;
  readonly checkValidUntil: boolean;
  readonly proxy: ProxyOptions | undefined;
  readonly warnings: readonly string[];
}

/** What must be known of a mirror, or of whatever else names the machine's own source of a suite. */
export type SystemMirror = Pick<Mirror, 'name' | 'upstream' | 'distribution' | 'components' | 'place'>;

/** What a mirror's `system:` stands for. E_CONFIG as chooseSources. */
export async function findSystemSource(mirror: SystemMirror, machine: Machine): Promise<SystemSource> {
  const [sources, settings] = await Promise.all([chooseSources(mirror, machine), machine.settings()]);
  const [chosen] = sources;
  return {
    urls: [...new Set(sources.flatMap((source) => source.urls))],
    components: componentsOf(sources),
    keys: chosen.keys,
    checkValidUntil: chosen.checkValidUntil ?? settings.checkValidUntil,
    proxy: proxyOf(settings),
    warnings: (await machine.sources()).warnings,
  };
}

/** Components of a mirror's source, to those who need no more of it. E_CONFIG as chooseSources. */
export async function systemComponents(mirror: SystemMirror, machine: Machine): Promise<readonly string[]> {
  return componentsOf(await chooseSources(mirror, machine));
}

/**
 * The machine's sources of a mirror's suite: the chosen one first, then those that are the same archive. Several archives
 * may share a suite's name (a vendor's `bookworm` beside Debian's): those that lack a component asked for are out, the
 * distributor's own archive is preferred, then apt's order. E_CONFIG when there is none, or when the machine does not
 * check its signatures.
 */
async function chooseSources(
  mirror: SystemMirror,
  machine: Machine,
): Promise<readonly [AptSource, ...(readonly AptSource[])]> {
  const suite = await systemSuite(mirror, machine);
  const { sources } = await machine.sources();
  const named = sources.filter((source) => source.suite === suite);
  const fitting = named.filter((source) => mirror.components.every((name) => source.components.includes(name)));
  const distributor = (await machine.distributor()) ?? '';
  const chosen = fitting.find((source) => isOf(distributor, source)) ?? fitting[0];
  if (chosen === undefined) throw noSource(mirror, suite, named.length > 0 ? named : sources);
  if (chosen.trusted) {
    const message = `${chosen.place} is marked trusted: its signatures are not checked`;
    throw refusal(mirror, message, 'Remove Trusted there, and name the key with Signed-By.');
  }
  return [chosen, ...fitting.filter((source) => source !== chosen && sameArchive(source, chosen))];
}

function componentsOf(sources: readonly AptSource[]): readonly string[] {
  return [...new Set(sources.flatMap((source) => source.components))];
}

/** The suite a `system` mirror means; E_CONFIG when its distribution says another. */
export async function systemSuite(mirror: SystemMirror, machine: Machine): Promise<string> {
  const suite = (mirror.upstream.kind === 'system' ? mirror.upstream.suite : undefined) ?? (await machine.codename());
  if (mirror.distribution === undefined || mirror.distribution === suite) return suite;
  throw refusal(
    mirror,
    `distribution ${mirror.distribution} is not this machine's suite ${suite}`,
    `Write archive_url: system:${mirror.distribution}, or leave distribution out.`,
  );
}

/** `/debian`, `/ubuntu`, `/ubuntu-ports`: how distributions and their mirrors call the folder of the archive. */
function isOf(distributor: string, source: AptSource): boolean {
  const folder = new URL(source.urls[0] ?? 'http://invalid').pathname.replace(/\/+$/, '').split('/').at(-1) ?? '';
  return distributor !== '' && (folder === distributor || folder.startsWith(`${distributor}-`));
}

/** Sources that the machine trusts by the same keys are the same archive, offered in other places or by component. */
function sameArchive(a: AptSource, b: AptSource): boolean {
  const text = (source: AptSource): string => JSON.stringify([source.keys, source.trusted]);
  const sameKeys = text(a) === text(b) && (a.keys.files.length > 0 || a.keys.blocks.length > 0);
  const sameUrls = JSON.stringify(a.urls) === JSON.stringify(b.urls);
  const sameComponents = JSON.stringify(a.components.toSorted()) === JSON.stringify(b.components.toSorted());
  return (sameUrls && text(a) === text(b)) || (sameKeys && sameComponents);
}

function proxyOf({ proxy }: AptSettings): ProxyOptions | undefined {
  return Object.keys(proxy).length === 0 ? undefined : proxy;
}

function noSource(mirror: SystemMirror, suite: string, sources: readonly AptSource[]): ArtifactsError {
  const known = [...new Set(sources.map((source) => `${source.suite} (${source.components.join(' ')})`))];
  const wanted = mirror.components.length > 0 ? ` with ${mirror.components.join(' ')}` : '';
  const hint = known.length === 0 ? 'This machine has no apt sources.' : `Its sources are: ${known.join(', ')}.`;
  return refusal(mirror, `this machine's apt sources have no suite ${suite}${wanted}`, hint);
}

function refusal(mirror: SystemMirror, message: string, hint: string): ArtifactsError {
  return new ArtifactsError('E_CONFIG', `${formatPlace(mirror.place)}: mirror ${mirror.name}: ${message}`, { hint });
}
