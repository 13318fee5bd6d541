/** Apt: RPC-O's variables, and sources and pins for machines without Ansible. */
import type { OverrideFile, OverrideInput } from './overrides.ts';

const INTEGRATED = 'apt-mirror/integrated';
/** What is published apart lies here; RPC-O wrote "independant". */
const INDEPENDENT = 'apt-mirror/independent/';
const KEY_NAME = 'release-signing-key.asc';
/** The name that RPC-O gives to source, key and pin. */
const FILE_NAME = 'rpco';

/** apt_preferences(5): above 1000 a version is installed even when that is a step back; from 990 on it beats other sources. */
const PRIORITY = { strict: 1001, loose: 990 } as const;

/** RPC-O's `group_vars/all/apt.yml`. Undefined: the release publishes no packages. */
export function aptVariables(input: OverrideInput): Readonly<Record<string, unknown>> | undefined {
  const { release, mode, baseUrl, fingerprints } = input;
  if (codenamesOf(input, INTEGRATED).length === 0) return undefined;
  // RPC-O takes the file away; one that says nothing else also replaces what stood there.
  if (mode === 'off') return { rpc_release: release, rpco_apt_artifacts_mode: mode };
  const repo = '{{ rpco_apt_repo }}';
  const keys = '{{ rpco_apt_gpg_keys }}';
  return {
    rpc_release: release,
    rpco_apt_artifacts_mode: mode,
    rpco_mirror_base_url: baseUrl,
    rpco_mirror_apt_url: `{{ rpco_mirror_base_url }}/${INTEGRATED}/`,
    rpco_mirror_apt_filename: FILE_NAME,
    rpco_mirror_apt_deb_line: 'deb {{ rpco_mirror_apt_url }} {{ rpc_release }}-{{ ansible_distribution_release }} main',
    rpco_gpg_key_location: '{{ rpco_mirror_base_url }}/apt-mirror/',
    rpco_gpg_key_name: KEY_NAME,
    rpco_gpg_key_id: fingerprints[0] ?? '',
    lxc_container_cache_files_from_host: ['/etc/apt/sources.list.d/{{ rpco_mirror_apt_filename }}.list'],
    repo_pkg_cache_enabled: false,
    lxc_package_repo_add: false,
    rpco_apt_repo: { repo: '{{ rpco_mirror_apt_deb_line }}', state: 'present', filename: '{{ rpco_mirror_apt_filename }}' },
    rpco_apt_gpg_keys: [{ hash_id: '{{ rpco_gpg_key_id }}', url: '{{ rpco_gpg_key_location }}{{ rpco_gpg_key_name }}', state: 'present' }],
    haproxy_repo: repo,
    haproxy_gpg_keys: keys,
    rabbitmq_install_method: 'external_repo',
    rabbitmq_repo: repo,
    rabbitmq_erlang_repo: repo,
    rabbitmq_gpg_keys: keys,
    ceph_pkg_source: 'distro',
    galera_client_repo: '{{ rpco_mirror_apt_deb_line }}',
    galera_client_gpg_keys: keys,
    mariadb_repo_filename: '{{ rpco_mirror_apt_filename }}',
    use_percona_upstream: true,
    galera_repo: repo,
    galera_percona_xtrabackup_repo: repo,
    uca_enable: false,
    user_external_repos_list: [repo],
    user_external_repo_keys_list: [{ id: '{{ rpco_gpg_key_id }}', url: '{{ rpco_gpg_key_location }}{{ rpco_gpg_key_name }}' }],
    elasticsearch_apt_repos: [repo],
    elasticsearch_apt_keys: keys,
    filebeat_apt_repos: [repo],
    filebeat_apt_gpg_keys: keys,
    kibana_apt_repos: [repo],
    kibana_apt_keys: keys,
    logstash_apt_repos: [repo],
    logstash_apt_keys: keys,
    ...independentVariables(input),
  };
}

/** One repository for each name that is published apart; RPC-O's roles know one of them by a variable of its own. */
function independentVariables(input: OverrideInput): Readonly<Record<string, unknown>> {
  const entries = independentNames(input).map((name) => [name, repoOf(name)] as const);
  if (entries.length === 0) return {};
  const hwraid = entries.find(([name]) => name === 'hwraid');
  return {
    rpco_independent_apt_repos: Object.fromEntries(entries),
    ...(hwraid === undefined ? {} : { hwraid_apt_repos: [hwraid[1]], hwraid_apt_keys: '{{ rpco_apt_gpg_keys }}' }),
  };
}

