/** Python: the variables by which OpenStack-Ansible finds wheels and virtualenvs, and pip's own settings. */
import type { OverrideFile, OverrideInput } from './overrides.ts';

/** Not the absolute requirements: their hashes, in a constraint, make pip refuse every requirement that has none. */
const CONSTRAINTS = 'requirements_absolute_constraints.txt';

/** Undefined: the release has no wheels. */
export function pythonVariables(input: OverrideInput): Readonly<Record<string, unknown>> | undefined {
  const { release, mode, baseUrl, paths } = input;
  const distros = distrosOf(input);
  if (distros.length === 0) return undefined;
  if (mode === 'off') return { rpco_py_artifacts_enabled: false };
  const has = (path: string): boolean => distros.every((distro) => paths.includes(`os-releases/${release}/${distro}/${path}`));
  const venvs = paths.some((path) => path.startsWith(`venvs/${release}/`));
  const only = distros.length === 1 ? distros[0] : undefined;
  return {
    rpco_py_artifacts_enabled: true,
    rpco_mirror_base_url: baseUrl,
    openstack_release: release,
    // Of several, facts tell which one a host is.
    os_distro_version: only ?? '{{ ansible_distribution | lower }}-{{ ansible_distribution_version }}-{{ ansible_architecture }}',
    repo_release_path: '{{ rpco_mirror_base_url }}/os-releases/{{ openstack_release }}/{{ os_distro_version }}',
    pip_links: [{ name: 'openstack_release', link: '{{ repo_release_path }}/' }],
    ...(has(CONSTRAINTS) ? { pip_install_upper_constraints: `{{ repo_release_path }}/${CONSTRAINTS}` } : {}),
    ...(has('get-pip.py') ? { pip_upstream_url: '{{ repo_release_path }}/get-pip.py' } : {}),
    ...(venvs ? { venv_base_download_url: '{{ rpco_mirror_base_url }}/venvs/{{ openstack_release }}/{{ os_distro_version }}' } : {}),
  };
}

/** A pip.conf for each distribution: one index, the release's, and nothing beside it. */
export function pipSettings(input: OverrideInput): OverrideFile[] {
  const { release, baseUrl, paths } = input;
  const { protocol, hostname } = new URL(baseUrl);
  return distrosOf(input).map((distro) => {
    const folder = `os-releases/${release}/${distro}`;
    const url = `${baseUrl}/${folder}`;
    const index = paths.some((path) => path.startsWith(`${folder}/simple/`)) ? [`index-url = ${url}/simple/`] : ['no-index = true', `find-links = ${url}/`];
    const lines = [
      `# Release ${release}. Written by artifacts.`,
      '[global]',
      ...index,
      ...(protocol === 'http:' ? [`trusted-host = ${hostname}`] : []),
      ...(paths.includes(`${folder}/${CONSTRAINTS}`) ? ['[install]', `constraint = ${url}/${CONSTRAINTS}`] : []),
    ];
    return { path: `python/${distro}/pip.conf`, text: `${lines.join('\n')}\n` };
  });
}

function distrosOf({ release, paths }: OverrideInput): string[] {
  const folder = `os-releases/${release}/`;
  const distros = paths.filter((path) => path.startsWith(folder) && path.indexOf('/', folder.length) > 0);
  return [...new Set(distros.map((path) => path.slice(folder.length, path.indexOf('/', folder.length))))].sort();
}
