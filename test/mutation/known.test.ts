/** What the mutation run found, each as small as it can be: what took for ever, and what was no refusal. */
import { truncate, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { parseSha256, type Sha256 } from '../../src/core/digest.ts';
import { ArtifactsError } from '../../src/core/errors.ts';
import type { Upload } from '../../src/formats/format.ts';
import { formatOf } from '../../src/formats/index.ts';
import { mergeModules } from '../../src/formats/rpm/merge-modules.ts';
import { verifyDetached } from '../../src/sign/verify.ts';
import { realSite, repoSite } from '../repo/support.ts';
import { ar, tar } from '../rig/archive.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { INRELEASE, PUBLIC_KEY, unarmored } from './corpus.ts';

const { local, upstream } = formatOf('apt');
const MIB = 1024 * 1024;
const HEAD = 'Source: a\nVersion: 1.0-1\nArchitecture: amd64\n';
const SUM = 'a'.repeat(64);

test('A22 a paragraph with a hundred thousand fields is refused', (t) => {
  const fields = Array.from({ length: 400_000 }, (_, index) => `X-${index}: a\n`).join('');

  refuses(t, () => upload(HEAD + fields), /more than 10000 fields in one paragraph/);
});

test('A22 millions of paragraphs are refused at the second one', (t) => {
  refuses(t, () => upload(HEAD + '\na:\n'.repeat(4_000_000)), /line 5: there is more than one paragraph/);
});

test('D12 an upload that lists a hundred thousand files is read, and refused when one of them comes twice', (t) => {
  const lines = Array.from({ length: 200_000 }, (_, index) => ` ${SUM} 1 a${index}.deb\n`).join('');

  t.is(upload(`${HEAD}Checksums-Sha256:\n${lines}`).files.length, 200_000);
  refuses(t, () => upload(`${HEAD}Checksums-Sha256:\n${lines} ${SUM} 1 a7.deb\n`), /a7\.deb is listed twice/);
});

test('A22 a megabyte of blanks within a value takes no longer than one of letters', (t) => {
  refuses(t, () => upload(HEAD.replace('Source: a', `Source: a${' '.repeat(MIB)}b`)), /the Source .* is not allowed/);
});

test('A13 A24 a path that begins with millions of `./` is a path', async (t) => {
  const dots = './'.repeat(5 * MIB);
  const stanza = `Package: a\nVersion: 1\nArchitecture: all\nFilename: ${dots}a.deb\nSize: 1\nSHA256: ${SUM}\n`;
  const release = `Suite: rig\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n ${SUM} 1 ${dots}main/binary-amd64/Packages\n`;
  const index = { name: 'x', kind: 'packages', offers: [], plain: { size: 0, sha256: parsed(SUM) } };

  const locations: string[] = [];
  for await (const batch of upstream.readIndex(index, pieces(Buffer.from(stanza)))) locations.push(...batch.flatMap((one) => one.locations));
  const root = upstream.readRoot(Buffer.from(release), { distribution: 'rig', components: ['main'], architectures: ['amd64'] });

  t.deepEqual(locations, ['a.deb']);
  t.is(root.indexes[0]?.name, 'main/binary-amd64/Packages');
});

test('D06 a name of twenty megabytes in control.tar hides nothing and harms nothing', (t) => {
  const name = `${'./'.repeat(10 * MIB)}x\0`;
  const control = Buffer.from('Package: a\nVersion: 1\nArchitecture: all\n');
  const archive = tar([{ path: '././@LongLink', type: 'L', bytes: Buffer.from(name) }, { path: './y' }, { path: './control', bytes: control }]);

  t.is(local.readPackage({ fileName: 'a.deb', size: 1, sha256: parsed(SUM) }, archive).name, 'a');
});

test('A18 a Release.gpg of thousands of beginnings without an end is refused', async (t) => {
  const signature = Buffer.from('-----BEGIN PGP SIGNATURE-----\n'.repeat(MIB / 4));

  const error = await t.throwsAsync(verifyDetached(Buffer.from('x'), signature, { name: 'InRelease', keyrings: [PUBLIC_KEY], fingerprints: [], now: new Date() }));

  t.true(error instanceof ArtifactsError && error.code === 'E_SIGNATURE', error?.message);
});

test('A05 a signature of a version that nobody knows is none', async (t) => {
  const signature = unarmored(INRELEASE);
  t.is(signature[2], 4);
  signature[2] = 9;

  const error = await t.throwsAsync(verifyDetached(Buffer.from('x'), signature, { name: 'InRelease', keyrings: [PUBLIC_KEY], fingerprints: [], now: new Date() }));

  t.true(error instanceof ArtifactsError && error.code === 'E_UNSIGNED', error?.stack);
});

test('A29 a .dsc and a .changes of gigabytes are refused before they are read', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await site.run(['repo', 'create', 'r']);
  for (const [name, verb] of [['a_1.dsc', 'add'], ['a_1.changes', 'include']] as const) {
    await writeFile(dir.join(name), HEAD);
    await truncate(dir.join(name), 3 * 1024 * MIB);

    const { status, stderr } = await site.run(['repo', verb, 'r', dir.join(name), ...(verb === 'add' ? [] : ['--accept-unsigned'])]);

    t.is(status, 12, stderr);
    t.regex(stderr, /^artifacts: E_TOO_LARGE: [^\n]*has 3221225472 bytes, more than the 16777216[^\n]*\n/);
  }
});

