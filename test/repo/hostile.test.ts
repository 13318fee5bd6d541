/** Packages of bad will on their way through: nothing of them is unpacked, and what they say reaches no terminal. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { ar, tar, type TarEntry } from '../rig/archive.ts';
import { buildDeb } from '../rig/deb.ts';
import { buildSource } from '../rig/source.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { fingerprint } from '../rig/witness.ts';
import { realSite, writeSource } from './support.ts';

const PREFIX = 'apt-mirror/integrated';

async function writePackage(dir: TempDir, { control, data }: { readonly control: Buffer; readonly data: readonly TarEntry[] }): Promise<string> {
  const bytes = ar([
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.gz', gzipSync(tar([{ path: './' }, { path: './control', bytes: control }]))],
    ['data.tar.gz', gzipSync(tar(data))],
  ]);
  await writeFile(dir.join('evil_1.0-1_amd64.deb'), bytes);
  return dir.join('evil_1.0-1_amd64.deb');
}

const CONTROL = Buffer.from(buildDeb({ name: 'evil' }).control);

test('D08 names in data.tar that lead elsewhere, links and devices are listed and never made', async (t) => {
  await using dir = await tempDir();
  await mkdir(dir.join('outside'));
  await writeFile(dir.join('outside/canary'), 'as it was');
  const canary = `${'../'.repeat(12)}${dir.join('outside').slice(1)}`;
  const file = await writePackage(dir, {
    control: CONTROL,
    data: [
      { path: './' },
      { path: `${dir.join('outside')}/abs`, bytes: Buffer.from('x') },
      { path: `${canary}/up`.slice(0, 100), bytes: Buffer.from('x') },
      { path: './a/../../b', bytes: Buffer.from('x') },
      { path: './link', type: '2', linkName: dir.join('outside') },
      { path: './link/through', bytes: Buffer.from('x') },
      { path: './hard', type: '1', linkName: '/etc/shadow' },
      { path: './device', type: '4' },
      { path: './setuid', bytes: Buffer.from('x'), mode: 0o4755 },
      { path: './new\nline', bytes: Buffer.from('x') },
      { path: './se\u0001parated', bytes: Buffer.from('x') },
    ],
  });
  const site = await realSite(dir);
  const outside = fingerprint(dir.join('outside'));
  await site.json(['repo', 'create', 'r']);
  await site.json(['repo', 'add', 'r', file]);

  await site.json(['publish', 'repo', 'r', '--distribution', 'rig', '--contents', 'yes']);

  const contents = gunzipSync(readFileSync(`${site.publicRoot}/${PREFIX}/dists/rig/main/Contents-amd64.gz`)).toString();
  const paths = new Set(contents.trimEnd().split('\n').map((line) => line.replace(/\s+\S+$/, '')));
  for (const path of ['a/../../b', 'link', 'link/through', 'hard', 'device', 'setuid']) t.true(paths.has(path), path);
  t.notRegex(contents, /parated|^line/m, 'what would make lines of its own is left out');
  t.deepEqual(fingerprint(dir.join('outside')), outside);
  t.false(existsSync(dir.join('b')));
  t.is((await site.run(['publish', 'verify'])).status, 0);
});

test('D13 a description of megabytes, of bytes that are no UTF-8 and of commands for a terminal stays as it is, and is shown as text', async (t) => {
  await using dir = await tempDir();
  const description = Buffer.concat([
    Buffer.from('Description: short \u001b]0;title\u0007\u001b[2J\u202e'),
    Buffer.from([0xff, 0xfe, 0xe9]),
    Buffer.from('\n'),
    Buffer.from(` ${'long '.repeat(200)}\n`.repeat(5 * 1024)),
  ]);
  const control = Buffer.concat([Buffer.from(CONTROL.toString().replace(/Description: [^]*$/, '')), description]);
  const file = await writePackage(dir, { control, data: [{ path: './' }] });
  const site = await realSite(dir);
  await site.json(['repo', 'create', 'r']);
  await site.json(['repo', 'add', 'r', file]);
  await site.json(['publish', 'repo', 'r', '--distribution', 'rig']);

  const shown = await site.run(['package', 'show', 'evil']);
  const json = await site.run(['package', 'show', 'evil', '--json']);
  const served = gunzipSync(readFileSync(`${site.publicRoot}/${PREFIX}/dists/rig/main/binary-amd64/Packages.gz`));

  t.true(description.length > 5_000_000);
  t.true(served.includes(description));
  for (const { stdout, status } of [shown, json]) {
    t.is(status, 0);
    for (const command of ['\u001b', '\u0007', '\u202e']) t.false(stdout.includes(command), JSON.stringify(command));
  }
  t.regex(shown.stdout, /short \\u001b\]0;title/);
});

testWith(hasCommand('zstd'), 'needs zstd')('D09 data.tar that unpacks to gigabytes, or names more than memory holds, is not listed, and the rest is', async (t) => {
  await using dir = await tempDir();
  await mkdir(dir.join('debs'));
  const big = await runCommand('sh', ['-c', `truncate -s 1200M ${dir.join('big')} && tar -C ${dir.path} -cf - big | zstd -1 -q -o ${dir.join('big.zst')}`]);
  t.is(big.status, 0, big.stderr);
  const longName = { path: '././@LongLink', type: 'L', bytes: Buffer.alloc(1024 * 1024 - 1, 'n') };
  const names = tar(Array.from({ length: 70 }, () => [longName, { path: './x' }]).flat());
  for (const [name, member, data] of [['bomb', 'data.tar.zst', readFileSync(dir.join('big.zst'))], ['names', 'data.tar.gz', gzipSync(names)]] as const) {
    const { control } = buildDeb({ name });
    const packed = gzipSync(tar([{ path: './' }, { path: './control', bytes: Buffer.from(control) }]));
    await writeFile(dir.join('debs', `${name}.deb`), ar([['debian-binary', Buffer.from('2.0\n')], ['control.tar.gz', packed], [member, data]]));
  }
  await writeFile(dir.join('debs/good.deb'), buildDeb({ name: 'good' }).bytes);
  const site = await realSite(dir);
  await site.json(['repo', 'create', 'r']);
  await site.json(['repo', 'add', 'r', dir.join('debs')]);

  const { status, stderr } = await site.run(['publish', 'repo', 'r', '--distribution', 'rig', '--contents', 'yes']);

  t.is(status, 0, stderr);
  t.regex(stderr, /its files cannot be listed: they have more than 1073741824 bytes/);
  t.regex(stderr, /its files cannot be listed: their names have more than 67108864 bytes/);
  t.regex(gunzipSync(readFileSync(`${site.publicRoot}/${PREFIX}/dists/rig/main/Contents-amd64.gz`)).toString(), /^usr\/share\/good\/version\s+misc\/good\n$/);
});

test('A29 a .dsc whose parts have other bytes or sizes is refused, and signed or not makes no difference to that', async (t) => {
  await using dir = await tempDir();
  const source = buildSource('hello');
  const site = await realSite(dir);
  await site.json(['repo', 'create', 'r']);
  const tarball = source.files.get('hello_1.0.tar.gz') ?? Buffer.alloc(0);
  const dsc = source.files.get('hello_1.0.dsc')?.toString() ?? '';
  const sum = createHash('sha256').update(tarball).digest('hex');
  for (const [text, code] of [[dsc.replaceAll(sum, '0'.repeat(64)), 'E_HASH'], [dsc.replaceAll(` ${tarball.length} `, ' 7 '), 'E_SIZE'], [dsc.replace(/Checksums-Sha256:[^]*/, ''), 'E_WEAK_HASH']] as const) {
    await writeSource(dir.join('src'), { ...source, files: new Map([...source.files, ['hello_1.0.dsc', Buffer.from(text)]]) });

    const { status, stderr } = await site.run(['repo', 'add', 'r', dir.join('src')]);

    t.is(status, 12, stderr);
    t.regex(stderr, new RegExp(`artifacts: ${code}: [^\n]*hello_1\\.0`));
  }
  t.deepEqual((await site.json<{ packages: readonly unknown[] }>(['repo', 'show', 'r', '--packages'])).packages, []);
});
