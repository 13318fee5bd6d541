import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import test from 'ava';
import { isArtifactsError } from '../../src/core/errors.ts';
import { copyRoot, prepareRoot } from '../../src/sandbox/prepare-root.ts';
import type { Root } from '../../src/sandbox/root.ts';
import { BUILDER, runIn, type RunOptions, type RunResult } from '../../src/sandbox/run-in.ts';
import { PROJECT } from '../rig/run.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, testContext, type TempDir } from '../rig/temp.ts';
import { tinySystem } from '../rig/tiny-system.ts';
import { fileSource, leftBehind, sandboxReason, tinySpec } from './support.ts';

const sandboxed = testWith(sandboxReason === undefined, sandboxReason ?? '');

let made: { readonly dir: TempDir; readonly root: Promise<Root> } | undefined;

/** One root for all tests of this file: nothing they do changes it. */
async function root(): Promise<Root> {
  if (made === undefined) {
    const dir = await tempDir();
    made ??= { dir, root: makeRoot(dir) };
  }
  return made.root;
}

async function makeRoot(dir: TempDir): Promise<Root> {
  const source = await fileSource(dir.join('repo'), await tinySystem({ programs: ['/usr/bin/perl'], applets: ['wget', 'yes', 'dd'] }));
  return prepareRoot(tinySpec([source]), { cache: dir.join('cache') }, testContext());
}

test.after.always(async () => {
  await made?.dir[Symbol.asyncDispose]();
});

async function run(dir: TempDir, script: string, options: Partial<RunOptions> = {}): Promise<RunResult> {
  return runIn(await root(), ['sh', '-c', script], { temporary: dir.join('tmp'), ...options }, testContext());
}

/** What a failed command printed. */
function outputOf(error: unknown): string {
  return isArtifactsError(error) ? String(error.details?.['output']) : '';
}

sandboxed('what a command writes goes with the sandbox, and the root stays as it is', async (t) => {
  await using dir = await tempDir();
  const script = 'echo more >> /etc/passwd; rm -rf /usr/share; echo new > /new; cat /new';

  t.is((await run(dir, script, { user: 'root' })).output, 'new\n');

  t.false(existsSync(join((await root()).path, 'new')));
  t.true(existsSync(join((await root()).path, 'usr/share')));
  t.deepEqual(readdirSync(dir.join('tmp')), []);
  t.deepEqual(leftBehind(dir.path), []);
});

sandboxed('what is written to a copied root stays', async (t) => {
  await using dir = await tempDir();
  await copyRoot(await root(), dir.join('copy'), testContext());

  await runIn({ path: dir.join('copy') }, ['sh', '-c', 'echo new > /new'], { temporary: dir.join('tmp'), keep: true, user: 'root' }, testContext());

  t.is(readFileSync(dir.join('copy', 'new'), 'utf8'), 'new\n');
  t.deepEqual(readdirSync(dir.join('copy', 'dev')), [], 'devices were only mounted there');
});

sandboxed('a builder is an ordinary user without capabilities, network, or anything of the machine', async (t) => {
  await using dir = await tempDir();
  const script = `id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status; env | grep -v -E '^(PWD|SHLVL|_|OLDPWD)='; uname -n
cat /proc/net/dev | tail -n +3 | cut -d: -f1; ls /proc | grep -c '^[0-9]'; ls /dev; touch /etc/x 2>&1; echo $?`;
  const { output } = await run(dir, script.replace('tail -n +3 |', 'grep : |'));

  t.true(output.startsWith(`${BUILDER}\n`), output);
  t.regex(output, /CapEff:\t0{16}/);
  t.regex(output, /NoNewPrivs:\t1/);
  t.regex(output, /HOME=\/\nLANG=C.UTF-8\nPATH=\S+\nTZ=UTC\n|LANG/);
  t.false(/(?:SOCKET|STAGE|ARTIFACTS|AVA)/.test(output), 'nothing of the environment outside');
  t.regex(output, /\nsandbox\n/);
  t.regex(output, /\n *lo\n/);
  t.regex(output, /full\nnull\nptmx\npts\nrandom\nshm\n/);
  t.regex(output, /Permission denied\n1\n$/);
});

