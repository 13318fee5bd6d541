import { mkdir, writeFile } from 'node:fs/promises';
import { runCommand, type RunResult } from './run.ts';
import type { TempDir } from './temp.ts';

export interface AptClient {
  /** The folder of its lists, cache and sources. */
  readonly folder: string;
  /** Runs apt-get with the client's own state and no other. */
  aptGet(args: readonly string[]): Promise<RunResult>;
  /** The same for apt-cache. */
  aptCache(args: readonly string[]): Promise<RunResult>;
  /** `apt-get update`; throws unless it ends well without a single warning. */
  update(): Promise<void>;
  /** `apt-get install --download-only`; the packages are then in `<folder>/cache/archives`. Throws when it fails. */
  download(packages: readonly string[]): Promise<void>;
}

export interface AptClientOptions {
  /** Lines of sources.list; `%KEYRING%` stands for the path of the keyring. */
  readonly sources: readonly string[];
  /** Armored public keys. */
  readonly keyring: Uint8Array;
  /** Default `amd64`. */
  readonly architecture?: string;
}

/** A real apt that neither sees nor touches the machine's own: a deployer's machine. Works as any user. */
export async function aptClient(dir: TempDir, name: string, options: AptClientOptions): Promise<AptClient> {
  const folder = dir.join(name);
  await mkdir(`${folder}/lists/partial`, { recursive: true });
  await mkdir(`${folder}/cache/archives/partial`, { recursive: true });
  await writeFile(`${folder}/keyring.asc`, options.keyring);
  for (const empty of ['status', 'preferences', 'apt.conf']) await writeFile(`${folder}/${empty}`, '');
  const sources = options.sources.map((line) => `${line.replaceAll('%KEYRING%', `${folder}/keyring.asc`)}\n`);
  await writeFile(`${folder}/sources.list`, sources.join(''));
  const settings = aptSettings(folder, options.architecture ?? 'amd64');
  const env = { APT_CONFIG: `${folder}/apt.conf`, http_proxy: undefined, https_proxy: undefined };
  const aptGet = (args: readonly string[]): Promise<RunResult> => runCommand('apt-get', [...settings, ...args], { env });
  return {
    folder,
    aptGet,
    aptCache: (args) => runCommand('apt-cache', [...settings, ...args], { env }),
    async update() {
      expectClean('update', await aptGet(['update']));
    },
    async download(packages) {
      expectClean('download', await aptGet(['install', '--download-only', '--yes', ...packages]));
    },
  };
}

function aptSettings(folder: string, architecture: string): readonly string[] {
  const settings = {
    'Dir::Etc::sourcelist': `${folder}/sources.list`,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::trusted': '/dev/null',
    'Dir::Etc::trustedparts': '/dev/null',
    'Dir::Etc::preferences': `${folder}/preferences`,
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': folder,
    'Dir::State::lists': `${folder}/lists`,
    'Dir::State::status': `${folder}/status`,
    'Dir::State::extended_states': `${folder}/extended_states`,
    'Dir::Cache': `${folder}/cache`,
    'Dir::Log': folder,
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Sandbox::User': '',
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '0',
    'Acquire::http::Proxy': 'DIRECT',
    'Debug::NoLocking': '1',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function expectClean(verb: string, { status, stdout, stderr }: RunResult): void {
  const complaints = `${stdout}\n${stderr}`.split('\n').filter((line) => /^(E:|W:|Err:|Ign:)/.test(line));
  if (status !== 0 || complaints.length > 0) {
    throw new Error(`apt-get ${verb} ended with ${status}:\n${complaints.join('\n') || stdout + stderr}`);
  }
}
