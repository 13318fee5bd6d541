import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import test from 'ava';
import type { CheckedCopy, Staged } from '../../src/release/stage.ts';
import { aptClient } from '../rig/apt.ts';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { runCommand } from '../rig/run.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { answerFile, fileSource } from '../rig/static.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { contentsOf, inspectDistribution } from '../rig/witness.ts';
import { makeRelease, type Built, type ReleaseScene } from './support.ts';

const withFlock = testWith(hasCommand('flock') && hasCommand('apt-get'), 'needs flock and apt-get');

const DIST = 'apt-mirror/integrated/dists/r1.0.0-rig';

interface Scene extends ReleaseScene<'one' | 'vendor'> {
  readonly server: RigServer;
  readonly key: string;
}

async function makeScene(dir: TempDir): Promise<Scene> {
  const random = Buffer.alloc(300_000, 'incompressible?').map((byte, index) => byte ^ (index * 7919) ^ (index >> 8));
  const scene = await makeRelease(
    dir,
    { one: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2', files: { 'usr/share/big': random } })], vendor: [buildDeb({ name: 'px3' })] },
    { miko: { r1: { rig: ['one'] } }, independent: { r1: { rig: [{ src: 'vendor', dest: 'rax-maas-rig' }] } } },
  );
  await scene.site.json<Built>(['build', '--release', 'r1.0.0']);
  const server = await serve(scene.site.publicRoot);
  const { fingerprint } = await rigKey('site');
  const close = async (): Promise<void> => {
    await server.close();
    await scene[Symbol.asyncDispose]();
  };
  return { ...scene, server, key: fingerprint, [Symbol.asyncDispose]: close };
}

function staging(scene: Scene, to: string, more: readonly string[] = []): readonly string[] {
  return ['stage', '--release', 'r1.0.0', '--from', scene.server.url, '--to', to, '--key', scene.key, ...more];
}

withFlock('RPC-O D13 F29 a site without internet serves the staged folder: every prefix, by a real apt; a second run fetches nothing', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const to = dir.join('staged');

  const staged = await scene.site.json<Staged>(staging(scene, to));

  t.is(staged.result, 'staged');
  t.is(staged.fetched, staged.files);
  t.deepEqual(await inspectDistribution(join(to, DIST), join(to, 'apt-mirror/integrated')), []);
  await using served = await serve(to);
  const client = await aptClient(dir, 'client', {
    sources: ['integrated', 'independent/rax-maas-rig'].map((prefix) => `deb [signed-by=%KEYRING%] ${served.url}/apt-mirror/${prefix} r1.0.0-rig main`),
    keyring: readFileSync(join(to, 'apt-mirror/release-signing-key.asc')),
  });
  await client.update();
  await client.download(['px2', 'px3']);
  t.is((await scene.site.json<CheckedCopy>(['stage', '--check', '--release', 'r1.0.0', '--to', to, '--key', scene.key])).problems.length, 0);

  const before = contentsOf(to);
  scene.server.requests.length = 0;
  const again = await scene.site.json<Staged>(staging(scene, to));
  t.like(again, { result: 'unchanged', fetched: 0 });
  t.deepEqual([...new Set(scene.server.paths().map((path) => dirname(path)))], ['releases/r1.0.0/latest']);
  t.deepEqual(contentsOf(to), before);
});

withFlock('what is staged may be staged on: from the site server, and from a folder', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.site.json<Staged>(staging(scene, dir.join('first')));
  await using first = await serve(dir.join('first'));

  await scene.site.json<Staged>([...staging(scene, dir.join('second')), '--from', first.url]);
  await scene.site.json<Staged>([...staging(scene, dir.join('third')), '--from', dir.join('second')]);

  t.deepEqual(contentsOf(dir.join('third', DIST)), contentsOf(join(scene.site.publicRoot, DIST)));
});

withFlock('an interrupted run goes on where it was, within a file too, and the folder shows nothing before', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const to = dir.join('staged');
  scene.server.fault(/px2_/, { kind: 'truncate', after: 1000 });
  scene.server.fault(/px3_/, { kind: 'status', status: 404 });

  const { error } = await scene.site.json<{ error: { message: string } }>(staging(scene, to), 1);

  t.regex(error.message, /px[23]_/);
  t.false(existsSync(join(to, DIST)) || existsSync(join(to, 'releases/r1.0.0/latest')));
  scene.server.heal();
  scene.server.requests.length = 0;
  const staged = await scene.site.json<Staged>(staging(scene, to));
  t.is(staged.result, 'staged');
  const big = scene.server.requests.filter(({ path }) => path.includes('px2_'));
  if (big.length > 0) t.true(big.every(({ status, headers }) => status === 206 || headers.range === undefined));
  t.deepEqual(await inspectDistribution(join(to, DIST), join(to, 'apt-mirror/integrated')), []);
  t.false(existsSync(join(to, '.artifacts/incoming')));
});

