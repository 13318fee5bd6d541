import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import * as durable from '../../src/util/durable.ts';
import { runNode, PROJECT, type RunResult } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { runCommand } from '../rig/run.ts';

const MODULE = pathToFileURL(join(PROJECT, 'build/src/util/durable.js')).href;

/** Runs calls of the module in a process of its own. */
function inProcess(code: string, env: Record<string, string> = {}): Promise<RunResult> {
  return runNode(['--input-type=module', '--eval', `const durable = await import(${JSON.stringify(MODULE)});\n${code}`], { env });
}

test('a file is replaced as a whole, with its mode, and leaves nothing beside it', async (t) => {
  await using dir = await tempDir();
  writeFileSync(dir.join('a'), 'old and longer');

  durable.writeFileDurably(dir.join('a'), 'new');
  durable.writeFileDurably(dir.join('secret'), Buffer.from('x'), 0o600);

  t.is(readFileSync(dir.join('a'), 'utf8'), 'new');
  t.is(statSync(dir.join('secret')).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(dir.path), ['a', 'secret']);
});

test('whoever has the old file open goes on reading it', async (t) => {
  await using dir = await tempDir();
  durable.writeFileDurably(dir.join('a'), 'old');
  linkSync(dir.join('a'), dir.join('kept'));

  durable.writeFileDurably(dir.join('a'), 'new');

  t.is(readFileSync(dir.join('kept'), 'utf8'), 'old');
});

test('a link is switched whether it was there or not, also over what a killed run left', async (t) => {
  await using dir = await tempDir();

  durable.switchLink(dir.join('link'), 'one');
  symlinkSync('left', dir.join('.link.tmp'));
  durable.switchLink(dir.join('link'), 'two');

  t.is(readlinkSync(dir.join('link')), 'two');
  t.deepEqual(readdirSync(dir.path), ['link']);
});

test('a new file is never written over another', async (t) => {
  await using dir = await tempDir();
  writeFileSync(dir.join('a'), 'there');

  t.throws(() => durable.writeNewFile(dir.join('a'), (write) => write(Buffer.from('x'))), { code: 'EEXIST' });
  const size = durable.writeNewFile(dir.join('b/c'), (write) => {
    write(Buffer.from('12'));
    write(Buffer.from('345'));
  });

  t.is(size, 5);
  t.is(readFileSync(dir.join('b/c'), 'utf8'), '12345');
  t.is(readFileSync(dir.join('a'), 'utf8'), 'there');
});

test('names that exist already are no error, and other failures are', async (t) => {
  await using dir = await tempDir();
  writeFileSync(dir.join('a'), 'x');

  t.true(durable.linkFile(dir.join('a'), dir.join('b')));
  t.false(durable.linkFile(dir.join('a'), dir.join('b')));
  t.true(durable.linkSymbolically('a', dir.join('c')));
  t.false(durable.linkSymbolically('other', dir.join('c')));
  t.throws(() => durable.linkFile(dir.join('none'), dir.join('d')), { code: 'ENOENT' });
  t.notThrows(() => durable.removeFile(dir.join('none')));
  t.notThrows(() => durable.removeTree(dir.join('none')));
  t.is(lstatSync(dir.join('c')).isSymbolicLink(), true);
});

test('a folder that lasts is made with all its parents', async (t) => {
  await using dir = await tempDir();

  durable.makeFolderDurably(dir.join('a/b/c'));
  durable.makeFolderDurably(dir.join('a/b/c'));

  t.true(statSync(dir.join('a/b/c')).isDirectory());
});

test('a full disk is told as such, and the old file stays', async (t) => {
  await using dir = await tempDir();
  writeFileSync(dir.join('a'), 'old');
  symlinkSync('/dev/full', dir.join('.a.tmp'));

  t.throws(() => durable.writeFileDurably(dir.join('a'), 'new'), { code: 'E_NO_SPACE' });

  t.is(readFileSync(dir.join('a'), 'utf8'), 'old');
  t.deepEqual(readdirSync(dir.path), ['a']);
});

test('every change is a step, and a kill strikes before or after it', async (t) => {
  await using dir = await tempDir();
  const code = `durable.writeFileDurably(${JSON.stringify(dir.join('a'))}, 'new'); console.log(durable.stepCount());`;

  const outcomes = [];
  for (const killAt of ['1', '1+', '2', '2+', '3']) {
    writeFileSync(dir.join('a'), 'old');
    const { signal, stdout } = await inProcess(code, { ARTIFACTS_KILL_AT: killAt });
    outcomes.push([killAt, signal, readFileSync(dir.join('a'), 'utf8'), stdout]);
  }

  t.deepEqual(outcomes, [
    ['1', 'SIGKILL', 'old', ''],
    ['1+', 'SIGKILL', 'old', ''],
    ['2', 'SIGKILL', 'old', ''],
    ['2+', 'SIGKILL', 'new', ''],
    ['3', null, 'new', '2\n'],
  ]);
  t.deepEqual(readdirSync(dir.path), ['a'], 'what was left is taken over');
});

testWith(hasCommand('strace'), 'needs strace')('file, then rename, then folder are flushed before anything else happens', async (t) => {
  await using dir = await tempDir();
  const code = `const d = await import(${JSON.stringify(MODULE)}); d.writeFileDurably(${JSON.stringify(dir.join('a'))}, 'new'); d.switchLink(${JSON.stringify(dir.join('l'))}, 'a');`;
  const args = ['-f', '-qq', '-o', dir.join('trace'), '-e', 'trace=fsync,rename,renameat,renameat2,symlink,symlinkat'];

  const run = await runCommand('strace', [...args, '-y', process.execPath, '--input-type=module', '--eval', code]);

  t.is(run.status, 0, run.stderr);
  const calls = readFileSync(dir.join('trace'), 'utf8')
    .split('\n')
    .filter((line) => line.includes(dir.path))
    .map((line) => `${/ (\w+)\(/.exec(line)?.[1]?.replace(/at2?$/, '')} ${/\/([^/"<>]*)[>"]/.exec(line.replaceAll(`${dir.path}>`, '/folder>'))?.[1]}`);
  t.deepEqual(calls, ['fsync .a.tmp', 'rename .a.tmp', 'fsync folder', 'symlink .l.tmp', 'rename .l.tmp', 'fsync folder']);
});

test('few files are flushed one by one, a tree with all its folders', async (t) => {
  await using dir = await tempDir();
  mkdirSync(dir.join('tree/deep'), { recursive: true });
  writeFileSync(dir.join('tree/deep/a'), 'x');
  symlinkSync('nowhere', dir.join('tree/dangling'));

  await t.notThrowsAsync(durable.flushTree(dir.join('tree')));
  await t.notThrowsAsync(durable.flushFiles([dir.join('tree/deep/a')], dir.path));
  await t.notThrowsAsync(durable.flushFiles(Array.from({ length: 40 }, () => dir.join('tree/deep/a')), dir.path));
});
