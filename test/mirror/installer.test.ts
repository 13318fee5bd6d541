/** Images of the installer: Release vouches for SHA256SUMS, and that for the images. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import test from 'ava';
import type { UpstreamRequest } from '../../src/formats/format.ts';
import { buildDeb } from '../rig/deb.ts';
import { runCommand } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { makeSite } from '../rig/site.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { aptUpstream, type AptUpstream } from '../rig/upstream.ts';
import { asked, HELLO, openBench, refused, type Bench } from './support.ts';

const digest = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const sums = (files: Readonly<Record<string, string | Uint8Array>>): string =>
  Object.entries(files).map(([path, bytes]) => `${digest(bytes)}  ./${path}\n`).join('');

const IMAGES = {
  MANIFEST: 'netboot/mini.iso\n',
  'netboot/mini.iso': randomBytes(70_000),
  'netboot/debian-installer/amd64/linux': randomBytes(300_000),
  'netboot/debian-installer/amd64/initrd.gz': randomBytes(20_000),
  'cdrom/empty': '',
};
const NETBOOT = 'netboot/debian-installer/amd64/linux';

function serveImages({ files, folder }: AptUpstream, place: string, images: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, bytes] of Object.entries(images)) files.set(`${folder}/${place}/${path}`, Buffer.from(bytes));
}

testWith(hasCommand('sha256sum') && hasCommand('curl'), 'curl or sha256sum is not installed')('a plain client fetches the images of a release, and sha256sum agrees with its list', async (t) => {
  await using dir = await tempDir();
  const old = { MANIFEST: 'of before\n' };
  const legacy = { 'netboot/mini.iso': randomBytes(3000) };
  const upstream = await aptUpstream({
    components: { main: [buildDeb({ name: 'hello' })] },
    compress: ['plain'],
    byHash: false,
    indices: {
      'main/installer-amd64/current/images/SHA256SUMS': sums(IMAGES),
      'main/installer-amd64/current/images/MD5SUMS': 'as it is\n',
      'main/installer-amd64/current/legacy-images/SHA256SUMS': sums(legacy),
      'main/installer-amd64/20230607+deb12u1/images/SHA256SUMS': sums(IMAGES),
      'main/installer-amd64/20230607/images/SHA256SUMS': sums(old),
      'main/installer-arm64/current/images/SHA256SUMS': sums(old),
    },
  });
  serveImages(upstream, 'main/installer-amd64/current/images', IMAGES);
  serveImages(upstream, 'main/installer-amd64/20230607+deb12u1/images', IMAGES);
  serveImages(upstream, 'main/installer-amd64/current/legacy-images', legacy);
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { base: { upstream, url: server.url, extra: { with_installer: true, filter: 'hello' } } } });

  await site.json(['build', '--release', 'r1.0.0']);

  const folder = `${site.publicRoot}/apt-mirror/integrated/dists/r1.0.0-rig/main`;
  await using published = await serve(site.publicRoot);
  for (const version of ['current', '20230607+deb12u1']) {
    const url = `${published.url}/apt-mirror/integrated/dists/r1.0.0-rig/main/installer-amd64/${version}/images`;
    const client = dir.join(`client-${version}`);
    for (const path of ['SHA256SUMS', ...Object.keys(IMAGES)]) {
      const { status, stderr } = await runCommand('curl', ['-fsS', '--create-dirs', '-o', `${client}/${path}`, `${url}/${path}`]);
      t.is(status, 0, stderr);
    }
    t.regex(execFileSync('sha256sum', ['--strict', '-c', 'SHA256SUMS'], { cwd: client }).toString(), /^\.\/netboot\/mini\.iso: OK$/m);
  }
  execFileSync('sha256sum', ['--strict', '--quiet', '-c', 'SHA256SUMS'], { cwd: `${folder}/installer-amd64/current/legacy-images` });
  t.is(readFileSync(`${folder}/installer-amd64/current/images/MD5SUMS`, 'utf8'), 'as it is\n');
  t.false(existsSync(`${folder}/installer-amd64/20230607`), 'an old version is left where it is');
  t.false(existsSync(`${folder}/installer-arm64`), 'so is another architecture');
  const release = readFileSync(`${folder}/../Release`, 'utf8');
  t.regex(release, / main\/installer-amd64\/current\/images\/SHA256SUMS$/m);
  t.notRegex(release, /mini\.iso/);
  const manifest = readFileSync(`${site.publicRoot}/releases/r1.0.0/latest/manifest.json`, 'utf8');
  t.true(manifest.includes(`main/installer-amd64/current/images/${NETBOOT}`));

  const before = server.paths().length;
  const again = await site.json<{ changed: boolean }>(['mirror', 'update', 'base']);
  t.false(again.changed);
  t.is(server.paths().length, before + 1);

  const clean = await site.json<{ publications: { problems: unknown[] }[] }>(['publish', 'verify']);
  t.deepEqual(clean.publications.flatMap(({ problems }) => problems), []);
  const image = `${folder}/installer-amd64/current/images/${NETBOOT}`;
  rmSync(image);
  writeFileSync(image, Buffer.alloc(300_000));
  const spoiled = await site.json<{ publications: { problems: { path: string }[] }[] }>(['publish', 'verify'], 3);
  t.deepEqual(spoiled.publications.flatMap(({ problems }) => problems.map(({ path }) => path.slice(-NETBOOT.length))), [NETBOOT]);
});

const REQUEST: UpstreamRequest = { distribution: 'rig', components: ['main'], architectures: ['amd64'], kinds: ['installer'] };
const PLACE = 'main/installer-amd64/20240101/images';

async function benchWith(list: string, images: Readonly<Record<string, string | Uint8Array>> = IMAGES): Promise<Bench> {
  const bench = await openBench({ components: { main: [HELLO] }, indices: { [`${PLACE}/SHA256SUMS`]: list } });
  serveImages(bench.upstream, PLACE, images);
  return bench;
}

const HOSTILE: readonly (readonly [string, string, string, RegExp])[] = [
  ['climbs out', `${digest('x')}  ../../../../pool/x\n`, 'E_PATH', /has the part "\.\."/],
  ['is absolute', `${digest('x')}  /etc/passwd\n`, 'E_PATH', /is absolute/],
  ['takes the place of the list', `${digest('x')}  ./SHA256SUMS\n`, 'E_PATH', /is not for an image/],
  ['takes the place of files by digest', `${digest('x')}  by-hash/SHA256/${digest('y')}\n`, 'E_PATH', /is not for an image/],
  ['lists a path twice', `${digest('x')}  a\n${digest('y')}  ./a\n`, 'E_FORMAT', /lists a twice with different digests/],
  ['lists a folder as a file', `${digest('x')}  a\n${digest('y')}  a/b\n`, 'E_FORMAT', /as a file and as a folder/],
  ['has a short digest', `${digest('x').slice(1)}  a\n`, 'E_FORMAT', /no digest and path/],
  ['is no list', '<html>\n', 'E_FORMAT', /no digest and path/],
  ['has a control character', `${digest('x')}  a\u001b[31m\n`, 'E_PATH', /control character/],
];

for (const [title, list, code, message] of HOSTILE) {
  test(`a list of images that ${title} is refused`, async (t) => {
    await using bench = await benchWith(list);

    await refused(t, bench, { code: code as 'E_PATH', message, definition: { request: REQUEST } });
  });
}

test('an image that is missing or has other bytes leaves the mirror as it was', async (t) => {
  await using bench = await benchWith(sums({ MANIFEST: IMAGES.MANIFEST }));
  await bench.update({ definition: { request: REQUEST } });
  const { upstream } = bench;
  const place = `${upstream.folder}/${PLACE}`;

  await upstream.republish({ indices: { [`${PLACE}/SHA256SUMS`]: sums(IMAGES) } });
  upstream.files.set(`${place}/${NETBOOT}`, randomBytes(300_000));
  await refused(t, bench, { code: 'E_HASH', message: /linux/, definition: { request: REQUEST } });
  upstream.files.delete(`${place}/${NETBOOT}`);
  await refused(t, bench, { code: 'E_FETCH', message: /linux/, definition: { request: REQUEST } });

  upstream.files.set(`${place}/${NETBOOT}`, Buffer.from(IMAGES[NETBOOT]));
  await bench.update({ definition: { request: REQUEST } });
  const image = bench.records().find(({ name }) => name.startsWith('installer-'));
  t.deepEqual(image?.files.map(({ name, size }) => `${name} ${size}`), [
    `SHA256SUMS ${sums(IMAGES).length}`,
    ...Object.entries(IMAGES).map(([path, { length }]) => `${path} ${length}`).sort(),
  ]);
  t.is(asked(bench.server, `${PLACE}/MANIFEST`), 1, 'what the pool has is not fetched again');
});

test('an image that an interrupted run had fetched whole is not asked for again', async (t) => {
  await using bench = await benchWith(sums(IMAGES));
  const partial = bench.pool.receive('mirror-m').partial(digest(IMAGES[NETBOOT]) as never);
  writeFileSync(partial, IMAGES[NETBOOT]);

  await bench.update({ definition: { request: REQUEST } });

  t.is(asked(bench.server, NETBOOT), 0);
  t.is(asked(bench.server, 'netboot/mini.iso'), 1);
});
