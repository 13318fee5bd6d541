/** The two that are compared, as command lines for the same work. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RigKey } from '../test/rig/key.ts';
import { mustRun, type Command } from './run.ts';
import { setAside } from './set-aside.ts';
import { SUITE } from './upstream.ts';

/** Work that both can do. Snapshots and publications have fixed places. */
export type Action =
  | { readonly verb: 'update' }
  | { readonly verb: 'snapshot'; readonly name: string }
  | { readonly verb: 'merge'; readonly name: string; readonly sources: readonly string[] }
  | { readonly verb: 'publish'; readonly snapshot: string }
  | { readonly verb: 'switch'; readonly snapshot: string }
  | { readonly verb: 'add' }
  | { readonly verb: 'search'; readonly snapshot: string; readonly query: string }
  | { readonly verb: 'filter'; readonly name: string; readonly source: string; readonly query: string }
  | { readonly verb: 'verify'; readonly snapshot: string }
  | { readonly verb: 'help' };

export interface Contender {
  readonly name: 'artifacts' | 'aptly';
  /** What it is and how it is set, for the table. */
  readonly settings: string;
  /** Begins with nothing: no catalog, no pool, nothing published. */
  reset(): Promise<void>;
  command(action: Action): Command;
  /** Where it keeps what is no package file, no published tree and no cache. */
  catalog(): readonly string[];
  /** Lets go of what it left running. */
  close(): Promise<void>;
}

export interface Surroundings {
  /** A folder of its own. */
  readonly folder: string;
  readonly url: string;
  /** A folder of packages for the local repository. */
  readonly debs: string;
  /** Whose signature on the upstream counts. */
  readonly trusted: RigKey;
  /** Signs what is published. */
  readonly signing: RigKey;
  /** bin/artifacts.js */
  readonly program: string;
}

const MIRROR = 'bench';
const REPO = 'local';
/** Our status when a check found something: of Debian's main not every dependency can be met. aptly says 0 then, too. */
const EXIT_CHECK = 3;
/** In our state, what is no catalog: package files, published trees, and what is made again when it is gone. */
const NO_CATALOG = /^(pool|public|tmp|cache\.db.*)$/;

/** This program. */
export function artifacts({ folder, url, debs, trusted, signing, program }: Surroundings): Contender {
  const root = join(folder, 'root');
  const state = join(folder, 'state');
  const key = join(folder, 'signing-key.asc');
  const mirror = { name: MIRROR, archive_url: url, distribution: SUITE, components: ['main'], gpg: { key: [trusted.fingerprint], keyring: 'keys/upstream.asc' } };
  for (const name of ['vars', 'mappings', 'keys']) mkdirSync(join(root, name), { recursive: true });
  // JSON is YAML.
  writeFileSync(join(root, 'vars', 'aptly.yml'), JSON.stringify({ aptly_architectures: ['amd64'], aptly_mirrors: [mirror], aptly_repos: [{ name: REPO }] }));
  writeFileSync(join(root, 'keys', 'upstream.asc'), trusted.publicKey);
  writeFileSync(key, signing.secretKey, { mode: 0o600 });
  return {
    name: 'artifacts',
    settings: '16 connections; indexes as gz and xz',
    reset: async () => setAside(state),
    command: (action) => ({
      command: process.execPath,
      args: [program, '--root', root, '--state', state, ...ourWords(action, debs)],
      environment: { GPG_PRIVATE: key, NO_COLOR: '1' },
      ...(action.verb === 'verify' ? { statuses: [0, EXIT_CHECK] } : {}),
    }),
    catalog: () => readdirSync(state).filter((name) => !NO_CATALOG.test(name)).map((name) => join(state, name)),
    close: async () => {},
  };
}

function ourWords(action: Action, debs: string): string[] {
  switch (action.verb) {
    case 'update':
      return ['mirror', 'update', MIRROR];
    case 'snapshot':
      return ['snapshot', 'create', action.name, '--from-mirror', MIRROR];
    case 'merge':
      return ['snapshot', 'merge', action.name, ...action.sources];
    case 'publish':
      return ['publish', 'snapshot', action.snapshot, '--distribution', SUITE];
    case 'switch':
      return ['publish', 'switch', SUITE, action.snapshot];
    case 'add':
      return ['repo', 'add', REPO, debs];
    case 'search':
      return ['snapshot', 'search', action.snapshot, action.query];
    case 'filter':
      return ['snapshot', 'filter', action.source, action.name, action.query, '--with-deps'];
    case 'verify':
      return ['snapshot', 'verify', action.snapshot];
    case 'help':
      return ['--help'];
    default:
      return action satisfies never;
  }
}

/** Debian's aptly, with its default settings but for what it must be told. */
export async function aptly({ folder, url, debs, trusted, signing }: Surroundings): Promise<Contender> {
  const root = join(folder, 'aptly');
  const home = join(folder, 'gnupg');
  const config = join(folder, 'aptly.conf');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(config, JSON.stringify({ rootDir: root, downloadConcurrency: 4, architectures: ['amd64'], gpgProvider: 'gpg' }));
  const environment = { GNUPGHOME: home };
  const importKey = async (name: string, bytes: Buffer, ...options: readonly string[]): Promise<void> => {
    writeFileSync(join(home, name), bytes);
    await mustRun('gpg', ['--batch', '--quiet', ...options, '--import', join(home, name)], { environment });
  };
  await importKey('upstream.asc', trusted.publicKey, '--no-default-keyring', '--keyring', 'trustedkeys.gpg');
  await importKey('signing.asc', signing.secretKey);
  const command = (words: readonly string[]): Command => ({ command: 'aptly', args: [`-config=${config}`, ...words], environment });
  const { version } = /(?<version>\d[\w.+~-]*)/.exec(await mustRun('aptly', ['version']))?.groups ?? {};
  return {
    name: 'aptly',
    settings: `${version}, its defaults: 4 connections; indexes plain, as gz and as bz2; -skip-contents`,
    reset: async () => {
      setAside(root);
      for (const words of [['mirror', 'create', MIRROR, url, SUITE, 'main'], ['repo', 'create', REPO]]) {
        const create = command(words);
        await mustRun(create.command, create.args, create);
      }
    },
    command: (action) => command(aptlyWords(action, { key: signing.fingerprint, debs })),
    catalog: () => [join(root, 'db')],
    close: async () => void (await mustRun('gpgconf', ['--kill', 'all'], { environment })),
  };
}

function aptlyWords(action: Action, { key, debs }: { readonly key: string; readonly debs: string }): string[] {
  const publishing = ['-batch', '-skip-contents', `-gpg-key=${key}`];
  switch (action.verb) {
    case 'update':
      return ['mirror', 'update', MIRROR];
    case 'snapshot':
      return ['snapshot', 'create', action.name, 'from', 'mirror', MIRROR];
    case 'merge':
      return ['snapshot', 'merge', action.name, ...action.sources];
    case 'publish':
      return ['publish', 'snapshot', ...publishing, `-distribution=${SUITE}`, action.snapshot];
    case 'switch':
      return ['publish', 'switch', ...publishing, SUITE, action.snapshot];
    case 'add':
      return ['repo', 'add', REPO, debs];
    case 'search':
      return ['snapshot', 'search', action.snapshot, action.query];
    case 'filter':
      return ['snapshot', 'filter', '-with-deps', action.source, action.name, action.query];
    case 'verify':
      return ['snapshot', 'verify', action.snapshot];
    case 'help':
      return ['help'];
    default:
      return action satisfies never;
  }
}
