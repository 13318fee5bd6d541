import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import test from 'ava';
import { loadConfig } from '../../src/config/load.ts';
import { findRelease } from '../../src/config/resolve-release.ts';
import { resolveGit } from '../../src/config/resolve-git.ts';
import { configPlaces } from '../../src/config/show.ts';
import type { GitSpec } from '../../src/artifacts/git/spec.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { load, problemsIn, sources } from './support.ts';

const RELEASES = 'aptly_miko_mapping: {r16: {xenial: []}, r17: {xenial: []}}\nreleases:\n  r16.0.0: {codenames: [xenial]}\n  r17.0.0: {codenames: [xenial]}\n';

test('repositories, limits and mappings are read; without a mapping a release has none', async (t) => {
  const repos = 'git_repos:\n  - {name: nova, repo: "https://h.example.org/nova.git", version: stable/pike}\n  - {name: demo, repo: demo.bundle, version: 1.10, allow_moved_tag: yes}\ngit_limits: {size: 500MiB, time: 10m}\n';
  const config = await load({ 'vars/a.yml': repos + RELEASES, 'mappings/r16.yml': 'git_mapping: {r16: all}\n' });
  const more = await load({ 'vars/a.yml': repos + RELEASES, 'mappings/r16.yml': 'git_mapping: {r16: [demo]}\n', 'mappings/r17.yml': 'git_mapping: {r17: nova}\n' });
  const names = (spec: GitSpec): string[] => spec.repositories.map(({ name }) => name);

  t.deepEqual(resolveGit(config, findRelease(config, 'r16.0.0')), {
    release: 'r16.0.0',
    repositories: [
      { name: 'demo', address: { url: '/nowhere/demo.bundle', shown: 'demo.bundle' }, version: '1.10', allowMovedTag: true },
      { name: 'nova', address: { url: 'https://h.example.org/nova.git', shown: 'https://h.example.org/nova.git' }, version: 'stable/pike', allowMovedTag: false },
    ],
    limits: { bytes: 500 * 2 ** 20, milliseconds: 600_000 },
  });
  t.deepEqual(names(resolveGit(config, findRelease(config, 'r17.0.0'))), []);
  t.deepEqual(names(resolveGit(more, findRelease(more, 'r16.0.0'))), ['demo']);
  t.deepEqual(names(resolveGit(more, findRelease(more, 'r17.0.0'))), ['nova']);
  t.deepEqual((await load({ 'vars/a.yml': RELEASES })).git.limits, { bytes: 2 * 2 ** 30, milliseconds: 1_800_000 });
});

test('G01 hostile addresses and versions are refused at their place, without a password in the message', async (t) => {
  const entry = (repo: string, version = 'main'): string => `git_repos:\n  - {name: x, repo: ${JSON.stringify(repo)}, version: ${JSON.stringify(version)}}\n`;

  for (const repo of ['ext::sh -c id', '--upload-pack=id', '-u./x', 'ssh://-oProxyCommand=id/x', 'fd::3', 'git://h/x', '../x', 'https://u:secret@h/x?y']) {
    const problems = await problemsIn(entry(repo));
    t.is(problems.length, 1, repo);
    t.regex(problems[0] ?? '', /^2:\d+: git_repos\[0\]\.repo: /);
    t.notRegex(problems[0] ?? '', /secret/);
  }
  t.regex((await problemsIn(entry('h:x'))).join(), /write ssh:/);
  for (const version of ['-x', 'a b', 'refs/pull/1/head', 'a..b']) t.regex((await problemsIn(entry('/x', version))).join(), /git_repos\[0\]\.version: .* (?:is no branch|must be below)/);
});

