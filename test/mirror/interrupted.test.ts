import { spawn, type ChildProcess } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { PROJECT } from '../rig/run.ts';
import { openSite, type Site } from './site.ts';

const COUNT = 40;
const SLOW = buildDeb({ name: 'zz-slow', files: { noise: noise(400_000) } });
const DEBS = [...Array.from({ length: COUNT }, (_, index) => buildDeb({ name: `p${index}` })), SLOW];

/** Starts an update whose last package stalls in the middle, and returns when all others have been answered. */
async function startStalled(site: Site): Promise<ChildProcess> {
  site.server.fault(SLOW.fileName, { kind: 'stall', after: 150_000 });
  const child = start(site, ['--quiet']);
  const answered = (): number => site.server.requests.filter(({ path, status }) => path.endsWith('.deb') && status === 200).length;
  while (answered() <= COUNT) {
    if (child.exitCode !== null) throw new Error(`the update ended early with ${child.exitCode}`);
    await sleep(20);
  }
  await sleep(300); // for what was answered to arrive
  return child;
}

function start(site: Site, args: readonly string[]): ChildProcess {
  const all = ['--root', site.dir.join('root'), '--state', site.dir.join('state'), 'mirror', 'update', 'm', ...args];
  return spawn(process.execPath, [join(PROJECT, 'bin/artifacts.js'), ...all], { stdio: ['ignore', 'pipe', 'pipe'] });
}

for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
  test.serial(`0.4 ${signal} in the middle of the downloads: the next run fetches the rest only, and resumes what was cut`, async (t) => {
    await using site = await openSite({ components: { main: DEBS } });
    const child = await startStalled(site);
    const ended = once(child, 'exit');
    child.kill(signal);
    const [status] = (await ended) as [number | null];
    t.is(status, signal === 'SIGKILL' ? null : 130);
    site.server.heal();
    site.server.requests.length = 0;

    const run = await site.update(['--json']);

    t.is(run.status, 0, run.stderr);
    t.like(JSON.parse(run.stdout), { packages: COUNT + 1, changed: true });
    const fetched = site.server.requests.filter(({ path }) => path.endsWith('.deb'));
    t.deepEqual(fetched.map(({ path, status: code, headers }) => [path, code, headers.range]), [
      [`/pool/main/z/zz-slow/${SLOW.fileName}`, 206, fetched[0]?.headers.range],
    ]);
    const from = Number(/^bytes=(\d+)-$/.exec(fetched[0]?.headers.range ?? '')?.[1]);
    t.true(from > 0 && from <= 150_000, fetched[0]?.headers.range);
    const check = await site.run(['db', 'check', '--deep', '--json']);
    t.is(check.status, 0, check.stdout);
  });
}

test.serial('two updates of one mirror at once: the second waits, says for whom, and finds nothing left to do', async (t) => {
  await using site = await openSite({ components: { main: [SLOW] } });
  site.server.fault(SLOW.fileName, { kind: 'hang' }, 1);
  const first = site.update(['--json']);
  while (site.server.requests.length < 3) await sleep(20);
  const second = start(site, ['--json', '--progress', 'lines']);
  let told = '';
  let result = '';
  second.stdout?.on('data', (bytes: Buffer) => (result += String(bytes)));
  await new Promise<void>((resolve) => {
    second.stderr?.on('data', (bytes: Buffer) => {
      told += String(bytes);
      if (told.includes('\n')) resolve();
    });
  });
  const ended = once(second, 'close');
  site.server.cut();

  t.regex(told, /waiting.*mirror update m/);
  t.like(JSON.parse((await first).stdout), { changed: true });
  t.deepEqual(await ended, [0, null]);
  t.like(JSON.parse(result), { changed: false });
});

/** Bytes that do not compress, the same every time. */
function noise(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length));
}
