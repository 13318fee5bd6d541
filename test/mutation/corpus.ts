/** What is spoilt: a few good inputs of every kind, the same in every process. */
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { ar, tar } from '../rig/archive.ts';
import { buildDeb, packagesStanza } from '../rig/deb.ts';
import { buildSource, sourcesStanza } from '../rig/source.ts';
import { RPM_KINDS, RPM_SPOILERS } from './rpm-corpus.ts';
import { below, mutate, pick, type Random } from './mutators.ts';

export const KINDS = ['packages', 'udebs', 'sources', 'packed', 'release', 'inrelease', 'signature', 'keyring', 'deb', 'data-tar', 'dsc', 'changes', ...RPM_KINDS] as const;
export type Kind = (typeof KINDS)[number];

/** The input with this number: its kind, its bytes, and the generator for whatever else its reading decides. */
export interface Input {
  readonly kind: Kind;
  readonly bytes: Buffer;
  /** The suffix of a packed index. */
  readonly packing: Packing;
}

export type Packing = keyof typeof PACKERS;

export function makeInput(kind: Kind, random: Random): Input {
  const packing = pick(random, PACKINGS);
  return { kind, packing, bytes: SPOILERS[kind](random, packing) };
}

const PACKERS = {
  none: (bytes: Buffer) => bytes,
  gz: (bytes: Buffer) => gzipSync(bytes),
  xz: (bytes: Buffer) => spawnSync('xz', ['-0c'], { input: bytes, maxBuffer: 1 << 30 }).stdout,
  zst: (bytes: Buffer) => spawnSync('zstd', ['-1cq'], { input: bytes, maxBuffer: 1 << 30 }).stdout,
} as const;

/** gz comes often: it needs no process. */
const PACKINGS = ['none', 'gz', 'gz', 'gz', 'gz', 'gz', 'gz', 'gz', 'xz', 'zst'] as const satisfies readonly Packing[];
const SUFFIXES: Readonly<Record<Packing, string>> = { none: '', gz: '.gz', xz: '.xz', zst: '.zst' };

const RELATIONS = {
  Depends: 'libc6 (>= 2.36), a | b (<< 1:2~rc1-1) | c, python3:any (>= 3.9~), d [amd64 !i386] <!nocheck>',
  Provides: 'virt (= 1.0), other',
  'Multi-Arch': 'same',
  Source: 'odd (1.0-2)',
  Tag: 'a::b,\n c::d',
};
const DEBS = [
  buildDeb({ name: 'alpha', version: '1:2.0~rc1-3+b1', fields: RELATIONS }),
  buildDeb({ name: 'libbeta', architecture: 'all', fields: { 'Description': 'short\n long\n .\n more' } }),
  buildDeb({ name: 'gamma' }),
];
const SOURCE = buildSource('delta', '1.0');

const PACKAGES = Buffer.from(DEBS.map((deb) => packagesStanza(deb, `pool/main/a/${deb.fileName}`)).join('\n'));
const BUILD_DEPENDS = 'Build-Depends: debhelper-compat (= 13), a [linux-any] <!stage1 nocheck> <cross>, b:native\n';
const SOURCES = Buffer.from([sourcesStanza(SOURCE, 'pool/main/d/delta') + BUILD_DEPENDS, sourcesStanza(buildSource('epsilon'), 'pool/main/e')].join('\n'));
const CONTROL = DEBS.map(({ control }) => Buffer.from(control));
const DSC = SOURCE.files.get('delta_1.0.dsc') ?? Buffer.alloc(0);
const CHANGES = Buffer.from(
  `Format: 1.8\nSource: alpha\nBinary: alpha\nArchitecture: amd64\nVersion: 2.0-1\nDistribution: unstable\nUrgency: low\n` +
    `Checksums-Sha256:\n${DEBS.map(({ sha256, bytes, fileName }) => ` ${sha256} ${bytes.length} ${fileName}\n`).join('')}`,
);
/** The files a .changes lists. */
export const UPLOADED: ReadonlyMap<string, Buffer> = new Map([...DEBS.map(({ fileName, bytes }) => [fileName, bytes] as const), ...SOURCE.files]);

