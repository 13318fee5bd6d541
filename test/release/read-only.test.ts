import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { PROJECT, runArtifacts, runCommand } from '../rig/run.ts';
import { isRoot, testWith } from '../rig/skip.ts';
import type { Site } from '../rig/site.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { fingerprint } from '../rig/witness.ts';
import { makeRelease, statesOf, type Built } from './support.ts';

const READ_ONLY = ['build', '--release', 'r1.0.0', '--only', 'apt', '--read-only'];

/** A production state that no connection of this process is open to: closing one removes SQLite's log. */
async function buildElsewhere({ root, state }: Site): Promise<void> {
  const { status, stderr } = await runArtifacts(['build', '--release', 'r1.0.0', '--quiet'], { root, state });
  if (status !== 0) throw new Error(stderr);
}

/** A folder for temporary files of the run, and what is left in it afterwards. */
async function ownTemporary(dir: TempDir): Promise<{ readonly env: Record<string, string>; left(): string[] }> {
  const folder = dir.join('tmp');
  await mkdir(folder, { recursive: true });
  return { env: { TMPDIR: folder }, left: () => readdirSync(folder) };
}

test('RPC-O D7 a read-only run really does every step, and leaves the production state byte-identical', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] }, { signed: true });
  const { site, sources } = scene;
  const { env, left } = await ownTemporary(dir);
  await buildElsewhere(site);
  await sources.one.upstream.republish({ components: { main: [buildDeb({ name: 'px1', version: '2' }), buildDeb({ name: 'px2' })] } });
  await site.configure({ signed: false });
  const before = fingerprint(site.state);
  sources.one.server.requests.length = 0;

  const plain = await site.json<Built & { readOnly: boolean }>(READ_ONLY, 0, { env });
  const replaced = await site.json<Built>([...READ_ONLY, '--replace'], 0, { env });

  t.true(plain.readOnly);
  t.is(plain.result, 'done');
  t.like(statesOf(replaced), { 'mirror one': 'done', 'snapshot slushie-r1.0.0-one': 'done', 'merge miko-r1.0.0-rig': 'done', manifest: 'done' });
  t.true(sources.one.server.paths().some((path) => path.endsWith('px2_1.0-1_amd64.deb')), 'new files are really fetched');
  t.false(sources.one.server.paths().some((path) => path.endsWith('px1_1.0-1_amd64.deb')), 'what the pool has is not');
  t.deepEqual(fingerprint(site.state), before);
  t.deepEqual(left(), []);
});

test('a read-only run with --replace and a changed upstream changes nothing as a process of its own either', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] });
  const { root, state } = scene.site;
  await buildElsewhere(scene.site);
  await scene.sources.one.upstream.republish({ components: { main: [buildDeb({ name: 'px1', version: '2' })] } });
  const { env, left } = await ownTemporary(dir);
  const before = fingerprint(state);

  const run = await runArtifacts([...READ_ONLY, '--replace', '--json'], { root, state, env });

  t.is(run.status, 0, run.stderr);
  t.deepEqual(fingerprint(state), before);
  t.deepEqual(left(), []);
});

test('a read-only run without a production state makes none', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] }, { signed: false });
  const { env, left } = await ownTemporary(dir);

  const built = await scene.site.json<Built>(READ_ONLY, 0, { env });

  t.is(built.result, 'done');
  t.false(existsSync(scene.site.state));
  t.deepEqual(left(), []);
});

test('F4 a read-only run that fails changes nothing and leaves nothing behind either', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })], two: [buildDeb({ name: 'px2' })] });
  const { site, sources } = scene;
  const { env, left } = await ownTemporary(dir);
  await buildElsewhere(site);
  for (const { upstream } of Object.values(sources)) await upstream.republish({ components: { main: [buildDeb({ name: 'px9' })] } });
  sources.one.server.fault('.deb', { kind: 'corrupt' });
  sources.two.server.fault(/Release/, { kind: 'status', status: 404 });
  const before = fingerprint(site.state);

  const partial = await site.json<Built>([...READ_ONLY, '--replace'], 3, { env });
  const wrong = await site.json([...READ_ONLY, '--codename', 'none'], 10, { env });

  t.is(partial.result, 'partial');
  t.like(wrong, { error: { code: 'E_NOT_FOUND' } });
  t.deepEqual(fingerprint(site.state), before);
  t.deepEqual(left(), []);
});

testWith(isRoot, 'needs root to become another user')('a read-only run needs no right to write to production', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] });
  const { root, state } = scene.site;
  await buildElsewhere(scene.site);
  const { env } = await ownTemporary(dir);
  await runCommand('chmod', ['-R', 'a+rX', dir.path]);
  await runCommand('chmod', ['777', dir.join('tmp')]);
  const readable = await runCommand('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'test', '-r', `${PROJECT}/bin/artifacts.js`]);
  if (readable.status !== 0) return t.pass('the project lies where others cannot read');

  const args = [process.execPath, `${PROJECT}/bin/artifacts.js`, '--root', root, '--state', state, ...READ_ONLY];
  const run = await runCommand('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...args], { env: { ...env, HOME: dir.join('tmp') } });

  t.is(run.status, 0, run.stderr);
  return undefined;
});

test('a cancelled read-only run leaves nothing behind', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] });
  const { root, state } = scene.site;
  const { env, left } = await ownTemporary(dir);
  scene.sources.one.server.fault('.deb', { kind: 'hang' });

  const child = spawn(process.execPath, [`${PROJECT}/bin/artifacts.js`, '--root', root, '--state', state, ...READ_ONLY], { env: { ...process.env, ...env }, stdio: 'ignore' });
  while (!scene.sources.one.server.paths().some((path) => path.endsWith('.deb'))) await sleep(20);
  child.kill('SIGINT');
  const [status] = (await once(child, 'exit')) as [number | null];

  t.is(status, 130);
  t.false(existsSync(state));
  t.deepEqual(left(), []);
});
