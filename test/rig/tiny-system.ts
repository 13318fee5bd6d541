import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Deb } from './deb.ts';
import { tempDir } from './temp.ts';

/** What a root filesystem of the tiny system is tested for. */
const PROGRAMS = ['/usr/bin/dpkg', '/usr/bin/dpkg-deb', '/usr/bin/dpkg-query', '/usr/bin/dpkg-split', '/usr/bin/tar', '/usr/bin/env'];

const APPLETS = 'sh cat chgrp chmod diff chown cp cut echo expr false find grep head id ls mkdir mknod mktemp mv ps rm rmdir sed sleep sort stat sync test touch tr true uname wc xz gzip'.split(' ');

const FOLDERS = ['root', 'tmp', 'proc', 'sys', 'dev', 'var/tmp', 'var/log'];

/** A package from real files: what buildDeb does not do, such as modes, links, scripts of the maintainer. */
export interface FolderDeb {
  readonly name: string;
  readonly version?: string;
  readonly architecture?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** By path, a folder's with a slash at its end; with a mode other than 0644, `[text, mode]`. */
  readonly files?: Readonly<Record<string, string | readonly [text: string, mode: number]>>;
  /** Programs of this machine that are put in with the libraries they need. */
  readonly programs?: readonly string[];
  /** Target by path. */
  readonly links?: Readonly<Record<string, string>>;
  /** Text by name: `postinst`. */
  readonly scripts?: Readonly<Record<string, string>>;
}

/** Builds the package with dpkg-deb. Equal options give equal bytes. */
export async function folderDeb(options: FolderDeb): Promise<Deb> {
  const { name, version = '1.0-1', architecture = 'amd64' } = options;
  await using dir = await tempDir();
  const write = (path: string, text: string | Buffer, mode: number): void => {
    mkdirSync(dirname(dir.join(path)), { recursive: true });
    writeFileSync(dir.join(path), text);
    chmodSync(dir.join(path), mode);
  };
  const fields = { Package: name, Version: version, Architecture: architecture, Maintainer: 'Rig <rig@example.org>', Description: `test package ${name}`, ...options.fields };
  const control = Object.entries(fields).map(([field, value]) => `${field}: ${value}\n`).join('');
  write('DEBIAN/control', control, 0o644);
  for (const [script, text] of Object.entries(options.scripts ?? {})) write(`DEBIAN/${script}`, text, 0o755);
  for (const [path, file] of Object.entries(options.files ?? {})) {
    if (path.endsWith('/')) {
      mkdirSync(dir.join(path), { recursive: true });
      if (typeof file !== 'string') chmodSync(dir.join(path), file[1]);
    }
    else if (typeof file === 'string') write(path, file, 0o644);
    else write(path, file[0], file[1]);
  }
  for (const program of options.programs ?? []) copyProgram(program, dir.path);
  for (const [path, target] of Object.entries(options.links ?? {})) {
    mkdirSync(dirname(dir.join(path)), { recursive: true });
    symlinkSync(target, dir.join(path));
  }
  chmodSync(dir.path, 0o755);
  const file = `${dir.path}.deb`;
  const built = spawnSync('dpkg-deb', ['--build', '--root-owner-group', '-Zgzip', '-z1', dir.path, file], { env: { ...process.env, SOURCE_DATE_EPOCH: '1500000000' }, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`dpkg-deb: ${built.stderr}`);
  const bytes = readFileSync(file);
  rmSync(file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, version, architecture, fileName: `${name}_${version}_${architecture}.deb`, bytes, sha256, control, indexFields: {} };
}

export interface TinyOptions {
  /** Further programs of this machine. */
  readonly programs?: readonly string[];
  /** Further commands busybox stands in for. */
  readonly applets?: readonly string[];
}

/**
 * The packages of the smallest system that can be installed: a shell, dpkg and what its scripts call, taken from this
 * machine. With them a root filesystem is made in a second, by the same programs that make a real one.
 */
export async function tinySystem({ programs = [], applets: more = [] }: TinyOptions = {}): Promise<readonly Deb[]> {
  const applets = Object.fromEntries([...APPLETS, ...more].map((name) => [`usr/bin/${name}`, 'busybox']));
  return [
    await folderDeb({
      name: 'tiny-base',
      fields: { Essential: 'yes', Priority: 'required', Section: 'base' },
      programs: [...PROGRAMS, '/usr/bin/busybox', ...programs],
      links: { ...applets, bin: 'usr/bin', sbin: 'usr/sbin', lib: 'usr/lib', lib64: 'usr/lib64' },
      files: {
        'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/nonexistent:/bin/false\n',
        'etc/group': 'root:x:0:\n',
        ...Object.fromEntries(FOLDERS.map((name) => [`${name}/`, ['', name.endsWith('tmp') ? 0o1777 : 0o755]])),
        'usr/sbin/ldconfig': ['#!/bin/sh\n', 0o755],
        'usr/sbin/start-stop-daemon': ['#!/bin/sh\n', 0o755],
        'usr/share/doc/tiny-base/copyright': 'none\n',
      },
    }),
  ];
}

function copyProgram(program: string, folder: string): void {
  const needed = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.matchAll(/(\/\S+) \(0x/g);
  for (const path of [program, ...[...needed].map(([, library = '']) => library)]) {
    // Where the machine's folders are merged, /lib is a link; the real place is below /usr there.
    const to = join(folder, join(realpathSync(dirname(path)), path.slice(path.lastIndexOf('/') + 1)));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(realpathSync(path), to);
    chmodSync(to, 0o755);
  }
}
