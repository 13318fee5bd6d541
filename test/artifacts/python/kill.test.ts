/** Wheels and virtualenvs that are not finished: what is left of a killed build, and what pip finds amiss at the end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { pythonTasks } from '../../../src/artifacts/python/tasks.ts';
import { indexFiles, pythonSpec, sdist } from '../../rig/python.ts';
import { PROJECT } from '../../rig/run.ts';
import { serve } from '../../rig/server.ts';
import { testWith } from '../../rig/skip.ts';
import { tempDir, testContext } from '../../rig/temp.ts';
import { leftBehind } from '../../sandbox/support.ts';
import { canBuild, machineRoot, TestRelease, testWorkshop, whyNot } from './workshop.ts';

const buildTest = testWith(canBuild, whyNot);

/** Makes the wheels of a specification in a process of its own. */
const MAKE = `
const [tasks, state, spec] = process.argv.slice(1);
const { pythonTasks } = await import(tasks);
const { mkdirSync, mkdtempSync } = await import('node:fs');
const temporary = state + '/tmp';
mkdirSync(temporary, { recursive: true });
const workshop = { publicRoot: state + '/public', cache: (name) => state + '/cache/' + name, cacheBelow: () => undefined, temporary, clock: () => new Date(), environment: {} };
const [wheels] = pythonTasks({ ...JSON.parse(spec), base: { described: [], resolve: async () => [] } }, async () => ({ path: '/', digest: '0', packages: [] }));
await wheels.make({ release: 'r1.0.0', build: '', folder: mkdtempSync(temporary + '/made-'), needed: new Map(), workshop, pathOf: () => '' }, { signal: new AbortController().signal, report() {} });
`;

buildTest('X01 X11 a process killed while a wheel is built leaves no process and no mount, and the next one builds it', async (t) => {
  await using dir = await tempDir();
  const mark = `5${process.pid}`;
  const state = dir.join('state');
  await mkdir(state);
  await using index = await serve(indexFiles({ slow: [sdist({ name: 'slow', hook: `import subprocess; subprocess.run(["sleep", "${mark}"])` })] }));
  const changes = { requirements: ['slow==1.0'], indexes: [{ name: 'rig', url: `${index.url}/simple`, packages: ['*'] }] };
  const words = [pathToFileURL(join(PROJECT, 'build/src/artifacts/python/tasks.js')).href, state, JSON.stringify(pythonSpec(changes))];
  const program = spawn(process.execPath, ['--input-type=module', '-e', MAKE, ...words], { stdio: 'inherit' });
  const ended = once(program, 'exit');
  while (leftBehind(`sleep ${mark}`).length === 0) await Promise.race([sleep(20), ended.then(() => Promise.reject(new Error('it ended')))]);

  program.kill('SIGKILL');
  await ended;

  while (leftBehind(state).length > 0 || leftBehind(`sleep ${mark}`).length > 0) await sleep(20); // ava's own limit ends this if they stay
  const left = readdirSync(join(state, 'tmp'));
  t.deepEqual(left.map((name) => name.slice(0, 5)), ['made-'], 'all it left lies in the folder of the task, which the next build removes');
  t.deepEqual(readdirSync(join(state, 'cache/python')).includes('wheels'), false, 'nothing half made counts as built');

  await using mended = await serve(indexFiles({ slow: [sdist({ name: 'slow' })] }));
  const spec = pythonSpec({ ...changes, indexes: [{ name: 'rig', url: `${mended.url}/simple`, packages: ['*'] }] });
  const [wheels] = pythonTasks(spec, async () => machineRoot);
  const made = await new TestRelease(await testWorkshop(dir)).make(wheels!);
  t.is(made.detail, '1 wheel: 1 built, 0 reused, 0 taken from an index');
  t.deepEqual(leftBehind(state), []);
});

buildTest('a virtualenv in which pip check finds something missing is refused', async (t) => {
  await using dir = await tempDir();
  // An old kind of metadata beside the wheel's own: choosing versions does not see it, whoever imports it does.
  const spoil = `
for path, data in (("PKG-INFO", b"Metadata-Version: 2.1\\nName: ghost\\nVersion: 1.0\\n"), ("requires.txt", b"nowhere\\n")):
    files["ghost-1.0.egg-info/" + path] = data
    record.append("ghost-1.0.egg-info/%s,%s,%d" % (path, sums(data), len(data)))
`;
  await using index = await serve(indexFiles({ haunted: [sdist({ name: 'haunted', spoil })] }));
  const indexes = [{ name: 'rig', url: `${index.url}/simple`, packages: ['*'] }];
  const spec = pythonSpec({ requirements: ['haunted==1.0'], indexes, services: [{ name: 'svc', requirements: ['haunted'], prefix: '/openstack/venvs/svc' }] });
  const [wheels, venv] = pythonTasks(spec, async () => machineRoot);
  const release = new TestRelease(await testWorkshop(dir));
  await release.make(wheels!);

  const error = await t.throwsAsync(release.make(venv!, testContext()));

  t.like(error, { code: 'E_TOOL' });
  t.regex(error.message, /^The virtualenv of svc: .*ghost 1\.0 requires nowhere, which is not installed/);
});
