/** The real thing, once: a Debian root of a release and this machine's own sources, and an index that pip itself would ask. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { pythonTasks } from '../../../src/artifacts/python/tasks.ts';
import type { PythonSpec } from '../../../src/artifacts/python/spec.ts';
import { thisMachine } from '../../../src/config/machine.ts';
import { pipIndex } from '../../../src/config/pip-index.ts';
import type { AptSource } from '../../../src/sandbox/root.ts';
import { buildDeb } from '../../rig/deb.ts';
import { indexFiles, pythonSpec, sdist } from '../../rig/python.ts';
import { runCommand } from '../../rig/run.ts';
import { serve } from '../../rig/server.ts';
import { aptReaches } from '../../rig/online.ts';
import { hasCommand, testWith } from '../../rig/skip.ts';
import { tempDir, type TempDir } from '../../rig/temp.ts';
import { aptUpstream } from '../../rig/upstream.ts';
import { canBuild, TestRelease, testWorkshop, whyNot } from './workshop.ts';

const PLACE = 'os-releases/r1.0.0/debian-x86_64';
const machine = thisMachine();
const base = await machineSources();
const index = await reachableIndex();

const frozen = testWith(canBuild && hasCommand('mmdebstrap') && base.length > 0, `${whyNot}, mmdebstrap, and apt sources that answer`);
const live = testWith(canBuild && hasCommand('mmdebstrap') && base.length > 0 && index !== undefined, 'needs mmdebstrap, and a package index that pip is configured for and that answers');

let shared: TempDir | undefined;

/** A folder both tests use, so that the root is made once. */
async function folder(): Promise<TempDir> {
  if (shared === undefined) {
    shared = await tempDir();
    await publish(shared.join('state', 'public'));
  }
  return shared;
}

test.after.always(async () => shared?.[Symbol.asyncDispose]());
test.beforeEach((t) => t.timeout(900_000));

frozen('wheels are linked against the library the release froze, and the lock names its version', async (t) => {
  const dir = await folder();
  const source = '#include <Python.h>\n#include <quay.h>\nstatic struct PyModuleDef m = {PyModuleDef_HEAD_INIT, "_linked", 0, -1, 0};\nPyMODINIT_FUNC PyInit__linked(void) { PyObject *o = PyModule_Create(&m); PyModule_AddIntConstant(o, "number", quay_number()); return o; }\n';
  await using server = await serve(indexFiles({ linked: [sdist({ name: 'linked', extension: { source, libraries: ['quay'] } })] }));
  const release = new TestRelease(await testWorkshop(dir));
  const spec = frozenSpec({ requirements: ['linked'], indexes: [{ name: 'rig', url: `${server.url}/simple`, packages: ['*'] }], services: [{ name: 'svc', requirements: ['linked'], prefix: '/openstack/venvs/svc' }] });
  const [wheels, venv] = pythonTasks(spec);
  await release.make(wheels!);
  const lock = JSON.parse(readFileSync(join(dir.join('state', 'public'), PLACE, 'lock.json'), 'utf8')) as {
    root: { packages: { name: string; version: string }[] };
    wheels: { linked: object[] }[];
  };
  const made = await release.make(venv!);

  t.like(lock.wheels[0]?.linked.find((one) => 'library' in one && one.library === 'libquay.so.1'), { package: 'libquay', version: '7.0-1' });
  t.like(lock.root.packages.find(({ name }) => name === 'libquay'), { version: '7.0-1' });
  t.true(lock.root.packages.some(({ name }) => name === 'python3'));
  t.regex(made.detail, /projects in \/openstack\/venvs\/svc$/);
});

