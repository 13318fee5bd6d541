import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { parseSha256 } from '../../../src/core/digest.ts';
import { isArtifactsError, type ArtifactsError } from '../../../src/core/errors.ts';
import type { PackageRecord } from '../../../src/core/package.ts';
import { readDeb, scanDeb } from '../../../src/formats/apt/deb.ts';
import { unpackMany } from '../../../src/util/unpack-many.ts';
import { ar, tar, type TarEntry } from '../../rig/archive.ts';
import { buildDeb } from '../../rig/deb.ts';
import { runCommand } from '../../rig/run.ts';
import { tempDir } from '../../rig/temp.ts';

const CONTROL = 'Package: a\nVersion: 1.0-1\nArchitecture: amd64\nMaintainer: Rig <rig@example.org>\nDescription: d\n';

test('D01 D02 D04 D05 D10: what dpkg-deb refuses is refused, what it accepts is accepted', async (t) => {
  const whole = debOf();
  const cases = new Map<string, Buffer>([
    ['whole', whole],
    ['empty', Buffer.alloc(0)],
    ['eight bytes', Buffer.from('!<arch>')],
    ['magic only', Buffer.from('!<arch>\n')],
    ['an error page', Buffer.from('<html><body>404 Not Found</body></html>\n'.repeat(20))],
    ['version 2.1', debOf({ version: '2.1\n' })],
    ['version 3.0', debOf({ version: '3.0\n' })],
    ['no newline behind the version', debOf({ version: '2.0' })],
    ['members swapped', archive([['debian-binary', '2.0\n'], ['data.tar.gz', dataTar()], ['control.tar.gz', controlTar()]])],
    ['debian-binary second', archive([['control.tar.gz', controlTar()], ['debian-binary', '2.0\n'], ['data.tar.gz', dataTar()]])],
    ['no control.tar', archive([['debian-binary', '2.0\n'], ['data.tar.gz', dataTar()]])],
    ['no data.tar', archive([['debian-binary', '2.0\n'], ['control.tar.gz', controlTar()]])],
    ['two control.tar', archive([['debian-binary', '2.0\n'], ['control.tar.gz', controlTar()], ['control.tar.gz', controlTar()], ['data.tar.gz', dataTar()]])],
    ['an optional member', archive([['debian-binary', '2.0\n'], ['_gpgbuilder', 'x'], ['control.tar.gz', controlTar()], ['_y', 'yy'], ['data.tar.gz', dataTar()]])],
    ['an unknown member', archive([['debian-binary', '2.0\n'], ['readme', 'x'], ['control.tar.gz', controlTar()], ['data.tar.gz', dataTar()]])],
    ['more behind data.tar', archive([['debian-binary', '2.0\n'], ['control.tar.gz', controlTar()], ['data.tar.gz', dataTar()], ['readme', 'x']])],
    ['junk behind data.tar', Buffer.concat([whole, Buffer.from('\n\n')])],
    ['names with a slash', archive([['debian-binary/', '2.0\n'], ['control.tar.gz/', controlTar()], ['data.tar.gz/', dataTar()]])],
    ['control.tar.bad', archive([['debian-binary', '2.0\n'], ['control.tar.bad', controlTar()], ['data.tar.gz', dataTar()]])],
    ['data.tar.bad', archive([['debian-binary', '2.0\n'], ['control.tar.gz', controlTar()], ['data.tar.bad', dataTar()]])],
    ['control.tar unpacked', archive([['debian-binary', '2.0\n'], ['control.tar', plainControlTar()], ['data.tar.gz', dataTar()]])],
    ['control.tar not packed as it says', archive([['debian-binary', '2.0\n'], ['control.tar.xz', controlTar()], ['data.tar.gz', dataTar()]])],
    ['size of letters', patched(whole, 'abc       ')],
    ['negative size', patched(whole, '-4        ')],
    ['size beyond the end', patched(whole, '9999999999')],
    ['size of nothing', patched(whole, '0         ')],
    ['BSD long name', renamed(whole, '#1/9999999999')],
    ['GNU long name', renamed(whole, '//')],
    ['a wrong end of header', Buffer.from(whole.toString('latin1').replace('`\n', '`x'), 'latin1')],
    ['gzip of several members', archive([['debian-binary', '2.0\n'], ['control.tar.gz', inTwoMembers(plainControlTar())], ['data.tar.gz', dataTar()]])],
    ['gzip cut short', archive([['debian-binary', '2.0\n'], ['control.tar.gz', controlTar().subarray(0, -9)], ['data.tar.gz', dataTar()]])],
    ['no control file', debOf({ entries: [{ path: './' }, { path: './postinst', bytes: Buffer.from('#!/bin/sh\n') }] })],
    ['control without ./', debOf({ entries: [{ path: 'control', bytes: Buffer.from(CONTROL) }] })],
    ['tar cut short', debOf({ plain: tar([{ path: './control', bytes: Buffer.from(CONTROL) }]).subarray(0, 540) })],
    ['tar without its end', debOf({ plain: tar([{ path: './control', bytes: Buffer.from(CONTROL) }]).subarray(0, 1024) })],
    ['tar with a wrong checksum', debOf({ plain: damagedTar() })],
    ['tar of nothing', debOf({ plain: Buffer.alloc(0) })],
  ]);
  for (let size = 60; size < whole.length; size += 61) cases.set(`cut after ${size} bytes`, whole.subarray(0, size));

  for (const [name, bytes] of cases) {
    const ours = await judge(bytes);
    const theirs = await dpkgAccepts(bytes);

    t.is(typeof ours !== 'string', theirs, `${name}: ${typeof ours === 'string' ? ours : 'accepted'}`);
  }
});

