import test from 'ava';
import { comparableVersion, normalizeName, parseFileName } from '../../../src/artifacts/python/names.ts';
import { certainPins, layerConstraints, parseRequirement, parseRequirements, requirementLines } from '../../../src/artifacts/python/requirements.ts';
import { ArtifactsError } from '../../../src/core/errors.ts';
import { runCommand } from '../../rig/run.ts';
import { hasCommand, testWith } from '../../rig/skip.ts';

const python = testWith(hasCommand('/usr/bin/python3'), "needs the distribution's python3 with pip");

/** What pip's own library of the standards says. */
async function packaging<T>(expression: string): Promise<T> {
  const program = `import json\nfrom pip._vendor.packaging.utils import *\nfrom pip._vendor.packaging.version import Version\nprint(json.dumps(${expression}))`;
  const { stdout, stderr } = await runCommand('/usr/bin/python3', ['-c', program]);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

test('P09: names are normalized as PEP 503 says, and what is no name is refused', (t) => {
  for (const name of ['Foo_Bar', 'foo-bar', 'FOO.BAR', 'foo-_.bar']) t.is(normalizeName(name), 'foo-bar');
  for (const name of ['', '-foo', 'foo-', 'föo', 'foo/bar', '../foo', 'foo bar', 'fоо', 'x'.repeat(300), 'foo\n']) {
    t.throws(() => normalizeName(name), { instanceOf: ArtifactsError, code: 'E_FORMAT' }, JSON.stringify(name));
  }
});

python('names, wheel names and versions agree with the library pip uses', async (t) => {
  const names = ['Foo_Bar', 'a', 'zope.interface', 'A--B__C..D', 'PyYAML'];
  const versions = ['1.0', '1', '1.0.0', 'v1.0', '1.0-rc1', '1.0rc1', '1.0.RC1', '1.0.post1', '1.0-post1', '2.0', '10', '1.10', '1.1', '1!1.0', '1.0+local', '1.0+LOCAL', '1.0.dev3', '0.0', '0'];

  t.deepEqual(names.map(normalizeName), await packaging(`[canonicalize_name(n) for n in ${JSON.stringify(names)}]`));
  const equal = await packaging<boolean[][]>(`[[Version(a) == Version(b) for a in v] for b in v] if (v := ${JSON.stringify(versions)}) else 0`);
  for (const [a, row] of equal.entries()) {
    for (const [b, same] of row.entries()) {
      // Telling two equal ones apart costs time; telling different ones equal would be a mistake.
      if (comparableVersion(versions[a] ?? '') === comparableVersion(versions[b] ?? '')) t.true(same, `${versions[a]} ${versions[b]}`);
    }
  }
  t.is(comparableVersion('1.0.0'), comparableVersion('1'));
});

test('file names tell kind, project and version', (t) => {
  t.deepEqual(parseFileName('zope.interface-5.0-cp311-cp311-linux_x86_64.whl', 'zope-interface'), { kind: 'wheel', name: 'zope-interface', version: '5.0' });
  t.deepEqual(parseFileName('six-1.0-1build-py2.py3-none-any.whl', 'six')?.version, '1.0');
  t.deepEqual(parseFileName('python-dateutil-2.8.tar.gz', 'python-dateutil'), { kind: 'sdist', name: 'python-dateutil', version: '2.8' });
  t.deepEqual(parseFileName('Foo_Bar-1.0.post1.zip', 'foo-bar')?.version, '1.0.post1');
  for (const file of ['other-1.0.tar.gz', 'six-1.0.exe', 'six-1.0-py3-none.whl', '../six-1.0.tar.gz', 'six.tar.gz']) {
    t.is(parseFileName(file, 'six'), undefined, file);
  }
});

test('requirements: names with extras, versions and markers; pins are told', (t) => {
  const read = (text: string): unknown => parseRequirement(text, 'x');

  t.like(read('Foo_Bar[a, b]>=1,<2 ; python_version < "3.12"  # why'), { name: 'foo-bar', text: 'Foo_Bar[a, b]>=1,<2 ; python_version < "3.12"', pinned: undefined, conditional: true });
  t.like(read('six===1.16.0'), { name: 'six', pinned: '1.16.0', conditional: false });
  t.like(read('six (==1.16.0)'), { pinned: '1.16.0' });
  for (const open of ['six', 'six==1.*', 'six>=1', 'six==1,<2']) t.like(read(open), { pinned: undefined }, open);
  t.is(read('  # nothing'), undefined);
  t.deepEqual(parseRequirements('\uFEFFa==1 \\\r\n  ; python_version>"3"\r\n\r\nb\n', 'x').map(({ text }) => text), ['a==1 ; python_version>"3"', 'b']);
});

test('P05, P09: options, URLs and what is no requirement are refused with their place', (t) => {
  for (const line of ['-r other.txt', '--index-url http://x/', '-e .', 'six @ http://x/six.whl', 'git+https://x/y#egg=z', './six', 'six==1 --hash=sha256:0', 'föo', `${'x'.repeat(300)}==1`, 'six\u0000']) {
    const error = t.throws(() => parseRequirements(`ok\n${line}`, 'set: requirements'), { instanceOf: ArtifactsError, code: 'E_CONFIG' }, line);
    t.regex(error.message, /^set: requirements:2: /);
  }
});

test('F18 constraints are layered: git over overrides over upper constraints; === becomes ==', (t) => {
  const read = (text: string) => parseRequirements(text, 'x');
  const layers = {
    git: new Map([['nova', { version: '29.0.1.dev3', commit: 'abc' }]]),
    overrides: read('six==1.15\nnova==1'),
    upper: read("Six===1.16\nnumpy===1.26;python_version=='3.9'\nnumpy===2.0;python_version>='3.10'\nnova===28\nzake===0.2"),
  };

  t.deepEqual(layerConstraints(layers), ['nova==29.0.1.dev3 # abc', "numpy==1.26;python_version=='3.9'", "numpy==2.0;python_version>='3.10'", 'six==1.15', 'zake==0.2']);
  t.throws(() => layerConstraints({ ...layers, upper: read('a==1\na==2') }), { code: 'E_CONFIG', message: /"a==1" and "a==2"/ });
  t.deepEqual(requirementLines(read('b\na>1\nb\nA')), ['A', 'a>1', 'b']);
});

test('what is certain before anything is resolved: required without condition, held to one version', (t) => {
  const required = parseRequirements("a\nb==2\nc; python_version<'4'\nd\ne\nf", 'x');
  const constraints = ['a==1', 'b==3', 'c==1', "d==1; python_version<'4'", 'e>=1', 'other==1'];

  t.deepEqual([...certainPins(required, constraints)], [['a', '1'], ['b', '2']]);
});
