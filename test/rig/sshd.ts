import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { userInfo } from 'node:os';
import { hasCommand } from './skip.ts';
import { runCommand } from './run.ts';
import type { TempDir } from './temp.ts';

const PROGRAM = '/usr/sbin/sshd';

/** True when a host that is pushed to can be played here. */
export const hasSshd = existsSync(PROGRAM) && hasCommand('rsync') && hasCommand('flock') && spawnSync('ssh', ['-V'], { stdio: 'ignore' }).error === undefined;

export interface Sshd extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  /** The private key that is let in, and one that is not. */
  readonly key: string;
  readonly strangerKey: string;
  /** What the host's public key file holds. */
  readonly hostKey: string;
  /** Ends all connections there are. */
  cut(): void;
}

/** A real sshd on a free port of 127.0.0.1 that lets the user of the tests in. */
export async function startSshd(dir: TempDir, name = 'sshd'): Promise<Sshd> {
  const folder = dir.join(name);
  await mkdir(folder);
  for (const file of ['host', 'user', 'stranger']) await runCommand('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', `${folder}/${file}`]);
  await writeFile(`${folder}/authorized_keys`, await readFile(`${folder}/user.pub`));
  await chmod(`${folder}/authorized_keys`, 0o600);
  const port = await freePort();
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${folder}/host`,
    `PidFile ${folder}/pid`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'MaxStartups 100',
  ];
  await writeFile(`${folder}/config`, `${settings.join('\n')}\n`);
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true }); // sshd asks for it when it is root
  const child = spawn(PROGRAM, ['-D', '-e', '-f', `${folder}/config`], { stdio: 'ignore' });
  await listening(port, child);
  return {
    port,
    user: userInfo().username,
    key: `${folder}/user`,
    strangerKey: `${folder}/stranger`,
    hostKey: (await readFile(`${folder}/host.pub`, 'utf8')).trim(),
    cut: () => void spawnSync('pkill', ['-P', String(child.pid)]),
    [Symbol.asyncDispose]: async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
    socket.destroy();
    if (open) return;
    await sleep(50);
  }
}
