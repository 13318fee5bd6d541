import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { overrideFiles, type OverrideInput } from '../../src/overrides/overrides.ts';
import { PROJECT, runCommand, type RunResult } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { contentsOf } from '../rig/witness.ts';

const withAnsible = testWith(hasCommand('ansible-playbook'), 'needs ansible-playbook');

const INPUT: OverrideInput = {
  release: 'r1.0.0',
  mode: 'strict',
  baseUrl: 'http://127.0.0.1:1',
  fingerprints: ['A'.repeat(40)],
  publicKey: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n',
  publications: [{ prefix: 'apt-mirror/integrated', distribution: 'r1.0.0-bookworm' }],
  paths: ['os-releases/r1.0.0/debian-12-x86_64/simple/index.html'],
};

const SOURCES: Readonly<Record<string, string>> = {
  'sources.list': '# mine\ndeb http://127.0.0.1:1/debian bookworm main\ndeb http://127.0.0.1:1/debian bookworm-updates main\ndeb [arch=amd64] http://127.0.0.1:1/vendor bookworm stable\n',
  'sources.list.d/debian.sources':
    'Types: deb\nURIs: http://127.0.0.1:1/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /x\n\nTypes: deb\nURIs: http://127.0.0.1:1/debian-security\nSuites: bookworm-security\nComponents: main\n',
  'sources.list.d/vendor.list': 'deb http://127.0.0.1:1/other bookworm main\n',
};

interface Host {
  readonly root: string;
  readonly apt: string;
  play(...extra: readonly string[]): Promise<RunResult>;
}

function makeHost(dir: TempDir): Host {
  const root = dir.join('root');
  for (const [name, text] of Object.entries(SOURCES)) write(join(root, 'etc/apt', name), text);
  for (const { path, text } of overrideFiles(INPUT)) write(dir.join('overrides', path), text);
  const given = { consume_overrides: dir.join('overrides'), consume_root: root, consume_codename: 'bookworm', consume_distro: 'debian-12-x86_64' };
  const args = ['-i', 'localhost,', '-c', 'local', join(PROJECT, 'examples/consume/configure.yml'), '-e', JSON.stringify(given)];
  const env = { ANSIBLE_LOCALHOST_WARNING: 'False', ANSIBLE_PIPELINING: 'True', ANSIBLE_HOME: dir.join('ansible'), HOME: dir.path, ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3' };
  return {
    root,
    apt: join(root, 'etc/apt'),
    play: (...extra) => runCommand('ansible-playbook', [...args, ...extra.flatMap((one) => ['-e', one])], { env, timeout: 240_000 }),
  };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

withAnsible('F28 strict leaves the base system and the release, loose adds the release, off restores every byte', async (t) => {
  t.timeout(600_000); // Ansible starts slowly on a busy machine
  await using dir = await tempDir();
  const host = makeHost(dir);
  const read = (name: string): string => readFileSync(join(host.apt, name), 'utf8');
  const before = contentsOf(host.apt);

  const strict = await host.play();
  t.is(strict.status, 0, strict.stdout);
  t.is(read('sources.list'), 'deb http://127.0.0.1:1/debian bookworm main\n');
  t.is(read('sources.list.d/debian.sources'), 'Types: deb\nURIs: http://127.0.0.1:1/debian\nSuites: bookworm\nComponents: main\nSigned-By: /x');
  t.is(read('sources.list.d/vendor.list'), '');
  t.regex(read('sources.list.d/rpco.sources'), /^Suites: r1\.0\.0-bookworm$/m);
  t.regex(read('preferences.d/rpco.pref'), /^Pin-Priority: 1001$/m);
  t.regex(readFileSync(join(host.root, 'etc/pip.conf'), 'utf8'), /simple\/\n/);

  const loose = await host.play('consume_mode=loose');
  t.is(loose.status, 0, loose.stdout);
  for (const [name, text] of Object.entries(SOURCES)) t.is(read(name), text, name);
  t.true(existsSync(join(host.apt, 'sources.list.d/rpco.sources')));
  t.regex(readFileSync(join(host.root, 'etc/ansible/facts.d/artifacts.fact'), 'utf8'), /^apt_artifact_mode=loose$/m);

  // Remembered: loose counts more than the mode the overrides were written with, and nothing is left to do.
  const again = await host.play();
  t.regex(again.stdout, /changed=0 .*failed=0/);
  for (const [name, text] of Object.entries(SOURCES)) t.is(read(name), text, name);

  const off = await host.play('consume_mode=off');
  t.is(off.status, 0, off.stdout);
  t.deepEqual(contentsOf(host.apt), before);
  t.false(existsSync(join(host.root, 'etc/pip.conf')));
  t.deepEqual(readdirSync(join(host.root, 'var/lib/artifacts')), []);
});

withAnsible('F28 what is enabled and missing fails, and so does a host whose base system would be lost', async (t) => {
  t.timeout(600_000);
  await using dir = await tempDir();
  const host = makeHost(dir);
  const before = contentsOf(host.apt);

  const missing = await host.play('consume_codename=trixie');
  t.not(missing.status, 0);
  t.regex(missing.stdout, /has no packages for trixie/);
  const lost = await host.play('consume_base=/nowhere');
  t.not(lost.status, 0);
  t.regex(lost.stdout, /say with consume_base which are/);
  t.deepEqual(contentsOf(host.apt), before);
});
