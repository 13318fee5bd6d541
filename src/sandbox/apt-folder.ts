/**
 * An apt of our own, which knows the sources of a root filesystem and nothing of this machine: it says which packages the
 * root will consist of before one of them is fetched.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { canonicalJson, sha256, type Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import { makeFolder, writeFileDurably } from '../util/durable.ts';
import { runCommand } from '../util/run-command.ts';
import type { AptSource, RootSpec } from './root.ts';

/** For what has to be fetched: apt_preferences(5), `Acquire::http::Proxy`. */
export interface AptNetwork {
  readonly http?: string;
  readonly https?: string;
}

export interface AptFolder {
  readonly path: string;
  /** `sources.list(5)`, one line a source. */
  readonly sources: string;
  /** `apt_preferences(5)`; empty until the sources were asked for what they call themselves. */
  readonly preferences: string;
  /** `name "value";` for apt.conf(5): what the making of a root needs as well. */
  readonly settings: readonly string[];
  /** What to start apt-get with. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A package that is to be installed. */
export interface ChosenPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of its .deb, as the signed index has it. */
  readonly sha256: string;
}

/** Writes the folder's files; its lists stay as the last use left them. */
export function openAptFolder(path: string, spec: RootSpec, network: AptNetwork): AptFolder {
  for (const name of ['keys', 'state/lists/partial', 'cache/archives/partial', 'hooks']) makeFolder(join(path, name));
  const settings = [
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    ...(['http', 'https'] as const).flatMap((scheme) => (network[scheme] === undefined ? [] : [`Acquire::${scheme}::Proxy ${quoted(network[scheme] || 'DIRECT')};`])),
  ];
  const folder = {
    path,
    sources: join(path, 'sources.list'),
    preferences: join(path, 'preferences'),
    settings,
    environment: { APT_CONFIG: join(path, 'apt.conf'), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
  };
  writeFileDurably(join(path, 'status'), '');
  // Whoever makes a root from it at this moment reads it too, so it is only ever replaced by what it ought to be.
  if (!existsSync(folder.preferences)) writeFileDurably(folder.preferences, '');
  writeFileDurably(folder.sources, spec.sources.map((source, index) => sourceLine(source, { spec, key: copyKey(source, path, index) })).join(''));
  writeFileDurably(join(path, 'apt.conf'), [...ownPlaces(folder, spec), ...settings].map((line) => `${line}\n`).join(''));
  return folder;
}

/** `sources.list(5)` with the same sources, each below one address by its position, and the folder's keys at another path. */
export function sourcesElsewhere(spec: RootSpec, { address, keys }: { readonly address: string; readonly keys: string }): string {
  return spec.sources.map((source, index) => sourceLine({ ...source, uri: `${address}/${index}` }, { spec, key: join(keys, keyName(readKey(source.signedBy), index)) })).join('');
}

/** Where the public keys of its sources lie. */
export function keysFolder({ path }: Pick<AptFolder, 'path'>): string {
  return join(path, 'keys');
}

/** Asks the sources what is new, and pins them: nearer ones win by their priority, whatever the versions. Throws E_FETCH. */
export async function updateAptFolder(folder: AptFolder, spec: RootSpec, ctx: Context): Promise<void> {
  try {
    await runCommand('apt-get', ['update', '--error-on=any', '--quiet'], { environment: folder.environment, signal: ctx.signal });
  } catch (error) {
    ctx.signal.throwIfAborted();
    const message = `The sources of the ${spec.codename} root filesystem could not be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new ArtifactsError('E_FETCH', message, { cause: error });
  }
  writeFileDurably(folder.preferences, preferences(spec, await describeSources(folder, ctx)));
}

/** The packages the root will consist of, and nothing else. Throws E_CONFIG when they cannot be had together. */
export async function choosePackages({ environment }: AptFolder, spec: RootSpec, ctx: Context): Promise<readonly ChosenPackage[]> {
  const args = ['install', '--print-uris', '--yes', '--quiet', '--option=Acquire::ForceHash=SHA256', '?essential', ...spec.packages];
  const result = await runCommand('apt-get', args, { environment, signal: ctx.signal, accept: [100] });
  if (result.status !== 0) {
    const why = (result.stderr + result.stdout.toString('utf8')).split('\n').filter((line) => /^(?:E: |.* : Depends:)/.test(line));
    throw new ArtifactsError('E_CONFIG', `The packages of a ${spec.codename} root filesystem cannot be installed together: ${why.join('; ') || result.stderr.trim()}`, {
      hint: 'The release, and the base_repositories of its codename, must have all they depend on.',
    });
  }
  const lines = result.stdout.toString('utf8').matchAll(/^'[^']*' (\S+)_(\S+)_([^_\s]+)\.deb \d+ (\S+)$/gm);
  return [...lines].map(([, name = '', version = '', architecture = '', digest = '']) => {
    if (!digest.startsWith('SHA256:')) throw new ArtifactsError('E_WEAK_HASH', `The index of package ${name} has no SHA256`);
    return { name, version: decodeURIComponent(version), architecture, sha256: digest.slice('SHA256:'.length) };
  }).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** For each `name version`, the positions of the sources that have it. */
export async function findSources({ environment }: AptFolder, spec: RootSpec, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await runCommand('apt-cache', ['madison', ...names], { environment });
  const found = new Map<string, number>();
  for (const [, name = '', version = '', uri = '', suite = ''] of stdout.toString('utf8').matchAll(/^ *(\S+) +\| +(\S+) +\| +(\S+) (\S+)(?: \S+)? Packages$/gm)) {
    const position = spec.sources.findIndex((source) => sameSource(source, uri, suite));
    const key = `${name} ${version}`;
    if (position !== -1) found.set(key, Math.min(position, found.get(key) ?? position));
  }
  return found;
}

/** Equal for equal requests: what the folder is called. */
export function aptFolderName(spec: RootSpec): Sha256 {
  const keys = spec.sources.map(({ signedBy }) => sha256(readKey(signedBy)));
  const sources = spec.sources.map(({ signedBy: _path, ...source }) => source);
  return sha256(canonicalJson({ architecture: spec.architecture, sources, keys }));
}

/** Nothing of the machine's own settings counts: what leaked in would make every machine's roots different. */
function ownPlaces({ path, sources, preferences: pins }: Pick<AptFolder, 'path' | 'sources' | 'preferences'>, { architecture }: RootSpec): readonly string[] {
  const places = {
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::Etc::netrc': '/dev/null',
    'Dir::Etc::netrcparts': '/dev/null',
    'Dir::Etc::trusted': '/dev/null',
    'Dir::Etc::trustedparts': '/dev/null',
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': pins,
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': join(path, 'state'),
    'Dir::State::status': join(path, 'status'),
    'Dir::Cache': join(path, 'cache'),
    'APT::Architecture': architecture,
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': 'true',
  };
  return [...Object.entries(places).map(([name, value]) => `${name} ${quoted(value)};`), `APT::Architectures { ${quoted(architecture)}; };`];
}

function sourceLine(source: AptSource, { spec, key }: { readonly spec: RootSpec; readonly key: string }): string {
  const line = ['deb', `[arch=${spec.architecture} signed-by=${key}]`, source.uri.replaceAll(' ', '%20'), source.suite, ...source.components].join(' ');
  // They come from vars/, and a line end would be another source.
  if (/[\n\r]/.test(line)) throw new ArtifactsError('E_CONFIG', `The apt source ${JSON.stringify(source.uri)} has a line break in it`);
  return `${line}\n`;
}

function copyKey({ signedBy }: AptSource, path: string, index: number): string {
  const bytes = readKey(signedBy);
  const file = join(keysFolder({ path }), keyName(bytes, index));
  writeFileDurably(file, bytes);
  return file;
}

/** apt tells armored keys from others by the name of their file. */
function keyName(bytes: Buffer, index: number): string {
  return `${index}.${bytes.subarray(0, 10).toString('latin1') === '-----BEGIN' ? 'asc' : 'gpg'}`;
}

function readKey(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ArtifactsError('E_NO_KEY', `The public key file ${file} cannot be read`, { cause: error });
  }
}

interface Described {
  readonly uri: string;
  readonly suite: string;
  /** The words of `Pin: release`. */
  readonly pin: string;
}

/** What the sources call themselves: the only way to pin one of several that lie on one server, or on this machine. */
async function describeSources({ environment }: AptFolder, ctx: Context): Promise<readonly Described[]> {
  const format = '$(REPO_URI)\t$(RELEASE)\t$(ORIGIN)\t$(LABEL)\t$(SUITE)\t$(CODENAME)';
  const { stdout } = await runCommand('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], { environment, signal: ctx.signal });
  return stdout.toString('utf8').split('\n').filter((line) => line !== '').map((line) => {
    const [uri = '', suite = '', ...names] = line.split('\t');
    const words = ['o', 'l', 'a', 'n'].flatMap((letter, index) => (names[index] ? [`${letter}=${names[index]}`] : []));
    return { uri, suite, pin: words.join(',') };
  });
}

function preferences(spec: RootSpec, described: readonly Described[]): string {
  const priorities = new Map<string, number>();
  for (const source of spec.sources) {
    const { pin } = described.find(({ uri, suite }) => sameSource(source, uri, suite)) ?? { pin: '' };
    const priority = source.priority ?? 500;
    if ((priorities.get(pin) ?? priority) !== priority) {
      throw new ArtifactsError('E_CONFIG', `Two apt sources of ${spec.codename} call themselves "${pin}" and have different priorities`, {
        hint: 'apt cannot tell them apart; give them one priority, or publish one with another origin or label.',
      });
    }
    priorities.set(pin, priority);
  }
  return [...priorities].filter(([pin]) => pin !== '').map(([pin, priority]) => `Package: *\nPin: release ${pin}\nPin-Priority: ${priority}\n\n`).join('');
}

function sameSource(source: AptSource, uri: string, suite: string): boolean {
  const plain = (text: string): string => text.replaceAll(' ', '%20').replace(/^file:\/+/, 'file:/').replace(/\/+$/, '');
  return plain(source.uri) === plain(uri) && source.suite === suite.replace(/\/[^/]*$/, (rest) => (source.suite.endsWith(rest) ? rest : ''));
}

/** apt.conf(5) has no escape for a quotation mark. */
function quoted(text: string): string {
  if (/["\n\\]/.test(text)) throw new ArtifactsError('E_CONFIG', `${JSON.stringify(text)} cannot be written in apt's configuration`);
  return `"${text}"`;
}
