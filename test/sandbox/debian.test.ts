import { spawnSync } from 'node:child_process';
import { baseRepositories } from '../../src/config/base-repositories.ts';
import { thisMachine } from '../../src/config/machine.ts';
import { loadConfig } from '../../src/config/load.ts';
import { prepareRoot } from '../../src/sandbox/prepare-root.ts';
import { runIn } from '../../src/sandbox/run-in.ts';
import { sources } from '../config/support.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, testContext } from '../rig/temp.ts';
import { leftBehind, sandboxReason } from './support.ts';

const reason = sandboxReason ?? (await sourceReason());
const rooted = testWith(reason === undefined, reason ?? '');

/** Why this machine has no source of its own distribution, as apt itself sees it: none is named, or it does not answer. */
async function sourceReason(): Promise<string | undefined> {
  const codename = await thisMachine().codename().catch(() => '');
  const run = (program: string, words: readonly string[]): { readonly stdout: string; readonly status: number | null } => spawnSync(program, words, { encoding: 'utf8', timeout: 60_000 });
  const asked = (run('apt-get', ['update', '--print-uris']).stdout ?? '').matchAll(/^'([^']+)'/gm);
  const url = [...asked].map(([, found = '']) => found).find((found) => found.endsWith(`/dists/${codename}/InRelease`));
  if (url === undefined) return 'this machine has no apt source of its own codename';
  await using dir = await tempDir();
  const found = run('/usr/lib/apt/apt-helper', ['download-file', url, dir.join('InRelease')]);
  return found.status === 0 ? undefined : 'the apt source of this machine does not answer';
}

rooted('F22 this machine\'s own distribution becomes a root filesystem in which dpkg finds nothing amiss', async (t) => {
  t.timeout(600_000);
  await using dir = await tempDir();
  const machine = thisMachine();
  const codename = await machine.codename();
  const config = await loadConfig({ root: dir.path, environment: {}, sources: sources({ 'vars/a.yml': 'base_repositories: {system: [{system: yes}]}\n' }) });
  const ctx = testContext();
  const base = await (await baseRepositories(config, codename, { machine, keys: dir.join('keys') })).resolve();
  const spec = { codename, architecture: await machine.architecture(), sources: base, packages: [] };
  const root = await prepareRoot(spec, { cache: dir.join('cache'), network: (await machine.settings()).proxy }, ctx);

  t.true(root.packages.some(({ name }) => name === 'dpkg'));
  t.is((await runIn(root, ['dpkg', '--audit'], { temporary: dir.join('tmp'), user: 'root' }, ctx)).output, '');
  t.is((await runIn(root, ['apt-cache', 'policy'], { temporary: dir.join('tmp') }, ctx)).output.includes('://'), false, 'it knows no source');
  t.deepEqual(leftBehind(dir.path), []);
});
