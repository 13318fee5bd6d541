import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { openLocks } from '../../src/catalog/lock.ts';
import { PROJECT } from '../rig/run.ts';
import { tempDir, testContext } from '../rig/temp.ts';

const MODULE = pathToFileURL(join(PROJECT, 'build/src/catalog/lock.js')).href;

interface Holder extends AsyncDisposable {
  readonly pid: number;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Another process that holds the lock until it is killed. */
async function holdElsewhere(t: ExecutionContext, folder: string, name: string): Promise<Holder> {
  const code = `
    const { openLocks } = await import(${JSON.stringify(MODULE)});
    const ctx = { signal: new AbortController().signal, report: () => {} };
    await openLocks(${JSON.stringify(folder)}, 'artifacts elsewhere').hold(${JSON.stringify(name)}, ctx, async () => {
      console.log('held');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  t.teardown(() => kill('SIGKILL'));
  return { pid: child.pid ?? 0, kill, [Symbol.asyncDispose]: () => kill('SIGKILL') };
}

test('who waits is told for whom, and goes on when the holder was killed', async (t) => {
  await using dir = await tempDir();
  await using holder = await holdElsewhere(t, dir.path, 'aptly');
  const ctx = testContext();
  const held = openLocks(dir.path, 'artifacts here').hold('aptly', ctx, async () => 'mine');
  while (ctx.events.length === 0) await sleep(20);

  await holder.kill('SIGKILL');

  t.is(await held, 'mine');
  const waiting = ctx.events.flatMap((event) => (event.type === 'waiting' ? [event] : []));
  t.is(waiting[0]?.lock, 'aptly');
  t.like(waiting[0]?.holder, { pid: holder.pid, command: 'artifacts elsewhere' });
  t.regex(waiting[0]?.holder?.since ?? '', /^\d{4}-\d\d-\d\dT/);
});

test('X05 what a dead holder left beside the lock blocks nobody', async (t) => {
  await using dir = await tempDir();
  await using holder = await holdElsewhere(t, dir.path, 'aptly');
  await holder.kill('SIGKILL');
  t.true(existsSync(dir.join('aptly.json')), 'it had no time to tidy up');
  const ctx = testContext();

  await openLocks(dir.path, 'artifacts here').hold('aptly', ctx, async () => {
    t.is((JSON.parse(readFileSync(dir.join('aptly.json'), 'utf8')) as { pid: number }).pid, process.pid);
  });

  t.deepEqual(ctx.events, []);
  t.false(existsSync(dir.join('aptly.json')));
  t.true(existsSync(dir.join('aptly.lock')), 'the file of a lock stays');
});

test('locks of other names are independent', async (t) => {
  await using dir = await tempDir();
  await using holder = await holdElsewhere(t, dir.path, 'aptly');
  t.true(holder.pid > 0);

  t.is(await openLocks(dir.path, 'x').hold('release-r1', testContext(), async () => 1), 1);
});

test('work of one process takes turns in order, and is not told that it waits for itself', async (t) => {
  await using dir = await tempDir();
  const locks = openLocks(dir.path, 'x');
  const ctx = testContext();
  const log: string[] = [];

  await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      locks.hold('aptly', ctx, async () => {
        log.push(`${name} begins`);
        await sleep(5);
        log.push(`${name} ends`);
      }),
    ),
  );

  t.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  t.deepEqual(ctx.events, []);
});

test('work that fails lets go of the lock', async (t) => {
  await using dir = await tempDir();
  const locks = openLocks(dir.path, 'x');

  await t.throwsAsync(locks.hold('aptly', testContext(), () => Promise.reject(new Error('no'))), { message: 'no' });

  t.is(await locks.hold('aptly', testContext(), async () => 'again'), 'again');
  t.is(await openLocks(dir.path, 'y').hold('aptly', testContext(), async () => 'others too'), 'others too');
});

test('waiting can be cancelled, for another process and for this one', async (t) => {
  await using dir = await tempDir();
  await using holder = await holdElsewhere(t, dir.path, 'aptly');
  const locks = openLocks(dir.path, 'x');
  const contexts = [testContext(), testContext()];
  const waiting = contexts.map((ctx) => locks.hold('aptly', ctx, async () => 'never'));
  while (contexts[0]?.events.length === 0) await sleep(20);

  for (const ctx of contexts) ctx.abort();

  for (const held of waiting) await t.throwsAsync(held, { any: true, name: 'AbortError' });
  await holder.kill('SIGKILL');
  t.is(await locks.hold('aptly', testContext(), async () => 'free'), 'free');
});

test('a note that cannot be written keeps nobody from working', async (t) => {
  await using dir = await tempDir();
  symlinkSync('/dev/full', dir.join('aptly.json'));

  t.is(await openLocks(dir.path, 'x').hold('aptly', testContext(), async () => 'done'), 'done');
});
