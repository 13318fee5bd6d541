import test from 'ava';
import { commandDocs } from '../../src/cli/docs.ts';
import { drive } from './drive.ts';
import { fixtureOperations } from './fixture-cli.ts';

test('--help lists every command by noun with its summary, the global options and the exit statuses', async (t) => {
  const { status, stdout, stderr } = await drive(['--help']);

  t.is(status, 0);
  t.is(stderr, '');
  for (const { name, summary } of fixtureOperations) t.regex(stdout, new RegExp(`^  ${name} +${summary}$`, 'm'));
  t.regex(stdout, /^ {2}completion /m);
  t.regex(stdout, /^ {2}--root DIR /m);
  t.regex(stdout, /^ {2}12 +signature, checksum or freshness refused$/m);
  t.regex(stdout, /^ {2}130 +cancelled$/m);
  t.true(stdout.split('\n').every((line) => line.length <= 96));
});

test('help of a group lists its commands only', async (t) => {
  const { status, stdout } = await drive(['mirror', '--help']);

  t.is(status, 0);
  t.regex(stdout, /mirror update {2}fetch what changed upstream/);
  t.notRegex(stdout, /snapshot/);
});

test('help of a command shows summary, description, arguments, options, example and exit statuses', async (t) => {
  const { status, stdout } = await drive(['mirror', 'update', '--help']);

  t.is(status, 0);
  t.regex(stdout, /^Usage: artifacts mirror update NAME \[OTHERS\.\.\.\] \[options\]\n\nFetch what changed upstream\.\n/);
  t.regex(stdout, /\n\nVerifies everything\.\n\nNothing is stored before it is verified\.\n\n/);
  t.regex(stdout, /^ {2}NAME +the mirror$/m);
  t.regex(stdout, /^ {2}--policy latest\|replace +how to merge$/m);
  t.regex(stdout, /^ {2}--only PART +parts \(repeatable\)$/m);
  t.regex(stdout, /^Example:\n {2}\$ artifacts mirror update debian\n {2}debian: 3 packages added$/m);
  t.regex(stdout, /^ {2}13 +conflict/m);
});

test('`help mirror update`, -h and a --help among arguments are the same', async (t) => {
  const { stdout } = await drive(['mirror', 'update', '--help']);

  t.is((await drive(['help', 'mirror', 'update'])).stdout, stdout);
  t.is((await drive(['mirror', 'update', '-h'])).stdout, stdout);
  t.is((await drive(['mirror', 'update', 'a', '--force', '--help', '--root', '/r'])).stdout, stdout);
});

test('no command is wrong usage: help on standard error and status 2', async (t) => {
  const nothing = await drive([]);
  const group = await drive(['mirror']);

  t.like(nothing, { status: 2, stdout: '' });
  t.regex(nothing.stderr, /^Usage: artifacts COMMAND/);
  t.like(group, { status: 2, stdout: '' });
  t.regex(group.stderr, /^Usage: artifacts mirror COMMAND/);
});

test('the command docs hold every command once, and what is common to all at the top only', (t) => {
  const page = commandDocs(fixtureOperations);

  for (const { name } of fixtureOperations) t.is(page.split(`\n## artifacts ${name}\n`).length, 2, name);
  t.is(page.split('Exit status:').length, 2);
  t.is(page.split('Global options').length, 2);
  t.true(page.endsWith('```\n'));
});
