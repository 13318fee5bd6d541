/** Requirements and constraints: one line each, in the layers they were given in. Pure. */
import { ArtifactsError } from '../../core/errors.ts';
import { normalizeName } from './names.ts';

/** A requirement as PEP 508 writes it. What lies beyond its name is pip's to read. */
export interface Requirement {
  /** Normalized. */
  readonly name: string;
  /** The line, without comment. */
  readonly text: string;
  /** The version it allows, when it is exactly one. */
  readonly pinned: string | undefined;
  /** `; python_version < "3.12"`: whether it counts is decided where it is built. */
  readonly conditional: boolean;
}

const VERSIONS = /(?:(?:~=|={2,3}|!=|<=?|>=?) ?[A-Za-z0-9_.*+!-]+(?: ?, ?)?)*/.source;
const REQUIREMENT = new RegExp(`^([A-Za-z0-9][A-Za-z0-9._-]*) ?(?:\\[[A-Za-z0-9._, -]*\\])? ?(\\(${VERSIONS}\\)|${VERSIONS}) ?(?:;(.*))?$`, 's');

/** Reads one line; `where` names it in errors. Undefined for an empty line or a comment. E_CONFIG for anything but a name with versions. */
export function parseRequirement(line: string, where: string): Requirement | undefined {
  const text = line.replace(/(?:^|\s+)#.*$/s, '').replace(/[ \t]+/g, ' ').trim();
  if (text === '') return undefined;
  const match = REQUIREMENT.exec(text);
  // An option or an URL would let a file of requirements decide where things come from.
  // oxlint-disable-next-line no-control-regex
  if (match === null || /[\u0000-\u001f\u007f\\]/.test(text)) {
    throw new ArtifactsError('E_CONFIG', `${where}: ${JSON.stringify(text.slice(0, 120))} is no requirement such as "name>=1.0"`, {
      hint: 'Options and URLs have no place here: indexes and git repositories are configured beside the requirements.',
    });
  }
  const [, name = '', versions = '', marker] = match;
  const exact = /^\(?\s*={2,3}\s*([A-Za-z0-9_.!+-]+)\s*\)?$/.exec(versions)?.[1];
  return { name: checkedName(name, where), text, pinned: exact, conditional: marker !== undefined };
}

/** Reads a file of requirements: a line each, `\` at the end of a line continues it. */
export function parseRequirements(text: string, where: string): readonly Requirement[] {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line, index) => parseRequirement(line, `${where}:${index + 1}`))
    .filter((requirement) => requirement !== undefined);
}

function checkedName(name: string, where: string): string {
  try {
    return normalizeName(name);
  } catch (error) {
    throw new ArtifactsError('E_CONFIG', `${where}: ${JSON.stringify(name.slice(0, 120))} is no name of a Python project`, { cause: error });
  }
}

export interface ConstraintLayers {
  /** Versions of what is built from git, by normalized name: nothing else is said of those names. */
  readonly git: ReadonlyMap<string, { readonly version: string; readonly commit: string }>;
  /** Whatever they name, the upper constraints do not. */
  readonly overrides: readonly Requirement[];
  readonly upper: readonly Requirement[];
}

/**
 * The constraints that hold, sorted by name: git over overrides over upper constraints. `===`, which OpenStack's lists
 * write, becomes `==`: it compares text and would refuse 1.0.0 where 1.0 is asked for. RPC-O made it `<=`, and so let
 * in whatever was older.
 */
export function layerConstraints({ git, overrides, upper }: ConstraintLayers): readonly string[] {
  const overridden = new Set(overrides.map(({ name }) => name));
  const kept = [...overrides, ...upper.filter(({ name }) => !overridden.has(name))].filter(({ name }) => !git.has(name));
  refuseContradictions(kept);
  const lines = kept.map(({ name, text }) => ({ name, line: text.replace(/(^|[^=])={3}(?!=)/g, '$1==') }));
  const pins = [...git].map(([name, { version, commit }]) => ({ name, line: `${name}==${version} # ${commit}` }));
  return [...new Set([...lines, ...pins].sort(byNameAndLine).map(({ line }) => line))];
}

/** pip would take the meet of both, which is empty, and blame the project. */
function refuseContradictions(constraints: readonly Requirement[]): void {
  const pins = new Map<string, Requirement>();
  for (const constraint of constraints) {
    if (constraint.conditional || constraint.pinned === undefined) continue;
    const before = pins.get(constraint.name);
    if (before !== undefined && before.pinned !== constraint.pinned) {
      throw new ArtifactsError('E_CONFIG', `Two constraints contradict each other: "${before.text}" and "${constraint.text}"`, {
        hint: 'Name the version that shall hold in `overrides`.',
      });
    }
    pins.set(constraint.name, constraint);
  }
}

function byNameAndLine(a: { readonly name: string; readonly line: string }, b: typeof a): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.line < b.line ? -1 : 1;
}

/** What is required, sorted, each line once. */
export function requirementLines(requirements: readonly Requirement[]): readonly string[] {
  const lines = requirements.map(({ name, text }) => ({ name, line: text }));
  return [...new Set(lines.sort(byNameAndLine).map(({ line }) => line))];
}

/**
 * The versions that are certain before anything is resolved: required without a condition, and held to one version by
 * the requirement or by the only constraint of that name.
 */
export function certainPins(requirements: readonly Requirement[], constraints: readonly string[]): ReadonlyMap<string, string> {
  const byName = new Map<string, Requirement[]>();
  for (const line of constraints) {
    const constraint = parseRequirement(line, 'constraints');
    if (constraint !== undefined) byName.set(constraint.name, [...(byName.get(constraint.name) ?? []), constraint]);
  }
  const pins = new Map<string, string>();
  for (const { name, pinned, conditional } of requirements) {
    if (conditional) continue;
    const own = byName.get(name) ?? [];
    const [only] = own;
    const version = pinned ?? (own.length === 1 && only?.conditional === false ? only.pinned : undefined);
    if (version !== undefined) pins.set(name, version);
  }
  return pins;
}
