import { isAbsolute } from 'node:path';
import type { Problem } from './problem.ts';
import { named } from './values.ts';
import type { Parsed } from './values.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What RPC-O's environment variables say. Undefined: not set, or empty. */
export interface EnvironmentSettings {
  /** REPLACE_ARTIFACTS */
  readonly replace: boolean | undefined;
  /** PUSH_TO_MIRROR */
  readonly push: boolean | undefined;
  /** PUBLISH_SNAPSHOT */
  readonly publishSnapshot: boolean | undefined;
  /** RPC_ARTIFACTS_FOLDER: the state folder, unless --state names another. */
  readonly state: string | undefined;
  /** RPC_ARTIFACTS_PUBLIC_FOLDER: the published tree; otherwise `public` in the state folder. */
  readonly publicFolder: string | undefined;
  /** GPG_PRIVATE: file of the signing key. */
  readonly privateKey: string | undefined;
  /** GPG_PUBLIC: file of its public half. */
  readonly publicKey: string | undefined;
  /** RPC_RELEASE */
  readonly release: string | undefined;
  /** REPO_HOST: the host that is pushed to, perhaps with a port. */
  readonly repoHost: string | undefined;
  /** REPO_USER */
  readonly repoUser: string | undefined;
  /** REPO_USER_KEY: file of the user's private key. */
  readonly repoUserKey: string | undefined;
  /** REPO_HOST_PUBKEY: file with the host's public key. */
  readonly repoHostKey: string | undefined;
  /** REPO_PATH: the folder on the host. */
  readonly repoPath: string | undefined;
}

/** The environment's settings. Problems name every variable that is wrong, and never show what one holds. */
export function parseEnvironment(environment: Environment, problems: Problem[]): EnvironmentSettings {
  const read = <T>(name: string, parse: (text: string) => Parsed<T>): T | undefined => {
    const text = environment[name]?.trim();
    if (text === undefined || text === '') return undefined;
    const result = parse(text);
    if ('value' in result) return result.value;
    problems.push({ file: 'environment', line: 0, column: 0, message: `${name} ${result.problem}` });
    return undefined;
  };
  return {
    replace: read('REPLACE_ARTIFACTS', yesOrNo),
    push: read('PUSH_TO_MIRROR', yesOrNo),
    publishSnapshot: read('PUBLISH_SNAPSHOT', yesOrNo),
    state: read('RPC_ARTIFACTS_FOLDER', absolutePath),
    publicFolder: read('RPC_ARTIFACTS_PUBLIC_FOLDER', absolutePath),
    privateKey: read('GPG_PRIVATE', keyFile),
    publicKey: read('GPG_PUBLIC', keyFile),
    release: read('RPC_RELEASE', named),
    repoHost: read('REPO_HOST', hostAndPort),
    repoUser: read('REPO_USER', named),
    repoUserKey: read('REPO_USER_KEY', keyFile),
    repoHostKey: read('REPO_HOST_PUBKEY', keyFile),
    repoPath: read('REPO_PATH', absolutePath),
  };
}

function yesOrNo(text: string): Parsed<boolean> {
  if (/^(?:yes|true|on|1)$/i.test(text)) return { value: true };
  if (/^(?:no|false|off|0)$/i.test(text)) return { value: false };
  return { problem: 'must be YES or NO' };
}

function hostAndPort(text: string): Parsed<string> {
  if (/^(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(text)) return { value: text };
  return { problem: 'must be a host, or host:port' };
}

function absolutePath(text: string): Parsed<string> {
  if (!isAbsolute(text) || text.split('/').includes('..') || hasControls(text)) {
    return { problem: 'must be an absolute path without ".."' };
  }
  return { value: text };
}

function keyFile(text: string): Parsed<string> {
  // Somebody may put the key itself into the variable, as CI systems invite to: it must not be taken, nor repeated.
  if (text.includes('-----BEGIN') || hasControls(text) || text.length > 4096) {
    return { problem: 'must be the path of a key file, not the key itself' };
  }
  return { value: text };
}

function hasControls(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text);
}
