import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import type { AptSource, RootSpec } from '../../src/sandbox/root.ts';
import type { Deb } from '../rig/deb.ts';
import { hasCommand } from '../rig/skip.ts';
import { aptUpstream, type UpstreamOptions } from '../rig/upstream.ts';

/** Whether this machine lets us make root filesystems; else why not. */
export const sandboxReason = findReason();

function findReason(): string | undefined {
  const missing = ['mmdebstrap', 'dpkg-deb', 'flock', 'busybox', 'perl', '/usr/sbin/setcap'].filter((name) => !hasCommand(name));
  if (missing.length > 0) return `needs ${missing.join(', ')}`;
  const tried = spawnSync('unshare', [...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user', '--map-auto']), '--mount', '--pid', '--net', '--fork', 'true']);
  return tried.status === 0 ? undefined : 'needs namespaces (newuidmap and /etc/subuid, when not root)';
}

/** Writes a signed repository of the packages to a folder; the source that reads it as `file:`. */
export async function fileSource(folder: string, debs: readonly Deb[], options: Partial<UpstreamOptions> = {}): Promise<AptSource> {
  const upstream = await aptUpstream({ codename: 'tiny', components: { main: debs }, byHash: false, compress: ['plain'], ...options });
  for (const [path, bytes] of upstream.files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  writeFileSync(join(folder, 'key.asc'), upstream.keyring);
  return { uri: `file:${folder}`, suite: options.codename ?? 'tiny', components: ['main'], signedBy: join(folder, 'key.asc') };
}

export function tinySpec(sources: readonly AptSource[], packages: readonly string[] = []): RootSpec {
  return { codename: 'tiny', architecture: 'amd64', sources, packages };
}

/** Mounts below the folder, in any process we can see; and processes that mention it. */
export function leftBehind(mark: string): readonly string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n').filter((line) => line.includes(mark));
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes(mark) && Number(pid) !== process.pid ? [`${pid}: ${line}`] : [];
    } catch {
      return []; // it ended meanwhile
    }
  });
  return [...mounts, ...processes];
}