sandboxed('root inside can own files and become others, and cannot mount, make devices or set the kernel', async (t) => {
  await using dir = await tempDir();
  const script = `touch /a && chown 7:7 /a && echo owned
busybox mount -t tmpfs none /tmp 2>&1; mknod /d b 7 0 2>&1; echo x > /proc/sys/kernel/core_pattern; echo b > /proc/sysrq-trigger; busybox ip link set lo up 2>&1; true`;
  const { output } = await run(dir, script, { user: 'root' });

  t.regex(output, /owned/);
  t.regex(output, /mount: .*(?:denied|permitted)/i);
  t.regex(output, /mknod: .*not permitted/);
  t.regex(output, /core_pattern: Read-only/);
  t.regex(output, /sysrq-trigger: (?:Read-only|nonexistent)/);
  t.regex(output, /ip: .*not permitted/);
});

sandboxed('C04 whoever breaks out of the chroot finds programs, read-only, and nothing of the machine', async (t) => {
  await using dir = await tempDir();
  const escape = `mkdir "/x"; chroot "/x" or die; chdir ".." for 1..64; chroot "." or die; opendir D, "/" or die; print join(" ", sort readdir D), "\n";
print -e "/home" ? "home\n" : "no home\n"; open(F, ">", "/usr/x") ? print "written\n" : print "$!\n";`;
  const { output } = await runIn(await root(), ['perl', '-e', escape], { temporary: dir.join('tmp'), user: 'root' }, testContext());

  t.regex(output, /\bbase\b.*\blayer\b.*\broot\b/, 'it did get out of the chroot');
  t.regex(output, /no home\nRead-only file system/);
});

sandboxed('P07 a fork bomb, a hang, endless output and a full disk end by their limits', async (t) => {
  await using dir = await tempDir();
  const bomb = await run(dir, 'bomb() { bomb | bomb & }; bomb; sleep 1; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done', { limits: { processes: 15, seconds: 20 }, accept: [2] });
  t.regex(bomb.output, /fork/i);

  const hang = await t.throwsAsync(run(dir, 'sleep 1000 & sleep 1000', { limits: { seconds: 1 } }));
  t.regex(hang.message, /longer than 1 seconds/);

  const endless = await t.throwsAsync(run(dir, 'yes', { limits: { outputBytes: 100_000 } }));
  t.like(endless, { code: 'E_TOO_LARGE' });

  const full = await t.throwsAsync(run(dir, 'dd if=/dev/zero of=/big bs=1M count=50', { user: 'root', limits: { layerBytes: 10_000_000 } }));
  t.regex(outputOf(full), /No space left/);

  const large = await t.throwsAsync(run(dir, 'cd /tmp; dd if=/dev/zero of=/tmp/big bs=1M count=5', { user: 'root', limits: { fileBytes: 1_000_000 } }));
  t.regex(outputOf(large), /File (?:size limit|too large)/);
  t.deepEqual(leftBehind(dir.path), []);
});

sandboxed('C08 what daemonises or kills all it can reach ends with the sandbox', async (t) => {
  await using dir = await tempDir();
  const mark = `4${process.pid}`;
  const { output } = await run(dir, `(sleep ${mark} &) ; echo started`, { user: 'root' });
  t.is(output, 'started\n');

  await run(dir, 'sleep 1000 & sleep 1000 & kill -9 -1; sleep 1000 & true', { user: 'root', accept: [1] });
  t.deepEqual(leftBehind(mark), []);
  t.deepEqual(leftBehind(dir.path), []);
});

sandboxed('C08 what signals its process group reaches nobody outside', async (t) => {
  await using dir = await tempDir();
  // proc(5): process group and session; 0 is one that began outside of the namespace, the group of whoever builds.
  const { output } = await run(dir, 'read -r _ _ _ _ group session _ < /proc/self/stat; echo $((group != 0)) $((session != 0))', { user: 'root' });

  t.is(output, '1 1\n');
  const killed = await t.throwsAsync(run(dir, 'kill -KILL 0', { user: 'root' }), { code: 'E_TOOL' });
  t.regex(killed.message, /status 137/, 'what tidies up after it is in the group too, and goes on');
  t.deepEqual(leftBehind(dir.path), []);
});