test('what contradicts itself is refused: names taken, unknown, or with a meaning', async (t) => {
  const repo = (name: string): string => `  - {name: ${name}, repo: /x, version: main}\n`;

  t.regex((await problemsIn(`git_repos:\n${repo('Nova')}${repo('nova')}`)).join(), /git_repos\[1\]\.name: the name nova is taken/);
  t.regex((await problemsIn(`git_repos:\n${repo('all')}`)).join(), /"all" is no name/);
  t.regex((await problemsIn(`git_repos:\n${repo('nova')}git_mapping: {r1: [nowa]}\n`)).join(), /git_mapping\.r1\[0\]: no repository is called "nowa"; did you mean "nova"/);
  t.regex((await problemsIn('git_limits: {size: much}\n')).join(), /"much" is no size/);
});

test('a password in an address is hidden where the configuration is shown', async (t) => {
  const files = sources({ 'vars/a.yml': 'git_repos:\n  - {name: x, repo: "https://me:secret@h.example.org/x", version: main}\n' });
  const shown = await configPlaces({ root: '/nowhere', environment: {}, sources: files });

  t.notRegex(JSON.stringify(shown), /secret/);
});

/** Writes roles and resolves r16.0.0 with them. */
async function discover(dir: TempDir, roles: Readonly<Record<string, string>>, vars = ''): Promise<GitSpec> {
  for (const [file, text] of Object.entries(roles)) {
    mkdirSync(dirname(dir.join('roles', file)), { recursive: true });
    writeFileSync(dir.join('roles', file), text);
  }
  const config = await loadConfig({ root: dir.path, environment: {}, sources: sources({ 'vars/a.yml': `${RELEASES}git_roles: roles\ngit_mapping: {r16: all}\n${vars}` }) });
  return resolveGit(config, findRelease(config, 'r16.0.0'));
}

const NOVA = 'nova_git_repo: https://h.example.org/openstack/nova\nnova_git_install_branch: 0123456789012345678901234567890123456789\n';

test('F17 roles name repositories by their variables, each once', async (t) => {
  await using dir = await tempDir();

  const { repositories } = await discover(dir, {
    'os_nova/defaults/main.yml': NOVA,
    'os_other/vars/main.yml': NOVA,
    'os_swift/defaults/main.yml': 'base: https://h.example.org\nswift_git_repo: "{{ base }}/swift.git"\nswift_git_package_name: swift3\n',
    'os_swift/vars/pins.yml': 'swift_git_install_branch: 2.10\n',
    'os_half/defaults/main.yml': 'half_git_repo: https://h.example.org/half\n',
    'os_half/templates/no.yml': '{% if x %}\n',
  });

  t.deepEqual(
    repositories.map(({ name, address, version }) => [name, address.url, version]),
    [
      ['nova', 'https://h.example.org/openstack/nova', '0123456789012345678901234567890123456789'],
      ['swift3', 'https://h.example.org/swift.git', '2.10'],
    ],
  );
});

test('F17 roles that contradict each other, or say what cannot be used, are named; an entry in git_repos settles it', async (t) => {
  await using dir = await tempDir();
  const roles = { 'a/main.yml': NOVA, 'b/main.yml': 'nova_git_install_branch: stable/pike\n' };

  const error = await t.throwsAsync(discover(dir, roles), { code: 'E_CONFIG' });
  t.regex(error?.message ?? '', /nova is one thing in .*a\/main\.yml \(0123456789012345678901234567890123456789\) and another in .*b\/main\.yml.* \(stable\/pike\)/);
  const { repositories } = await discover(dir, roles, 'git_repos: [{name: nova, repo: /srv/nova, version: main}]\n');
  t.is(repositories[0]?.version, 'main');

  await using other = await tempDir();
  await t.throwsAsync(discover(other, { 'a/main.yml': 'x_git_repo: "{{ unknown }}/x"\nx_git_install_branch: main\n' }), { code: 'E_CONFIG', message: /the URL of x/ });
  await using hostile = await tempDir();
  await t.throwsAsync(discover(hostile, { 'a/main.yml': 'x_git_repo: "ext::sh -c id/x"\nx_git_install_branch: main\n' }), { code: 'E_CONFIG' });
});
