import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'ava';
import { describeMirror, mirrorFingerprint } from '../../src/config/describe-mirror.ts';
import { describeChange } from '../../src/release/plan.ts';
import type { Machine } from '../../src/config/machine.ts';
import { thisMachine } from '../../src/config/machine.ts';
import { findMirror, resolveMirror } from '../../src/config/resolve-mirror.ts';
import type { ResolvedMirror } from '../../src/config/resolve-mirror.ts';
import { findRelease, resolveRelease } from '../../src/config/resolve-release.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ArtifactsError } from '../../src/core/errors.ts';
import { tempDir } from '../rig/temp.ts';
import type { TempDir } from '../rig/temp.ts';
import { KEY, load, mirror, mirrors, sources } from './support.ts';

const OS_RELEASE = 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_CODENAME=bookworm\n';
const DEBIAN = 'URIs: http://deb.example.org/debian\nComponents: main contrib\nSigned-By: ';

async function machineOf(folder: TempDir, files: Readonly<Record<string, string>>, aptConfig = ''): Promise<Machine> {
  for (const [name, text] of Object.entries({ 'os-release': OS_RELEASE, ...files })) {
    await mkdir(dirname(folder.join(name)), { recursive: true });
    await writeFile(folder.join(name), text);
  }
  return thisMachine({ etc: folder.join('etc'), osRelease: folder.join('os-release'), architecture: 'arm64', aptConfig });
}

/** The mirror `one` with these fields, as it resolves with the folder as root. */
async function resolved(folder: TempDir, machine: Machine, fields: string): Promise<ResolvedMirror> {
  const text = `aptly_mirrors:\n  - {name: one, ${fields}}\n`;
  const config = await loadConfig({ root: folder.path, environment: {}, sources: sources({ 'vars/a.yml': text }) });
  return resolveMirror(config, findMirror(config, 'one'), machine);
}

async function refusal(promise: Promise<unknown>): Promise<ArtifactsError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ArtifactsError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('system: takes URLs, components, keyring and settings of the machine\'s source', async (t) => {
  await using folder = await tempDir();
  const machine = await machineOf(
    folder,
    {
      'etc/sources.list.d/debian.sources': `Types: deb\nSuites: bookworm bookworm-updates\n${DEBIAN}${folder.join('key.gpg')}\n`,
      'key.gpg': 'the keyring',
    },
    'Acquire::http::Proxy "http://proxy.example.org:3128";\nAcquire::Check-Valid-Until "false";\n',
  );

  const { definition, proxy } = await resolved(folder, machine, 'archive_url: "system:", filter: hello, filter_with_deps: yes, fallback_urls: ["http://other.example.org/"]');

  t.like(definition, {
    name: 'one',
    format: 'apt',
    urls: ['http://deb.example.org/debian', 'http://other.example.org/'],
    request: { distribution: 'bookworm', components: ['main', 'contrib'], architectures: ['arm64'] },
    filter: { query: 'hello', withDependencies: true, follow: { suggests: false } },
    fingerprints: [],
    checkValidUntil: false,
  });
  t.deepEqual(definition.keyrings.map(String), ['the keyring']);
  t.deepEqual(proxy, { http: 'http://proxy.example.org:3128', https: 'http://proxy.example.org:3128' });
  const strict = await resolved(folder, machine, 'archive_url: "system:bookworm-updates", check_valid_until: yes, components: [main]');
  t.like(strict.definition, { checkValidUntil: true, request: { distribution: 'bookworm-updates', components: ['main'] } });
});

test('several URIs of one source, and twins of it, are fall-backs', async (t) => {
  await using folder = await tempDir();
  const key = folder.join('key.gpg');
  const machine = await machineOf(folder, {
    'key.gpg': 'k',
    'etc/sources.list': `deb [signed-by=${key}] http://a.example.org/debian bookworm main\ndeb [signed-by=${key}] http://b.example.org/debian bookworm main\ndeb [signed-by=${key}] http://security.example.org/debian-security bookworm-security main\n`,
  });

  const { definition } = await resolved(folder, machine, 'archive_url: "system:bookworm"');

  t.deepEqual(definition.urls, ['http://a.example.org/debian', 'http://b.example.org/debian']);
});

