/** Binary packages as files (deb(5)): an ar archive of debian-binary, control.tar and data.tar, in this order. */
import type { FileRef, PackageRecord } from '../../core/package.ts';
import { withoutDot } from '../../util/safe-path.ts';
import type { Packing } from '../../util/packing.ts';
import type { PackageScan, PackedDescription } from '../format.ts';
import { readArHeader, AR_HEADER_BYTES, AR_MAGIC, type ArMember } from './ar.ts';
import { binaryStanza } from './control-file.ts';
import { packageFileName, poolPath } from '../pool-path.ts';
import { malformed } from './stanza-stream.ts';
import { tarEntries } from './tar.ts';

/** What a control file may measure; the largest in Debian have some 100 kB. */
const LARGEST_CONTROL = 64 * 1024 * 1024;
/** What control.tar may measure, packed and unpacked: it also holds scripts and lists of checksums. */
const LARGEST_CONTROL_TAR = 128 * 1024 * 1024;

/** Suffixes of file names, and what index their packages belong to. `.ddeb` is Ubuntu's name for debug packages. */
const SECTIONS: Readonly<Record<string, string>> = { deb: 'binary', ddeb: 'binary', udeb: 'debian-installer' };

/** The suffix of a binary package's file name; undefined when the file is none. */
export function packageSuffix(fileName: string): string | undefined {
  const suffix = /\.([a-z]+)$/.exec(fileName)?.[1];
  return suffix !== undefined && Object.hasOwn(SECTIONS, suffix) ? suffix : undefined;
}

/** Finds control.tar in the bytes of a package as they come. Throws E_FORMAT where dpkg-deb would refuse. */
export function scanDeb(label: string): PackageScan {
  return new DebScan(label);
}

/**
 * The record of a package from its unpacked control.tar. It depends on the package's bytes only: the file is called as
 * dpkg-deb would name it, however it was called where it came from.
 */
export function readDeb({ fileName, size, sha256 }: { readonly fileName: string } & Pick<FileRef, 'size' | 'sha256'>, controlTar: Buffer): PackageRecord {
  const suffix = packageSuffix(fileName) ?? 'deb';
  const stanza = binaryStanza(findControl(controlTar, fileName), fileName);
  const { name, version, architecture } = stanza;
  // dpkg-deb(1), --build: the epoch is no part of the file name.
  const built = `${name}_${version.replace(/^\d+:/, '')}_${architecture}.${suffix}`;
  const file = { name: packageFileName(built, sha256, () => `${fileName}: its path`), size, sha256 };
  const index = `Filename: ${poolPath(file)}\nSize: ${size}\nSHA256: ${sha256}\n`;
  return {
    format: 'apt',
    partition: `${SECTIONS[suffix]}-${architecture}`,
    name,
    version,
    architecture,
    files: [file],
    text: Buffer.concat([stanza.text, Buffer.from(index)]),
  };
}

/** deb(5): the file is called `control`, with or without `./` in front. */
function findControl(archive: Buffer, label: string): Buffer {
  let control: Buffer | undefined;
  for (const { name, kind, bytes } of tarEntries(archive, label)) {
    if (withoutDot(name) !== 'control') continue;
    if (control !== undefined) throw malformed(label, 'control.tar has two control files');
    if (kind !== 'file') throw malformed(label, 'the control file in control.tar is no regular file');
    if (bytes.length > LARGEST_CONTROL) throw malformed(label, `the control file has more than ${LARGEST_CONTROL} bytes`);
    control = bytes;
  }
  if (control === undefined) throw malformed(label, 'control.tar has no control file');
  return control;
}

/** Suffixes of the members as dpkg 1.21 knows them. */
const CONTROL_PACKINGS: Readonly<Record<string, Packing>> = { '': 'none', '.gz': 'gz', '.xz': 'xz', '.zst': 'zst' };
const DATA_SUFFIXES = new Set(['', '.gz', '.xz', '.zst', '.bz2', '.lzma']);

/** What is being read: gathered bytes, or bytes that nobody needs. */
type Wanted =
  | { readonly kind: 'magic' | 'header' | 'version' | 'control'; readonly bytes: number }
  | { readonly kind: 'skip' | 'data' | 'rest'; readonly bytes: number };

class DebScan implements PackageScan {
  readonly #label: string;
  #wanted: Wanted = { kind: 'magic', bytes: AR_MAGIC.length };
  #gathered: Buffer[] = [];
  #left = AR_MAGIC.length;
  /** A member of odd size is followed by a line feed. */
  #pad = 0;
  #expected: 'version' | 'control' | 'data' = 'version';
  #packing: Packing = 'none';
  #control: Buffer | undefined;

  constructor(label: string) {
    this.#label = label;
  }

