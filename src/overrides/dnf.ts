/** Dnf: a .repo file for every repository of the release that is one of rpm. */
import type { OverrideFile, OverrideInput } from './overrides.ts';

export function dnfSettings({ release, mode, baseUrl, paths }: OverrideInput): OverrideFile[] {
  const ending = '/repodata/repomd.xml';
  const repositories = paths.filter((path) => path.startsWith('rpm-mirror/') && path.endsWith(ending)).map((path) => path.slice(0, -ending.length));
  if (repositories.length === 0) return [];
  // dnf.conf(5), "priority": the lower one wins, whatever the versions are.
  const priority = mode === 'strict' ? 1 : 50;
  const sections = repositories.map((folder) =>
    [
      `[rpco-${folder.slice('rpm-mirror/'.length).replaceAll(/[^A-Za-z0-9.:_-]/g, '-')}]`,
      `name=${release} ${folder}`,
      `baseurl=${baseUrl}/${folder}/`,
      'enabled=1',
      'gpgcheck=0',
      'repo_gpgcheck=1',
      `gpgkey=${baseUrl}/rpm-mirror/release-signing-key.asc`,
      `priority=${priority}`,
      '',
    ].join('\n'),
  );
  return [{ path: 'dnf/rpco.repo', text: sections.join('\n') }];
}
