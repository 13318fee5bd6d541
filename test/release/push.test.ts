import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { Pushed } from '../../src/release/push.ts';
import { aptClient } from '../rig/apt.ts';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { runArtifacts } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { hasSshd, startSshd, type Sshd } from '../rig/sshd.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { contentsOf, inspectDistribution } from '../rig/witness.ts';
import { makeRelease, type Built, type ReleaseScene } from './support.ts';

const withFlock = testWith(hasCommand('flock') && hasCommand('apt-get'), 'needs flock and apt-get');
const withSshd = testWith(hasSshd && hasCommand('apt-get'), 'needs sshd, ssh, rsync, flock and apt-get');

const DIST = 'apt-mirror/integrated/dists/r1.0.0-rig';

function rsyncEntry(dir: TempDir, sshd: Sshd, name = 'far'): Record<string, unknown> {
  return { name, type: 'rsync', host: '127.0.0.1', port: sshd.port, user: sshd.user, key: sshd.key, host_key: sshd.hostKey, path: dir.join(name) };
}

async function makeScene(dir: TempDir, targets: readonly Record<string, unknown>[]): Promise<ReleaseScene<'one' | 'apart'>> {
  const scene = await makeRelease(
    dir,
    { one: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2' })], apart: [buildDeb({ name: 'px3' })] },
    {
      miko: { r1: { rig: ['one'] } },
      independent: { r1: { rig: [{ src: 'apart', dest: 'vendor' }] } },
      vars: { targets, consumers: { keys: [(await rigKey('site')).fingerprint] } },
    },
  );
  await scene.site.json<Built>(['build', '--release', 'r1.0.0']);
  return scene;
}

/** A new build: one package more. */
async function buildMore(scene: ReleaseScene<'one' | 'apart'>, name: string): Promise<void> {
  await scene.sources.one.upstream.republish({ components: { main: [buildDeb({ name: 'px1' }), buildDeb({ name })] } });
  await scene.site.json<Built>(['build', '--release', 'r1.0.0', '--replace']);
}

withSshd('F26 a release goes to a folder and to a host by rsync, apt installs from both, and a second push does nothing', async (t) => {
  await using dir = await tempDir();
  await using sshd = await startSshd(dir);
  await using scene = await makeScene(dir, [{ name: 'near', type: 'local', path: dir.join('near') }, rsyncEntry(dir, sshd)]);

  const pushed = await scene.site.json<Pushed>(['push', '--release', 'r1.0.0']);

  t.deepEqual(pushed.targets.map(({ name, state }) => `${name} ${state}`).sort(), ['far switched', 'near switched']);
  const key = await rigKey('site');
  for (const name of ['near', 'far']) {
    const root = dir.join(name);
    t.deepEqual(await inspectDistribution(join(root, DIST), join(root, 'apt-mirror/integrated')), []);
    await using server = await serve(root);
    const client = await aptClient(dir, `client-${name}`, {
      sources: ['integrated', 'independent/vendor'].map((prefix) => `deb [signed-by=%KEYRING%] ${server.url}/apt-mirror/${prefix} r1.0.0-rig main`),
      keyring: readFileSync(join(root, 'apt-mirror/release-signing-key.asc')),
    });
    await client.update();
    await client.download(['px1', 'px3']);
    t.true(server.paths().some((path) => path.includes('/by-hash/')));
    t.deepEqual(JSON.parse(readFileSync(join(root, 'releases/index.json'), 'utf8')).releases, [{ release: 'r1.0.0', build: pushed.build }]);
    t.is(readFileSync(join(root, 'apt-mirror/release-signing-key.asc'), 'utf8'), key.publicKey.toString().replaceAll('\r\n', '\n'));
  }
  const log = readFileSync(pushed.targets[0]?.log ?? '', 'utf8');
  t.regex(log, /^copied apt-mirror\/integrated\/pool\//m);
  t.regex(log, /^switched releases\/r1\.0\.0\/latest -> /m);

  // Nothing secret is ever below what is copied.
  for (const path of readdirSync(dir.join('far'), { recursive: true, encoding: 'utf8' })) {
    const file = join(dir.join('far'), path);
    if (statSync(file).isFile()) t.false(readFileSync(file, 'latin1').includes('PRIVATE KEY'), path);
  }
  const before = contentsOf(dir.join('far'));
  const again = await scene.site.json<Pushed>(['push', '--release', 'r1.0.0']);
  t.deepEqual(again.targets.map(({ state }) => state), ['unchanged', 'unchanged']);
  t.deepEqual(contentsOf(dir.join('far')), before);
});

withFlock('a reader in the middle of the old build finishes on the new one, and files of the old one stay', async (t) => {
  await using dir = await tempDir();
  const root = dir.join('near');
  await using scene = await makeScene(dir, [{ name: 'near', type: 'local', path: root }]);
  await scene.site.json<Pushed>(['push', '--release', 'r1.0.0']);
  const release = readFileSync(join(root, DIST, 'Release'), 'utf8');
  const hashed = [...release.matchAll(/^ ([0-9a-f]{64}) +\d+ (main\/binary-amd64\/Packages\.[gx]z)$/gm)].map(([, digest]) => `main/binary-amd64/by-hash/SHA256/${digest}`);
  t.is(hashed.length, 2);

  await buildMore(scene, 'px9');
  // The builder itself may have let go of it by now.
  const pushed = await scene.site.json<Pushed>(['push', '--release', 'r1.0.0']);

  t.not(readFileSync(join(root, DIST, 'Release'), 'utf8'), release);
  for (const path of hashed) t.true(existsSync(join(root, DIST, path)), path);
  t.true(readdirSync(join(root, 'apt-mirror/integrated/pool'), { recursive: true }).some((name) => /px2_/.test(String(name))));
  t.is(readlinkSync(join(root, 'releases/r1.0.0/latest')), pushed.build);
});

withFlock('a clean-up takes what was replaced long enough ago, and nothing that a build left on the target, or nobody, lists', async (t) => {
  await using dir = await tempDir();
  const root = dir.join('near');
  await using scene = await makeScene(dir, [{ name: 'near', type: 'local', path: root }]);
  await scene.site.json<Pushed>(['push', '--release', 'r1.0.0']);
  writeFileSync(join(root, 'apt-mirror/by-hand.asc'), 'kept');
  await buildMore(scene, 'px9');
  const { build } = await scene.site.json<Pushed>(['push', '--release', 'r1.0.0']);
  const clean = (more: readonly string[], env: Record<string, string> = {}) => scene.site.json<{ builds: string[]; files: string[] }[]>(['target', 'cleanup', ...more], 0, { env });

  t.like((await clean([]))[0], { builds: [], files: [] });
  const later = { SOURCE_DATE_EPOCH: String(Math.floor(Date.now() / 1000) + 3 * 86_400) };
  const [planned] = await clean(['--dry-run'], later);
  t.is(planned?.builds.length, 1);
  t.true(planned?.files.length === 1 && /px2_/.test(planned.files[0] ?? ''));
  t.deepEqual(await clean([], later), [{ ...planned, dryRun: false }] as never);

  t.deepEqual(await inspectDistribution(join(root, DIST), join(root, 'apt-mirror/integrated')), []);
  t.deepEqual(readdirSync(join(root, 'releases/r1.0.0')).sort(), [build, 'latest']);
  t.is(readdirSync(join(root, '.artifacts/copies/r1.0.0')).length, 1);
  t.true(existsSync(join(root, 'apt-mirror/by-hand.asc')));
  t.deepEqual(await gone(root), []);
});

withFlock('F6 a new builder takes the files of a release back from a target, and its build fetches nothing of them', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, [{ name: 'near', type: 'local', path: dir.join('near') }]);
  await scene.site.json<Pushed>(['push', '--release', 'r1.0.0']);
  rmSync(scene.site.state, { recursive: true });
  scene.sources.one.server.requests.length = 0;

  const pulled = await scene.site.json<{ files: number }>(['pull', '--release', 'r1.0.0']);
  await scene.site.json<Built>(['mirror', 'update', 'one']);

  t.is(pulled.files, 3);
  t.deepEqual(scene.sources.one.server.paths().filter((path) => path.endsWith('.deb')), []);
  t.like(await scene.site.json(['pull', '--release', 'r1.0.0', '--to', dir.join('copy')]), { result: 'staged' });
  t.deepEqual(await inspectDistribution(dir.join('copy', DIST), dir.join('copy/apt-mirror/integrated')), []);
});

