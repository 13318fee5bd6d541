import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { tar } from './archive.ts';

/** A native source package, as dpkg-source unpacks it. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
  /** Bytes by file name: the .dsc and the tarball. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Builds a source package in format 3.0 (native) in process. Equal arguments give equal bytes. */
export function buildSource(name: string, version = '1.0'): SourcePackage {
  const folder = `${name}-${version}/`;
  const control = `Source: ${name}\nMaintainer: Rig <rig@example.org>\nStandards-Version: 4.6.2\n\nPackage: ${name}\nArchitecture: all\nDescription: rig\n`;
  const changelog = `${name} (${version}) rig; urgency=low\n\n  * Built.\n\n -- Rig <rig@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n`;
  const entries = [
    { path: folder },
    { path: `${folder}debian/` },
    { path: `${folder}debian/control`, bytes: Buffer.from(control) },
    { path: `${folder}debian/changelog`, bytes: Buffer.from(changelog) },
    { path: `${folder}debian/rules`, bytes: Buffer.from('#!/usr/bin/make -f\n%:\n\ttrue\n'), mode: 0o755 },
  ];
  const tarball = [`${name}_${version}.tar.gz`, gzipSync(tar(entries))] as const;
  const head = ['Format: 3.0 (native)', `Source: ${name}`, `Binary: ${name}`, 'Architecture: all', `Version: ${version}`, 'Maintainer: Rig <rig@example.org>'];
  const dsc = Buffer.from(`${[...head, ...checksums([tarball])].join('\n')}\n`);
  return { name, version, files: new Map([[`${name}_${version}.dsc`, dsc], tarball]) };
}

/** Its entry in Sources, when its files lie in this folder. */
export function sourcesStanza(source: SourcePackage, directory: string): string {
  const lines = [
    `Package: ${source.name}`,
    `Binary: ${source.name}`,
    `Version: ${source.version}`,
    'Maintainer: Rig <rig@example.org>',
    'Architecture: all',
    'Format: 3.0 (native)',
    ...checksums([...source.files]),
    `Directory: ${directory}`,
    'X-Kept: as it is',
  ];
  return `${lines.join('\n')}\n`;
}

function checksums(files: readonly (readonly [string, Buffer])[]): string[] {
  const lines = (algorithm: string): string[] =>
    files.map(([name, bytes]) => ` ${createHash(algorithm).update(bytes).digest('hex')} ${bytes.length} ${name}`);
  return ['Files:', ...lines('md5'), 'Checksums-Sha256:', ...lines('sha256')];
}
