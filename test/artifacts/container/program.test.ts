/** Images made by the program itself: it is killed, and it works beside production. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT, runArtifacts } from '../../rig/run.ts';
import { testWith } from '../../rig/skip.ts';
import { tempDir } from '../../rig/temp.ts';
import { folderDeb, tinySystem } from '../../rig/tiny-system.ts';
import { fingerprint } from '../../rig/witness.ts';
import { makeRelease, statesOf, type Built } from '../../release/support.ts';
import { leftBehind, sandboxReason } from '../../sandbox/support.ts';

const imaged = testWith(sandboxReason === undefined, sandboxReason ?? '');

const BUILD = ['build', '--release', 'r1.0.0'];

function imageVars(command: string): Readonly<Record<string, unknown>> {
  return {
    distributions: { rig: 'tinyos-1' },
    container_images: [{ name: 'web', packages: ['app'], commands: [command] }],
    container_mapping: { r1: { rig: ['web'] } },
    consumers: { base_url: 'http://artifacts.example.org' },
  };
}

imaged('C04 X01 X11 a build killed while it makes an image leaves no process and no mount, and the next one completes', async (t) => {
  await using dir = await tempDir();
  const mark = `6${process.pid}`;
  const packages = { all: [...(await tinySystem()), await folderDeb({ name: 'app' })] };
  await using scene = await makeRelease(dir, packages, { vars: imageVars(`sleep ${mark}`) });
  const { root, state } = scene.site;
  const program = spawn(process.execPath, [join(PROJECT, 'bin/artifacts.js'), '--root', root, '--state', state, ...BUILD, '--quiet'], { stdio: 'inherit' });
  const ended = once(program, 'exit');
  while (leftBehind(`sleep ${mark}`).length === 0) await Promise.race([sleep(20), ended.then(() => Promise.reject(new Error('it ended')))]);

  program.kill('SIGKILL');
  await ended;

  while (leftBehind(dir.path).length > 0 || leftBehind(`sleep ${mark}`).length > 0) await sleep(20); // ava's own limit ends this if they stay
  t.not(readdirSync(join(state, 'tmp')).length, 0, 'it was half made');
  await scene.site.configure({ vars: imageVars('echo made > /hello') });
  const built = JSON.parse((await runArtifacts([...BUILD, '--json'], { root, state })).stdout) as Built;
  t.is(statesOf(built)['image web-rig-amd64'], 'done');
  t.deepEqual(readdirSync(join(state, 'tmp')), []);
  t.deepEqual(readdirSync(join(state, 'cache/roots/making')), []);
  t.deepEqual(leftBehind(dir.path), []);
});

imaged('a read-only run makes an image over the root of production, which stays as it is', async (t) => {
  await using dir = await tempDir();
  const packages = { all: [...(await tinySystem()), await folderDeb({ name: 'app' })] };
  await using scene = await makeRelease(dir, packages, { vars: imageVars('echo one > /hello') });
  const { root, state, publicRoot } = scene.site;
  // What an ordinary user of Debian has: no folder of programs for administrators.
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  const first = await runArtifacts(BUILD, { root, state, env });
  await scene.site.configure({ vars: imageVars('echo two > /hello') });
  t.is(first.status, 0, first.stderr);
  const index = readFileSync(join(publicRoot, 'meta/1.0/index-system'), 'utf8');
  const before = fingerprint(state);

  const second = await runArtifacts([...BUILD, '--read-only', '--replace', '--json'], { root, state, env });
  const progress = await runArtifacts([...BUILD, '--read-only', '--replace'], { root, state });

  t.is(statesOf(JSON.parse(second.stdout) as Built)['image web-rig-amd64'], 'done', second.stderr);
  t.regex(first.stderr + first.stdout, /making a root filesystem/);
  t.is(progress.status, 0);
  t.notRegex(progress.stderr + progress.stdout, /making a root filesystem/);
  t.deepEqual(fingerprint(state), before);
  t.is(readFileSync(join(publicRoot, 'meta/1.0/index-system'), 'utf8'), index);
  t.deepEqual(leftBehind(dir.path), []);
});
