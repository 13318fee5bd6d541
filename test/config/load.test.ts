import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { ArtifactsError } from '../../src/core/errors.ts';
import { KEY, load, mirror, mirrors, problemsIn, problemsOf } from './support.ts';

const SMALLEST = {
  'vars/aptly.yml': `# vars/aptly.yml
aptly_architectures: [amd64]
aptly_mirrors:
  - name: debian-bookworm
    archive_url: system:bookworm          # or an URL
    distribution: bookworm
    components: [main]
    gpg: {key: [${KEY}], keyring: keys/upstream.asc}   # with system: the source's own Signed-By serves
    filter: "Name (= hello) | Name (= jq)"
    filter_with_deps: true
`,
  'vars/releases.yml': 'releases:\n  r1.0.0: {codenames: [bookworm], state: draft}\n',
  'mappings/miko.yml': 'aptly_miko_mapping:\n  r1:\n    bookworm: [debian-bookworm]\n',
  'mappings/n.yml': 'aptly_n_mapping:\n  r1:\n    bookworm: []\n',
};

test('the smallest complete configuration loads from a folder as it stands', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'config-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(SMALLEST)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }

  const config = await loadConfig({ root, environment: {} });

  t.is(config.root, root);
  const [found] = config.mirrors;
  t.like(found, {
    name: 'debian-bookworm',
    upstream: { kind: 'system', suite: 'bookworm' },
    distribution: 'bookworm',
    components: ['main'],
    architectures: ['amd64'],
    filter: 'Name (= hello) | Name (= jq)',
    filterWithDeps: true,
    fingerprints: [KEY],
    keyrings: [join(root, 'keys/upstream.asc')],
    present: true,
    update: true,
    place: { file: 'vars/aptly.yml', line: 4, column: 5 },
  });
  t.like(config.releases[0], { name: 'r1.0.0', series: 'r1', codenames: ['bookworm'], state: 'draft' });
  t.deepEqual(config.miko.get('r1')?.get('bookworm'), ['debian-bookworm']);
  t.deepEqual(config.independent.get('r1')?.get('bookworm'), []);
  t.is(config.mergePolicy, 'no-remove');
});

test('every yaml file below vars and mappings is read, hidden and other files are not', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'config-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'vars/deep/er'), { recursive: true });
  await writeFile(join(root, 'vars/deep/er/a.yaml'), 'aptly_architectures: [arm64]\n');
  await writeFile(join(root, 'vars/.#a.yml'), 'not: [right\n');
  await writeFile(join(root, 'vars/README.md'), 'not: [right\n');
  await writeFile(join(root, 'vars/old.yml~'), 'not: [right\n');

  const config = await loadConfig({ root, environment: {} });

  t.deepEqual(config.architectures, ['arm64']);
});

test('a root without vars and mappings is refused with what to do', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'config-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));

  const error = await t.throwsAsync(loadConfig({ root, environment: {} }), { instanceOf: ArtifactsError });

  t.is(error.code, 'E_CONFIG');
  t.regex(error.hint ?? '', /--root/);
});

test('all problems are told at once, each with its place, the first in the message', async (t) => {
  const files = {
    'vars/a.yml': `aptly_mirorrs: []\naptly_architectures: [AMD64!]\n${mirrors(mirror('good'), mirror('bad', 'fliter: x'))}`,
    'vars/b.yml': 'publish: {keep_generations: 0, keep_for: -1d}\n',
    'mappings/m.yml': 'aptly_miko_mapping:\n  r1:\n    bookworm: [good, bda]\n',
  };

  const error = await t.throwsAsync(load(files), { instanceOf: ArtifactsError, code: 'E_CONFIG' });

  t.deepEqual(await problemsOf(files), [
    'mappings/m.yml:3:22: aptly_miko_mapping.r1.bookworm[1]: no mirror or repository is called "bda"; did you mean "bad"?',
    'vars/a.yml:1:1: unknown key "aptly_mirorrs"; did you mean "aptly_mirrors"?',
    'vars/a.yml:2:23: aptly_architectures[0]: "AMD64!" is no architecture; write one like amd64, or native for the machine\'s own',
    'vars/a.yml:14:5: aptly_mirrors[1]: unknown key "fliter"; did you mean "filter"?',
    'vars/b.yml:1:29: publish.keep_generations: must be at least 1',
    'vars/b.yml:1:42: publish.keep_for: "-1d" is no duration; write one like 7d, 36h or 90m',
  ]);
  t.true(error.message.startsWith('mappings/m.yml:3:22: '));
  t.true(error.message.endsWith('(and 5 more)'));
  t.false(error.message.includes('\n'));
});