test('a vendor that uses the distribution\'s suite name is not taken for the distribution', async (t) => {
  await using folder = await tempDir();
  const machine = await machineOf(folder, {
    'd.gpg': 'd',
    'v.gpg': 'v',
    'etc/sources.list.d/a-vendor.list': `deb [signed-by=${folder.join('v.gpg')}] http://vendor.example.org/apt bookworm main stable\n`,
    'etc/sources.list.d/debian.sources': `Types: deb\nSuites: bookworm\n${DEBIAN}${folder.join('d.gpg')}\n`,
  });

  t.deepEqual((await resolved(folder, machine, 'archive_url: system')).definition.urls, ['http://deb.example.org/debian']);
  const vendor = await resolved(folder, machine, 'archive_url: "system:bookworm", components: [stable]');
  t.deepEqual(vendor.definition.urls, ['http://vendor.example.org/apt']);
  t.deepEqual(vendor.definition.keyrings.map(String), ['v']);
});

test('without Signed-By the machine\'s trusted keys serve; a key in the source serves itself', async (t) => {
  await using folder = await tempDir();
  const machine = await machineOf(folder, {
    'etc/trusted.gpg': '',
    'etc/trusted.gpg.d/b.asc': 'b',
    'etc/trusted.gpg.d/a.gpg': 'a',
    'etc/trusted.gpg.d/README': 'no key',
    'etc/sources.list': 'deb http://a.example.org/debian bookworm main\n',
    'etc/sources.list.d/inline.sources':
      'Types: deb\nURIs: http://i.example.org/debian\nSuites: inline\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n eA==\n -----END PGP PUBLIC KEY BLOCK-----\n',
  });

  t.deepEqual((await resolved(folder, machine, 'archive_url: "system:bookworm"')).definition.keyrings.map(String), ['a', 'b']);
  const [inline] = (await resolved(folder, machine, 'archive_url: "system:inline"')).definition.keyrings;
  t.is(String(inline), '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\neA==\n-----END PGP PUBLIC KEY BLOCK-----');
});