test('control files are read as dpkg reads them', async (t) => {
  const cases: Readonly<Record<string, string>> = {
    plain: CONTROL,
    'folded and unknown fields': `${CONTROL} long text\n .\n more\nX-Odd-Case: kept\nDepends: a,\n b\n`,
    'empty lines before and behind': `\n\n${CONTROL}\n\n`,
    'lines with CR': CONTROL.replaceAll('\n', '\r\n'),
    'two paragraphs': `${CONTROL}\n${CONTROL}`,
    'a blank line in a value': `${CONTROL} x\n  \n y\n`,
    'a blank line at the end': `${CONTROL} \n`,
    'a comment': `# c\n${CONTROL}`,
    'no end of line': CONTROL.slice(0, -1),
    'a field twice': `${CONTROL}Version: 2\n`,
    'a name with a hyphen first': `-X: 1\n${CONTROL}`,
    'nothing in it': '',
    'no Package': CONTROL.replace('Package: a\n', ''),
    'no Version': CONTROL.replace('Version: 1.0-1\n', ''),
    'an empty Package': CONTROL.replace('Package: a', 'Package:'),
    'a Package with a slash': CONTROL.replace('Package: a', 'Package: ../a'),
    'a Version with a blank': CONTROL.replace('1.0-1', '1 0'),
    'a Version of letters': CONTROL.replace('1.0-1', 'x1'),
    'a Version with an epoch': CONTROL.replace('1.0-1', '2:1.0-1'),
    'a Version with a bad epoch': CONTROL.replace('1.0-1', 'a:1.0-1'),
    'a Version without revision': CONTROL.replace('1.0-1', '1.0-'),
  };
  for (const [name, control] of Object.entries(cases)) {
    const bytes = debOf({ control });
    const ours = await judge(bytes);

    t.is(typeof ours !== 'string', await dpkgAccepts(bytes), `${name}: ${typeof ours === 'string' ? ours : 'accepted'}`);
  }
});

test('D06: where dpkg would take what comes last or follow a link, the package is refused', async (t) => {
  const control = { path: './control', bytes: Buffer.from(CONTROL) };
  const refused: Readonly<Record<string, readonly TarEntry[]>> = {
    'two control files': [control, control],
    'two under two names': [control, { ...control, path: 'control' }],
    'control as a symbolic link': [{ path: './control', type: '2', linkName: '/etc/passwd' }],
    'control as a fifo': [{ path: './control', type: '6' }],
    'control as a folder': [{ path: './control/', type: '5' }, { path: './control', type: '5' }],
  };
  for (const [name, entries] of Object.entries(refused)) t.is(typeof (await judge(debOf({ entries }))), 'string', name);
  const large = Buffer.concat([Buffer.from(CONTROL), Buffer.alloc(70 * 1024 * 1024, ' x\n')]);
  t.regex(String(await judge(debOf({ entries: [{ path: './control', bytes: large }] }))), /more than 67108864 bytes/);
  t.regex(String(await judge(debOf({ control: CONTROL.replace('amd64', '../x') }))), /Architecture .* not allowed/);
  t.regex(String(await judge(debOf({ control: CONTROL.replace('Architecture: amd64\n', '') }))), /no Architecture/);
});

test('D04: the format of 1995, which dpkg still reads, is refused', async (t) => {
  const bytes = Buffer.concat([Buffer.from(`0.939000\n${controlTar().length}\n`), controlTar(), dataTar()]);

  t.regex(String(await judge(bytes)), /this is no Debian package/);
});