withFlock('F3 F6 PUSH_TO_MIRROR=YES: a build pushes at its end, one that is unchanged too, and a read-only one never', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, []);
  const env = { PUSH_TO_MIRROR: 'YES' };
  t.is((await scene.site.run(['build', '--release', 'r1.0.0'], { env })).status, 2);
  await scene.site.configure({ vars: { targets: [{ name: 'near', type: 'local', path: dir.join('near') }] } });

  const tried = await scene.site.json<{ pushed?: Pushed }>(['build', '--release', 'r1.0.0', '--read-only'], 0, { env });
  t.is(tried.pushed, undefined);
  t.false(existsSync(dir.join('near')));
  const built = await scene.site.json<{ result: string; pushed?: Pushed }>(['build', '--release', 'r1.0.0'], 0, { env });

  t.is(built.result, 'unchanged');
  t.is(built.pushed?.targets[0]?.state, 'switched');
});

withFlock('one target that cannot be prepared leaves all as they were', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, [
    { name: 'good', type: 'local', path: dir.join('good') },
    { name: 'odd', type: 'local', path: dir.join('odd') },
  ]);
  await scene.site.json<Pushed>(['push', '--release', 'r1.0.0']);
  const before = readlinkSync(dir.join('good', DIST));
  await buildMore(scene, 'px9');
  const { build } = await scene.site.json<Pushed>(['push', '--release', 'r1.0.0', '--dry-run']);
  // Where the manifest is to go lies another one: somebody else's build of the same second.
  rmSync(dir.join('odd/releases/r1.0.0'), { recursive: true });
  const foreign = dir.join('odd/releases/r1.0.0', build);
  mkdirSync(foreign, { recursive: true });
  writeFileSync(join(foreign, 'manifest.json'), '{}');

  const { error } = await scene.site.json<{ error: { message: string; hint: string } }>(['push', '--release', 'r1.0.0'], 13);

  t.regex(error.message, /Target "odd": .*manifest\.json is there already with other bytes/);
  t.regex(error.hint, /Nothing was switched/);
  t.is(readlinkSync(dir.join('good', DIST)), before);
});