const DATA_TAR = tar([
  { path: './' },
  { path: './usr/' },
  { path: './usr/bin/alpha', bytes: Buffer.from('x'), mode: 0o4755 },
  { path: '././@LongLink', type: 'L', bytes: Buffer.from(`./usr/${'long/'.repeat(60)}name\0`) },
  { path: './usr/cut', bytes: Buffer.from('y') },
  { path: './PaxHeaders/z', type: 'x', bytes: Buffer.from('23 path=./usr/share/z\n\n20 mtime=1.000000000\n') },
  { path: './z', type: '2', linkName: '/etc/shadow' },
]);

const RELEASE = Buffer.from(
  `Origin: Rig\nLabel: Rig\nSuite: stable\nCodename: rig\nVersion: 12\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nValid-Until: Fri, 01 Jan 2038 00:00:00 UTC\n` +
    `Acquire-By-Hash: yes\nArchitectures: all amd64 i386\nComponents: main updates/contrib\nNo-Support-for-Architecture-all: Packages\nMD5Sum:\n ${'0'.repeat(32)} 12 main/binary-amd64/Packages\nSHA256:\n` +
    ['main/binary-amd64/Packages', 'main/binary-amd64/Packages.xz', 'main/source/Sources', 'main/i18n/Translation-en.bz2', 'main/Contents-amd64.gz', 'contrib/binary-amd64/Packages']
      .map((path) => ` ${createHash('sha256').update(path).digest('hex')} ${String(1000 + path.length).padStart(8)} ${path}\n`)
      .join(''),
);

type Spoiler = (random: Random, packing: Packing) => Buffer;

const SPOILERS: Readonly<Record<Kind, Spoiler>> = {
  packages: (random) => mutate(PACKAGES, SOURCES, random),
  udebs: (random) => mutate(PACKAGES, RELEASE, random),
  sources: (random) => mutate(SOURCES, PACKAGES, random),
  packed: packedIndex,
  release: (random) => mutate(RELEASE, PACKAGES, random),
  inrelease: (random) => mutate(INRELEASE, RELEASE, random),
  // Without its armor, so that what is spoilt are its packets.
  signature: (random) => mutate(unarmored(INRELEASE), unarmored(PUBLIC_KEY), random),
  keyring: (random) => mutate(unarmored(PUBLIC_KEY), unarmored(INRELEASE), random),
  deb: spoiltDeb,
  'data-tar': (random) => maybeMended(mutate(DATA_TAR, DSC, random), random),
  dsc: (random) => mutate(DSC, CHANGES, random),
  changes: (random) => mutate(CHANGES, DSC, random),
  ...RPM_SPOILERS,
};

/** The bytes of the last armored block (RFC 9580, 6.2), its checksum left out. */
export function unarmored(text: Buffer): Buffer {
  return Buffer.from(/\n\n([A-Za-z0-9+/=\n]+)\n=\S{4}\n-----END[^]*$/.exec(text.toString())?.[1] ?? '', 'base64');
}

function packedIndex(random: Random, packing: Packing): Buffer {
  const inside = random() < 0.3 ? mutate(PACKAGES, SOURCES, random) : PACKAGES;
  const packed = PACKERS[packing](inside);
  return random() < 0.8 ? mutate(packed, PACKAGES, random) : packed;
}

/** Spoilt at one of its layers; those around it are whole, so that the spoilt one is reached. */
function spoiltDeb(random: Random, packing: Packing): Buffer {
  const layer = pick(random, ['file', 'control', 'control', 'tar', 'packed', 'order'] as const);
  const spoil = (at: typeof layer, bytes: Buffer): Buffer => (layer === at ? mutate(bytes, DATA_TAR, random) : bytes);
  const control = spoil('control', pick(random, CONTROL as [Buffer, ...Buffer[]]));
  const archive = maybeMended(spoil('tar', tar([{ path: './' }, { path: './control', bytes: control }])), random);
  const members: [string, Buffer][] = [
    ['debian-binary', Buffer.from('2.0\n')],
    [`control.tar${SUFFIXES[packing]}`, spoil('packed', PACKERS[packing](archive))],
    ['data.tar.gz', gzipSync(DATA_TAR)],
  ];
  if (layer === 'order') members.splice(below(random, 3), below(random, 2), members[below(random, 3)] ?? ['_x', archive]);
  return spoil('file', ar(members));
}

