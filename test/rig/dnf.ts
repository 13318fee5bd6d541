/** A real dnf that neither sees nor touches the machine's own: a deployer's machine. */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { runCommand, type RunResult } from './run.ts';
import { hasCommand, isRoot } from './skip.ts';
import type { TempDir } from './temp.ts';

export interface DnfClient {
  /** The root that packages are installed into. */
  readonly root: string;
  /** Runs dnf with the client's own configuration, caches and root. */
  run(args: readonly string[]): Promise<RunResult>;
  /** The same; throws unless it ends well. Returns what it printed. */
  ok(args: readonly string[]): Promise<string>;
}

export interface DnfRepo {
  readonly id: string;
  readonly url: string;
  /** The public key repomd.xml must be signed with; absent: it need not be. */
  readonly keyring?: Uint8Array;
  /** Further lines of its section. */
  readonly lines?: readonly string[];
}

/** dnf installs for root alone; anybody is that in a namespace of one's own, and the root to install into is one's own too. */
const AS_ROOT = isRoot ? [] : ['unshare', '--user', '--map-root-user', '--'];

export const hasDnf = hasCommand('dnf') && (isRoot || spawnSync('unshare', ['--user', '--map-root-user', 'true']).status === 0);

export async function dnfClient(dir: TempDir, name: string, repos: readonly DnfRepo[]): Promise<DnfClient> {
  const folder = dir.join(name);
  const root = `${folder}/root`;
  await mkdir(root, { recursive: true });
  const sections = ['[main]', `cachedir=${folder}/cache`, `persistdir=${folder}/persist`, `logdir=${folder}/log`, `reposdir=${folder}/none`, 'gpgcheck=0', 'metadata_expire=0', 'timeout=20', 'retries=1'];
  for (const { id, url, keyring, lines = [] } of repos) {
    sections.push(`[${id}]`, `name=${id}`, `baseurl=${url}`, 'enabled=1', ...lines);
    if (keyring === undefined) continue;
    await writeFile(`${folder}/${id}.asc`, keyring);
    sections.push('repo_gpgcheck=1', `gpgkey=file://${folder}/${id}.asc`);
  }
  await writeFile(`${folder}/dnf.conf`, `${sections.join('\n')}\n`);
  const settings = ['-c', `${folder}/dnf.conf`, '--installroot', root, '--releasever=9', '--forcearch=x86_64', '--disableplugin=local', '-y'];
  const env = { HOME: folder, http_proxy: undefined, https_proxy: undefined };
  const run = (args: readonly string[]): Promise<RunResult> => {
    const [command = '', ...words] = [...AS_ROOT, 'dnf', ...settings, ...args];
    return runCommand(command, words, { env, timeout: 120_000 });
  };
  return {
    root,
    run,
    ok: async (args) => {
      const result = await run(args);
      if (result.status !== 0) throw new Error(`dnf ${args.join(' ')} ended with ${result.status}:\n${result.stdout}\n${result.stderr}`);
      return result.stdout;
    },
  };
}