  push(chunk: Buffer): void {
    let at = 0;
    // What has no bytes at all is over before it begins.
    while (at < chunk.length || (this.#left === 0 && this.#wanted.kind !== 'rest')) {
      if (this.#wanted.kind === 'rest') return;
      const taken = Math.min(this.#left, chunk.length - at);
      if (isGathered(this.#wanted)) this.#gathered.push(chunk.subarray(at, at + taken));
      at += taken;
      this.#left -= taken;
      if (this.#left > 0) return;
      this.#finish();
    }
  }

  end(): PackedDescription {
    if (this.#wanted.kind !== 'rest' && !(this.#wanted.kind === 'header' && this.#gathered.length === 0)) {
      throw malformed(this.#label, this.#wanted.kind === 'magic' ? 'this is no Debian package' : 'the package is cut short');
    }
    if (this.#control === undefined) throw malformed(this.#label, 'the package has no control.tar');
    if (this.#wanted.kind !== 'rest') throw malformed(this.#label, 'the package has no data.tar');
    return { packing: this.#packing, bytes: this.#control, limit: LARGEST_CONTROL_TAR };
  }

  #want(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#left = wanted.bytes;
    this.#gathered = [];
  }

  #finish(): void {
    const { kind } = this.#wanted;
    const bytes = isGathered(this.#wanted) ? Buffer.concat(this.#gathered) : undefined;
    switch (kind) {
      case 'magic':
        if (bytes?.toString('latin1') !== AR_MAGIC) throw malformed(this.#label, 'this is no Debian package');
        return this.#want({ kind: 'header', bytes: AR_HEADER_BYTES });
      case 'header':
        return this.#begin(readArHeader(bytes ?? Buffer.alloc(0), this.#label));
      case 'version':
        checkVersion(bytes ?? Buffer.alloc(0), this.#label);
        this.#expected = 'control';
        return this.#skipPad();
      case 'control':
        this.#control = bytes;
        this.#expected = 'data';
        return this.#skipPad();
      case 'skip':
        return this.#want({ kind: 'header', bytes: AR_HEADER_BYTES });
      case 'data':
        // Behind data.tar dpkg-deb looks at nothing; signatures of packages stand there.
        return this.#want({ kind: 'rest', bytes: 0 });
      default:
    }
  }

  #skipPad(): void {
    this.#want(this.#pad === 0 ? { kind: 'header', bytes: AR_HEADER_BYTES } : { kind: 'skip', bytes: this.#pad });
  }

  #begin({ name, size }: ArMember): void {
    this.#pad = size % 2;
    if (this.#expected === 'version') {
      if (name !== 'debian-binary') throw malformed(this.#label, 'this is no Debian package: debian-binary does not come first');
      if (size > 64) throw malformed(this.#label, 'debian-binary is too long');
      return this.#want({ kind: 'version', bytes: size });
    }
    // deb(5): members with `_` at the beginning may be passed over.
    if (name.startsWith('_')) return this.#want({ kind: 'skip', bytes: size + this.#pad });
    const [, stem = '', suffix = ''] = /^(control\.tar|data\.tar)(.*)$/s.exec(name) ?? [];
    if (stem !== `${this.#expected}.tar`) {
      const title = JSON.stringify(name.slice(0, 16));
      throw malformed(this.#label, stem === 'control.tar' ? 'the package has two control.tar' : `the member ${title} stands where ${this.#expected}.tar is due`);
    }
    if (stem === 'data.tar') {
      if (!DATA_SUFFIXES.has(suffix)) throw malformed(this.#label, `data.tar is packed in an unknown way: ${JSON.stringify(suffix)}`);
      return this.#want({ kind: 'data', bytes: size });
    }
    const packing = CONTROL_PACKINGS[suffix];
    if (packing === undefined) throw malformed(this.#label, `control.tar is packed in an unknown way: ${JSON.stringify(suffix)}`);
    if (size > LARGEST_CONTROL_TAR) throw malformed(this.#label, `control.tar has more than ${LARGEST_CONTROL_TAR} bytes`);
    this.#packing = packing;
    return this.#want({ kind: 'control', bytes: size });
  }
}

function isGathered({ kind }: Wanted): boolean {
  return kind === 'magic' || kind === 'header' || kind === 'version' || kind === 'control';
}

/** deb(5): major version 2; a higher minor one is compatible. The format of 1995 (0.93) is refused. */
function checkVersion(bytes: Buffer, label: string): void {
  const version = bytes.toString('latin1');
  if (/^2\.\d+\n/.test(version)) return;
  throw malformed(label, `the package has the format version ${JSON.stringify(version.split('\n', 1)[0]?.slice(0, 20))}, not 2`);
}
