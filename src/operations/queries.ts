/** Queries as they stand on a command line, and what else filter, search, pull and verify share. */
import { readFileSync } from 'node:fs';
import { ArtifactsError } from '../core/errors.ts';
import type { PackageKey } from '../core/package.ts';
import type { Missing } from '../query/closure.ts';
import { describeRequirement } from '../query/describe.ts';
import type { Follow } from '../snapshot/select.ts';
import type { OptionSpec } from './operation.ts';
import { counted } from './text.ts';

/** How a closure is followed: spread into `options`. */
export const FOLLOW_OPTIONS = {
  followRecommends: { kind: 'flag', summary: 'follow Recommends too, of rpm Supplements' },
  followSuggests: { kind: 'flag', summary: 'follow Suggests too, of rpm Enhances' },
  followSource: { kind: 'flag', summary: 'follow from a binary package to its source' },
  followBuild: { kind: 'flag', summary: 'follow the build dependencies of source packages' },
  followAllVariants: { kind: 'flag', summary: 'follow every alternative, not one of each need' },
  architectures: { kind: 'list', value: 'NAME', summary: 'whose needs count (default: those there are packages of)' },
} as const satisfies Record<string, OptionSpec>;

export interface FollowInput {
  readonly followRecommends: boolean;
  readonly followSuggests: boolean;
  readonly followSource: boolean;
  readonly followBuild: boolean;
  readonly followAllVariants: boolean;
  readonly architectures: readonly string[] | undefined;
}

export function followFrom(input: FollowInput): Follow {
  return {
    recommends: input.followRecommends,
    suggests: input.followSuggests,
    sources: input.followSource,
    builds: input.followBuild,
    allVariants: input.followAllVariants,
    architectures: (input.architectures ?? []).flatMap((list) => list.split(/[\s,]+/)).filter((name) => name !== ''),
  };
}

/** The queries; `@file` stands for the lines of a file, but for empty ones and those that begin with `#`. */
export function readQueries(words: readonly string[]): readonly string[] {
  const queries = words.flatMap((word) => (word.startsWith('@') ? linesOf(word.slice(1)) : [word]));
  if (queries.length === 0) throw new ArtifactsError('E_USAGE', 'There is no query: the files named hold none');
  return queries;
}

function linesOf(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ArtifactsError('E_NOT_FOUND', `The file of queries ${file} cannot be read`, {
      hint: 'After @ stands the path of a file with one query a line.',
      cause: error,
    });
  }
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
}

/** A need that nothing meets, as `--json` shows it. */
export interface MissingView extends PackageKey {
  /** `name version architecture` */
  readonly package: string;
  /** For which architecture it was looked up. */
  readonly for: string;
  readonly requirement: string;
}

export function viewMissing({ subject, architecture, requirement }: Missing): MissingView {
  const { name, version, architecture: own } = subject;
  return {
    package: `${name} ${version} ${own}`,
    name,
    version,
    architecture: own,
    for: architecture,
    requirement: describeRequirement(requirement),
  };
}

/** One line for each need, after how many there are. */
export function missingText(missing: readonly MissingView[]): string {
  const lines = missing.map((one) => {
    const where = one.architecture === one.for ? '' : ` for ${one.for}`;
    return `  ${one.package} needs ${one.requirement}${where}`;
  });
  return [`${counted(missing.length, 'need')} that nothing meets:`, ...lines].join('\n');
}