test('what the machine cannot give is refused with what it has', async (t) => {
  await using folder = await tempDir();
  const machine = await machineOf(folder, {
    'etc/sources.list': 'deb http://a.example.org/debian bookworm main\ndeb [trusted=yes] http://t.example.org/ open main\n',
  });

  const unknown = await refusal(resolved(folder, machine, 'archive_url: "system:trixie"'));
  t.is(unknown.code, 'E_CONFIG');
  t.regex(unknown.message, /^vars\/a\.yml:2:5: mirror one: this machine's apt sources have no suite trixie$/);
  t.is(unknown.hint, 'Its sources are: bookworm (main), open (main).');
  t.regex((await refusal(resolved(folder, machine, 'archive_url: "system:bookworm", components: [universe]'))).message, /no suite bookworm with universe/);
  t.regex((await refusal(resolved(folder, machine, 'archive_url: "system:open"'))).message, /trusted: its signatures are not checked/);
  t.regex((await refusal(resolved(folder, machine, 'archive_url: "system:", distribution: trixie'))).message, /distribution trixie is not this machine's suite bookworm/);
  t.regex((await refusal(resolved(folder, machine, 'archive_url: "system:bookworm"'))).message, /there is no keyring/);

  const bare = thisMachine({ etc: folder.join('none'), osRelease: folder.join('none'), aptConfig: '' });
  t.regex((await refusal(resolved(folder, bare, 'archive_url: "system:"'))).message, /names no VERSION_CODENAME/);
  t.is((await refusal(resolved(folder, bare, 'archive_url: "system:x"'))).hint, 'This machine has no apt sources.');
});

test('a mirror by URL: its keyring is read, a missing one and a short key id are refused', async (t) => {
  await using folder = await tempDir();
  const machine = await machineOf(folder, { 'keys/up.asc': 'the key' });
  const url = 'archive_url: "http://user:secret@up.example.org/debian", distribution: bookworm, components: [main], architectures: [amd64]';

  const { definition, proxy } = await resolved(folder, machine, `${url}, gpg: {key: ${KEY}, keyring: keys/up.asc}, max_age: 7d`);
  t.like(definition, { urls: ['http://user:secret@up.example.org/debian'], fingerprints: [KEY], maxAge: 604_800_000, checkValidUntil: true });
  t.deepEqual(definition.keyrings.map(String), ['the key']);
  t.is(proxy, undefined);
  t.false(JSON.stringify(definition.description).includes('secret'));

  const missing = await refusal(resolved(folder, machine, `${url}, gpg: {key: ${KEY}, keyring: keys/none.asc}`));
  t.regex(missing.message, /mirror one: the keyring .*keys\/none\.asc does not exist/);
  const short = await refusal(resolved(folder, machine, `${url}, gpg: {key: C0B21F32, keyring: keys/up.asc}`));
  t.is(short.code, 'E_CONFIG');
  t.regex(short.message, /key id C0B21F32 is too short to pin a key/);
});

test('with a pinned key the machine\'s keyring may stand in for a file, without one it may not', async (t) => {
  await using folder = await tempDir();
  const machine = await machineOf(folder, {
    'key.gpg': 'system',
    'etc/sources.list': `deb [signed-by=${folder.join('key.gpg')}] http://a.example.org/debian bookworm main\n`,
  });

  const pinned = await resolved(folder, machine, `archive_url: "system:bookworm", gpg: {key: ${KEY}, keyring: none.asc}`);
  t.deepEqual(pinned.definition.keyrings.map(String), ['system']);
  t.deepEqual(pinned.definition.fingerprints, [KEY]);
  t.regex((await refusal(resolved(folder, machine, 'archive_url: "system:bookworm", gpg: {keyring: none.asc}'))).message, /none\.asc does not exist/);
});

test('the fingerprint changes with what decides on the content, and the change can be told', async (t) => {
  const machine = thisMachine({ architecture: 'amd64', etc: '/nonexistent', osRelease: '/nonexistent', aptConfig: '' });
  const described = async (text: string) => {
    const config = await load({ 'vars/a.yml': `aptly_architectures: [native]\n${mirrors(text)}` });
    return describeMirror(config, findMirror(config, 'one'), machine);
  };
  const plain = await described(mirror('one'));

  t.is(plain.inputs, mirrorFingerprint(plain.description));
  t.is(plain.description['distribution'], 'bookworm');
  for (const [field, text] of [
    ['filter', mirror('one', 'filter: hello')],
    ['archive_url', mirror('one').replace('/debian', '/other')],
    ['distribution', mirror('one').replace('bookworm', 'trixie')],
    ['components', mirror('one').replace('[main]', '[main, contrib]')],
    ['architectures', mirror('one', 'architectures: [i386]')],
    ['gpg.key', mirror('one').replace(KEY, `${KEY.slice(2)}00`)],
  ] as const) {
    const changed = await described(text);
    t.not(changed.inputs, plain.inputs, field);
    t.is(describeChange(plain.description, changed.description), `${field} changed`);
  }
  for (const same of [
    mirror('one', 'fallback_urls: [http://b.example.org/]', 'max_age: 1d', 'do_update: no', 'filter_with_deps: yes'),
    mirror('one', 'architectures: [amd64]'),
  ]) {
    t.is((await described(same)).inputs, plain.inputs);
  }
});

test('the codename system is the machine\'s own, on both sides', async (t) => {
  await using folder = await tempDir();
  const machine = await machineOf(folder, {});
  const files = (release: string, mapped: string) => ({
    'vars/a.yml': `aptly_architectures: [native]\n${mirrors(mirror('one'))}releases: {r1.0: {codenames: [${release}]}}\naptly_miko_mapping: {r1: {${mapped}: [one]}}\naptly_n_mapping: {r1: {${mapped}: [{src: one, dest: apart}]}}\n`,
  });
  const release = async (name: string, mapped: string) => {
    const config = await load(files(name, mapped));
    return resolveRelease(config, findRelease(config, 'r1.0'), machine);
  };

  for (const [name, mapped] of [['system', 'system'], ['bookworm', 'system'], ['system', 'bookworm']] as const) {
    const { codenames, architectures } = await release(name, mapped);
    t.deepEqual(codenames, [{ codename: 'bookworm', format: 'apt', mergePolicy: 'no-remove', merged: ['one'], independent: [{ source: 'one', dest: 'apart' }] }]);
    t.deepEqual(architectures, ['arm64']);
  }
  const other = await refusal(release('trixie', 'system'));
  t.is(other.code, 'E_CONFIG');
  t.regex(other.message, /release r1\.0: aptly_miko_mapping\.r1 has no codename "trixie"/);
});

test('names that are not declared are not found, and the nearest is proposed', async (t) => {
  const config = await load({ 'vars/a.yml': `${mirrors(mirror('one'))}releases: {r1.0: {codenames: [a]}}\naptly_miko_mapping: {r1: {a: [one]}}\n` });

  t.like(t.throws(() => findMirror(config, 'ono'), { instanceOf: ArtifactsError }), { code: 'E_NOT_FOUND', message: 'No mirror is called "ono"; did you mean "one"?' });
  t.like(t.throws(() => findRelease(config, 'r1.0-beta.1'), { instanceOf: ArtifactsError }), { code: 'E_NOT_FOUND' });
});