test('a variable set in two files is refused with both places', async (t) => {
  const problems = await problemsOf({
    'vars/a.yml': 'aptly_architectures: [amd64]\n',
    'vars/b.yml': '\naptly_architectures: [i386]\n',
  });

  t.deepEqual(problems, ['vars/b.yml:2:1: aptly_architectures is set here and at vars/a.yml:1:1']);
});

test('mappings and releases are joined by series from several files, but each stands once', async (t) => {
  const files = {
    'vars/a.yml': mirrors(mirror('one')),
    'vars/r1.yml': 'releases: {r1.0: {codenames: [bookworm]}}\n',
    'vars/r2.yml': 'releases: {r2.0: {codenames: [trixie]}}\n',
    'mappings/r1.yml': 'aptly_miko_mapping: {r1: {bookworm: [one]}}\naptly_n_mapping: {r1: {bookworm: []}}\n',
    'mappings/r2.yml': 'aptly_miko_mapping: {r2: {trixie: [one]}}\naptly_n_mapping: {r2: {trixie: [{src: one, dest: apart}]}}\n',
  };

  const config = await load(files);
  t.deepEqual([...config.miko.keys()], ['r1', 'r2']);
  t.deepEqual(config.independent.get('r2')?.get('trixie'), [{ source: 'one', dest: 'apart' }]);
  t.deepEqual(config.releases.map((release) => release.place.file), ['vars/r1.yml', 'vars/r2.yml']);

  const twice = await problemsOf({ ...files, 'mappings/x.yml': 'aptly_miko_mapping:\n  r1: {}\n' });
  t.deepEqual(twice, ['mappings/x.yml:2:3: aptly_miko_mapping.r1 is set here and at mappings/r1.yml:1:22']);
});

test('what is empty is as good as not there', async (t) => {
  const config = await load({ 'vars/a.yml': 'aptly_mirrors:\naptly_repos:\n', 'vars/b.yml': '', 'vars/c.yml': '---\n# only this\n' });

  t.deepEqual(config.mirrors, []);
  t.deepEqual(config.architectures, ['native']);
});

test('defaults and written settings of publishing, downloads and signing', async (t) => {
  const plain = await load({ 'vars/a.yml': '' });
  t.deepEqual(plain.publish, {
    origin: 'artifacts',
    label: 'artifacts',
    keepGenerations: 3,
    keepFor: 86_400_000,
    validFor: undefined,
    signedBy: false,
    contents: false,
  });
  t.deepEqual(plain.downloads, { parallel: 16, proxy: undefined });
  t.deepEqual(plain.signing, { keys: [], publicKey: undefined });

  const written = await load({
    'vars/a.yml': [
      'publish: {origin: Example, label: Platform, keep_generations: 5, keep_for: 1d12h, valid_for: 7d, signed_by: yes, contents: on}',
      'downloads: {parallel: 4, proxy: "http://proxy.example.org:3128"}',
      'signing:',
      '  public_key: keys/public.asc',
      '  keys:',
      '    - {file: /etc/keys/a.asc, passphrase_file: keys/a.pass}',
      `    - {agent: "${KEY.toLowerCase()}"}`,
    ].join('\n'),
  });
  t.like(written.publish, { origin: 'Example', label: 'Platform', keepGenerations: 5, keepFor: 36 * 3_600_000, validFor: 7 * 86_400_000, signedBy: true, contents: true });
  t.deepEqual(written.downloads, { parallel: 4, proxy: 'http://proxy.example.org:3128' });
  t.deepEqual(written.signing, {
    publicKey: '/nowhere/keys/public.asc',
    keys: [
      { kind: 'file', file: '/etc/keys/a.asc', passphraseFile: '/nowhere/keys/a.pass' },
      { kind: 'agent', fingerprint: KEY, home: undefined },
    ],
  });
});