/** For `-e @extra_vars/maas.yml`: the roles of rpc-maas do not see group variables. */
export function maasVariables(input: OverrideInput): Readonly<Record<string, unknown>> | undefined {
  if (input.mode === 'off' || !independentNames(input).includes('rax-maas')) return undefined;
  const key = { hash_id: input.fingerprints[0] ?? '', url: `${input.baseUrl}/apt-mirror/${KEY_NAME}`, state: 'present' };
  const integrated = { repo: `deb ${input.baseUrl}/${INTEGRATED}/ ${input.release}-{{ ansible_distribution_release }} main`, state: 'present', filename: FILE_NAME };
  const maas = { ...repoOf('rax-maas'), repo: `deb ${input.baseUrl}/${INDEPENDENT}rax-maas-{{ ansible_distribution_release }}/ ${input.release}-{{ ansible_distribution_release }} main` };
  return { maas_repos: maas, maas_keys: key, maas_influxdata_repo: integrated, maas_influxdata_key: key, maas_grafana_repo: integrated, maas_grafana_key: key };
}

function repoOf(name: string): { readonly repo: string; readonly state: string; readonly filename: string } {
  const url = `{{ rpco_mirror_base_url }}/${INDEPENDENT}${name}-{{ ansible_distribution_release }}/`;
  return { repo: `deb ${url} {{ rpc_release }}-{{ ansible_distribution_release }} main`, state: 'present', filename: name };
}

/** `hwraid` of `hwraid-bookworm`: roles put the codename behind it themselves. Names that have none are left to the sources. */
function independentNames(input: OverrideInput): string[] {
  const names = input.publications.flatMap(({ prefix, distribution }) => {
    const codename = distribution.slice(input.release.length + 1);
    const name = prefix.startsWith(INDEPENDENT) ? prefix.slice(INDEPENDENT.length) : '';
    return name.endsWith(`-${codename}`) ? [name.slice(0, -codename.length - 1)] : [];
  });
  return [...new Set(names)].sort();
}

/** A folder for each codename: source with the key in it, and pin; and the key for apt older than 2.4. */
export function aptSettings(input: OverrideInput): OverrideFile[] {
  const codenames = [...new Set(input.publications.filter(isApt).map(({ distribution }) => distribution.slice(input.release.length + 1)))].sort();
  if (codenames.length === 0) return [];
  return [
    { path: `apt/${FILE_NAME}.asc`, text: input.publicKey },
    ...codenames.flatMap((codename) => [
      { path: `apt/${codename}/${FILE_NAME}.sources`, text: sources(input, codename) },
      { path: `apt/${codename}/${FILE_NAME}.list`, text: oneLine(input, codename) },
      { path: `apt/${codename}/${FILE_NAME}.pref`, text: preferences(input, codename) },
    ]),
  ];
}

/** sources.list(5), "DEB822-STYLE FORMAT". A key in Signed-By: lines begin with a blank, an empty one is a dot. */
function sources(input: OverrideInput, codename: string): string {
  const key = input.publicKey.trimEnd().split('\n').map((line) => ` ${line === '' ? '.' : line}\n`).join('');
  const stanzas = placesOf(input, codename).map(({ prefix, distribution }) =>
    [`Types: deb`, `URIs: ${input.baseUrl}/${prefix}/`, `Suites: ${distribution}`, 'Components: main', `Signed-By:\n${key}`].join('\n'),
  );
  return stanzas.join('\n');
}

function oneLine(input: OverrideInput, codename: string): string {
  const from = `[signed-by=/etc/apt/keyrings/${FILE_NAME}.asc]`;
  return placesOf(input, codename).map(({ prefix, distribution }) => `deb ${from} ${input.baseUrl}/${prefix}/ ${distribution} main\n`).join('');
}

/** RPC-O gave pins up because they held only while they were equal; one that names the release does. */
function preferences({ release, mode }: OverrideInput, codename: string): string {
  const priority = mode === 'off' ? 500 : PRIORITY[mode];
  return `Explanation: release ${release}, mode ${mode}\nPackage: *\nPin: release n=${release}-${codename}\nPin-Priority: ${priority}\n`;
}

function placesOf({ publications, release }: OverrideInput, codename: string): OverrideInput['publications'] {
  return publications.filter((place) => isApt(place) && place.distribution === `${release}-${codename}`);
}

function codenamesOf({ publications }: OverrideInput, prefix: string): string[] {
  return publications.filter((place) => place.prefix === prefix).map(({ distribution }) => distribution);
}

function isApt({ prefix }: { readonly prefix: string }): boolean {
  return prefix.startsWith('apt-mirror/');
}
