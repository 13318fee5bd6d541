import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { runCommand, type RunResult } from '../rig/run.ts';
import { hasCommand } from '../rig/skip.ts';
import type { TempDir } from '../rig/temp.ts';

/** A GnuPG of its own, as the witness against which our signatures are checked and the source of odd ones. */
export interface Gpg extends AsyncDisposable {
  readonly home: string;
  run(args: readonly string[], options?: { readonly input?: string; readonly at?: string }): Promise<RunResult>;
  /** Makes a key without passphrase and returns its fingerprint. `at` is the date, `until` gpg's expiry such as `1y`. */
  makeKey(name: string, options?: { readonly algorithm?: string; readonly at?: string; readonly until?: string }): Promise<string>;
  /** The armored public key. */
  exported(...fingerprints: readonly string[]): Promise<Buffer>;
}

export const haveGpg = hasCommand('gpg') && existsSync('/usr/bin/gpgv');
export const haveFaketime = existsSync('/usr/bin/faketime');

export async function gpgHome(dir: TempDir, name = 'gnupg'): Promise<Gpg> {
  const home = dir.join(name);
  await mkdir(home, { mode: 0o700 });
  const run: Gpg['run'] = async (args, { input, at } = {}) => {
    const all = ['--homedir', home, '--batch', '--no-tty', '--quiet', '--passphrase', '', '--pinentry-mode', 'loopback', ...args];
    const command = at === undefined ? (['gpg', all] as const) : (['faketime', ['-f', `@${at} 12:00:00`, 'gpg', ...all]] as const);
    const result = await runCommand(command[0], command[1], input === undefined ? {} : { input });
    if (result.status !== 0) throw new Error(`gpg ${args.join(' ')}: ${result.stderr}`);
    return result;
  };
  return {
    home,
    run,
    async makeKey(user, { algorithm = 'ed25519', at, until = 'never' } = {}) {
      const address = `${user}@example.org`;
      await run(['--quick-generate-key', `${user} <${address}>`, algorithm, 'sign', until], at === undefined ? {} : { at });
      const { stdout } = await run(['--with-colons', '--list-keys', `=${user} <${address}>`]);
      return /^fpr:+([0-9A-F]{40}):/m.exec(stdout)?.[1] ?? '';
    },
    async exported(...fingerprints) {
      return Buffer.from((await run(['--armor', '--export', ...fingerprints])).stdout);
    },
    async [Symbol.asyncDispose]() {
      await runCommand('gpgconf', ['--homedir', home, '--kill', 'all']);
    },
  };
}

/** What gpgv says: its status lines, and the text it put out. Its exit status is not to be trusted alone. */
export async function gpgv(dir: TempDir, keyring: Buffer, files: readonly string[]): Promise<{ status: string; text: string }> {
  await writeFile(dir.join('witness.asc'), keyring);
  await runCommand('gpg', ['--batch', '--yes', '--output', dir.join('witness.gpg'), '--dearmor', dir.join('witness.asc')]);
  const inline = files.length === 1 ? ['--output', '-'] : [];
  const args = ['--status-fd', '2', '--keyring', dir.join('witness.gpg'), ...inline, ...files];
  const { stdout, stderr } = await runCommand('gpgv', args);
  return { status: stderr, text: stdout };
}
