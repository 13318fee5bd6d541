import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { contentsFormat } from '../../src/formats/apt/contents.ts';
import { tarPaths } from '../../src/util/tar-paths.ts';
import { ar, tar } from '../rig/archive.ts';
import { buildDeb, type Deb } from '../rig/deb.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { publishingSite, PREFIX, type PublishingSite } from './support.ts';

function contents(all: PublishingSite, name: string, distribution = 'rig'): string {
  return gunzipSync(readFileSync(`${all.site.publicRoot}/${PREFIX}/dists/${distribution}/${name}.gz`)).toString('latin1');
}

/** Lines as [path, packages], the blanks between them left out. */
function parsed(text: string): (readonly [string, string])[] {
  return text.split('\n').filter((line) => line !== '' && !/^FILE +LOCATION/.test(line)).map((line) => {
    const match = /^(.*\S)\s+(\S+)$/.exec(line);
    return [match?.[1] ?? '', match?.[2] ?? ''] as const;
  });
}

const DEBS = [
  buildDeb({ name: 'alpha', files: { 'usr/share/doc/a file with blanks': 'x', 'usr/bin/alpha': 'x' }, fields: { Section: 'utils' } }),
  buildDeb({ name: 'alpha', version: '2.0', files: { 'usr/bin/alpha': 'x', 'usr/bin/alpha2': 'x' }, fields: { Section: 'utils' } }),
  buildDeb({ name: 'beta', architecture: 'all', files: { 'usr/bin/alpha': 'y', [`usr/share/${'long-name/'.repeat(7)}end`]: 'x' }, fields: { Section: 'contrib/net' } }),
];

test('without upstream lists every package file is read, once', async (t) => {
  await using all = await publishingSite({ one: { components: { main: DEBS } }, two: { components: { main: [buildDeb({ name: 'gamma', architecture: 'all' })] } } });
  await all.run(['publish', 'snapshot', 'one', 'two', '--component', 'main,contrib', '--distribution', 'rig', '--contents', 'yes']);

  t.deepEqual(parsed(contents(all, 'main/Contents-amd64')), [
    ['usr/bin/alpha', 'contrib/net/beta,utils/alpha'],
    ['usr/bin/alpha2', 'utils/alpha'],
    ['usr/share/doc/a file with blanks', 'utils/alpha'],
    [`usr/share/${'long-name/'.repeat(7)}end`, 'contrib/net/beta'],
  ]);
  t.deepEqual(parsed(contents(all, 'contrib/Contents-amd64')), [['usr/share/gamma/version', 'misc/gamma']]);
  t.false(existsSync(`${all.site.publicRoot}/${PREFIX}/dists/rig/Contents-amd64.gz`));
  t.is((await all.site.run(['publish', 'verify'])).status, 0);

  const again = await all.run(['publish', 'update', 'rig', '--label', 'again']);
  t.notRegex(again.stderr, /listing files of packages/);
  await all.run(['publish', 'update', 'rig', '--contents', 'no']);
  t.false(existsSync(`${all.site.publicRoot}/${PREFIX}/dists/rig/main/Contents-amd64.gz`));
});

test('lists of upstreams are merged, and tell only of packages that are there', async (t) => {
  const one = { components: { main: [DEBS[0] as Deb] }, indices: { 'main/Contents-amd64': 'usr/bin/alpha utils/alpha,utils/gone\nusr/bin/gone utils/gone\nzz/last utils/alpha\n' } };
  const two = { components: { main: [DEBS[2] as Deb] }, indices: { 'main/Contents-amd64': 'FILE LOCATION\nusr/bin/alpha contrib/net/beta\nusr/a\xefb contrib/net/beta\n' } };
  const three = { components: { main: [buildDeb({ name: 'gamma' })] } };
  await using all = await publishingSite({ one, two, three }, { extra: { with_contents: true } });
  await all.run(['snapshot', 'merge', 'merged', 'one', 'two', 'three']);

  const { stderr } = await all.run(['publish', 'snapshot', 'merged', '--distribution', 'rig']);

  t.notRegex(stderr, /cannot be combined/);
  const upstream = [['usr/aÃ¯b', 'contrib/net/beta'], ['usr/bin/alpha', 'contrib/net/beta,utils/alpha'], ['zz/last', 'utils/alpha']];
  t.deepEqual(parsed(contents(all, 'main/Contents-amd64')), upstream as never);
  await all.run(['publish', 'update', 'rig', '--contents', 'yes']);
  t.deepEqual(parsed(contents(all, 'main/Contents-amd64')), [...upstream.slice(0, 2), ['usr/share/gamma/version', 'misc/gamma'], ...upstream.slice(2)] as never);
  await all.run(['publish', 'snapshot', 'one', '--distribution', 'alone']);
  const alone = await runCommand('xz', ['-dc', `${all.site.publicRoot}/${PREFIX}/dists/alone/main/Contents-amd64.xz`]);
  t.is(alone.stdout, one.indices['main/Contents-amd64']);
});

