import test from 'ava';
import { tempDir } from '../rig/temp.ts';
import { drive, parsed } from './drive.ts';

const ENVIRONMENT = { RPC_ARTIFACTS_FOLDER: undefined };

test('arguments and options reach the operation as declared, absent ones as undefined, [] or false', async (t) => {
  const full = await drive(
    ['mirror', 'update', 'a', 'b', 'c', '--only', 'x', '--only=y', '--keep', '3', '--policy', 'latest', '--no-remove', '--json'],
  );
  const bare = await drive(['mirror', 'update', 'a', '--json']);

  t.deepEqual(parsed(full)['input'], {
    name: 'a',
    others: ['b', 'c'],
    only: ['x', 'y'],
    keep: 3,
    policy: 'latest',
    noRemove: true,
    force: false,
  });
  t.deepEqual(parsed(bare)['input'], { name: 'a', others: [], noRemove: false, force: false });
});

test('global options may stand before, between and after the words of the command', async (t) => {
  for (const argv of [
    ['--root', '/r', '--state=/s', '--json', 'mirror', 'update', 'a'],
    ['mirror', '--root', '/r', '--json', 'update', '--state', '/s', 'a'],
    ['mirror', 'update', 'a', '--json', '--root=/r', '--state', '/s'],
  ]) {
    const { root, state, input } = parsed(await drive(argv));
    t.deepEqual([root, state], ['/r', '/s'], argv.join(' '));
    t.like(input, { name: 'a' });
  }
});

test('what follows -- is no option', async (t) => {
  const run = await drive(['mirror', 'update', '--json', '--', '--quiet', '--json']);

  t.like(parsed(run)['input'], { name: '--quiet', others: ['--json'] });
});

test('the state is $RPC_ARTIFACTS_FOLDER, or state/ in the root, which is the current folder', async (t) => {
  await using dir = await tempDir();
  const line = ['mirror', 'update', 'a', '--json'];
  const plain = parsed(await drive(line, { cwd: dir.path, env: ENVIRONMENT }));
  const empty = parsed(await drive(line, { cwd: dir.path, env: { RPC_ARTIFACTS_FOLDER: '' } }));
  const set = parsed(await drive(line, { cwd: dir.path, env: { RPC_ARTIFACTS_FOLDER: '/srv/artifacts' } }));
  const given = parsed(await drive([...line, '--state', 'here'], { cwd: dir.path, env: { RPC_ARTIFACTS_FOLDER: '/x' } }));

  t.deepEqual([plain['root'], plain['state']], [dir.path, dir.join('state')]);
  t.is(empty['state'], dir.join('state'));
  t.is(set['state'], '/srv/artifacts');
  t.is(given['state'], dir.join('here'));
});

test('the command kept for lock holders and the audit log shows no password', async (t) => {
  const run = await drive(['mirror', 'update', 'https://user:secret@example.org/debian', "it's", '--json']);

  t.is(parsed(run)['command'], String.raw`artifacts mirror update https://***@example.org/debian 'it'\''s' --json`);
});

const WRONG: readonly (readonly [argv: readonly string[], stderr: RegExp])[] = [
  [['mirro', 'update'], /Unknown command "mirro"\. Did you mean mirror\? Run `artifacts --help`/],
  [['mirror', 'updat', 'a'], /Unknown command "updat"\. Did you mean update\? Run `artifacts mirror --help`/],
  [['mirrr', '--help'], /Unknown command "mirrr"\. Did you mean mirror\?/],
  [['mirror', 'update', 'a', '--forse'], /Unknown option "--forse"\. Did you mean --force\?/],
  [['--rot', '/r', 'mirror', 'update', 'a'], /Unknown option "--rot"\. Did you mean --root\?/],
  [['mirror', 'update'], /Missing required argument "NAME"/],
  [['snapshot', 'create', 'a'], /Required option "--from-mirror <mirror>" not specified/],
  [['snapshot', 'create', 'a', 'b', '--from-mirror', 'x'], /Too many arguments for "create"/],
  [['mirror', 'update', 'a', '--keep', 'x'], /"--keep <n>" argument "x" is invalid\. It is a whole number/],
  [['mirror', 'update', 'a', '--keep', '99999999999999999999'], /It is a whole number/],
  [['mirror', 'update', 'a', '--policy', 'best'], /"best" is invalid\. Allowed choices are latest, replace/],
  [['mirror', 'update', 'a', '--keep'], /Option "--keep <n>" argument missing/],
  [['mirror', 'update', 'a', '--root'], /Option "--root" needs a value/],
  [['--root', '--quiet', 'wait'], /Option "--root" needs a value/],
  [['--progress', 'loud', 'wait'], /Option "--progress" is "loud"\. It is one of auto, bar, lines, json, none/],
  [['--json=yes', 'wait'], /Option "--json" takes no value/],
  [['mirror', 'update', 'a', '--bad\u001b[2J'], /Unknown option "--bad\\u001b\[2J"/],
  [['--'], /No command given/],
];

for (const [argv, expected] of WRONG) {
  test(`a wrong command line is one line on standard error and status 2: ${JSON.stringify(argv.join(' '))}`, async (t) => {
    const { status, stdout, stderr } = await drive(argv);

    t.is(status, 2);
    t.is(stdout, '');
    t.regex(stderr, expected);
    t.regex(stderr, /^artifacts: E_USAGE: [^\n]+\n$/);
  });
}

test('a wrong command line is JSON when JSON is asked for', async (t) => {
  const run = await drive(['mirror', 'updat', '--json']);

  t.is(run.status, 2);
  t.is(run.stderr, '');
  t.like(parsed(run)['error'], { code: 'E_USAGE', message: 'Unknown command "updat"', exitStatus: 2 });
});

test('--version prints the version wherever it stands', async (t) => {
  t.like(await drive(['--version']), { status: 0, stdout: 'artifacts 1.2.3\n' });
  t.like(await drive(['mirror', '--version']), { status: 0, stdout: 'artifacts 1.2.3\n' });
});
