import { join, resolve } from 'node:path';
import { ArtifactsError } from '../core/errors.ts';

/** Options that every command takes. They may stand before, between and after the words of the command. */
export interface Globals {
  /** Absolute path of the folder that holds vars/ and mappings/. */
  readonly root: string;
  /** Absolute path of the folder of catalog, pool and published trees. */
  readonly state: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly progress: ProgressStyle;
  readonly version: boolean;
}

const PROGRESS_STYLES = ['auto', 'bar', 'lines', 'json', 'none'] as const;
export type ProgressStyle = (typeof PROGRESS_STYLES)[number];

/** A global option as help, completion and the parser need it. */
export interface GlobalOption {
  readonly name: string;
  /** How its value is called; absent for a switch. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly summary: string;
}

export const GLOBAL_OPTIONS: readonly GlobalOption[] = [
  { name: 'root', value: 'DIR', summary: 'the folder that holds vars/ and mappings/ (default: the current folder)' },
  {
    name: 'state',
    value: 'DIR',
    summary: 'the folder of catalog, pool and published trees (default: $RPC_ARTIFACTS_FOLDER, or state/ in the root)',
  },
  { name: 'json', summary: 'print the result, or the error, as JSON on standard output' },
  { name: 'quiet', summary: 'no progress on standard error, only warnings and errors' },
  {
    name: 'progress',
    value: 'STYLE',
    choices: PROGRESS_STYLES,
    summary: 'how progress is shown on standard error; auto is bar on a terminal and lines elsewhere',
  },
  { name: 'version', summary: 'print the version' },
];

/** Where relative paths and defaults come from. */
export interface Surroundings {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Takes the global options out of the command line; what follows `--` is left alone. An option whose value equals a
 * global option is written with an equals sign: `--query=--json`. Throws E_USAGE.
 */
export function splitGlobals(
  argv: readonly string[],
  surroundings: Surroundings,
): { readonly globals: Globals; readonly rest: readonly string[] } {
  const given = new Map<string, string>();
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') {
      rest.push(...argv.slice(index));
      break;
    }
    const found = matchGlobal(word);
    if (found === undefined) {
      rest.push(word);
    } else if (found.option.value === undefined || found.value !== undefined) {
      given.set(found.option.name, checkValue(found.option, found.value));
    } else {
      index += 1;
      given.set(found.option.name, checkValue(found.option, argv[index]));
    }
  }
  return { globals: toGlobals(given, surroundings), rest };
}

/** True when JSON is asked for, even on a command line that is wrong otherwise. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

function matchGlobal(word: string): { readonly option: GlobalOption; readonly value?: string } | undefined {
  if (!word.startsWith('--')) return undefined;
  const equals = word.indexOf('=');
  const name = word.slice(2, equals === -1 ? undefined : equals);
  const option = GLOBAL_OPTIONS.find((candidate) => candidate.name === name);
  if (option === undefined) return undefined;
  return equals === -1 ? { option } : { option, value: word.slice(equals + 1) };
}

function checkValue(option: GlobalOption, value: string | undefined): string {
  if (option.value === undefined) {
    if (value === undefined) return '';
    throw new ArtifactsError('E_USAGE', `Option "--${option.name}" takes no value`);
  }
  if (value === undefined || value === '' || value.startsWith('--')) {
    throw new ArtifactsError('E_USAGE', `Option "--${option.name}" needs a value (${option.value})`);
  }
  if (option.choices !== undefined && !option.choices.includes(value)) {
    throw new ArtifactsError('E_USAGE', `Option "--${option.name}" is "${value}"`, {
      hint: `It is one of ${option.choices.join(', ')}.`,
    });
  }
  return value;
}

function toGlobals(given: ReadonlyMap<string, string>, { cwd, environment }: Surroundings): Globals {
  const root = resolve(cwd, given.get('root') ?? '.');
  const fromEnvironment = environment['RPC_ARTIFACTS_FOLDER'];
  const state = given.get('state') ?? (fromEnvironment === '' ? undefined : fromEnvironment);
  return {
    root,
    state: state === undefined ? join(root, 'state') : resolve(cwd, state),
    json: given.has('json'),
    quiet: given.has('quiet'),
    progress: (given.get('progress') ?? 'auto') as ProgressStyle,
    version: given.has('version'),
  };
}
