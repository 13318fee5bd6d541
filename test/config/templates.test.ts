import test from 'ava';
import { resolveRelease } from '../../src/config/resolve-release.ts';
import { load, mirror, mirrors, problemsIn } from './support.ts';

const RELEASE = 'releases: {r16.0.0: {codenames: [xenial]}, r16.0.0-beta.1: {codenames: [xenial]}}\n';

/** Written as RPC-O writes its file. */
const LIKE_RPC_O = `---
artifacts_root_folder: "{{ lookup('env','SOME_FOLDER') | default('/var/www/artifacts') }}"
aptly_user_home: "{{ artifacts_root_folder }}/apt"
rpc_release: "{{ lookup('pipe', playbook_dir + '/version.py').strip() }}"
rpc_series: "{{ rpc_release.split('.')[0] }}"
aptly_dependency_follow_suggests: True
aptly_snapshot_merge_flags: "-no-remove=true"
aptly_dont_snapshot_list: []
aptly_repos:
  - name: "local-{{ rpc_release }}-ALL"
    create_flags:
      - '-comment="Added by hand"'
    state: 'present'
aptly_miko_mapping:
  r16:
    xenial:
      - "slushie-{{ rpc_release }}-updates-xenial"
      - "slushie-{{rpc_release}}-local-{{ rpc_release }}-ALL"
aptly_n_mapping:
  r16:
    xenial:
      - src: "slushie-{{ rpc_release }}-vendor-xenial"
        dest: "vendor-xenial"
${mirrors(
  mirror('updates-xenial', 'do_update: "{{ aptly_mirror_do_updates }}"', `update_flags: ["-keyring='trustedkeys.gpg'"]`),
  mirror('vendor-xenial', 'do_update: "{{ aptly_mirror_do_updates }}"'),
)}`;

test("F1 F11 a file in RPC-O's own manner loads, and its names become ours", async (t) => {
  const config = await load({ 'vars/aptly-vars.yml': LIKE_RPC_O, 'vars/releases.yml': RELEASE });

  t.true(config.mirrors.every(({ update }) => update));
  t.like(config.repos[0], { name: 'local-{{ rpc_release }}-ALL', comment: 'Added by hand' });
  t.true(config.followSuggests);
  const [, beta] = config.releases;
  if (beta === undefined) return t.fail();
  const resolved = await resolveRelease({ ...config, architectures: ['amd64'] }, beta);
  t.deepEqual(resolved.codenames, [
    {
      codename: 'xenial',
      format: 'apt',
      mergePolicy: 'no-remove',
      merged: ['updates-xenial', 'local-r16.0.0-beta.1-ALL'],
      independent: [{ source: 'vendor-xenial', dest: 'vendor-xenial' }],
    },
  ]);
  t.deepEqual(resolved.sources, [
    { kind: 'mirror', name: 'updates-xenial', format: 'apt' },
    { kind: 'repo', name: 'local-r16.0.0-beta.1-ALL', format: 'apt' },
    { kind: 'mirror', name: 'vendor-xenial', format: 'apt' },
  ]);
});

test('a plain variable of the files may be used, by other variables too', async (t) => {
  const text = `base: http://mirrors.example.org\nwhole: "{{ base }}/ubuntu"\nupdates: false\n${mirrors(
    mirror('one', 'do_update: "{{ updates }}"').replace(/archive_url: .*/, 'archive_url: "{{ whole }}"'),
  )}`;

  const [found] = (await load({ 'vars/a.yml': text })).mirrors;

  t.is(found?.archiveUrl, 'http://mirrors.example.org/ubuntu');
  t.false(found?.update);
});

