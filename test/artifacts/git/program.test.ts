import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { makeRelease, statesOf, type Built, type Planned } from '../../release/support.ts';
import { buildDeb } from '../../rig/deb.ts';
import { rigKey } from '../../rig/key.ts';
import { PROJECT, runCommand } from '../../rig/run.ts';
import { serve } from '../../rig/server.ts';
import { tempDir } from '../../rig/temp.ts';
import { fingerprint, gpgv } from '../../rig/witness.ts';
import { makeUpstream } from './support.ts';

test('F17 a release with git repositories: built, signed, consumed; fresh the second time; only what changed is made anew', async (t) => {
  await using dir = await tempDir();
  const [one, two] = [await makeUpstream(dir.join('one')), await makeUpstream(dir.join('two'))];
  await one.commit({ a: '1\n' });
  const second = await two.commit({ b: '1\n' });
  const vars = { git_repos: [{ name: 'one', repo: one.path, version: 'main' }, { name: 'two', repo: two.path, version: second }], git_mapping: { r1: 'all' } };
  await using scene = await makeRelease(dir, { base: [buildDeb({ name: 'px' })] }, { vars });
  const { program: site } = scene;
  const place = join(site.publicRoot, 'git-archives/r1.0.0');

  const built = await site.json<Built>(['build', '--release', 'r1.0.0']);
  t.like(statesOf(built), { 'git one': 'done', 'git two': 'done' });
  t.true(await gpgv((await rigKey('site')).publicKey, ['index.json.asc', 'index.json'].map((name) => join(place, name))));
  t.is((await runCommand('sha256sum', ['--check', '--strict', 'SHA256SUMS', 'one.tgz.sha256'], { cwd: place })).status, 0);
  await runCommand('tar', ['-xzf', join(place, 'two.tgz'), '-C', dir.path]);
  const again = await site.json<Planned>(['plan', '--release', 'r1.0.0']);
  t.deepEqual([...new Set(again.nodes.map(({ state }) => state))], ['fresh']);

  const before = readFileSync(join(place, 'two.tgz'));
  const changed = await one.commit({ a: '2\n' });
  const replaced = await site.json<Built>(['build', '--release', 'r1.0.0', '--only', 'git', '--replace']);
  const index = JSON.parse(readFileSync(join(place, 'index.json'), 'utf8')) as { repositories: { name: string; commit: string }[] };
  t.is(replaced.nodes.find(({ id }) => id === 'git two')?.detail, `${second.slice(0, 12)} as before`);
  t.deepEqual(index.repositories.map(({ name, commit }) => [name, commit]), [['one', changed], ['two', second]]);
  t.deepEqual(readFileSync(join(place, 'two.tgz')), before);

  await one.commit({ a: '3\n' });
  const production = fingerprint(site.state);
  const tried = await site.json<Built>(['build', '--release', 'r1.0.0', '--replace', '--read-only']);
  t.is(statesOf(tried)['git one'], 'done');
  t.deepEqual(fingerprint(site.state), production);
});

test('X11 a build that is killed while git waits leaves no process behind', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map());
  server.fault(/.*/, { kind: 'hang' });
  const vars = { git_repos: [{ name: 'one', repo: `${server.url}/one`, version: 'main' }], git_mapping: { r1: 'all' } };
  await using scene = await makeRelease(dir, { base: [buildDeb({ name: 'px' })] }, { vars });
  const { root, state } = scene.site;

  const child = spawn(process.execPath, [join(PROJECT, 'bin/artifacts.js'), '--root', root, '--state', state, 'build', '--release', 'r1.0.0'], { stdio: 'ignore' });
  const running = async (): Promise<boolean> => (await runCommand('ps', ['-eo', 'args'])).stdout.includes(`${server.url}/one`);
  for (let look = 0; look < 300 && !(server.requests.length > 0 && (await running())); look += 1) await sleep(100);
  t.true(await running());
  child.kill('SIGKILL');
  await once(child, 'exit');
  for (let look = 0; look < 100 && (await running()); look += 1) await sleep(100);

  t.false(await running());
  t.false(existsSync(join(scene.site.publicRoot, 'git-archives')));
});
