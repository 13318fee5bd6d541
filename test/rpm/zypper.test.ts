/** Zypper as the witness of what the profile `suse` publishes. */
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import test from 'ava';
import { rigKey } from '../rig/key.ts';
import { newerTools } from '../rig/newer-tools.ts';
import { hasRpmUpstream, NO_RPM_UPSTREAM } from '../rig/rpm-upstream.ts';
import type { RunResult } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { makeNewerScene, tamperedMetadata } from './newer-support.ts';
import type { RpmScene } from './support.ts';

const { run: runNewer, reason } = await newerTools();
const witnessed = testWith(runNewer !== undefined && hasRpmUpstream, reason ?? NO_RPM_UPSTREAM);

const REPOSITORY = 'rpm-mirror/integrated/r1.0.0-leap/x86_64';

interface ZypperClient {
  /** The root that packages are installed into. */
  readonly root: string;
  run(args: readonly string[]): Promise<RunResult>;
  /** The same; throws unless it ends well. Returns what it printed. */
  ok(args: readonly string[]): Promise<string>;
}

let shared: Promise<{ readonly dir: TempDir; readonly scene: RpmScene }> | undefined;

/** One for all tests, in the middle of a change of keys: the second one is known to nobody yet. */
async function sharedScene(): Promise<RpmScene> {
  return (await (shared ??= makeShared())).scene;
}

async function makeShared(): Promise<{ readonly dir: TempDir; readonly scene: RpmScene }> {
  const dir = await tempDir();
  return { dir, scene: await makeNewerScene(dir, { leap: 'suse' }, ['site', 'next']) };
}

test.after.always(async () => {
  const made = await shared;
  await made?.scene[Symbol.asyncDispose]();
  await made?.dir[Symbol.asyncDispose]();
});

/** A system that trusts the rig's keys of these names. */
async function zypperClient(dir: TempDir, name: string, keys: readonly string[]): Promise<ZypperClient> {
  const root = dir.join(name);
  await mkdir(root);
  const env = { HOME: root };
  for (const key of keys) {
    await writeFile(`${root}/${key}.asc`, (await rigKey(key)).publicKey);
    const { status, stderr } = await runNewer!('rpm', ['--root', root, '--import', `${root}/${key}.asc`], { env });
    if (status !== 0) throw new Error(stderr);
  }
  const run = (args: readonly string[]): Promise<RunResult> => runNewer!('zypper', ['--non-interactive', '--root', root, ...args], { env });
  return {
    root,
    run,
    ok: async (args) => {
      const result = await run(args);
      if (result.status !== 0) throw new Error(`zypper ${args.join(' ')} ended with ${result.status}:\n${result.stdout}\n${result.stderr}`);
      return result.stdout;
    },
  };
}

/** What is in columns of zypper's tables: without its bars and spaces. */
function rows(table: string): readonly string[] {
  return table.split('\n').filter((line) => line.includes(' | ')).slice(1).map((line) => line.split('|').map((cell) => cell.trim()).join('|'));
}

witnessed('zypper takes the first of our keys from beside repomd.xml, installs what belongs together, and applies our advisories', async (t) => {
  await using dir = await tempDir();
  const scene = await sharedScene();
  const client = await zypperClient(dir, 'client', []);
  await client.ok(['addrepo', '--gpgcheck', `${scene.published.url}/${REPOSITORY}`, 'release']);
  const { fingerprint } = await rigKey('site');

  const asked = await client.run(['refresh']);
  t.is(asked.status, 4, 'nobody said that the key is to be trusted');
  t.true(asked.stdout.replaceAll(' ', '').includes(fingerprint));
  await client.ok(['--gpg-auto-import-keys', 'refresh']);

  t.deepEqual(rows(await client.ok(['search', '--type', 'package'])).map((row) => row.split('|')[1]), ['app', 'base', 'big', 'lib', 'manual', 'plugin']);
  const info = await client.ok(['info', '--requires', '--recommends', 'app']);
  t.regex(info, /Version +: 1\.1-1\n/);
  t.regex(info, /Source package : app-1\.1-1\.src\n/);
  t.regex(info, /lib >= 1\n/);
  t.regex(info, /Recommends +: manual\n/);

  await client.ok(['install', '--oldpackage', 'app-1.0']);
  for (const name of ['app', 'lib', 'manual', 'plugin']) t.true(existsSync(`${client.root}/usr/share/${name}/about`), name);
  t.deepEqual(rows(await client.ok(['list-patches'])).map((row) => row.replace(/\d{4}-\d\d-\d\d/, 'DATE')), ['release|RIG-2026:1|security|important|reboot|needed|DATE|app is safer']);
  t.is((await client.run(['--non-interactive-include-reboot-patches', 'patch'])).status, 102, 'the advisory asks for a reboot');
  t.is(readFileSync(`${client.root}/usr/share/app/about`, 'utf8'), 'app 1.1-1\n');

  await client.ok(['addrepo', '--gpgcheck', `${scene.published.url}/rpm-mirror/integrated/r1.0.0-leap/source`, 'sources']);
  await client.ok(['refresh', 'sources']);
  t.regex((await client.ok(['source-install', '--no-build-deps', 'app'])), /Source package app-1\.1-1 successfully installed/);
});

witnessed('while keys change, zypper that trusts the first one installs from the repositories that the overrides name', async (t) => {
  await using dir = await tempDir();
  const scene = await sharedScene();
  await scene.site.json(['overrides', '--release', 'r1.0.0', '--mode', 'strict', '--base-url', scene.published.url, '--to', dir.join('overrides')]);
  const client = await zypperClient(dir, 'client', ['site']);
  await mkdir(`${client.root}/etc/zypp/repos.d`, { recursive: true });
  await copyFile(dir.join('overrides/dnf/leap/x86_64/rpco.repo'), `${client.root}/etc/zypp/repos.d/rpco.repo`);

  await client.ok(['refresh']);
  await client.ok(['install', '--no-recommends', 'app']);

  t.true(existsSync(`${client.root}/usr/share/app/about`));
  t.false(existsSync(`${client.root}/usr/share/manual/about`));
  t.deepEqual(rows(await client.ok(['repos', '--priority'])).map((row) => row.split('|').slice(3, 7).join('|')), ['No|----|----|1', 'Yes|(r ) Yes|No|1']);
});

witnessed('zypper refuses a repomd.xml that was changed on the way', async (t) => {
  await using dir = await tempDir();
  const scene = await sharedScene();
  await using server = await serve(tamperedMetadata(scene, REPOSITORY));
  const client = await zypperClient(dir, 'client', ['site']);
  await client.ok(['addrepo', '--gpgcheck', server.url, 'release']);

  const { status, stderr } = await client.run(['--gpg-auto-import-keys', 'refresh']);

  t.is(status, 4);
  t.regex(stderr, /Signature verification failed for repomd\.xml/);
  t.is((await client.run(['install', 'app'])).status, 104, 'nothing of it is known');
});
