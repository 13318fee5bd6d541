import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { aptClient } from '../rig/apt.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { listedFiles } from '../rig/witness.ts';
import { makeScene, PREFIX } from './support.ts';

const REPUBLISHES = 50;
const CLIENTS = 3;
const BEHIND = 8;

const many = (version: string): ReturnType<typeof buildDeb>[] =>
  Array.from({ length: 40 }, (_, n) => buildDeb({ name: `px${n}`, version: n % 2 === 0 ? version : '1' }));

testWith(hasCommand('apt-get'), 'needs apt')('RPC-O D5 W02 W05 readers see no error while two snapshots are published in turn', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site } = scene;
  await scene.freeze('one', { main: many('1') });
  await scene.freeze('two', { main: many('2') });
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig'], 0, { env: { SOURCE_DATE_EPOCH: String(Math.floor(Date.now() / 1000) - 3600) } });
  const publishing = new AbortController();
  const updates = [0, 0, 0];
  const read = async (reader: number): Promise<void> => {
    for (let turn = 0; !publishing.signal.aborted; turn += 1) {
      // Fresh lists: every index is asked for.
      const client = await scene.client(`client-${reader}-${turn}`, 'rig');
      await client.update();
      updates[reader] = (updates[reader] ?? 0) + 1;
      await rm(client.folder, { recursive: true, force: true });
    }
  };

  const readers = Array.from({ length: CLIENTS }, (_, reader) => read(reader));
  // A clock behind the real one, so that Dates may advance by a second each without running into the future.
  const start = Math.floor(Date.now() / 1000) - 2 * REPUBLISHES;
  for (let turn = 0; turn < REPUBLISHES; turn += 1) {
    const env = { SOURCE_DATE_EPOCH: String(start + turn) };
    const { changed } = await site.json<{ changed: boolean }>(['publish', 'switch', 'rig', turn % 2 === 0 ? 'two' : 'one'], 0, { env });
    t.true(changed);
    await sleep(120); // so that updates begin and end at all points of a publish
  }
  publishing.abort();

  await t.notThrowsAsync(Promise.all(readers));
  t.log(`${updates.join(' + ')} updates during ${REPUBLISHES} republishes`);
  t.true(updates.every((count) => count >= 3));
  t.deepEqual(scene.published.requests.filter(({ status }) => status === 404 || status >= 500).map(({ path }) => path), []);
});

testWith(hasCommand('apt-get'), 'needs apt')('W03 T06 a client many publishes behind still gets its indexes and its packages', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, {}, { vars: { publish: { keep_generations: 12, keep_for: '1s' } } });
  const { site, published } = scene;
  await scene.freeze('s0', { main: [buildDeb({ name: 'px1', version: '1' }), buildDeb({ name: 'gone' })] });
  await site.json(['publish', 'snapshot', 's0', '--distribution', 'rig']);
  const behind = await scene.client('behind', 'rig');
  await behind.update();
  const dists = join(site.publicRoot, PREFIX, 'dists/rig');
  const listed = listedFiles(readFileSync(join(dists, 'Release'), 'utf8'));

  for (let n = 1; n <= BEHIND; n += 1) {
    await scene.freeze(`s${n}`, { main: [buildDeb({ name: 'px1', version: `${n + 1}` })] });
    await site.json(['publish', 'switch', 'rig', `s${n}`]);
  }

  for (const { path, sha256 } of listed.filter((file) => /\.(gz|xz)$/.test(file.path))) {
    const answer = await fetch(`${published.url}/${PREFIX}/dists/rig/${path.replace(/[^/]*$/, `by-hash/SHA256/${sha256}`)}`);
    t.is(answer.status, 200);
    t.is(createHash('sha256').update(Buffer.from(await answer.arrayBuffer())).digest('hex'), sha256);
  }
  await t.notThrowsAsync(behind.download(['px1=1', 'gone']));
  await behind.update();
  const { stdout } = await behind.aptGet(['install', '--print-uris', '--yes', 'px1']);
  t.regex(stdout, /_px1_9_amd64\.deb/);
});

testWith(hasCommand('apt-get'), 'needs apt')('W04 a slow download goes on over a publish', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site, published } = scene;
  const large = buildDeb({ name: 'large', files: { 'usr/share/large': Buffer.from(Array.from({ length: 60_000 }, (_, n) => (n * 7919) % 251)) } });
  await scene.freeze('one', { main: [large] });
  await scene.freeze('two', { main: [buildDeb({ name: 'px1' })] });
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  const client = await aptClient(dir, 'slow', {
    sources: [`deb [signed-by=%KEYRING%] ${published.url}/${PREFIX} rig main`],
    keyring: (await rigKey('site')).publicKey,
  });
  await client.update();
  published.fault(/\.deb$/, { kind: 'drip', bytes: Math.ceil(large.bytes.length / 20), every: 50 });

  const download = client.download(['large']);
  while (!published.paths().some((path) => path.endsWith('.deb'))) await sleep(10);
  await site.json(['publish', 'switch', 'rig', 'two']);

  await t.notThrowsAsync(download);
  const { stdout } = await runCommand('dpkg-deb', ['--field', `${client.folder}/cache/archives/large_1.0-1_amd64.deb`, 'Package']);
  t.is(stdout.trim(), 'large');
});