withFlock('RPC-O D14 two publishers of one target: no release gets lost from the list, and keys of both stay', async (t) => {
  await using dir = await tempDir();
  const shared = { name: 'near', type: 'local', path: dir.join('near') };
  await using one = await makeScene(dir, [shared]);
  await using two = await makeRelease(
    { ...dir, join: (...parts) => dir.join('second', ...parts) },
    { one: [buildDeb({ name: 'py1' })] },
    { vars: { targets: [shared] }, releases: { 'r1.0.0-beta.1': { codenames: ['rig'], series: 'r1' } } },
  );
  await two.site.json<Built>(['build', '--release', 'r1.0.0-beta.1']);

  await Promise.all([one.site.json(['push', '--release', 'r1.0.0']), two.site.json(['push', '--release', 'r1.0.0-beta.1'])]);

  const { releases } = JSON.parse(readFileSync(dir.join('near/releases/index.json'), 'utf8')) as { releases: { release: string }[] };
  t.deepEqual(releases.map(({ release }) => release), ['r1.0.0', 'r1.0.0-beta.1']);
  for (const name of ['r1.0.0-rig', 'r1.0.0-beta.1-rig']) {
    t.deepEqual(await inspectDistribution(dir.join('near/apt-mirror/integrated/dists', name), dir.join('near/apt-mirror/integrated')), []);
  }
});