testWith(hasCommand('apt-ftparchive'), 'apt-ftparchive is missing')('the lists are those of apt-ftparchive', async (t) => {
  await using dir = await tempDir();
  await using all = await publishingSite({ one: { components: { main: DEBS.slice(1) } } });
  await all.run(['publish', 'snapshot', 'one', '--distribution', 'rig', '--contents', 'yes']);
  mkdirSync(dir.join('debs'));
  for (const deb of DEBS.slice(1)) writeFileSync(dir.join('debs', deb.fileName), deb.bytes);

  const { stdout } = await runCommand('apt-ftparchive', ['contents', '.'], { cwd: dir.join('debs') });

  // It knows sections from override files only.
  const names = (packages: string): string => packages.split(',').map((name) => name.slice(name.lastIndexOf('/') + 1)).sort().join();
  const sorted = (text: string): string[] => parsed(text).map(([path, packages]) => `${path} ${names(packages)}`).sort();
  t.deepEqual(sorted(contents(all, 'main/Contents-amd64')), sorted(stdout));
});

test('a package whose data cannot be read is warned of and does not stop the rest', async (t) => {
  const broken = Buffer.from('this is no archive');
  const good = buildDeb({ name: 'good' });
  const bytes = ar([['debian-binary', Buffer.from('2.0\n')], ['control.tar.gz', gzipSync(tar([{ path: './' }, { path: './control', bytes: Buffer.from(good.control) }]))], ['data.tar.gz', broken]]);
  const { createHash } = await import('node:crypto');
  const bad: Deb = { ...buildDeb({ name: 'bad' }), bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  await using all = await publishingSite({ one: { components: { main: [good, bad] } } });

  const { stderr } = await all.run(['publish', 'snapshot', 'one', '--distribution', 'rig', '--contents', 'yes']);

  t.regex(stderr, /its files cannot be listed/);
  t.deepEqual(parsed(contents(all, 'main/Contents-amd64')), [['usr/share/good/version', 'misc/good']]);
});

async function pathsIn(bytes: Buffer, piece: number): Promise<string[]> {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
  };
  const paths: string[] = [];
  for await (const path of tarPaths(chunks())) paths.push(path);
  return paths;
}

test('names with and without ./, long ones of GNU and pax, links; cut archives are refused', async (t) => {
  await using dir = await tempDir();
  const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}`;
  mkdirSync(dir.join('t', long), { recursive: true });
  writeFileSync(dir.join('t', long, 'g'), 'x');
  writeFileSync(dir.join('t', 'plain'), 'y'.repeat(5000));
  await runCommand('ln', ['-s', 'plain', dir.join('t', 'link')]);
  await runCommand('ln', [dir.join('t', 'plain'), dir.join('t', 'hard')]);
  for (const format of ['gnu', 'pax', 'ustar']) {
    for (const root of ['.', 'plain']) {
      await runCommand('tar', ['--format', format, '-C', dir.join('t'), '-cf', dir.join('x.tar'), ...(root === '.' ? ['.'] : ['plain', 'link', 'hard'])]);
      const bytes = readFileSync(dir.join('x.tar'));
      const expected = ['hard', 'link', 'plain', ...(root === '.' && format !== 'ustar' ? [`${long}/g`] : [])].sort();
      for (const piece of [1, 511, 1 << 20]) t.deepEqual((await pathsIn(bytes, piece)).filter((path) => !path.startsWith('ddd') || format !== 'ustar').sort(), expected, `${format} ${root} ${piece}`);
    }
  }
  const bytes = readFileSync(dir.join('x.tar'));
  await t.throwsAsync(pathsIn(bytes.subarray(0, 1000), 512), { message: /ends early/ });
  await t.throwsAsync(pathsIn(Buffer.alloc(1024, 'x'), 512), { message: /tar archive/ });
});

/** A pax header of these records, and its file: the header of the file says it is empty. */
function paxFile(path: string, records: readonly string[], body: string): Buffer {
  const pax = records.map((record) => `${record.length + 4} ${record}\n`).join(''); // two digits, a blank, a newline
  const headers = tar([{ path: 'pax', type: 'x', bytes: Buffer.from(pax) }, { path }]).subarray(0, -1024);
  return Buffer.concat([headers, Buffer.from(body), Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

test('the size in a pax header counts for the file behind it, as tar reads it', async (t) => {
  await using dir = await tempDir();
  const big = paxFile('big', ['mtime=7.5', 'size=1025'], 'x'.repeat(1025));
  const end = tar([{ path: 'link', type: '2', linkName: 'big' }, { path: 'after', bytes: Buffer.from('y') }]);
  const bytes = Buffer.concat([big, end]);
  writeFileSync(dir.join('x.tar'), bytes);
  const { stdout } = await runCommand('tar', ['-tf', dir.join('x.tar')]);

  for (const piece of [1, 511, 1 << 20]) t.deepEqual(await pathsIn(bytes, piece), stdout.trim().split('\n'));
  t.is(stdout, 'big\nlink\nafter\n');
  for (const size of ['-1', '1e3', '9'.repeat(20)]) {
    await t.throwsAsync(pathsIn(Buffer.concat([paxFile('odd', ['mtime=7.5', `size=${size}`], ''), end]), 512), { code: 'E_FORMAT' }, size);
  }
});

test('a line is read back whatever blanks its path has', (t) => {
  for (const path of ['usr/bin/a', 'usr/a b  c', `usr/${'x'.repeat(100)}`, 'a\tb']) {
    t.deepEqual(contentsFormat.readLine(contentsFormat.line(path, ['utils/a', 'b'])), { path, packages: ['utils/a', 'b'] });
  }
  t.is(contentsFormat.readLine('FILE                                                    LOCATION'), undefined);
});
