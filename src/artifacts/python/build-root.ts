/** The root filesystem wheels are built in: from the release's own packages first, and from the base below them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AptSource, RootSpec } from '../../sandbox/root.ts';
import type { PythonSpec } from './spec.ts';

/** Python with pip and venv, a C compiler, and what reads a library's name out of a file. */
const PACKAGES = ['binutils', 'gcc', 'libc6-dev', 'python3', 'python3-dev', 'python3-pip', 'python3-venv'];

/** apt_preferences(5): above 1000 a package of the release is taken even where the base has a newer one. */
const OWN_PRIORITY = 1001;

export function buildRootSpec(spec: PythonSpec, publicRoot: string): RootSpec {
  const { prefix, suite, components, key } = spec.publication;
  const own: AptSource = {
    uri: pathToFileURL(join(publicRoot, prefix)).href.replace(/^file:\/\//, 'file:'),
    suite,
    components,
    signedBy: join(publicRoot, key),
    priority: OWN_PRIORITY,
  };
  const git = spec.git.length > 0 ? ['git'] : [];
  return {
    codename: spec.codename,
    architecture: spec.architecture,
    sources: [own, ...spec.base],
    packages: [...new Set([...PACKAGES, ...git, ...spec.buildPackages])].sort(),
  };
}
