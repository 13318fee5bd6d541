import { spawn } from 'node:child_process';
import { existsSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { prepareRoot } from '../../src/sandbox/prepare-root.ts';
import { rigKey } from '../rig/key.ts';
import { PROJECT } from '../rig/run.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, testContext } from '../rig/temp.ts';
import { folderDeb, tinySystem } from '../rig/tiny-system.ts';
import { fileSource, leftBehind, sandboxReason, tinySpec } from './support.ts';

const rooted = testWith(sandboxReason === undefined, sandboxReason ?? '');

rooted('a root consists of what its sources have, made once and found again', async (t) => {
  await using dir = await tempDir();
  const source = await fileSource(dir.join('repo'), [...(await tinySystem()), await folderDeb({ name: 'extra' })]);
  const ctx = testContext();

  const [first, second] = await Promise.all([
    prepareRoot(tinySpec([source], ['extra']), { cache: dir.join('cache') }, ctx),
    prepareRoot(tinySpec([source], ['extra']), { cache: dir.join('cache') }, ctx),
  ]);

  t.deepEqual(first, second);
  t.deepEqual(first.packages.map(({ name, source: from }) => [name, from]), [['extra', 0], ['tiny-base', 0]]);
  t.is(ctx.events.filter(({ type }) => type === 'phase').length, 1, 'made once');
  for (const path of ['etc/apt/sources.list', 'etc/resolv.conf', 'etc/hostname', 'etc/apt/preferences.d/artifacts']) {
    t.false(existsSync(`${first.path}/${path}`), path);
  }
  t.deepEqual(leftBehind(dir.path), []);
});

rooted('the nearest source wins by its priority, also with the older version', async (t) => {
  await using dir = await tempDir();
  const release = await fileSource(dir.join('release'), [await folderDeb({ name: 'extra', version: '1.0-1' })], { codename: 'r1-tiny', fields: { Label: 'release' } });
  const base = await fileSource(dir.join('base'), [...(await tinySystem()), await folderDeb({ name: 'extra', version: '2.0-1' })]);

  const { packages } = await prepareRoot(tinySpec([{ ...release, priority: 1001 }, base], ['extra']), { cache: dir.join('cache') }, testContext());

  t.deepEqual(packages.map(({ name, version, source }) => [name, version, source]), [['extra', '1.0-1', 0], ['tiny-base', '1.0-1', 1]]);
});

rooted('a root is made anew when a package changed, not when only the date of its source did', async (t) => {
  await using dir = await tempDir();
  const system = await tinySystem();
  const spec = tinySpec([await fileSource(dir.join('repo'), system)]);
  const ctx = testContext();
  const first = await prepareRoot(spec, { cache: dir.join('cache') }, ctx);

  await fileSource(dir.join('repo'), [...system, await folderDeb({ name: 'unrelated' })], { date: new Date(Date.now() + 5000) });
  t.deepEqual(await prepareRoot(spec, { cache: dir.join('cache') }, ctx), first);
  t.is(ctx.events.length, 1);

  const changed = await folderDeb({ name: 'more', fields: { Essential: 'yes' } });
  await fileSource(dir.join('repo'), [...system, changed], { date: new Date(Date.now() + 10_000) });
  const second = await prepareRoot(spec, { cache: dir.join('cache'), keep: 1 }, ctx);

  t.deepEqual(second.packages.map(({ name }) => name), ['more', 'tiny-base']);
  t.deepEqual(readdirSync(dir.join('cache', 'roots')).sort(), [first.digest, second.digest].sort(), 'somebody may be at work in the first one');

  const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
  utimesSync(dir.join('cache', 'roots', first.digest), yesterday, yesterday);
  await prepareRoot(spec, { cache: dir.join('cache'), keep: 1 }, ctx);
  t.deepEqual(readdirSync(dir.join('cache', 'roots')), [second.digest], 'the one not used went');
});

rooted('what cannot be installed together, or is signed by somebody else, is refused and nothing is left', async (t) => {
  await using dir = await tempDir();
  const source = await fileSource(dir.join('repo'), [...(await tinySystem()), await folderDeb({ name: 'needy', fields: { Depends: 'nowhere' } })]);
  const other = await fileSource(dir.join('other'), await tinySystem(), { keys: [await rigKey('other')] });

  const needy = await t.throwsAsync(prepareRoot(tinySpec([source], ['needy']), { cache: dir.join('cache') }, testContext()));
  t.like(needy, { code: 'E_CONFIG' });
  t.regex(needy.message, /needy : Depends: nowhere/);

  const unsigned = await t.throwsAsync(prepareRoot(tinySpec([{ ...source, signedBy: other.signedBy }]), { cache: dir.join('cache') }, testContext()));
  t.like(unsigned, { code: 'E_FETCH' });
  t.deepEqual(readdirSync(dir.join('cache', 'roots')), []);
});

rooted('C08 a maintainer script that starts a daemon leaves none; one that never ends can be cancelled', async (t) => {
  await using dir = await tempDir();
  const mark = `7${process.pid}`;
  const daemon = await folderDeb({ name: 'daemon', scripts: { postinst: `#!/bin/sh\n(sleep ${mark} >/dev/null 2>&1 &)\n` } });
  const endless = await folderDeb({ name: 'endless', scripts: { postinst: `#!/bin/sh\nsleep ${mark}\n` } });
  const failing = await folderDeb({ name: 'failing', scripts: { postinst: '#!/bin/sh\nexit 3\n' } });
  const source = await fileSource(dir.join('repo'), [...(await tinySystem()), daemon, endless, failing]);
  const tools = { cache: dir.join('cache') };

  await prepareRoot(tinySpec([source], ['daemon']), tools, testContext());
  t.deepEqual(leftBehind(mark), []);

  const failed = await t.throwsAsync(prepareRoot(tinySpec([source], ['failing']), tools, testContext()));
  t.regex(failed.message, /failing .*exit status 3/);

  const ctx = testContext();
  const running = prepareRoot(tinySpec([source], ['endless']), tools, ctx);
  while (leftBehind(mark).length === 0) await Promise.race([sleep(20), running]);
  ctx.abort(new Error('enough'));
  await t.throwsAsync(running, { message: 'enough' });
  while (leftBehind(mark).length > 0) await sleep(20); // ava's own limit ends this if they stay
  t.deepEqual(leftBehind(dir.path), []);
  t.deepEqual(readdirSync(dir.join('cache', 'making')), []);
});

rooted('X01 X11 a killed making leaves no mount and no process, and the next one makes it', async (t) => {
  await using dir = await tempDir();
  const mark = `8${process.pid}`;
  const once = await folderDeb({ name: 'once', scripts: { postinst: `#!/bin/sh\nif [ -e /first ]; then exit 0; fi\nsleep ${mark}\n` } });
  const spec = tinySpec([await fileSource(dir.join('repo'), [...(await tinySystem()), once])], ['once']);
  const module = pathToFileURL(join(PROJECT, 'build/src/sandbox/prepare-root.js')).href;
  const code = `import { prepareRoot } from ${JSON.stringify(module)};
await prepareRoot(${JSON.stringify(spec)}, { cache: ${JSON.stringify(dir.join('cache'))} }, { signal: new AbortController().signal, report() {} });`;
  const program = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  while (leftBehind(`sleep ${mark}`).length === 0) await sleep(20);

  program.kill('SIGKILL');

  while (leftBehind(dir.path).length > 0) await sleep(20);
  t.not(readdirSync(dir.join('cache', 'making')).length, 0, 'it was half made');
  const mended = await folderDeb({ name: 'once', version: '2.0-1' });
  await fileSource(dir.join('repo'), [...(await tinySystem()), mended], { date: new Date(Date.now() + 5000) });
  await prepareRoot(spec, { cache: dir.join('cache') }, testContext());
  t.deepEqual(readdirSync(dir.join('cache', 'making')), [], 'what was half made is gone');
});
