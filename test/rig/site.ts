import { mkdir, writeFile } from 'node:fs/promises';
import { rigKey } from './key.ts';
import { runArtifacts, type RunOptions, type RunResult } from './run.ts';
import type { TempDir } from './temp.ts';
import type { AptUpstream } from './upstream.ts';

/** A mirror of a site: where its upstream is served, and what differs from the usual definition. */
export interface SiteMirror {
  readonly upstream: AptUpstream;
  readonly url: string;
  /** Further keys of the entry in aptly_mirrors, or other values. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface SiteOptions {
  readonly mirrors: Readonly<Record<string, SiteMirror>>;
  /** Default `r1.0.0` for `rig`. */
  readonly releases?: Readonly<Record<string, unknown>>;
  /** Series -> codename -> sources; default: all mirrors, in their order, for r1 and rig. */
  readonly miko?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** Series -> codename -> what is published apart. */
  readonly independent?: Readonly<Record<string, Readonly<Record<string, readonly { src: string; dest: string }[]>>>>;
  /** Default `amd64`. */
  readonly architectures?: readonly string[];
  /** Further variables: `publish`, `aptly_snapshot_merge_flags`, … */
  readonly vars?: Readonly<Record<string, unknown>>;
  /** False leaves the site without a key to sign with. */
  readonly signed?: boolean;
}

/** A configuration folder and a state folder beside it: all the program needs. */
export interface Site {
  readonly root: string;
  readonly state: string;
  readonly publicRoot: string;
  /** Runs the program with this root and state. */
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The same with `--json`: the parsed result. Throws unless it ended with `status`, default 0. */
  json<T>(args: readonly string[], status?: number, options?: RunOptions): Promise<T>;
  /** Writes the configuration again with these changes. */
  configure(changes: Partial<SiteOptions>): Promise<void>;
}

/** Makes a site in `<dir>/<name>`. Its signing key is the rig's key `site`. */
export async function makeSite(dir: TempDir, options: SiteOptions, name = 'site'): Promise<Site> {
  const root = dir.join(name, 'root');
  const state = dir.join(name, 'state');
  let current = options;
  await writeConfiguration(root, current);
  const run = (args: readonly string[], more: RunOptions = {}): Promise<RunResult> => runArtifacts(args, { root, state, ...more });
  return {
    root,
    state,
    publicRoot: `${state}/public`,
    run,
    json: async <T>(args: readonly string[], status = 0, more: RunOptions = {}) => {
      const result = await run([...args, '--json'], more);
      if (result.status !== status) {
        throw new Error(`artifacts ${args.join(' ')} ended with ${result.status}, not ${status}:\n${result.stdout}\n${result.stderr}`);
      }
      return JSON.parse(result.stdout) as T;
    },
    configure: async (changes) => {
      current = { ...current, ...changes };
      await writeConfiguration(root, current);
    },
  };
}

async function writeConfiguration(root: string, options: SiteOptions): Promise<void> {
  for (const folder of ['vars', 'mappings', 'keys']) await mkdir(`${root}/${folder}`, { recursive: true });
  const key = await rigKey('site');
  await writeFile(`${root}/keys/site.asc`, key.secretKey, { mode: 0o600 });
  const mirrors = [];
  for (const [name, { upstream, url, extra }] of Object.entries(options.mirrors)) {
    await writeFile(`${root}/keys/${name}.asc`, upstream.keyring);
    mirrors.push({
      name,
      archive_url: url,
      distribution: upstream.folder.replace(/^dists\//, ''),
      gpg: { key: upstream.fingerprints, keyring: `keys/${name}.asc` },
      ...extra,
    });
  }
  const vars = {
    aptly_architectures: options.architectures ?? ['amd64'],
    aptly_mirrors: mirrors,
    releases: options.releases ?? { 'r1.0.0': { codenames: ['rig'] } },
    ...(options.signed === false ? {} : { signing: { keys: [{ file: 'keys/site.asc' }] } }),
    ...options.vars,
  };
  // JSON is YAML.
  await writeFile(`${root}/vars/all.yml`, JSON.stringify(vars, null, 1));
  const miko = options.miko ?? { r1: { rig: Object.keys(options.mirrors) } };
  await writeFile(`${root}/mappings/miko.yml`, JSON.stringify({ aptly_miko_mapping: miko }));
  await writeFile(`${root}/mappings/n.yml`, JSON.stringify({ aptly_n_mapping: options.independent ?? {} }));
}
