/** The git repositories of a release: those of its series in git_mapping, from git_repos and from roles. */
import { parseAddress, versionProblem } from '../artifacts/git/address.ts';
import type { GitRepository, GitSpec } from '../artifacts/git/spec.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Config, Release } from './config.ts';
import { discoverGit, type DiscoveredRepository } from './discover-git.ts';
import { ALL } from './git-schema.ts';
import { groupBy } from './group-by.ts';
import { suggestion } from './nearest.ts';
import { nameProblem } from './values.ts';

/** Throws E_CONFIG for names nobody knows, and for what roles say that is contradictory or cannot be used. */
export function resolveGit(config: Config, release: Release): GitSpec {
  const { repositories, roles, mapping, limits } = config.git;
  const wanted = mapping.get(release.series) ?? [];
  if (wanted.length === 0) return { release: release.name, repositories: [], limits };
  const written = new Map(repositories.map(({ place: _place, ...repository }) => [repository.name, repository]));
  // What is written in git_repos goes before what roles say.
  const discovered = groupBy(discoverGit(roles).filter(({ name }) => !written.has(name)), ({ name }) => name);
  const known = [...written.keys(), ...discovered.keys()];
  const names = wanted.includes(ALL) ? known : wanted;
  const chosen = [...new Set(names)].map((name) => {
    const repository = written.get(name) ?? fromRoles(name, discovered.get(name), config.root);
    if (repository !== undefined) return repository;
    throw new ArtifactsError('E_CONFIG', `git_mapping.${release.series}: no repository is called "${name}"${suggestion(name, known)}`, {
      hint: 'Repositories are declared as git_repos in vars/, or by the roles that git_roles names.',
    });
  });
  const twice = [...groupBy(chosen, ({ name }) => name.toLowerCase()).values()].find((group) => group.length > 1);
  if (twice !== undefined) throw refused(`${twice.map(({ name }) => name).join(' and ')} differ only in case`);
  return { release: release.name, repositories: chosen.sort((a, b) => (a.name < b.name ? -1 : 1)), limits };
}

function fromRoles(name: string, found: readonly DiscoveredRepository[] | undefined, root: string): GitRepository | undefined {
  const [first, ...others] = found ?? [];
  if (first === undefined) return undefined;
  const other = others.find(({ repo, version }) => repo !== first.repo || version !== first.version);
  if (other !== undefined) {
    throw refused(`the repository ${name} is one thing in ${first.from} (${first.version}) and another in ${other.from} (${other.version})`);
  }
  const parsed = parseAddress(first.repo, root);
  const problem = nameProblem(name) ?? versionProblem(first.version);
  if (problem !== undefined) throw refused(`${first.from}: "${name}" at "${first.version}": ${problem}`);
  if ('problem' in parsed) throw refused(`${first.from}: the URL of ${name} ${parsed.problem}`);
  return { name, address: parsed.address, version: first.version, allowMovedTag: false };
}

function refused(message: string): ArtifactsError {
  return new ArtifactsError('E_CONFIG', `git_roles: ${message}`, { hint: 'An entry of that name in git_repos settles it.' });
}
