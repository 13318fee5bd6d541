/** What `system` and `native` mean: this machine's codename, architecture, apt sources and apt settings. Read once, when asked. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactsError, fromSystemError, hasCode, isArtifactsError } from '../core/errors.ts';
import type { ProxyOptions } from '../http/proxy.ts';
import { runCommand } from '../util/run-command.ts';
import { parseAptBoolean, parseAptConfig, parseDeb822, parseOneLine } from './apt-sources.ts';
import type { AptSources } from './apt-sources.ts';

export interface Machine {
  /** VERSION_CODENAME of os-release. */
  codename(): Promise<string>;
  /** ID of os-release: `debian`, `ubuntu`; undefined when it says none. */
  distributor(): Promise<string | undefined>;
  /** VERSION_ID of os-release: `12`; undefined when it says none. */
  version(): Promise<string | undefined>;
  /** As dpkg names it. */
  architecture(): Promise<string>;
  sources(): Promise<AptSources>;
  /** trusted.gpg and trusted.gpg.d: the keys of sources without Signed-By. Absolute paths. */
  trustedKeyrings(): Promise<readonly string[]>;
  settings(): Promise<AptSettings>;
}

export interface AptSettings {
  /** Acquire::Check-Valid-Until */
  readonly checkValidUntil: boolean;
  /** Acquire::http::Proxy and its https twin. An empty text: no proxy, whatever the environment says. */
  readonly proxy: ProxyOptions;
}

export interface MachineOptions {
  /** apt's folder. Default /etc/apt. */
  readonly etc?: string;
  /** Default /etc/os-release. */
  readonly osRelease?: string;
  /** Default: what `dpkg --print-architecture` prints. */
  readonly architecture?: string;
  /** Default: what `apt-config dump` prints. */
  readonly aptConfig?: string;
}

export function thisMachine(options: MachineOptions = {}): Machine {
  const { etc = '/etc/apt', osRelease = '/etc/os-release' } = options;
  const release = once(async () => parseOsRelease((await readIfThere(osRelease)) ?? ''));
  return {
    codename: async () => codenameOf(await release(), osRelease),
    distributor: async () => (await release()).get('ID'),
    version: async () => (await release()).get('VERSION_ID'),
    architecture: once(async () => options.architecture ?? (await nativeArchitecture())),
    sources: once(() => readSources(etc)),
    trustedKeyrings: once(() => findTrusted(etc)),
    settings: once(async () => readSettings(options.aptConfig ?? (await dumpAptConfig()))),
  };
}

/** The machine this runs on. */
export const localMachine: Machine = thisMachine();

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}

/** os-release(5): shell assignments, values perhaps in quotes. */
function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const lines = text.matchAll(/^([A-Z0-9_]+)=(?:"([^"\n]*)"|'([^'\n]*)'|([^\n]*))$/gm);
  return new Map([...lines].map(([, name = '', double, single, bare]) => [name, double ?? single ?? bare ?? '']));
}

function codenameOf(release: ReadonlyMap<string, string>, file: string): string {
  const codename = release.get('VERSION_CODENAME') ?? '';
  if (/^[A-Za-z0-9][A-Za-z0-9.+_~-]*$/.test(codename)) return codename;
  throw new ArtifactsError('E_CONFIG', `${file} names no VERSION_CODENAME, so "system" has no meaning here`, {
    hint: 'Name the suite: archive_url: system:<suite>, and the codename in releases and mappings.',
  });
}

async function nativeArchitecture(): Promise<string> {
  return (await runCommand('dpkg', ['--print-architecture'])).stdout.toString('utf8').trim();
}

async function readSources(etc: string): Promise<AptSources> {
  const parts = (await namesIn(join(etc, 'sources.list.d'))).map((name) => join('sources.list.d', name));
  const files = ['sources.list', ...parts].filter((name) => /(?:^sources\.list|\.list|\.sources)$/.test(name));
  const read = await Promise.all(
    files.map(async (name) => {
      const text = (await readIfThere(join(etc, name))) ?? '';
      return name.endsWith('.sources') ? parseDeb822(text, join(etc, name)) : parseOneLine(text, join(etc, name));
    }),
  );
  return { sources: read.flatMap(({ sources }) => sources), warnings: read.flatMap(({ warnings }) => warnings) };
}

async function findTrusted(etc: string): Promise<readonly string[]> {
  const main = (await namesIn(etc)).filter((name) => name === 'trusted.gpg');
  const parts = (await namesIn(join(etc, 'trusted.gpg.d'))).filter((name) => /\.(?:gpg|asc)$/.test(name));
  return [...main, ...parts.map((name) => join('trusted.gpg.d', name))].map((name) => join(etc, name));
}

function readSettings(dump: string): AptSettings {
  const values = parseAptConfig(dump);
  const proxy = (scheme: string): string | undefined => {
    const value = values.get(`acquire::${scheme}::proxy`);
    return value === undefined || value === '' ? undefined : value.toUpperCase() === 'DIRECT' ? '' : value;
  };
  const http = proxy('http');
  // apt.conf(5): an https proxy that is not set is the http one.
  const https = proxy('https') ?? http;
  return {
    checkValidUntil: parseAptBoolean(values.get('acquire::check-valid-until')) ?? true,
    proxy: { ...(http === undefined ? {} : { http }), ...(https === undefined ? {} : { https }) },
  };
}

async function dumpAptConfig(): Promise<string> {
  try {
    return (await runCommand('apt-config', ['dump'])).stdout.toString('utf8');
  } catch (error) {
    // A machine without apt has no settings; that it has no sources either is said elsewhere.
    if (isArtifactsError(error, 'E_TOOL')) return '';
    throw error;
  }
}

/** Names in byte order, as apt reads them; hidden ones are not apt's. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw fromSystemError(error, `reading ${folder}`);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw fromSystemError(error, `reading ${file}`);
  }
}
