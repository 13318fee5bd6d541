/** The root filesystem wheels are built in: from the release's own packages first, and from the base below them. */
import type { RootSpec } from '../../sandbox/root.ts';
import { releaseSources } from '../publication.ts';
import type { PythonSpec } from './spec.ts';

/** Python with pip and venv, a C compiler, and what reads a library's name out of a file. */
const PACKAGES = ['binutils', 'gcc', 'libc6-dev', 'python3', 'python3-dev', 'python3-pip', 'python3-venv'];

export async function buildRootSpec(spec: PythonSpec, publicRoot: string): Promise<RootSpec> {
  const git = spec.git.length > 0 ? ['git'] : [];
  return {
    codename: spec.codename,
    architecture: spec.architecture,
    sources: [...releaseSources(spec.publication, publicRoot), ...(await spec.base.resolve())],
    packages: [...new Set([...PACKAGES, ...git, ...spec.buildPackages])].sort(),
  };
}
