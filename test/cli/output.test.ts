import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { drive, FIXTURE, parsed } from './drive.ts';

test('--json prints maps as objects, dates as text, and never bytes', async (t) => {
  const run = await drive(['verdict', '--json']);

  t.deepEqual(parsed(run), {
    map: { a: 1 },
    when: '1970-01-01T00:00:00.000Z',
    text: { bytes: 6 },
    odd: '\u009b31m',
  });
  t.true(run.stdout.includes(String.raw`\u009b31m`), 'control characters are escaped in the JSON text');
});

test('a result for people keeps its lines and loses its terminal escapes', async (t) => {
  const { stdout } = await drive(['verdict']);

  t.is(stdout, String.raw`first` + '\n' + String.raw`odd \u009b31m\u001b[2J` + '\n');
});

test('a reader that closes its end early is no failure', async (t) => {
  const child = spawn(process.execPath, [FIXTURE, 'big'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
  child.stdout.once('data', () => child.stdout.destroy());
  const [status] = await once(child, 'close');

  t.is(status, 0);
  t.is(stderr, '');
});

test('nobody reading the progress does not end the run', async (t) => {
  const child = spawn(process.execPath, [FIXTURE, 'progress'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.destroy();
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()));
  const [status] = await once(child, 'close');

  t.is(status, 0);
  t.is(stdout, 'ok\n');
});

test('a large result arrives whole through a pipe', async (t) => {
  const { status, stdout } = await drive(['big']);

  t.is(status, 0);
  t.is(stdout.length, 5 * 200_000 + 1);
});

test('output that cannot be written is a failure', async (t) => {
  const { status, stderr } = await runCommand('sh', ['-c', `'${process.execPath}' '${FIXTURE}' verdict >/dev/full`]);

  t.is(status, 1);
  t.regex(stderr, /^artifacts: E_NO_SPACE: No space left while writing the output/);
});

test('progress is lines elsewhere than on a terminal, warnings only when quiet, and JSON for programs', async (t) => {
  const lines = await drive(['progress']);
  const quiet = await drive(['progress', '--quiet']);
  const none = await drive(['progress', '--progress', 'none', '--json']);
  const json = await drive(['progress', '--progress', 'json']);

  t.is(lines.stderr, 'debian: reading Packages\nwarning: an old key\ndebian: packages: 100 files\n');
  t.is(lines.stdout, 'ok\n');
  t.is(quiet.stderr, 'warning: an old key\n');
  t.is(none.stderr, 'warning: an old key\n');
  t.deepEqual(parsed(none), { ok: true });
  t.deepEqual(
    json.stderr.trimEnd().split('\n').map((line) => (JSON.parse(line) as { type: string }).type),
    ['phase', 'warning', 'progress', 'progress', 'progress-end'],
  );
});

testWith(hasCommand('script'), 'script is not installed')('on a terminal there is a bar, and the cursor comes back', async (t) => {
  const command = `'${process.execPath}' '${FIXTURE}' progress`;
  const terminal = await runCommand('script', ['-qec', command, '/dev/null'], { env: { TERM: 'xterm' } });
  const dumb = await runCommand('script', ['-qec', command, '/dev/null'], { env: { TERM: 'dumb' } });

  t.is(terminal.status, 0);
  t.true(terminal.stdout.includes('\u001b[?25l'));
  t.true(terminal.stdout.lastIndexOf('\u001b[?25h') > terminal.stdout.lastIndexOf('\u001b[?25l'));
  t.true(terminal.stdout.endsWith('ok\r\n'));
  t.false(dumb.stdout.includes('\u001b['));
});