test('D09: bytes behind the packed control.tar, which dpkg passes over, are refused', async (t) => {
  for (const [suffix, pack] of PACKERS.slice(1)) {
    const packed = Buffer.concat([pack(plainControlTar()), Buffer.from('junk')]);
    const bytes = archive([['debian-binary', '2.0\n'], [`control.tar${suffix}`, packed], ['data.tar.gz', dataTar()]]);

    t.regex(String(await judge(bytes)), /is no whole/, suffix);
  }
});

test('D09: what unpacks without end is refused in every packing', async (t) => {
  for (const [suffix, pack] of PACKERS) {
    const bomb = pack(Buffer.concat([tar([{ path: './x', bytes: Buffer.alloc(1024) }]).subarray(0, 1536), Buffer.alloc(200 * 1024 * 1024)]));
    const bytes = archive([['debian-binary', '2.0\n'], [`control.tar${suffix}`, bomb], ['data.tar.gz', dataTar()]]);

    t.regex(String(await judge(bytes)), /(unpacks to|has) more than 134217728 bytes/, suffix);
  }
});

test('all packings of control.tar are read, many at once, and a damaged one is told from its neighbours', async (t) => {
  const debs = PACKERS.flatMap(([suffix, pack]) =>
    Array.from({ length: 5 }, (_, index) => {
      const control = CONTROL.replace('Package: a', `Package: a${index}`);
      const packed = pack(tar([{ path: './control', bytes: Buffer.from(control) }]));
      const cut = suffix !== '' && index === 3;
      return { control, cut, suffix, bytes: archive([['debian-binary', '2.0\n'], [`control.tar${suffix}`, cut ? packed.subarray(0, packed.length / 2) : packed], ['data.tar.gz', dataTar()]]) };
    }),
  );
  const packed = debs.map(({ bytes }) => {
    const scan = scanDeb('x');
    scan.push(bytes);
    return scan.end();
  });

  const plain = new Map<unknown, Buffer | ArtifactsError>();
  for await (const one of unpackMany(packed, new AbortController().signal)) plain.set(one.piece, one.plain);

  for (const [index, { control, cut, suffix }] of debs.entries()) {
    const found = plain.get(packed[index]);
    t.is(isArtifactsError(found, 'E_FORMAT'), cut, suffix);
    if (!cut) t.true(Buffer.isBuffer(found) && found.includes(control), suffix);
  }
});

test('the stanza is the control file as it stands with place, size and digest behind it, however the bytes come', async (t) => {
  const control = Buffer.concat([Buffer.from(`${CONTROL} long\n .\n text\nXB-oDd: \t v  \nX-Latin: `), Buffer.from([0xe9, 0x0a])]);
  const bytes = debOf({ control });
  const sha256 = createHash('sha256').update(bytes).digest('hex');

  for (const piece of [bytes.length, 1, 7, 60]) {
    const record = await judge(bytes, piece);

    if (typeof record === 'string') return t.fail(record);
    const index = `Filename: pool/${sha256.slice(0, 2)}/${sha256}_a_1.0-1_amd64.deb\nSize: ${bytes.length}\nSHA256: ${sha256}\n`;
    t.true(record.text.equals(Buffer.concat([control, Buffer.from(index)])));
    t.is(record.partition, 'binary-amd64');
  }
});

test('fields of an index in a control file do not get into ours; the epoch is no part of the file name', async (t) => {
  const control = `${CONTROL.replace('1.0-1', '3:1.0-1')}Filename: ../../etc/passwd\nSize: 1\nsha256: 00\n`;

  const record = await judge(debOf({ control }));

  if (typeof record === 'string') return t.fail(record);
  t.is(record.text.toString().match(/^Filename: /gm)?.length, 1);
  t.false(record.text.includes('passwd'));
  t.is(record.files[0]?.name, 'a_1.0-1_amd64.deb');
});

test('a package whose published name no file system takes is refused', async (t) => {
  const long = debOf({ entries: [{ path: './control', bytes: Buffer.from(CONTROL.replace('1.0-1', `1.0${'0'.repeat(200)}`)) }] });
  await t.throwsAsync(judge(long), { code: 'E_PATH', message: 'a.deb: its path ends in a name longer than 190 bytes' });
});

test('udebs belong into the index of the installer', async (t) => {
  const record = await judge(debOf(), undefined, 'anything at all (1).udeb');

  if (typeof record === 'string') return t.fail(record);
  t.is(record.partition, 'debian-installer-amd64');
  t.is(record.files[0]?.name, 'a_1.0-1_amd64.udeb');
});