sandboxed('X11 when the program is killed, no process and no mount is left', async (t) => {
  await using dir = await tempDir();
  const mark = `5${process.pid}`;
  const module = pathToFileURL(join(PROJECT, 'build/src/sandbox/run-in.js')).href;
  const code = `import { runIn } from ${JSON.stringify(module)};
await runIn({ path: ${JSON.stringify((await root()).path)} }, ['sh', '-c', 'echo up; (sleep ${mark} &); sleep ${mark}'], { temporary: ${JSON.stringify(dir.join('tmp'))}, log: ${JSON.stringify(dir.join('log'))} }, { signal: new AbortController().signal, report() {} });`;
  const program = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  while (!existsSync(dir.join('log')) || !readFileSync(dir.join('log'), 'utf8').includes('up')) await sleep(20);
  t.not(leftBehind(`sleep ${mark}`).length, 0, 'it runs');

  program.kill('SIGKILL');

  while (leftBehind(`sleep ${mark}`).length > 0) await sleep(20); // ava's own limit ends this if they stay
  t.deepEqual(leftBehind(dir.path), []);
});

sandboxed('an aborted run stops at once and leaves nothing', async (t) => {
  await using dir = await tempDir();
  const ctx = testContext();
  const running = runIn(await root(), ['sh', '-c', 'echo up; sleep 1000'], { temporary: dir.join('tmp'), log: dir.join('log') }, ctx);
  while (!existsSync(dir.join('log')) || !readFileSync(dir.join('log'), 'utf8').includes('up')) await sleep(20);

  ctx.abort(new Error('enough'));

  await t.throwsAsync(running, { message: 'enough' });
  t.deepEqual(leftBehind(dir.path), []);
});

sandboxed('a writable bind belongs to the builder inside and to us afterwards; others are read-only', async (t) => {
  await using dir = await tempDir();
  mkdirSync(dir.join('work'));
  writeFileSync(dir.join('work', 'given'), 'given\n');
  writeFileSync(dir.join('input'), 'input\n');
  const binds = [{ from: dir.join('work'), to: '/build/work', writable: true }, { from: dir.join('input'), to: '/inputs/one' }];

  const { output } = await run(dir, 'pwd; cat given; cat /inputs/one; mkdir made; echo made > made/file; echo x > /inputs/one', { binds, cwd: '/build/work', accept: [1, 2] });

  t.regex(output, /^\/build\/work\ngiven\ninput\n.*Read-only/s);
  t.is(readFileSync(dir.join('work', 'made', 'file'), 'utf8'), 'made\n');
  t.is(statSync(dir.join('work', 'made', 'file')).uid, process.getuid?.() ?? -1);
});

sandboxed('a bind never goes through a symbolic link of the tree', async (t) => {
  await using dir = await tempDir();
  await copyRoot(await root(), dir.join('copy'), testContext());
  symlinkSync('/usr/share', dir.join('copy', 'build'));
  mkdirSync(dir.join('work'));

  const error = await t.throwsAsync(
    runIn({ path: dir.join('copy') }, ['true'], { temporary: dir.join('tmp'), binds: [{ from: dir.join('work'), to: '/build/x' }] }, testContext()),
  );

  t.regex(error.message, /leads over a symbolic link/);
  rmSync(dir.join('copy', 'build'));
});

sandboxed('the only network is the socket that was given', async (t) => {
  await using dir = await tempDir();
  const server = createServer((request, response) => void response.end(`you asked for ${request.url}\n`.repeat(20_000)));
  await new Promise<void>((resolve) => void server.listen(dir.join('index.sock'), resolve));
  const script = 'wget -q -O - http://127.0.0.1:3141/simple/a/ | sort -u; wget -q -O - http://127.0.0.1:3142/ 2>&1; wget -q -O - http://127.0.0.2:80/ 2>&1; wget -q -O - http://192.0.2.1/ 2>&1; true';

  const { output } = await run(dir, script, { network: { socket: dir.join('index.sock'), port: 3141 } });
  server.close();

  t.true(output.startsWith('you asked for /simple/a/\n'), output);
  t.is(output.match(/Connection refused/g)?.length, 2);
  t.regex(output, /Network is unreachable/);
});

sandboxed('output goes to the log as well, and a failure says how it ended', async (t) => {
  await using dir = await tempDir();
  const error = await t.throwsAsync(run(dir, 'echo one; echo two >&2; exit 7', { log: dir.join('log') }));

  t.is(readFileSync(dir.join('log'), 'utf8'), 'one\ntwo\n');
  t.like(error, { code: 'E_TOOL', message: 'sh ended with status 7 in the sandbox: two', details: { status: 7, output: 'one\ntwo\n' } });
});
