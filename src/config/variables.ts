import type { ParsedSource } from './parse-source.ts';
import { formatPlace } from './problem.ts';
import type { Path, Place, Problem } from './problem.ts';

/** All files as one set of variables. */
export interface Variables {
  readonly names: readonly string[];
  has(name: string): boolean;
  get(name: string): unknown;
  locate(path: Path, part?: 'key' | 'value'): Place;
}

/** These may be spread over files, one series (or release) in one file: a new series is a new file. */
function isSpread(name: string): boolean {
  return name === 'releases' || name.endsWith('_mapping');
}

/** Joins the files. A variable, or an entry of a spread one, that stands in two files is a problem naming both places. */
export function joinSources(sources: readonly ParsedSource[], problems: Problem[]): Variables {
  const homes = new Map<string, ParsedSource>();
  const values = new Map<string, unknown>();
  const spreadHomes = new Map<string, Map<string, ParsedSource>>();
  for (const source of sources) {
    for (const [name, value] of source.values) {
      if (isSpread(name) && isMapping(value)) addEntries(source, name, value);
      else addWhole(source, name, value);
    }
  }
  return {
    names: [...values.keys()],
    has: (name) => values.has(name),
    get: (name) => values.get(name),
    locate(path, part) {
      const entry = path.length > 1 ? spreadHomes.get(String(path[0]))?.get(String(path[1])) : undefined;
      const source = entry ?? homes.get(String(path[0]));
      return source?.locate(path, part) ?? { file: 'vars', line: 0, column: 0 };
    },
  };

  function addWhole(source: ParsedSource, name: string, value: unknown): void {
    const first = homes.get(name);
    if (first !== undefined) return refuse(source, [name], first);
    homes.set(name, source);
    values.set(name, value);
  }

  function addEntries(source: ParsedSource, name: string, value: Readonly<Record<string, unknown>>): void {
    const first = homes.get(name);
    if (first !== undefined && !spreadHomes.has(name)) return refuse(source, [name], first);
    homes.set(name, first ?? source);
    const owners = spreadHomes.get(name) ?? new Map<string, ParsedSource>();
    spreadHomes.set(name, owners);
    // Without a prototype, so that no key means anything but itself.
    const joined = (values.get(name) ?? Object.create(null)) as Record<string, unknown>;
    values.set(name, joined);
    for (const [key, entry] of Object.entries(value)) {
      const owner = owners.get(key);
      if (owner !== undefined) refuse(source, [name, key], owner);
      else {
        owners.set(key, source);
        joined[key] = entry;
      }
    }
  }

  function refuse(source: ParsedSource, path: Path, first: ParsedSource): void {
    const message = `${path.join('.')} is set here and at ${formatPlace(first.locate(path, 'key'))}`;
    problems.push({ ...source.locate(path, 'key'), message });
  }
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
