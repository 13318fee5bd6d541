/** What may stand in the variables about git. */
import { z } from 'zod';
import { versionProblem } from '../artifacts/git/address.ts';
import { byteSize, duration, flag, named, path, quote, safeName, strict, textAs, words } from './values.ts';

/** Stands for every repository there is. */
export const ALL = 'all';

const repositoryName = textAs((text) => (text.toLowerCase() === ALL ? { problem: `${quote(text)} is no name: it means all of them` } : named(text)));

const version = textAs((text) => {
  const problem = versionProblem(text);
  return problem === undefined ? { value: text } : { problem: `${quote(text)} ${problem}` };
});

const gitRepoSchema = strict({
  name: repositoryName,
  // Checked further by address.ts, which knows the root.
  repo: textAs((text) => ({ value: text })),
  version,
  allow_moved_tag: flag.optional(),
});

export const gitSchemas = {
  git_repos: z.array(gitRepoSchema),
  git_roles: words(path),
  git_mapping: z.record(z.string(), words(safeName)),
  git_limits: strict({ size: byteSize.optional(), time: duration.optional() }),
} as const;

export const GIT_VARIABLES: readonly string[] = Object.keys(gitSchemas);
