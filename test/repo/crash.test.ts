import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import test from 'ava';
import { inProcess } from '../operations/in-process.ts';
import { runArtifacts, runCommand } from '../rig/run.ts';
import { isRoot, testWith } from '../rig/skip.ts';
import { buildSource } from '../rig/source.ts';
import { tempDir } from '../rig/temp.ts';
import { namesIn, realSite, repoSite, writeDeb, writeSource } from './support.ts';

/** Beyond what adding some files takes; a loop that gets there does not end. */
const TOO_MANY = 200;

const mounts = isRoot && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

test('an addition killed at any step has happened or not; the same again completes it, and no file is lost', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await site.json(['repo', 'create', 'ours']);
  await writeDeb(dir.join('in/a.deb'), { name: 'a' });
  await writeSource(dir.join('in'), buildSource('src'));
  let next = 1;
  let last = TOO_MANY;

  const worker = async (): Promise<void> => {
    for (let step = next++; step <= last && step < TOO_MANY; step = next++) {
      const state = dir.join(`state-${step}`);
      const files = dir.join(`in-${step}`);
      await cp(site.state, state, { recursive: true });
      await cp(dir.join('in'), files, { recursive: true });
      const command = ['repo', 'add', 'ours', files, '--remove-files'];
      const killed = await runArtifacts(command, { root: site.root, state, env: { ARTIFACTS_KILL_AT: `${step}` } });
      if (killed.signal !== 'SIGKILL') {
        t.is(killed.status, 0, killed.stderr);
        last = Math.min(last, step);
      }
      const copy = inProcess({ ...site, state });
      const names = await namesIn(copy, 'ours');
      const left = readdirSync(files);
      t.true(names.length === 0 ? left.length === 3 : names.length === 2, `step ${step}: ${names.length} packages, ${left.length} files`);
      t.is((await copy.run(['db', 'check', '--deep'])).status, 0, `step ${step}`);
      if (left.some((name) => /\.(deb|dsc)$/.test(name))) await copy.json(['repo', 'add', 'ours', files]);
      t.deepEqual(await namesIn(copy, 'ours'), ['a_1.0-1_amd64', 'src_1.0_source'], `step ${step}`);
      t.is((await copy.run(['db', 'check', '--deep'])).status, 0, `step ${step}`);
      for (const path of [state, files]) await rm(path, { recursive: true, force: true });
    }
  };
  await Promise.all([worker(), worker()]);

  t.log(`${last - 1} kills`);
  t.true(last > 10 && last < TOO_MANY);
});

testWith(mounts, 'needs root, to mount a small file system')('a full disk refuses the addition in one line and keeps what was there', async (t) => {
  await using dir = await tempDir();
  const site = await realSite(dir);
  await writeDeb(dir.join('a.deb'), { name: 'a' });
  const { fileName } = await writeDeb(dir.join('b.deb'), { name: 'b', files: { 'usr/b': randomBytes(3 * 1024 * 1024) } });
  const script = `mkdir -p "$1" && mount -t tmpfs -o size=3m tmpfs "$1" && shift && for step in "$@"; do eval "$step"; echo "status $?"; done`;
  const program = `"$NODE" "$BIN" --quiet --root "$ROOT" --state "$STATE"`;
  const run = await runCommand('unshare', ['--mount', 'sh', '-c', script, 'sh', site.state, `${program} repo create ours`, `${program} repo add ours "$A"`, `${program} repo add ours "$B"`, `${program} repo show ours --packages`, `${program} db check --deep`], {
    env: { NODE: process.execPath, BIN: new URL('../../../bin/artifacts.js', import.meta.url).pathname, ROOT: site.root, STATE: site.state, A: dir.join('a.deb'), B: dir.join('b.deb') },
  });

  t.deepEqual(run.stdout.match(/^status \d+$/gm), ['status 0', 'status 0', 'status 1', 'status 0', 'status 0'], run.stdout + run.stderr);
  t.regex(run.stderr, /^artifacts: E_NO_SPACE: [^\n]*\n/);
  t.regex(run.stdout, /^a {2,}1\.0-1/m);
  t.false(run.stdout.includes(fileName));
  t.false(existsSync(`${site.state}/catalog.db`));
});