test('long names in pax and GNU form do not hide the control file, nor do they make one', async (t) => {
  await using dir = await tempDir();
  await writeFile(dir.join('control'), CONTROL);
  const long = 'x'.repeat(180);
  await writeFile(dir.join(long), 'y');
  for (const format of ['gnu', 'pax', 'ustar']) {
    const names = format === 'ustar' ? ['./control'] : [`./${long}`, './control'];
    const made = spawnSync('tar', [`--format=${format}`, '-C', dir.path, '-cf', '-', ...names]);
    const record = await judge(debOf({ plain: made.stdout }));

    t.is(typeof record === 'string' ? record : record.name, 'a', format);
  }
});

test('the packages of the rig are such packages', async (t) => {
  const { bytes, control } = buildDeb({ name: 'hello' });
  const record = await judge(bytes);

  t.true(typeof record !== 'string' && record.text.toString().startsWith(control));
});

const PACKERS: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ['', (bytes) => bytes],
  ['.gz', (bytes) => gzipSync(bytes)],
  ['.xz', (bytes) => spawnSync('xz', ['-1c', '-C', 'crc32'], { input: bytes, maxBuffer: 1 << 30 }).stdout],
  ['.zst', (bytes) => spawnSync('zstd', ['-1cq'], { input: bytes, maxBuffer: 1 << 30 }).stdout],
];

interface DebParts {
  readonly version?: string;
  readonly control?: string | Buffer;
  readonly entries?: readonly TarEntry[];
  readonly plain?: Buffer;
}

function debOf({ version = '2.0\n', control = CONTROL, entries, plain }: DebParts = {}): Buffer {
  const files = entries ?? [{ path: './' }, { path: './control', bytes: Buffer.from(control) }];
  return archive([['debian-binary', version], ['control.tar.gz', gzipSync(plain ?? tar(files))], ['data.tar.gz', dataTar()]]);
}

function archive(members: readonly (readonly [string, string | Buffer])[]): Buffer {
  return ar(members.map(([name, bytes]) => [name, Buffer.from(bytes)]));
}

function plainControlTar(): Buffer {
  return tar([{ path: './control', bytes: Buffer.from(CONTROL) }]);
}

function controlTar(): Buffer {
  return gzipSync(plainControlTar());
}

function dataTar(): Buffer {
  return gzipSync(tar([{ path: './' }]));
}

function damagedTar(): Buffer {
  const bytes = plainControlTar();
  bytes[3] = 0x58;
  return bytes;
}

function inTwoMembers(bytes: Buffer): Buffer {
  return Buffer.concat([gzipSync(bytes.subarray(0, 300)), gzipSync(bytes.subarray(300))]);
}

/** The size field of control.tar replaced. */
function patched(deb: Buffer, size: string): Buffer {
  const at = deb.indexOf('control.tar') + 48;
  return Buffer.concat([deb.subarray(0, at), Buffer.from(size), deb.subarray(at + 10)]);
}

function renamed(deb: Buffer, name: string): Buffer {
  const at = deb.indexOf('control.tar');
  return Buffer.concat([deb.subarray(0, at), Buffer.from(name.padEnd(16)), deb.subarray(at + 16)]);
}

/** The record, or why there is none. Bytes come in pieces of this size. */
async function judge(bytes: Buffer, piece = 4096, fileName = 'a.deb'): Promise<PackageRecord | string> {
  try {
    const scan = scanDeb(fileName);
    for (let at = 0; at < bytes.length; at += piece) scan.push(bytes.subarray(at, at + piece));
    const { value: unpacked } = await unpackMany([scan.end()], new AbortController().signal).next();
    const plain = unpacked?.plain;
    if (plain === undefined || isArtifactsError(plain)) return plain?.message ?? 'nothing';
    const sha256 = parseSha256(createHash('sha256').update(bytes).digest('hex'));
    if (sha256 === undefined) throw new Error('no digest');
    return readDeb({ fileName, size: bytes.length, sha256 }, plain);
  } catch (error) {
    if (isArtifactsError(error, 'E_FORMAT')) return error.message;
    throw error;
  }
}

/** dpkg-deb shows it, unpacks its data, and dpkg's parser takes its control file. */
async function dpkgAccepts(bytes: Buffer): Promise<boolean> {
  await using dir = await tempDir();
  const path = dir.join('a.deb');
  await writeFile(path, bytes);
  for (const args of [['--info', path], ['--fsys-tarfile', path], ['--show', '--showformat=${Package}', path]]) {
    if ((await runCommand('dpkg-deb', args)).status !== 0) return false;
  }
  return true;
}