test('A22 a stanza of sixty thousand lines that end in CR LF takes no longer than one with LF', async (t) => {
  const index = { name: 'x', kind: 'packages', offers: [], plain: { size: 0, sha256: parsed(SUM) } };
  const fields = Array.from({ length: 200_000 }, (_, number) => `X-${number}: a\r\n`).join('');
  const stanza = `Package: a\r\nVersion: 1\r\nArchitecture: all\r\nFilename: a.deb\r\nSize: 1\r\nSHA256: ${SUM}\r\n${fields}\r\n`;

  const names: string[] = [];
  for await (const batch of upstream.readIndex(index, whole(Buffer.from(stanza.repeat(2))))) names.push(...batch.map(({ record }) => record.name));

  t.deepEqual(names, ['a', 'a']);
});

test('R12 a modules.yaml of hundreds of thousands of keys or quotes is read or left out in the time that its length takes', (t) => {
  const merge = (data: string): readonly string[] => {
    const notes: string[] = [];
    mergeModules([Buffer.from(`---\ndocument: modulemd\ndata: ${data}\n`)], (note) => notes.push(note));
    return notes;
  };
  t.deepEqual(merge(`{name: m, ${Array.from({ length: 60_000 }, (_, number) => `k${number}: a`).join(', ')}}`), []);
  t.regex(merge('{name: m, k: a, k: b}').join(), /a key stands twice/);
  t.regex(merge('"'.repeat(300_001)).join(), /this is no YAML/);
  t.regex(merge(`\n${'  - a\n'.repeat(60_000)}`).join(), /more than 20000 lines/);
});

test('R04 a .treeinfo with a million blanks in a line is read or refused at once', (t) => {
  const { readBundle } = formatOf('rpm').upstream;
  const blanks = ' '.repeat(MIB);
  const read = (text: string): number | undefined => readBundle?.({ name: '.treeinfo', kind: 'tree', offers: [], plain: { size: 0, sha256: parsed(SUM) } }, Buffer.from(text)).files.length;

  t.is(read(`[checksums]\na${blanks} = sha256:${SUM}${blanks}\n[tree]\narch = x86_64\n[variant-a]\nrepository = a${blanks}b\n`), 1);
  t.throws(() => read(`[checksums]\na${blanks}b\n`), { message: /neither a section nor a value/ });
});

testWith(hasCommand('prlimit'), 'needs prlimit')('D09 a dozen packages that unpack to the limit need no more memory together than one', async (t) => {
  await using dir = await tempDir();
  const site = await realSite(dir);
  await site.run(['repo', 'create', 'r']);
  const filler = gzipSync(tar([{ path: './x', bytes: Buffer.alloc(100 * MIB) }]));
  const bomb = ar([['debian-binary', Buffer.from('2.0\n')], ['control.tar.gz', filler], ['data.tar.gz', gzipSync(tar([{ path: './' }]))]]);
  for (let index = 0; index < 12; index += 1) await writeFile(dir.join(`a${index}.deb`), bomb);
  const limited = ['--data=700000000', process.execPath, 'bin/artifacts.js', '--root', site.root, '--state', site.state, '--quiet', 'repo', 'add', 'r'];

  const { status, stderr } = await runCommand('prlimit', [...limited, dir.path]);

  t.is(status, 1, stderr);
  t.regex(stderr, /E_FORMAT: 12 of 12 files are refused/);
});

function upload(text: string): Upload {
  return local.readUpload!({ fileName: 'x.changes', bytes: Buffer.from(text), text: Buffer.from(text) });
}

function refuses(t: ExecutionContext, work: () => unknown, message: RegExp): void {
  const error = t.throws(work);
  t.true(error instanceof ArtifactsError && error.code === 'E_FORMAT', error?.stack?.slice(0, 300));
  t.regex(error?.message ?? '', message);
}

function parsed(text: string): Sha256 {
  const digest = parseSha256(text);
  if (digest === undefined) throw new Error(`${text} is no digest`);
  return digest;
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 256 * 1024) yield bytes.subarray(at, at + 256 * 1024);
}

async function* whole(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