withFlock('RPC-O D5 killed at any of its steps, a push leaves the old build or the new one whole, and the next push completes it', async (t) => {
  await using dir = await tempDir();
  const root = dir.join('near');
  await using scene = await makeScene(dir, [{ name: 'near', type: 'local', path: root }]);
  const { root: vars, state } = scene.site;
  const push = (kill?: string) => runArtifacts(['push', '--release', 'r1.0.0'], { root: vars, state, env: { ARTIFACTS_KILL_AT: kill } });
  t.is((await push()).status, 0);
  const old = contentsOf(join(root, DIST));
  await buildMore(scene, 'px9');
  // Every third step: each costs two starts of the program.
  let kills = 0;
  for (let step = 1; ; step += 3) {
    const { signal } = await push(String(step));
    if (signal !== 'SIGKILL') break;
    kills += 1;
    t.deepEqual(await inspectDistribution(join(root, DIST), join(root, 'apt-mirror/integrated')), [], `after step ${step}`);
    const { releases } = JSON.parse(readFileSync(join(root, 'releases/index.json'), 'utf8')) as { releases: { release: string }[] };
    t.deepEqual(releases.map(({ release }) => release), ['r1.0.0']);
    t.deepEqual(await gone(root), []);
  }
  t.true(kills > 4, `${kills} kills`);
  t.notDeepEqual(contentsOf(join(root, DIST)), old);
  t.is((await push()).status, 0);
});

withSshd('RPC-O D5 killed at any moment, a push to a host leaves the old build or the new one whole there, and the next push completes it', async (t) => {
  t.timeout(300_000); // on a busy machine
  await using dir = await tempDir();
  await using sshd = await startSshd(dir);
  const root = dir.join('far');
  await using scene = await makeScene(dir, [rsyncEntry(dir, sshd)]);
  const { root: vars, state } = scene.site;
  const push = (timeout?: number) => runArtifacts(['push', '--release', 'r1.0.0'], { root: vars, state, ...(timeout === undefined ? {} : { timeout }) });
  t.is((await push()).status, 0);
  const old = contentsOf(join(root, DIST));
  await buildMore(scene, 'px9');
  cpSync(root, dir.join('before'), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  const begun = Date.now();
  t.is((await push()).status, 0);
  const whole = Date.now() - begun;
  const pushed = contentsOf(join(root, DIST));
  t.notDeepEqual(pushed, old);

  for (let part = 3; part < 10; part += 2) {
    rmSync(root, { recursive: true });
    cpSync(dir.join('before'), root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    await push(Math.ceil((whole * part) / 10));
    sshd.cut(); // what runs there may outlive the one who asked for it
    t.deepEqual(await inspectDistribution(join(root, DIST), join(root, 'apt-mirror/integrated')), [], `after ${part} tenths`);
    t.deepEqual(await gone(root), [], `after ${part} tenths`);
    const { status, stderr } = await push();
    t.is(status, 0, stderr);
    t.deepEqual(contentsOf(join(root, DIST)), pushed);
  }
});

/** Files of the manifest `latest` leads to that are not there. */
async function gone(root: string): Promise<readonly string[]> {
  const { files } = JSON.parse(readFileSync(join(root, 'releases/r1.0.0/latest/manifest.json'), 'utf8')) as { files: { path: string }[] };
  return files.map(({ path }) => path).filter((path) => !existsSync(join(root, path)));
}

test('a tree that was changed behind the manifest, and links out of it, are refused before anything is copied', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, [{ name: 'near', type: 'local', path: dir.join('near') }]);
  const file = join(scene.site.publicRoot, DIST, 'Release');
  const bytes = readFileSync(file);
  rmSync(file);
  writeFileSync(file, bytes.toString().replace('Date', 'date'));

  await scene.site.json(['push', '--release', 'r1.0.0'], 13);
  rmSync(file);
  writeFileSync(dir.join('outside'), bytes);
  symlinkSync(dir.join('outside'), file);
  const { error } = await scene.site.json<{ error: { code: string } }>(['push', '--release', 'r1.0.0'], 1);

  t.is(error.code, 'E_PATH');
  t.false(existsSync(dir.join('near/dists')));
});

test('what cannot be pushed is said: no build, no target, an unknown one', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, []);

  await scene.site.json(['push', '--release', 'r1.0.0'], 2);
  await scene.site.configure({ vars: { targets: [{ name: 'near', type: 'local', path: dir.join('near') }] } });
  await scene.site.json(['push', '--release', 'r1.0.0', '--to', 'far'], 10);
  const { error } = await scene.site.json<{ error: { hint: string } }>(['push', '--release', 'r9'], 10);

  t.regex(error.hint, /artifacts build --release r9/);
});
