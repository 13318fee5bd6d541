import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { isArtifactsError } from '../../src/core/errors.ts';
import { runCommand } from '../../src/util/run-command.ts';
import { PROJECT, runCommand as run } from '../rig/run.ts';

test('a command that prints more than it may is stopped, and that is what is told', async (t) => {
  const endless = await t.throwsAsync(runCommand('cat', ['/dev/zero'], { limit: 1000 }));
  const short = await t.throwsAsync(runCommand('printf', ['%s', 'x'.repeat(1001)], { limit: 1000 }));

  t.true(isArtifactsError(endless, 'E_TOO_LARGE'), String(endless));
  t.true(isArtifactsError(short, 'E_TOO_LARGE'), String(short));
  t.is((await runCommand('printf', ['%s', 'x'.repeat(1000)], { limit: 1000 })).stdout.length, 1000);
});

test('a missing tool, a failing one and one with an accepted status are told apart', async (t) => {
  t.regex(String(await t.throwsAsync(runCommand('no-such-tool-here', []))), /"no-such-tool-here" is not installed/);
  t.regex(String(await t.throwsAsync(runCommand('sh', ['-c', 'echo why >&2; exit 3']))), /ended with status 3: why/);
  t.is((await runCommand('sh', ['-c', 'exit 3'], { accept: [3] })).status, 3);
});

test('K04 X11 a tool that cannot be started for want of descriptors fails; stopping it then ends nobody else', async (t) => {
  const module = pathToFileURL(join(PROJECT, 'build/src/util/run-command.js')).href;
  const code = `import { openSync } from 'node:fs';
import { startCommand } from ${JSON.stringify(module)};
const stop = new AbortController();
try { for (;;) openSync('/dev/null'); } catch {}
const running = startCommand('sleep', ['60'], { signal: stop.signal });
stop.abort();
running.kill();
running.stdin.end();
console.log(await running.ended.catch((error) => error.name));`;

  // A process group of its own: a fault here would take the tests with it.
  const { status, stdout, stderr } = await run('setsid', ['--wait', 'prlimit', '--nofile=64', process.execPath, '--input-type=module', '--eval', code]);

  t.deepEqual({ status, stdout }, { status: 0, stdout: 'AbortError\n' }, stderr);
});

test('a command that is aborted is stopped, before it began or later', async (t) => {
  const stop = new AbortController();
  const running = runCommand('sleep', ['60'], { signal: stop.signal });
  stop.abort();

  t.is((await t.throwsAsync(running)).name, 'AbortError');
  t.is((await t.throwsAsync(runCommand('sleep', ['60'], { signal: stop.signal }))).name, 'AbortError');
});