live('a real project is built from its source archive, with the build tools it asks for, and pip takes it from the release', async (t) => {
  const dir = await folder();
  const workshop = await testWorkshop(dir);
  const release = new TestRelease(workshop);
  const [wheels] = pythonTasks(frozenSpec({ requirements: ['PyYAML==6.0.2', 'six'], noBinary: ['pyyaml'], buildConstraints: ['cython<4'], indexes: index === undefined ? [] : [index] }));
  const made = await release.make(wheels!);
  await release.list(PLACE);
  const { wheels: locked } = JSON.parse(readFileSync(join(workshop.publicRoot, PLACE, 'lock.json'), 'utf8')) as { wheels: { name: string; from: { kind: string }; linked: { package: string }[]; builtWith: { name: string }[] }[] };
  const yaml = locked.find(({ name }) => name === 'pyyaml');
  const installed = await runCommand('/usr/bin/python3', ['-m', 'pip', '--isolated', 'install', '--no-cache-dir', '--require-hashes', '--index-url', `file://${workshop.publicRoot}/${PLACE}/simple/`, '--target', dir.join('yaml'), '-r', join(workshop.publicRoot, PLACE, 'requirements_absolute_requirements.txt')]);

  t.is(made.detail, '2 wheels: 1 built, 0 reused, 1 taken from an index');
  t.is(yaml?.from.kind, 'archive');
  t.true(yaml?.builtWith.some(({ name }) => name === 'setuptools') && yaml.builtWith.some(({ name }) => name === 'cython'));
  t.true(yaml?.linked.some((one) => one.package === 'libyaml-0-2'));
  t.is(installed.status, 0, installed.stderr);
  t.regex((await runCommand('/usr/bin/python3', ['-c', 'import yaml; print(yaml.__version__)'], { env: { PYTHONPATH: dir.join('yaml') } })).stdout, /^6\.0\.2/);
});

function frozenSpec(changes: Partial<PythonSpec>): PythonSpec {
  const publication = { node: 'publish', prefix: 'apt-mirror/integrated', suite: 'r1.0.0-frozen', components: ['main'], key: 'apt-mirror/release-signing-key.asc' };
  return pythonSpec({ codename: 'frozen', distro: 'debian-x86_64', publication, base: { described: [], resolve: async () => base }, buildPackages: ['libquay', 'libyaml-dev'], ...changes });
}

/** What the release itself published: a library nobody else has. */
async function publish(publicRoot: string): Promise<void> {
  const work = join(publicRoot, '..', 'library');
  await mkdir(work, { recursive: true });
  await writeFile(join(work, 'quay.c'), 'int quay_number(void) { return 42; }\n');
  spawnSync('gcc', ['-shared', '-fPIC', '-Wl,-soname,libquay.so.1', '-o', 'libquay.so', 'quay.c'], { cwd: work });
  const library = readFileSync(join(work, 'libquay.so'));
  const triplet = spawnSync('gcc', ['-print-multiarch']).stdout.toString().trim();
  const files = { [`usr/lib/${triplet}/libquay.so.1`]: library, [`usr/lib/${triplet}/libquay.so`]: library, 'usr/include/quay.h': 'int quay_number(void);\n' };
  const upstream = await aptUpstream({ codename: 'r1.0.0-frozen', components: { main: [buildDeb({ name: 'libquay', version: '7.0-1', files })] } });
  for (const [path, bytes] of upstream.files) {
    const target = join(publicRoot, 'apt-mirror/integrated', path);
    await mkdir(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
  writeFileSync(join(publicRoot, 'apt-mirror/release-signing-key.asc'), upstream.keyring);
}

/** This machine's sources of its own distribution that answer, with a keyring file each. */
async function machineSources(): Promise<readonly AptSource[]> {
  const codename = await machine.codename().catch(() => 'none');
  const { sources } = await machine.sources();
  const own = sources.filter(({ suite, keys }) => suite.startsWith(codename) && keys.files.length === 1 && existsSync(keys.files[0] ?? ''));
  const found = own.map(({ urls, suite, components, keys }) => ({ uri: urls[0] ?? '', suite, components, signedBy: keys.files[0] ?? '' }));
  return found.every(({ uri, suite }) => aptReaches(`${uri.replace(/\/$/, '')}/dists/${suite}/InRelease`)) ? found : [];
}

async function reachableIndex() {
  const found = await pipIndex(process.env).catch(() => undefined);
  const answer = found === undefined ? false : await fetch(`${found.url.replace(/\/$/, '')}/pyyaml/`, { signal: AbortSignal.timeout(15_000) }).then(({ ok }) => ok, () => false);
  return answer ? found : undefined;
}
