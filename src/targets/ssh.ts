/** How ssh is told where to go: by files it reads, so that no value passes through a shell or a list of arguments. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArtifactsError } from '../core/errors.ts';
import * as durable from '../util/durable.ts';
import type { RsyncDefinition } from './target.ts';

/** The name under which the host is known in the files below, whatever its address. */
export const SSH_HOST = 'artifacts-target';

export interface SshFiles extends Disposable {
  /** For `ssh -F`. */
  readonly config: string;
}

/** Writes what ssh reads to a folder of its own, which goes with the result. Throws E_CONFIG for host keys that are none. */
export function writeSshFiles(definition: RsyncDefinition, temporary: string): SshFiles {
  durable.makeFolder(temporary);
  const folder = mkdtempSync(join(temporary, 'ssh-'));
  const config = join(folder, 'config');
  const knownHosts = join(folder, 'known_hosts');
  try {
    writeFileSync(knownHosts, knownHostLines(definition), { mode: 0o600 });
    writeFileSync(config, sshConfig(definition, knownHosts), { mode: 0o600 });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return { config, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". Names before the key are left out: the alias stands for the host. */
function knownHostLines({ name, hostKeys }: Pick<RsyncDefinition, 'name' | 'hostKeys'>): string {
  const lines = hostKeys.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const keys = lines.map((line) => /(?:^|\s)((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ [A-Za-z0-9+/]{20,}={0,3})(?:\s|$)/.exec(line)?.[1]);
  if (keys.length === 0 || keys.includes(undefined)) {
    throw new ArtifactsError('E_CONFIG', `Target "${name}": the host key is no public key of ssh`, {
      hint: 'Write what /etc/ssh/ssh_host_ed25519_key.pub of the host holds: `ssh-ed25519 AAAA…`.',
    });
  }
  return keys.map((key) => `${SSH_HOST} ${key}\n`).join('');
}

/** ssh_config(5). Only the pinned host key and, where one is named, only that key of the user count; nothing is asked. */
function sshConfig({ name, host, port, user, key }: RsyncDefinition, knownHosts: string): string {
  const settings: readonly (readonly [string, string])[] = [
    ['HostName', plain(host, name)],
    ...(port === undefined ? [] : [['Port', String(port)] as const]),
    ...(user === undefined ? [] : [['User', plain(user, name)] as const]),
    ...(key === undefined ? [] : [['IdentityFile', path(key, name)] as const, ['IdentitiesOnly', 'yes'] as const, ['IdentityAgent', 'none'] as const]),
    ['HostKeyAlias', SSH_HOST],
    ['UserKnownHostsFile', path(knownHosts, name)],
    ['GlobalKnownHostsFile', '/dev/null'],
    ['StrictHostKeyChecking', 'yes'],
    ['UpdateHostKeys', 'no'],
    ['BatchMode', 'yes'],
    ['ConnectTimeout', '15'],
    ['ServerAliveInterval', '15'],
    ['ServerAliveCountMax', '4'],
    ['LogLevel', 'ERROR'],
    ['ClearAllForwardings', 'yes'],
    ['PermitLocalCommand', 'no'],
  ];
  return [`Host ${SSH_HOST}`, ...settings.map(([setting, value]) => `  ${setting} ${value}`), ''].join('\n');
}

function plain(text: string, target: string): string {
  if (/^[A-Za-z0-9_.:[\]-]+$/.test(text) && !text.startsWith('-')) return text;
  throw new ArtifactsError('E_CONFIG', `Target "${target}": ${JSON.stringify(text)} is neither a host nor a user`);
}

/** Quoted, and safe from the tokens that ssh replaces in paths. */
function path(text: string, target: string): string {
  // oxlint-disable-next-line no-control-regex
  if (!/["\u0000-\u001f]/.test(text)) return `"${text.replaceAll('%', '%%').replaceAll('\\', '\\\\')}"`;
  throw new ArtifactsError('E_CONFIG', `Target "${target}": the path ${JSON.stringify(text)} cannot be given to ssh`);
}
