/** `python_sets` and `python_mapping`: what Python of a release is built, and how. */
import { z } from 'zod';
import type { GitSource } from '../artifacts/python/spec.ts';
import { check, refuse } from './check.ts';
import type { CheckContext } from './check.ts';
import type { Place, Path } from './problem.ts';
import { debianPackage, flag, fromRoot, httpUrl, line, named, path, quote, safeName, strict, textAs, words } from './values.ts';
import type { Parsed } from './values.ts';

/** One entry of `python_sets`. Paths are absolute. */
export interface PythonSet {
  readonly name: string;
  readonly requirements: Lines;
  readonly overrides: Lines;
  readonly constraints: Lines;
  readonly buildConstraints: readonly string[];
  /** Patterns of names. */
  readonly noBinary: readonly string[];
  readonly git: readonly GitSource[];
  readonly buildPackages: readonly string[];
  readonly isolation: boolean;
  /** Undefined: the index pip itself is configured for. */
  readonly indexes: readonly PythonIndex[] | undefined;
  readonly getPip: string | undefined;
  readonly services: readonly { readonly name: string; readonly requirements: readonly string[] }[];
  /** The folder virtualenvs are unpacked in. */
  readonly prefix: string;
  readonly place: Place;
}

/** Lines, and files with more of them. */
export interface Lines {
  readonly lines: readonly string[];
  readonly files: readonly string[];
}

export interface PythonIndex {
  readonly name: string;
  readonly url: string;
  readonly packages: readonly string[];
}

const pattern = textAs((text): Parsed<string> =>
  /^[A-Za-z0-9*][A-Za-z0-9*._-]*$/.test(text) ? { value: text === 'all' ? '*' : text } : { problem: `${quote(text)} is no name of a project, nor a pattern of names` },
);
const subfolder = textAs((text): Parsed<string> =>
  /^[A-Za-z0-9_][A-Za-z0-9._/+-]*$/.test(text) && !text.split('/').some((part) => part === '' || part === '.' || part === '..')
    ? { value: text }
    : { problem: `${quote(text)} is no folder below the repository` },
);
const place = textAs((text): Parsed<string> =>
  /^(?:\/[A-Za-z0-9._+-]+)+$/.test(text) && !/\/\.{1,2}(?:\/|$)/.test(text) ? { value: text } : { problem: `${quote(text)} is no absolute path of plain names` },
);

const gitSource = z.preprocess((value) => (typeof value === 'string' ? { name: value } : value), strict({ name: safeName, subdirectory: subfolder.optional() }));
const lineList = z.preprocess((value) => (typeof value === 'string' ? value.split(/\r?\n/).filter((text) => text.trim() !== '') : value), z.array(line)).default([]);
const files = words(path).default([]);

export const pythonSetSchema = strict({
  name: safeName,
  requirements: lineList,
  requirements_files: files,
  overrides: lineList,
  overrides_files: files,
  constraints: lineList,
  constraints_files: files,
  build_constraints: lineList,
  no_binary: words(pattern).default([]),
  git: z.array(gitSource).default([]),
  build_packages: words(debianPackage).default([]),
  build_isolation: flag.default(true),
  indexes: z.array(strict({ name: safeName, url: httpUrl, packages: words(pattern).default(['*']) })).min(1).optional(),
  get_pip: path.optional(),
  services: z.record(z.string(), lineList).default({}),
  prefix: place.default('/openstack/venvs'),
});

/** Entry of `python_mapping.<series>.<codename>`: names of sets. */
export const pythonMappingSchema = z.array(safeName);

export function buildPythonSet(value: unknown, at: Path, { root, context }: { readonly root: string; readonly context: CheckContext }): PythonSet | undefined {
  const written = check(pythonSetSchema, value, { path: at, context });
  if (written === undefined) return undefined;
  const absolute = (file: string): string => fromRoot(root, file);
  const lines = (own: readonly string[], further: readonly string[]): Lines => ({ lines: own, files: further.map(absolute) });
  for (const service of Object.keys(written.services)) {
    const result = named(service);
    if ('problem' in result) refuse(context, [...at, 'services', service], `services: ${result.problem}`, 'key');
  }
  return {
    name: written.name,
    requirements: lines(written.requirements, written.requirements_files),
    overrides: lines(written.overrides, written.overrides_files),
    constraints: lines(written.constraints, written.constraints_files),
    buildConstraints: written.build_constraints,
    noBinary: written.no_binary,
    git: written.git.map(({ name, subdirectory }) => ({ name, subdirectory })),
    buildPackages: written.build_packages,
    isolation: written.build_isolation,
    indexes: written.indexes,
    getPip: fromRoot(root, written.get_pip),
    services: Object.entries(written.services).map(([name, requirements]) => ({ name, requirements })),
    prefix: written.prefix,
    place: context.variables.locate(at),
  };
}
