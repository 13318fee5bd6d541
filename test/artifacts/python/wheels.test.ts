import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { pythonTasks } from '../../../src/artifacts/python/tasks.ts';
import type { PythonSpec } from '../../../src/artifacts/python/spec.ts';
import type { MadeArtifact, Workshop } from '../../../src/artifacts/kind.ts';
import { ArtifactsError } from '../../../src/core/errors.ts';
import { builtWheel, indexFiles, pythonSpec, sdist } from '../../rig/python.ts';
import { runCommand } from '../../rig/run.ts';
import { serve, type RigServer } from '../../rig/server.ts';
import { testWith } from '../../rig/skip.ts';
import { tempDir, type TempDir } from '../../rig/temp.ts';
import { canBuild, machineRoot, TestRelease, testWorkshop, whyNot } from './workshop.ts';

const buildTest = testWith(canBuild, whyNot);
const PLACE = 'os-releases/r1.0.0/rig-1-x86_64';
const PREFIX = '/openstack/venvs/svc-r1.0.0';

const LINKED = `#include <Python.h>
#include <zlib.h>
static PyObject *version(PyObject *self, PyObject *none) { return PyUnicode_FromString(zlibVersion()); }
static PyMethodDef methods[] = {{"version", version, METH_NOARGS, 0}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_linked", 0, -1, methods};
PyMODINIT_FUNC PyInit__linked(void) { return PyModule_Create(&module); }
`;

interface Made {
  readonly dir: TempDir;
  readonly index: RigServer;
  readonly workshop: Workshop;
  readonly release: TestRelease;
  readonly spec: PythonSpec;
  readonly wheels: MadeArtifact;
  readonly venv: MadeArtifact;
}

let shared: Promise<Made> | undefined;

/** A release with an extension module, a chain of dependencies, a wheel that is taken as it is, and a service. */
function made(): Promise<Made> {
  return (shared ??= makeRelease());
}

async function makeRelease(): Promise<Made> {
  const dir = await tempDir();
  const index = await serve(
    indexFiles({
      linked: [sdist({ name: 'linked', extension: { source: LINKED, libraries: ['z'] } })],
      plain: [sdist({ name: 'plain', metadata: ['Requires-Dist: dep>=1', 'Requires-Python: >=3.6'], scripts: ['plain'] }), sdist({ name: 'plain', version: '2.0' })],
      dep: [sdist({ name: 'dep', version: '1.5', buildRequires: ['helper'] }), sdist({ name: 'dep', version: '3.0' })],
      helper: [sdist({ name: 'helper' })],
      both: [sdist({ name: 'both' }), builtWheel('both')],
    }),
  );
  const workshop = await testWorkshop(dir);
  const getPip = dir.join('get-pip.py');
  await writeFile(getPip, 'print("pip")\n');
  const spec = pythonSpec({
    indexes: [{ name: 'rig', url: `${index.url}/simple`, packages: ['*'] }],
    requirements: ['Linked', 'both', 'absent; python_version < "3"'],
    overrides: ['dep==1.5'],
    constraints: ['plain===1.0', 'dep===3.0'],
    getPip,
    services: [{ name: 'svc', requirements: ['plain'], prefix: PREFIX }],
  });
  const release = new TestRelease(workshop);
  const [wheelsTask, venvTask] = pythonTasks(spec, async () => machineRoot);
  const wheels = await release.make(wheelsTask!);
  const venv = await release.make(venvTask!);
  await release.list(PLACE);
  return { dir, index, workshop, release, spec, wheels, venv };
}

test.after.always(async () => {
  if (shared === undefined) return;
  const { dir, index } = await shared;
  await index.close();
  await dir[Symbol.asyncDispose]();
});

const read = ({ workshop }: Made, path: string): string => readFileSync(join(workshop.publicRoot, path), 'utf8');
const pip = (args: readonly string[]) => runCommand('/usr/bin/python3', ['-m', 'pip', '--isolated', 'install', '--no-cache-dir', '--disable-pip-version-check', ...args], { env: { PIP_CONFIG_FILE: '/dev/null' } });

