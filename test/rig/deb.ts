import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { ar, tar, type TarEntry } from './archive.ts';

export interface DebOptions {
  readonly name: string;
  /** Default `1.0-1`. */
  readonly version?: string;
  /** Default `amd64`. */
  readonly architecture?: string;
  /** Further control fields, or other values for the default ones. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Installed files by path without leading slash. Default: one small file named after the package. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Fields of the index entry that differ from, or are not in, the control file: an override, or a lie. */
  readonly indexFields?: Readonly<Record<string, string>>;
}

/** A real binary package, as dpkg accepts it. */
export interface Deb {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** `name_version_arch.deb`, the epoch left out as dpkg-deb does. */
  readonly fileName: string;
  readonly bytes: Buffer;
  readonly sha256: string;
  /** The control file, one field a line, newline at the end. */
  readonly control: string;
  readonly indexFields: Readonly<Record<string, string>>;
}

/** Builds a valid .deb in process. Equal options give equal bytes. */
export function buildDeb(options: DebOptions): Deb {
  const { name, version = '1.0-1', architecture = 'amd64' } = options;
  const control = controlText({ ...defaultFields(name), Version: version, Architecture: architecture, ...options.fields });
  const files = options.files ?? { [`usr/share/${name}/version`]: `${name} ${version}\n` };
  const bytes = ar([
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.gz', gzipSync(tar([{ path: './' }, { path: './control', bytes: Buffer.from(control) }]))],
    ['data.tar.gz', gzipSync(tar(dataEntries(files)))],
  ]);
  const fileName = `${name}_${version.replace(/^\d+:/, '')}_${architecture}.deb`;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, version, architecture, fileName, bytes, sha256, control, indexFields: options.indexFields ?? {} };
}

/** The entry of a package in Packages: its control fields, where it lies, its size and digests. No blank line after. */
export function packagesStanza(deb: Deb, path: string): string {
  const described = parseFields(deb.control);
  const digest = (algorithm: string): string => createHash(algorithm).update(deb.bytes).digest('hex');
  return controlText({
    ...described,
    Filename: path,
    Size: String(deb.bytes.length),
    MD5sum: digest('md5'),
    SHA256: deb.sha256,
    ...deb.indexFields,
  });
}

function defaultFields(name: string): Record<string, string> {
  return {
    Package: name,
    Version: '',
    Architecture: '',
    Maintainer: 'Rig <rig@example.org>',
    'Installed-Size': '1',
    Section: 'misc',
    Priority: 'optional',
    Description: `test package ${name}\n made by the test rig`,
  };
}

function controlText(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`).join('');
}

function parseFields(control: string): Record<string, string> {
  const fields = control.trimEnd().split(/\n(?! )/);
  return Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 2)]));
}

function dataEntries(files: Readonly<Record<string, string | Uint8Array>>): readonly TarEntry[] {
  const entries = new Map<string, TarEntry>([['./', { path: './' }]]);
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split('/');
    parts.slice(0, -1).forEach((_, index) => {
      const folder = `./${parts.slice(0, index + 1).join('/')}/`;
      entries.set(folder, { path: folder });
    });
    entries.set(`./${path}`, { path: `./${path}`, bytes: Buffer.from(content) });
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
