/** The lists RPC-O's readers look for in `os-releases/<release>/<distro>/`, and the lock file. Pure. */
import type { Artifact } from '../../core/artifact.ts';
import { canonicalJson } from '../../core/digest.ts';
import type { Root } from '../../sandbox/root.ts';
import { redact } from '../../http/redact.ts';
import type { Listing } from '../kind.ts';
import { wheelsOf } from './facts.ts';
import type { PythonSpec } from './spec.ts';
import type { ReleasedWheel, Wheels } from './wheels.ts';

/** `name==version --hash=sha256:…`, a line for each wheel: for `pip install --require-hashes`. */
export function absoluteRequirements(wheels: readonly ReleasedWheel[]): readonly string[] {
  return wheels.map(({ facts }) => `${facts.name}==${facts.version} --hash=sha256:${facts.sha256}`).sort();
}

/** The same without hashes, which pip does not allow in constraints of requirements that have none. */
export function absoluteConstraints(wheels: readonly ReleasedWheel[]): readonly string[] {
  return wheels.map(({ facts }) => `${facts.name}==${facts.version}`).sort();
}

/**
 * MANIFEST.in: all there is of a release for a distribution, a path a line from the root of the server. Its order is
 * RPC-O's: wheels where they are shared and where they are released, virtualenvs, other files, git repositories.
 */
export function manifest(place: string, artifacts: readonly Artifact[], further: readonly string[]): Listing {
  const paths = artifacts.flatMap(({ files }) => files.map(({ path }) => path));
  const from = (folder: string): readonly string[] => paths.filter((path) => path.startsWith(`${folder}/`)).sort();
  const released = [...from(place), ...further].sort();
  const isWheel = (path: string): boolean => path.endsWith('.whl');
  const git = artifacts.flatMap((artifact) => wheelsOf(artifact)?.git ?? []);
  const lines = [
    ...from('pools').filter(isWheel),
    ...released.filter(isWheel),
    ...from('venvs'),
    ...released.filter((path) => !isWheel(path)),
    ...[...new Set(git)].sort().map((name) => `openstackgit/${name}`),
  ];
  return { path: `${place}/MANIFEST.in`, bytes: lines.map((line) => `${line}\n`).join(''), signed: false };
}

/** What the wheels were made from and with: every input by its digest, the build root, and the libraries they are linked against. */
export function lockFile(spec: PythonSpec, { wheels, indexes }: Wheels, root: Root): string {
  const { release, distro, isolation } = spec;
  const locked = {
    release,
    distro,
    indexes: indexes.map(({ name, url, packages }) => ({ name, url: redact(url), packages })),
    isolation,
    root: {
      digest: root.digest,
      packages: root.packages.map(({ name, version, architecture }) => ({ name, version, architecture })),
    },
    wheels: wheels.map(({ facts, origin }) => ({
      file: facts.file,
      name: facts.name,
      version: facts.version,
      size: facts.size,
      sha256: facts.sha256,
      requiresPython: facts.requiresPython,
      notices: facts.notices,
      linked: facts.libraries,
      from: origin.kind === 'git' ? origin : { kind: origin.kind, ...origin.fetched },
      builtWith: facts.builtWith.filter(({ sha256 }) => origin.kind === 'git' || sha256 !== origin.fetched.sha256),
    })),
  };
  return `${JSON.stringify(JSON.parse(canonicalJson(locked)), null, 1)}\n`;
}