buildTest('F18 F19 F21 the lists of a release: requirements, layered constraints, absolute requirements with hashes, the manifest', async (t) => {
  const release = await made();
  const absolute = read(release, `${PLACE}/requirements_absolute_requirements.txt`).trimEnd().split('\n');
  const manifest = read(release, `${PLACE}/MANIFEST.in`).trimEnd().split('\n');

  t.is(release.wheels.detail, '4 wheels: 3 built, 0 reused, 1 taken from an index');
  t.is(read(release, `${PLACE}/requirements.txt`), 'absent; python_version < "3"\nboth\nLinked\nplain\n');
  t.is(read(release, `${PLACE}/requirements_constraints.txt`), 'dep==1.5\nplain==1.0\n');
  t.deepEqual(absolute.map((line) => line.split(' ')[0]), ['both==1.0', 'dep==1.5', 'linked==1.0', 'plain==1.0']);
  for (const line of absolute) t.regex(line, / --hash=sha256:[0-9a-f]{64}$/);
  t.deepEqual(manifest.filter((path) => !existsSync(join(release.workshop.publicRoot, path))), []);
  t.regex(manifest[0] ?? '', /^pools\/rig-1-x86_64\/both\/both-1\.0-py3-none-any\.whl$/);
  t.is(manifest.filter((path) => path.endsWith('.whl')).length, 8);
  for (const file of ['get-pip.py', 'SHA256SUMS', 'simple/plain/index.json', 'lock.json', 'venv-build-options-svc.txt']) t.true(manifest.includes(`${PLACE}/${file}`), file);
  const sums = await runCommand('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: join(release.workshop.publicRoot, PLACE) });
  t.is(sums.status, 0, sums.stdout);
});

buildTest('the lock names every input by its digest, and the library of the frozen system a wheel is linked against', async (t) => {
  const release = await made();
  const { wheels } = JSON.parse(read(release, `${PLACE}/lock.json`)) as { wheels: { name: string; linked: { library: string; package: string; version: string }[]; from: { kind: string; sha256: string }; builtWith: { name: string; sha256: string }[] }[] };
  const installed = (await runCommand('dpkg-query', ['-W', '-f', '${Version}', 'zlib1g'])).stdout;
  const linked = wheels.find(({ name }) => name === 'linked');

  t.deepEqual(linked?.linked.find(({ library }) => library === 'libz.so.1'), { library: 'libz.so.1', package: 'zlib1g', version: installed });
  t.deepEqual(wheels.map(({ name, from }) => [name, from.kind]), [['both', 'index'], ['dep', 'archive'], ['linked', 'archive'], ['plain', 'archive']]);
  t.deepEqual(wheels.find(({ name }) => name === 'dep')?.builtWith.map(({ name }) => name), ['helper']);
  t.true(wheels.every(({ from }) => /^[0-9a-f]{64}$/.test(from.sha256)));
});

buildTest('P05: pip installs with hashes, from links without an index, and refuses another file of that name', async (t) => {
  const release = await made();
  const { workshop, dir } = release;
  const list = join(workshop.publicRoot, PLACE, 'requirements_absolute_requirements.txt');
  const result = await pip(['--require-hashes', '--no-index', '--find-links', join(workshop.publicRoot, 'links'), '--target', dir.join('by-links'), '-r', list]);
  const imported = await runCommand('/usr/bin/python3', ['-c', 'import plain, dep, both, _linked; print(_linked.version())'], { env: { PYTHONPATH: dir.join('by-links') } });
  await writeFile(dir.join('other.txt'), readFileSync(list, 'utf8').replace(/(plain==1\.0 --hash=sha256:).{64}/, `$1${'0'.repeat(64)}`));
  const refused = await pip(['--require-hashes', '--no-index', '--find-links', join(workshop.publicRoot, 'links'), '--target', dir.join('refused'), '-r', dir.join('other.txt')]);

  t.is(result.status, 0, result.stderr);
  t.regex(imported.stdout, /^1\./, imported.stderr);
  t.not(refused.status, 0);
});

buildTest('F19 pip installs by the index, over HTTP and from the file system, and from the page of all wheels', async (t) => {
  const release = await made();
  const { workshop, dir } = release;
  await using server = await serveFolder(workshop.publicRoot);
  const list = join(workshop.publicRoot, PLACE, 'requirements_absolute_requirements.txt');
  const http = await pip(['--index-url', `${server.url}/${PLACE}/simple/`, '--target', dir.join('by-index'), '-c', join(workshop.publicRoot, PLACE, 'requirements_constraints.txt'), 'plain']);
  const file = await pip(['--require-hashes', '--index-url', `file://${workshop.publicRoot}/${PLACE}/simple/`, '--target', dir.join('by-file'), '-r', list]);
  // As a role of RPC-O does, with what the overrides set.
  const constrained = await pip(['--no-index', '--find-links', `${server.url}/${PLACE}/`, '--target', dir.join('constrained'), '-c', `${server.url}/${PLACE}/requirements_absolute_constraints.txt`, 'plain']);
  const links = await pip(['--no-index', '--find-links', `${server.url}/wheels/`, '--target', dir.join('by-page'), 'plain']);

  t.is(http.status, 0, http.stderr);
  t.is(file.status, 0, file.stderr);
  t.is(links.status, 0, links.stderr);
  t.is(constrained.status, 0, constrained.stderr);
  t.true(existsSync(dir.join('by-index', 'dep.py')) && existsSync(dir.join('by-page', 'dep.py')));
  const document = JSON.parse(read(release, `${PLACE}/simple/plain/index.json`)) as { files: { filename: string; 'requires-python': string; 'core-metadata': { sha256: string } }[] };
  const served = readFileSync(join(workshop.publicRoot, PLACE, `${document.files[0]?.filename}.metadata`));
  t.is(document.files[0]?.['requires-python'], '>=3.6');
  t.is(document.files[0]?.['core-metadata'].sha256, createHash('sha256').update(served).digest('hex'));
});

buildTest('F20 P10: the virtualenv holds the service and what it needs, runs, and names no folder of its build', async (t) => {
  const release = await made();
  const { workshop, dir, venv } = release;
  const stem = join(workshop.publicRoot, 'venvs/r1.0.0/rig-1-x86_64/svc-r1.0.0-x86_64');
  const folder = dir.join('unpacked');
  await mkdir(folder);
  await runCommand('tar', ['-xzf', `${stem}.tgz`, '-C', folder]);
  const names = readdirSync(folder, { recursive: true }).map(String);
  const run = await runCommand(join(folder, 'bin/python3'), ['-c', 'import plain, dep; plain.main()']);

  t.is(run.stdout, 'plain 1.0\n', run.stderr);
  t.is(readFileSync(join(folder, 'bin/plain'), 'utf8').split('\n')[0], `#!${PREFIX}/bin/python3`);
  t.deepEqual(names.filter((name) => name.endsWith('.pyc') || name.includes('linked')), []);
  t.is((await runCommand('grep', ['-rlE', '/tmp/(build|pip-|artifacts)', folder])).stdout, '');
  t.is((await runCommand('sha256sum', ['--check', `${stem}.tgz.sha256`], { cwd: join(stem, '..') })).status, 0);
  t.true((await runCommand('sha1sum', [`${stem}.tgz`])).stdout.startsWith(readFileSync(`${stem}.checksum`, 'utf8').trim()));
  t.like(venv.facts, { service: 'svc', prefix: PREFIX });
});

buildTest('two builds from nothing give the same bytes; a third on the cache builds nothing', async (t) => {
  const { dir, spec, release } = await made();
  const workshop = await testWorkshop(dir, 'other');
  const other = new TestRelease(workshop);
  const [wheels, venv] = pythonTasks(spec, async () => machineRoot);
  await other.make(wheels!);
  await other.make(venv!);
  const digests = (of: TestRelease) => [...of.artifacts.values()].flatMap(({ files }) => files.map(({ path, sha256 }) => `${sha256} ${path}`));

  t.deepEqual(digests(other), digests(release));
  t.is((await other.make(wheels!)).detail, '4 wheels: 0 built, 3 reused, 1 taken from an index');
});

buildTest('F18 sources only: an archive is built although the index has a wheel; without build isolation as well', async (t) => {
  const { dir, spec } = await made();
  const release = new TestRelease(await testWorkshop(dir, 'source'));
  const [wheels] = pythonTasks({ ...spec, requirements: ['both'], constraints: [], overrides: [], services: [], noBinary: ['*'], isolation: false }, async () => machineRoot);

  t.is((await release.make(wheels!)).detail, '1 wheel: 1 built, 0 reused, 0 taken from an index');
});

buildTest('what is pinned to git is built from the tarball of the release and from nowhere else', async (t) => {
  const { dir, spec } = await made();
  const workshop = await testWorkshop(dir, 'git');
  const release = new TestRelease(workshop);
  await writeFile(dir.join('plain.tgz'), sdist({ name: 'plain', version: '7.0.dev1', metadata: ['Requires-Dist: both'] }).bytes);
  await release.add('git upstream', 'git', { files: [{ path: 'git-archives/r1.0.0/upstream.tgz', from: dir.join('plain.tgz') }], facts: { commit: 'c'.repeat(40) } });
  const [wheels] = pythonTasks({ ...spec, requirements: [], git: [{ name: 'upstream', subdirectory: undefined }], services: [] }, async () => machineRoot);
  await release.make(wheels!);
  const file = (name: string): string => readFileSync(join(workshop.publicRoot, PLACE, name), 'utf8');

  t.deepEqual(wheels?.needs, ['publish apt-mirror/integrated r1.0.0-rig', 'git upstream']);
  t.is(file('requirements_constraints.txt'), `dep==1.5\nplain==7.0.dev1 # ${'c'.repeat(40)}\n`);
  t.regex(file('requirements_absolute_requirements.txt'), /^both==1\.0 .*\nplain==7\.0\.dev1 --hash/);
  await release.list(PLACE);
  t.regex(file('MANIFEST.in'), /\nopenstackgit\/upstream\n$/);
});

buildTest('a machine without a pip to ask needs none where all comes from git; where something does not, that is the reason', async (t) => {
  const { dir } = await made();
  const release = new TestRelease(await testWorkshop(dir, 'no-index'));
  await writeFile(dir.join('alone.tgz'), sdist({ name: 'alone' }).bytes);
  await release.add('git alone', 'git', { files: [{ path: 'git-archives/r1.0.0/alone.tgz', from: dir.join('alone.tgz') }], facts: { commit: 'd'.repeat(40) } });
  const fallbackIndex = () => Promise.reject(new ArtifactsError('E_CONFIG', 'no pip'));
  const spec = pythonSpec({ git: [{ name: 'alone', subdirectory: undefined }], fallbackIndex });
  const [wheels] = pythonTasks(spec, async () => machineRoot);
  const [lacking] = pythonTasks({ ...spec, requirements: ['other'] }, async () => machineRoot);

  t.is((await release.make(wheels!)).detail, '1 wheel: 1 built, 0 reused, 0 taken from an index');
  await t.throwsAsync(release.make(lacking!), { code: 'E_CONFIG', message: 'no pip' });
});

buildTest('versions that do not go together are named; nothing is made', async (t) => {
  const { dir, spec } = await made();
  const release = new TestRelease(await testWorkshop(dir, 'conflict'));
  const [wheels] = pythonTasks({ ...spec, requirements: ['plain'], overrides: ['dep==0.1'], services: [] }, async () => machineRoot);

  await t.throwsAsync(release.make(wheels!), { code: 'E_TOOL', message: /^Choosing versions: ERROR: .*dep/ });
});

/** A static server nobody here wrote: Python's own. */
async function serveFolder(folder: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = spawn('/usr/bin/python3', ['-u', '-m', 'http.server', '--bind', '127.0.0.1', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  const port = / port (\d+)/.exec(line.toString())?.[1] ?? '';
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.kill();
      await once(server, 'close');
    },
  };
}
