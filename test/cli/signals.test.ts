import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { FIXTURE } from './drive.ts';

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Sends the signals, each once standard error has said something more, and waits for the end. */
async function interrupt(args: readonly string[], signals: readonly NodeJS.Signals[]): Promise<Ended> {
  const child = spawn(process.execPath, [FIXTURE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const left = [...signals];
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    const next = left.shift();
    if (next !== undefined) child.kill(next);
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} cancels the run: status 130 and one line`, async (t) => {
    const { status, stdout, stderr } = await interrupt(['wait'], [signal]);

    t.is(status, 130);
    t.is(stdout, '');
    t.is(stderr, 'waiting\nCancelling; once more to stop at once.\nartifacts: E_CANCELLED: Cancelled\n');
  });
}

test('a cancelled run is an object with --json', async (t) => {
  const { status, stdout } = await interrupt(['wait', '--json'], ['SIGINT']);

  t.is(status, 130);
  t.deepEqual(JSON.parse(stdout), { error: { code: 'E_CANCELLED', message: 'Cancelled', exitStatus: 130 } });
});

test('what fails because the run was cancelled counts as cancelled', async (t) => {
  const { status, stderr } = await interrupt(['wait', '--wrap'], ['SIGINT']);

  t.is(status, 130);
  t.regex(stderr, /E_CANCELLED/);
  t.notRegex(stderr, /E_TOOL/);
});

test('a second signal ends a run that does not listen at once', async (t) => {
  const { status } = await interrupt(['wait', '--deaf'], ['SIGINT', 'SIGINT']);

  t.is(status, 130);
});
