import { writeFile } from 'node:fs/promises';
import test from 'ava';
import { distributionOf, kernelArchitecture } from '../../src/config/distribution.ts';
import { loadConfig } from '../../src/config/load.ts';
import { thisMachine } from '../../src/config/machine.ts';
import { pipIndex } from '../../src/config/pip-index.ts';
import { findRelease } from '../../src/config/resolve-release.ts';
import { resolvePython } from '../../src/config/resolve-python.ts';
import type { PythonSpec } from '../../src/artifacts/python/spec.ts';
import { ArtifactsError } from '../../src/core/errors.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { load, problemsOf, sources } from './support.ts';

const RELEASES = 'aptly_miko_mapping: {r1: {rig: [], other: []}}\nreleases: {r1.0.0: {codenames: [rig]}}\n';

async function resolve(dir: TempDir, text: string): Promise<readonly PythonSpec[]> {
  await writeFile(dir.join('os-release'), 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=rig\n');
  const machine = thisMachine({ etc: dir.path, osRelease: dir.join('os-release'), architecture: 'amd64', aptConfig: '' });
  const config = await loadConfig({ root: dir.path, environment: {}, sources: sources({ 'vars/a.yml': RELEASES + text }) });
  return resolvePython(config, findRelease(config, 'r1.0.0'), {
    machine,
    environment: { PIP_INDEX_URL: 'http://index.example.org/simple' },
    codenames: ['rig'],
    base: async () => ({ described: [], resolve: async () => [] }),
    publication: (codename) => ({ node: `publish ${codename}`, prefix: 'p', suite: codename, components: ['main'], key: 'k' }),
  });
}

test('sets of a codename become one, with their files read and their defaults', async (t) => {
  await using dir = await tempDir();
  await writeFile(dir.join('upper.txt'), '# generated\nsix===1.16.0\n\nnumpy===2.0;python_version>="3.10"\n');
  const [spec, ...more] = await resolve(
    dir,
    `python_sets:
  - name: api
    requirements: [six, "Flask>=2"]
    constraints_files: upper.txt
    no_binary: all
    git: [keystone, {name: tools, subdirectory: python/lib}]
    build_packages: libffi-dev g++
    build_constraints: ["setuptools<70"]
    indexes: [{name: own, url: "http://own.example.org/simple", packages: [acme-*]}]
    get_pip: files/get-pip.py
    services: {keystone: [keystone, uwsgi]}
  - name: more
    requirements: |
      six
      # why
      attrs
    overrides: ["six==1.15"]
    build_isolation: no
    prefix: /opt/venvs
    services: {nova: [nova]}
python_mapping: {r1: {rig: [api, more]}}
`,
  );

  t.deepEqual(more, []);
  t.like(spec, {
    release: 'r1.0.0',
    distro: 'debian-12-x86_64',
    requirements: ['six', 'Flask>=2', 'six', 'attrs'],
    overrides: ['six==1.15'],
    constraints: ['six===1.16.0', 'numpy===2.0;python_version>="3.10"'],
    noBinary: ['*'],
    isolation: false,
    git: [{ name: 'keystone', subdirectory: undefined }, { name: 'tools', subdirectory: 'python/lib' }],
    buildPackages: ['g++', 'libffi-dev'],
    getPip: dir.join('files/get-pip.py'),
    services: [
      { name: 'keystone', requirements: ['keystone', 'uwsgi'], prefix: '/openstack/venvs/keystone-r1.0.0' },
      { name: 'nova', requirements: ['nova'], prefix: '/opt/venvs/nova-r1.0.0' },
    ],
    publication: { node: 'publish rig', prefix: 'p', suite: 'rig', components: ['main'], key: 'k' },
  });
  t.deepEqual(spec?.indexes.map(({ name }) => name), ['own']);
  t.is(typeof spec?.fallbackIndex, 'function');
});

test('a series or codename that is not mapped has no Python; two services of one name and a missing file are errors', async (t) => {
  await using dir = await tempDir();
  const sets = (more: string): string => `python_sets:\n  - {name: one, services: {svc: [a]}, indexes: [{name: i, url: "http://i.example.org/s"}]}\n  - {name: two, ${more}}\n`;

  t.deepEqual(await resolve(dir, sets('requirements: [b]')), []);
  t.deepEqual(await resolve(dir, `${sets('requirements: [b]')}python_mapping: {r1: {other: [one]}}\n`), []);
  const mapping = 'python_mapping: {r1: {rig: [one, two]}}\n';
  await t.throwsAsync(resolve(dir, sets('services: {svc: [b]}') + mapping), { code: 'E_CONFIG', message: /service svc stands in one and in two/ } as object);
  await t.throwsAsync(resolve(dir, sets('requirements_files: [gone.txt]') + mapping), { code: 'E_NOT_FOUND', message: /gone\.txt/ } as object);
  await t.throwsAsync(resolve(dir, sets('requirements: ["-r x"]') + mapping), { code: 'E_CONFIG', message: /two: requirements:1/ } as object);
});

test('mistakes are told with their place', async (t) => {
  const text = `python_sets:
  - name: one
    requirement: [six]
    no_binary: ["a b"]
    git: [{name: x, subdirectory: ../up}]
    build_packages: ["Not_A_Package"]
    prefix: relative/path
python_mapping: {r1: {rig: [on]}}
`;
  const problems = (await problemsOf({ 'vars/a.yml': RELEASES + text })).join('\n');

  for (const expected of [/unknown key "requirement"; did you mean "requirements"/, /subdirectory/, /Not_A_Package/, /relative\/path/, /no entry of python_sets is called "on"/]) t.regex(problems, expected);
});

test('what a distribution is called: as said, as the machine says, as distro-info-data knows, or not at all', async (t) => {
  await using dir = await tempDir();
  await writeFile(dir.join('os-release'), 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=rig\n');
  const machine = thisMachine({ osRelease: dir.join('os-release') });
  const config = await load({ 'vars/a.yml': 'distributions: {nowhere: acme-1.0}\n' });

  t.is(await distributionOf(config, 'nowhere', machine), 'acme-1.0');
  t.is(await distributionOf(config, 'rig', machine), 'debian-12');
  await t.throwsAsync(distributionOf(config, 'unheard-of', machine), { instanceOf: ArtifactsError, code: 'E_CONFIG' });
  t.is(kernelArchitecture('arm64'), 'aarch64');
});

testWith(hasCommand('python3') && hasCommand('pip3'), 'needs python3 with pip')('the default index is the one pip would ask', async (t) => {
  const url = 'http://user:word@index.example.org/a/very/long/path/that/would/be/broken/over/two/lines/of/a/narrow/terminal/simple';

  t.deepEqual(await pipIndex({ PIP_INDEX_URL: url }), { name: 'pip', url, packages: ['*'] });
  t.regex((await pipIndex({})).url, /^https?:\/\//);
});
