import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { openLocks } from '../../src/catalog/lock.ts';
import { buildDeb } from '../rig/deb.ts';
import { PROJECT } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { tempDir, testContext, type TempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';

const BUILD = ['build', '--release', 'r1.0.0'];

async function makeScene(dir: TempDir): Promise<{ site: Site; server: Awaited<ReturnType<typeof serve>> } & AsyncDisposable> {
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'px1' })] } });
  const server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { up: { upstream, url: server.url } } });
  return { site, server, [Symbol.asyncDispose]: () => server.close() };
}

/** A build whose download never ends, stopped in the middle of it. */
async function hangingBuild({ site, server }: { site: Site; server: Awaited<ReturnType<typeof serve>> }): Promise<ChildProcess> {
  server.fault('.deb', { kind: 'hang' }, 1);
  const child = spawn(process.execPath, [join(PROJECT, 'bin/artifacts.js'), '--root', site.root, '--state', site.state, ...BUILD], { stdio: 'ignore' });
  while (!server.paths().some((path) => path.endsWith('.deb'))) await sleep(20);
  return child;
}

interface Started {
  readonly child: ChildProcess;
  /** Resolves when standard error matches; rejects when the program ends before. */
  said(pattern: RegExp): Promise<string>;
  /** Exit status and standard output. */
  readonly ended: Promise<{ readonly status: number | null; readonly stdout: string }>;
}

/** Starts the program without waiting for its end. */
function start({ root, state }: Site, args: readonly string[]): Started {
  const child = spawn(process.execPath, [join(PROJECT, 'bin/artifacts.js'), '--root', root, '--state', state, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, stdout }));
  const said = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(stderr)) {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${stderr}`);
      await sleep(20);
    }
    return stderr;
  };
  return { child, said, ended };
}

test('F5 X03 of two builds at once the second waits, says for whom, and finds nothing left to do', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { first, second } = await openLocks(join(scene.site.state, 'locks'), 'artifacts something').hold('aptly', testContext(), async () => {
    const running = { first: start(scene.site, BUILD), second: start(scene.site, BUILD) };
    const waits = [running.first, running.second].map(async ({ child, said }) => ({ child, text: await said(/waiting.*pid \d+.*\n/i) }));
    const texts = await Promise.all(waits);
    // One of them has the release's lock and waits for the aptly lock, the other waits for the one that has it.
    const behind = texts.find(({ text }) => text.includes('release-r1.0.0'));
    const ahead = texts.find((other) => other !== behind);
    t.regex(behind?.text ?? '', new RegExp(`waiting.*release-r1\\.0\\.0.*\\b${ahead?.child.pid}\\b.*artifacts .*build --release r1\\.0\\.0`, 'i'));
    return behind?.child === running.second.child ? running : { first: running.second, second: running.first };
  });

  t.is((await first.ended).status, 0);
  const { status, stdout } = await second.ended;
  t.is(status, 0);
  t.regex(stdout, /nothing to do/);
  t.is(scene.server.paths().filter((path) => path.endsWith('.deb')).length, 1);
});

test('X05 a build that was killed blocks nobody, and the next one completes it', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const child = await hangingBuild(scene);
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.true(existsSync(join(scene.site.state, 'locks/release-r1.0.0.json')));

  const run = await scene.site.run(BUILD);

  t.is(run.status, 0, run.stderr);
  t.notRegex(run.stderr, /waiting/i);
});

test('X06 a build that is told to stop ends at once, with its own status, and can be run again', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const child = await hangingBuild(scene);

  child.kill('SIGTERM');
  const [status] = (await once(child, 'exit')) as [number | null];

  t.is(status, 130);
  t.is((await scene.site.run(BUILD)).status, 0);
  t.deepEqual((await scene.site.json<{ problems: string[] }>(['db', 'check', '--deep'])).problems, []);
});

test('whoever only reads does not wait for the aptly lock, whoever changes does', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site } = scene;
  await site.json(BUILD);

  await openLocks(join(site.state, 'locks'), 'artifacts something').hold('aptly', testContext(), async () => {
    const reads = [['snapshot', 'list'], ['publish', 'list'], ['mirror', 'list'], ['plan', '--release', 'r1.0.0'], [...BUILD], [...BUILD, '--read-only'], ['db', 'check']];
    const runs = await Promise.all(reads.map((args) => site.run(args)));
    t.deepEqual(runs.map(({ status }) => status), reads.map(() => 0));
    const write = start(site, ['snapshot', 'create', 'new', '--from-mirror', 'up']);
    t.regex(await write.said(/waiting/i), new RegExp(`waiting.*aptly.*${process.pid}.*artifacts something`, 'i'));
    write.child.kill('SIGKILL');
    await write.ended;
  });

  t.is((await site.run(['snapshot', 'create', 'new', '--from-mirror', 'up'])).status, 0);
});

test('T02 a file that a clean-up takes from under a running update is fetched again', async (t) => {
  await using dir = await tempDir();
  const [kept, other] = [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2' })];
  const upstream = await aptUpstream({ components: { main: [kept] } });
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { up: { upstream, url: server.url } } });
  await site.json(['mirror', 'update', 'up']);
  await site.json(['mirror', 'drop', 'up']); // its file stays in the pool, and nothing needs it
  await upstream.republish({ components: { main: [kept, other] } });
  server.requests.length = 0;

  const update = await openLocks(join(site.state, 'locks'), 'artifacts db cleanup').hold('aptly', testContext(), async () => {
    const running = start(site, ['mirror', 'update', 'up']);
    await running.said(/waiting/i); // it has fetched what it missed
    rmSync(join(site.state, 'pool', kept.sha256.slice(0, 2), kept.sha256));
    return running;
  });

  t.is((await update.ended).status, 0);
  t.deepEqual(server.paths().filter((path) => path.endsWith('.deb')).map((path) => path.replace(/.*\//, '')), [other.fileName, kept.fileName]);
  t.deepEqual((await site.json<{ problems: string[] }>(['db', 'check', '--deep'])).problems, []);
});