/** Mostly with the sums of its headers put right: otherwise few archives get past the first header. */
function maybeMended(archive: Buffer, random: Random): Buffer {
  if (random() < 0.2) return archive;
  const mended = Buffer.from(archive);
  for (let at = 0; at + 512 <= Math.min(mended.length, 20 * 512); at += 512) {
    const header = mended.subarray(at, at + 512);
    if (header.toString('latin1', 257, 262) !== 'ustar') continue;
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return mended;
}

/** Signed once and for all: a signature made anew would be another one each time. */
export const INRELEASE = Buffer.from(`-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

Origin: Rig
Label: Rig
Suite: stable
Codename: rig
Date: Thu, 01 Jan 2026 00:00:00 UTC
Architectures: amd64
Components: main
SHA256:
 a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1  1200 main/binary-amd64/Packages
-----BEGIN PGP SIGNATURE-----

wrsEARYKAG0FgmlVuQAJED9S+okxo4bERRQAAAAAABwAIHNhbHRAbm90YXRp
b25zLm9wZW5wZ3Bqcy5vcmeO8dvhFC4vjQ8PyEf5k1l+zOF1SHlR4g9UpuOe
CVObuhYhBCk3lbWvy1yDhvSJLT9S+okxo4bEAAClnQEAjNMU8WBSgxFBgWgA
5aTC36KCoagj6Fkl5k1qo/eXS+8BAK0bByY2aqeWJJNaLtpQdARlu0TB2Oj0
7mpV84reDwUC
=nfLc
-----END PGP SIGNATURE-----
`);

/** Who signed it. */
export const PUBLIC_KEY = Buffer.from(`-----BEGIN PGP PUBLIC KEY BLOCK-----

xjMEXgvhABYJKwYBBAHaRw8BAQdAUuQuxh9GXvKj8anwheJxbOX1zhwRnpGg
NyJ9NMNr2LXNI1JpZyBtdXRhdGlvbiA8bXV0YXRpb25AZXhhbXBsZS5vcmc+
wsATBBMWCgCFBYJeC+EAAwsJBwkQP1L6iTGjhsRFFAAAAAAAHAAgc2FsdEBu
b3RhdGlvbnMub3BlbnBncGpzLm9yZ3aXaINrTaVNkoP/Z5pf0m/LRRaIRTbk
xWj7OEmAKzhBBRUKCA4MBBYAAgECGQECmwMCHgEWIQQpN5W1r8tcg4b0iS0/
UvqJMaOGxAAAxSIBAJYbCX39TfzH1U56lrR1DurgXPZ7PmxX56moa+r7fQ+q
AP9k8ptieC7JNEV+K5FFHG4MYzwF2b3fURwpxxrisizJCc44BF4L4QASCisG
AQQBl1UBBQEBB0ARNT7ECNVCZ4xVy15E0PiMEKQpuI6jv8nUyM5UX2gSFwMB
CAfCvgQYFgoAcAWCXgvhAAkQP1L6iTGjhsRFFAAAAAAAHAAgc2FsdEBub3Rh
dGlvbnMub3BlbnBncGpzLm9yZ49SKF0K7ZAppfPj4Sw0YrugFD84F5X43BOs
VutNCwB2ApsMFiEEKTeVta/LXIOG9IktP1L6iTGjhsQAAOonAQCzU+UMZwyv
V8HFO7+KY4/vjD8YAWcurTx3YfJN2RUbdgD/Xgrjtjc2U9VDLNiSKHnWYZIX
UpDJHhKNzjFLiFXE+gM=
=iVVR
-----END PGP PUBLIC KEY BLOCK-----
`);