test('a signing key is either a file or in an agent, and never the key itself', async (t) => {
  t.deepEqual(await problemsIn(`signing: {keys: [{file: a.asc, agent: ${KEY}}, {passphrase_file: x}]}`), [
    '1:18: signing.keys[0]: write either file (and passphrase_file) or agent (and home)',
    `1:${18 + `{file: a.asc, agent: ${KEY}}, `.length}: signing.keys[1]: write either file (and passphrase_file) or agent (and home)`,
  ]);
  const [inline = ''] = await problemsIn('signing:\n  keys:\n    - file: |\n        -----BEGIN PGP PRIVATE KEY BLOCK-----\n        c2VjcmV0\n');
  t.regex(inline, /is a key itself; give the path/);
  t.false(inline.includes('c2VjcmV0'));
});

test('merge flags are those of aptly, and exclude each other', async (t) => {
  const policy = async (value: string): Promise<string> => (await load({ 'vars/a.yml': `aptly_snapshot_merge_flags: ${value}\n` })).mergePolicy;

  t.is(await policy('"-no-remove=true"'), 'no-remove');
  t.is(await policy('[-latest=true]'), 'latest');
  t.is(await policy('"-latest"'), 'latest');
  t.is(await policy('"-no-remove=false"'), 'replace');
  t.is(await policy('""'), 'replace');
  t.is(await policy('[]'), 'replace');
  t.deepEqual(await problemsIn('aptly_snapshot_merge_flags: "-no-remove -latest"'), [
    '1:29: aptly_snapshot_merge_flags: no-remove and latest exclude each other',
  ]);
  t.regex((await problemsIn('aptly_snapshot_merge_flags: "-newest"')).join(), /"-newest" is unknown/);
});

test('variables of RPC-O without a meaning here are listed as ignored', async (t) => {
  const config = await load({ 'vars/a.yml': 'aptly_user: aptly\nwebservice_owner: nginx\n' });

  t.deepEqual(config.ignored.map(({ name, line }) => [name, line]), [
    ['aptly_user', 1],
    ['webservice_owner', 2],
  ]);
});

test('a keyring that does not exist is one warning for all its mirrors', async (t) => {
  const { warnings } = await load({ 'vars/a.yml': mirrors(mirror('one'), mirror('two')) });

  t.deepEqual(warnings.map(formatProblem), [
    'vars/a.yml:2:5: the keyring /nowhere/keys/upstream.asc of mirror one (and 1 more) does not exist',
  ]);
});

test('five thousand mirrors load in reasonable time', async (t) => {
  const names = Array.from({ length: 5000 }, (_, index) => `mirror-${index}`);
  const started = Date.now();

  const config = await load({
    'vars/a.yml': mirrors(...names.map((name) => mirror(name))),
    'mappings/m.yml': `aptly_miko_mapping:\n  r1:\n    bookworm:\n${names.map((name) => `      - ${name}\n`).join('')}`,
    'vars/r.yml': 'releases: {r1.0: {codenames: [bookworm]}}\n',
  });

  t.is(config.mirrors.length, 5000);
  // A second on an idle machine; what must not happen is quadratic work, which takes minutes.
  t.true(Date.now() - started < 20_000);
});