test('the release is known elsewhere only when it is set', async (t) => {
  const text = mirrors(mirror('one').replace('distribution: bookworm', 'distribution: "d-{{ rpc_release }}-{{ rpc_series }}"'));
  const distribution = async (files: Record<string, string>, environment = {}): Promise<string | undefined> =>
    (await load(files, environment)).mirrors[0]?.distribution;

  t.is(await distribution({ 'vars/a.yml': text }, { RPC_RELEASE: 'r14.2.0' }), 'd-r14.2.0-r14');
  t.is(await distribution({ 'vars/a.yml': `rpc_release: r15.1.0\n${text}` }), 'd-r15.1.0-r15');
  t.deepEqual(await problemsIn(text), [
    '4:19: aptly_mirrors[0].distribution: {{ rpc_release }} is not known: set RPC_RELEASE, or the variable rpc_release',
  ]);
});

test('whatever else Jinja can do is refused at its place, once', async (t) => {
  const problems = async (value: string, before = ''): Promise<string[]> =>
    problemsIn(`${before}${mirrors(mirror('one').replace('distribution: bookworm', `distribution: "${value}"`))}`);

  t.deepEqual(await problems("{{ lookup('env','X') }}"), [
    "4:19: aptly_mirrors[0].distribution: {{ lookup('env','X') }} is not supported; only the name of a variable is",
  ]);
  t.regex((await problems('{% if x %}a{% endif %}')).join('\n'), /^4:19: .*Jinja statements/);
  t.deepEqual(await problems('{{ suites }}', 'suite: bookworm\naptly_user: "{{ suite }}"\n'), [
    '6:19: aptly_mirrors[0].distribution: {{ suites }} is not known; did you mean "suite"?',
  ]);
  t.regex((await problems('{{ a }}', 'a: "{{ b }}"\nb: "{{ a }}"\n')).join('\n'), /refers to itself \(a -> b -> a\)/);
  t.regex((await problems('x{{ a }}', 'a: [1]\n')).join('\n'), /is no plain text/);
  t.regex((await problemsIn('aptly_architectures: {{ a }}\n')).join('\n'), /a \{\{ template \}\} must stand in quotes/);
});

test('a variable of one\'s own that nothing uses is taken for a slip of the pen', async (t) => {
  t.deepEqual(await problemsIn('aptly_architecture: [amd64]\nzzz: 1\n'), [
    '1:1: unknown key "aptly_architecture"; did you mean "aptly_architectures"?',
    '2:1: unknown key "zzz"',
  ]);
});

test('names of repositories and sources of rpm are filled in for each release, too', async (t) => {
  const config = await load({
    'vars/a.yml': `rpm_repos: [{name: "site-{{ rpc_release }}"}, {name: "{{ rpc_series }}-apart"}]
rpm_miko_mapping: {r1: {el9: ["slushie-{{ rpc_release }}-site-{{ rpc_release }}"]}}
rpm_n_mapping: {r1: {el9: [{src: "{{ rpc_series }}-apart", dest: apart}]}}
`,
    'vars/releases.yml': 'releases: {r1.0: {codenames: [el9]}, r1.1: {codenames: [el9]}}\n',
  });

  const [first, second] = await Promise.all(config.releases.map((release) => resolveRelease({ ...config, architectures: ['x86_64'] }, release)));

  t.deepEqual([first?.codenames[0]?.merged, second?.codenames[0]?.merged], [['site-r1.0'], ['site-r1.1']]);
  t.deepEqual(second?.sources, [{ kind: 'repo', name: 'site-r1.1', format: 'rpm' }, { kind: 'repo', name: 'r1-apart', format: 'rpm' }]);
});

test('what no snapshot is taken of may be named with the release, too', async (t) => {
  const config = await load({
    'vars/a.yml': `aptly_repos: [{name: "local-{{ rpc_release }}"}]
aptly_dont_snapshot_list: ["local-{{rpc_release}}"]
aptly_miko_mapping: {r1: {bookworm: ["local-{{ rpc_release }}"]}}
releases: {r1.0: {codenames: [bookworm]}}
`,
  });

  const [release] = await Promise.all(config.releases.map((one) => resolveRelease({ ...config, architectures: ['amd64'] }, one)));

  t.deepEqual(release?.codenames[0]?.merged, []);
});