withFlock('RPC-O D11 a file that is missing at the source, or another than listed, fails the run and names it', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const to = dir.join('staged');
  const attempt = async (status: number): Promise<{ code: string; message: string }> =>
    (await scene.site.json<{ error: { code: string; message: string } }>(staging(scene, to), status)).error;

  scene.server.fault(/px1_/, { kind: 'status', status: 404 });
  t.like(await attempt(1), { code: 'E_FETCH' });
  t.regex((await attempt(1)).message, /lacks apt-mirror\/integrated\/pool\/.*px1_.*, which the manifest lists/);
  scene.server.heal();
  scene.server.fault(/px1_/, { kind: 'corrupt' });
  t.like(await attempt(12), { code: 'E_HASH' });
  scene.server.heal();
  scene.server.fault('InRelease', { kind: 'replace', bytes: Buffer.from('login, please') });
  t.like(await attempt(12), { code: 'E_SIZE' });
  t.false(existsSync(join(to, 'releases')));
});

withFlock('only a manifest signed by a pinned key counts', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const to = dir.join('staged');
  const stranger = (await rigKey('stranger')).fingerprint;
  const { site } = scene;

  t.is((await site.run(['stage', '--release', 'r1.0.0', '--from', scene.server.url, '--to', to])).status, 2);
  t.is((await site.run([...staging(scene, to).slice(0, -1), stranger])).status, 12);
  const manifest = join(site.publicRoot, 'releases/r1.0.0/latest/manifest.json');
  const text = readFileSync(manifest, 'utf8');
  writeFileSync(manifest, text.replace('"size": ', '"size":  '));
  t.is((await site.run(staging(scene, to))).status, 12);
  writeFileSync(manifest, text);
  const keys = join(site.publicRoot, 'releases/r1.0.0/latest/release-signing-key.asc');
  const own = readFileSync(keys);
  writeFileSync(keys, Buffer.concat([own, (await rigKey('stranger')).publicKey])); // signed rightly, and one key more for clients
  t.is((await site.run(staging(scene, to))).status, 12);
  writeFileSync(keys, own);
  rmSync(`${manifest}.asc`);
  t.is((await site.run(staging(scene, to))).status, 12);
  t.false(existsSync(join(to, 'apt-mirror')));
});

withFlock('an older manifest, signed as it is, is not taken for news', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const to = dir.join('staged');
  const old = (await scene.site.json<Staged>(staging(scene, to))).build;
  await scene.sources.one.upstream.republish({ components: { main: [buildDeb({ name: 'px9' })] } });
  await scene.site.json<Built>(['build', '--release', 'r1.0.0', '--replace']);
  const { build } = await scene.site.json<Staged>(staging(scene, to));
  t.true(build > old);
  const latest = join(scene.site.publicRoot, 'releases/r1.0.0/latest');
  rmSync(latest);
  symlinkSync(old, latest);

  const { error } = await scene.site.json<{ error: { code: string } }>(staging(scene, to), 12);

  t.is(error.code, 'E_ROLLBACK');
  t.is(readlinkSync(join(to, 'releases/r1.0.0/latest')), build);
});

withFlock('a part of a release does not pass for the whole, and a kind it lacks is not found', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const to = dir.join('staged');

  await scene.site.json<Staged>(staging(scene, to, ['--only', 'apt']));

  t.deepEqual(await inspectDistribution(join(to, DIST), join(to, 'apt-mirror/integrated')), []);
  t.false(existsSync(join(to, 'releases/r1.0.0/latest')));
  t.deepEqual(JSON.parse(readFileSync(join(to, 'releases/index.json'), 'utf8')).releases, []);
  const { error } = await scene.site.json<{ error: { code: string; hint: string } }>(staging(scene, to, ['--only', 'python']), 10);
  t.like(error, { code: 'E_NOT_FOUND', hint: 'It has apt.' });
});

withFlock('RPC-O D11 --check finds a file that is gone, one that was cut, and one with a flipped bit', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const to = dir.join('staged');
  await scene.site.json<Staged>(staging(scene, to));
  const pool = join(to, 'apt-mirror/integrated/pool');
  const debs = readdirSync(pool, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.deb')).map((name) => join(pool, name));
  rmSync(debs[0] ?? '');
  truncateSync(debs[1] ?? '', 10);
  const packages = join(to, DIST, 'main/binary-amd64/Packages.xz');
  const bytes = readFileSync(packages);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  writeFileSync(packages, bytes);

  const { problems } = await scene.site.json<CheckedCopy>(['stage', '--check', '--release', 'r1.0.0', '--to', to, '--key', scene.key], 3);

  t.is(problems.length, 4); // Packages.xz has a second name, by its digest
  t.true(problems.some((line) => line.endsWith('is missing')) && problems.some((line) => line.includes('has 10 bytes')));
  // The pool's files are mended by staging again; an index was changed in place, where only its size tells.
  await scene.site.json<Staged>(staging(scene, to));
});

