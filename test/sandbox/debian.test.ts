import { baseRepositories } from '../../src/config/base-repositories.ts';
import { thisMachine } from '../../src/config/machine.ts';
import { loadConfig } from '../../src/config/load.ts';
import { isArtifactsError } from '../../src/core/errors.ts';
import { prepareRoot } from '../../src/sandbox/prepare-root.ts';
import { runIn } from '../../src/sandbox/run-in.ts';
import { sources } from '../config/support.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, testContext } from '../rig/temp.ts';
import { leftBehind, sandboxReason } from './support.ts';

const rooted = testWith(sandboxReason === undefined, sandboxReason ?? '');

rooted('F22 this machine\'s own distribution becomes a root filesystem in which dpkg finds nothing amiss', async (t) => {
  t.timeout(600_000);
  await using dir = await tempDir();
  const machine = thisMachine();
  const codename = await machine.codename();
  const config = await loadConfig({ root: dir.path, environment: {}, sources: sources({ 'vars/a.yml': 'base_repositories: {system: [{system: yes}]}\n' }) });
  const ctx = testContext();
  try {
    const base = await (await baseRepositories(config, codename, { machine, keys: dir.join('keys') })).resolve();
    const spec = { codename, architecture: await machine.architecture(), sources: base, packages: [] };
    const root = await prepareRoot(spec, { cache: dir.join('cache'), network: (await machine.settings()).proxy }, ctx);

    t.true(root.packages.some(({ name }) => name === 'dpkg'));
    t.is((await runIn(root, ['dpkg', '--audit'], { temporary: dir.join('tmp'), user: 'root' }, ctx)).output, '');
    t.is((await runIn(root, ['apt-cache', 'policy'], { temporary: dir.join('tmp') }, ctx)).output.includes('://'), false, 'it knows no source');
    t.deepEqual(leftBehind(dir.path), []);
  } catch (error) {
    // A machine without a source, or whose archive cannot be reached just now, is no failure of ours.
    if (!isArtifactsError(error, 'E_FETCH') && !isArtifactsError(error, 'E_CONFIG')) throw error;
    t.log(`skipped: ${error.message}`);
    t.pass();
  }
});