test('RPC-O D9 F7 a release that is absent, one that is there, and silence are three things', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { server, key, site } = scene;
  const status = async (release: string, exit: number, more: readonly string[] = []): Promise<string> =>
    (await site.json<{ state: string }>(['status', '--release', release, '--from', server.url, '--key', key, ...more], exit)).state;

  t.is(await status('r1.0.0', 0), 'complete');
  t.is(await status('r1.0.0', 0, ['--only', 'apt']), 'complete');
  t.is(await status('r1.0.0', 10, ['--only', 'apt,python']), 'complete');
  // Names are compared exactly.
  t.is(await status('r1.0.0-beta.1', 10), 'absent');
  t.is(await status('r1.0', 10), 'absent');
  server.fault(/manifest\.json$/, { kind: 'status', status: 404 });
  t.is(await status('r1.0.0', 1), 'unknown'); // listed and not there
  server.heal();
  server.fault(/./, { kind: 'status', status: 404 });
  t.is(await status('r9', 1), 'unknown'); // a server that has nothing at all
  server.heal();
  server.fault(/./, { kind: 'replace', bytes: Buffer.from('<html>login</html>') });
  t.is(await status('r9', 1), 'unknown');
  server.heal();
  server.fault(/manifest\.json$/, { kind: 'status', status: 403 });
  server.fault(/index\.json$/, { kind: 'status', status: 403 });
  t.is(await status('r9', 1), 'unknown');
  server.heal();
  await server.close();
  t.is(await status('r9', 1, ['--parallel', '1']), 'unknown');
});

withFlock('F29 a release comes by a proxy', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site, key } = scene;

  // The rig answers absolute URLs as a proxy does.
  const staged = await site.json<Staged>(['stage', '--release', 'r1.0.0', '--from', 'http://mirror.invalid', '--proxy', scene.server.url, '--to', dir.join('staged'), '--key', key]);

  t.is(staged.result, 'staged');
});

testWith(hasCommand('openssl') && hasCommand('flock'), 'needs openssl and flock')('F29 over TLS, the site names the authority it trusts and the certificate it shows', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  for (const name of ['server', 'client']) {
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    await runCommand('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...subject, '-keyout', dir.join(`${name}.key`), '-out', dir.join(`${name}.pem`)]);
  }
  const source = fileSource(scene.site.publicRoot);
  const pem = (file: string): Buffer => readFileSync(dir.join(file));
  const server = createServer({ key: pem('server.key'), cert: pem('server.pem'), ca: pem('client.pem'), requestCert: true, rejectUnauthorized: true }, (request, response) =>
    answerFile(source(decodeURIComponent((request.url ?? '').slice(1))), request, response),
  );
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = ['stage', '--release', 'r1.0.0', '--from', url, '--to', dir.join('staged'), '--key', scene.key];
  const ca = ['--ca-file', dir.join('server.pem')];
  const certificate = ['--client-cert', dir.join('client.pem'), '--client-key', dir.join('client.key')];

  const { error } = await scene.site.json<{ error: { message: string } }>([...args, ...certificate], 1);
  t.regex(error.message, /self-signed/);
  const staged = await scene.site.json<Staged>([...args, ...ca, ...certificate]);

  t.is(staged.result, 'staged');
  server.close();
  server.closeAllConnections();
});

test('manifests from outside cannot name what is not theirs', async (t) => {
  const { parseManifest } = await import('../../src/release/read-manifest.ts');
  const file = { path: 'a/b', size: 1, sha256: 'a'.repeat(64) };
  const whole = { schema: 1, release: 'r1', build: '20200101T000000Z', publications: [], places: [], nodes: [], files: [file] };
  const attempt = (changes: object): string => {
    try {
      parseManifest(Buffer.from(JSON.stringify({ ...whole, ...changes })));
      return 'taken';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  t.is(attempt({}), 'taken');
  for (const path of ['/etc/passwd', '../x', 'a/../../x', 'a//b', 'a\nb', '.artifacts/lock', '', 7]) t.is(attempt({ files: [{ ...file, path }] }), 'E_PATH', String(path));
  for (const place of ['../x', '.artifacts', '/']) t.is(attempt({ places: [place] }), 'E_PATH', place);
  for (const changes of [{ schema: 2 }, { release: '../r1' }, { build: 'x/y' }, { files: 'all' }, { files: [file, file] }, { files: [{ ...file, size: -1 }] }, { files: [{ ...file, sha256: 'x' }] }, { places: ['a', 'a/b'] }, { artifacts: [{ id: 'x', kind: 'git', facts: {}, madeAt: '', paths: ['nowhere'] }] }]) {
    t.is(attempt(changes), 'E_FORMAT', JSON.stringify(changes));
  }
});

