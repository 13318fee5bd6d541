/** Filtering what an upstream offers: the packages a query names, and what they need. */
import type { Context } from '../core/context.ts';
import type { QuerySubject } from '../core/relation.ts';
import type { RepoFormat } from '../formats/format.ts';
import { closure } from '../query/closure.ts';
import { matcher } from '../query/match.ts';
import { parseQuery } from '../query/parse.ts';
import { buildUniverse } from '../query/universe.ts';
import type { MirrorDefinition } from './definition.ts';
import type { IndexPackages } from './indexes.ts';
import type { Candidate } from './spool.ts';

/** The same indexes with only the chosen packages; what is needed and not offered is reported as a warning. */
export function selectPackages(
  parts: readonly IndexPackages[],
  { mirror, format }: { readonly mirror: MirrorDefinition; readonly format: RepoFormat },
  ctx: Context,
): readonly IndexPackages[] {
  const { filter } = mirror;
  if (filter === undefined) return parts;
  const offered = parts.flatMap((part) => (isFiltered(part) ? part.candidates : []));
  const subjects = new Map<QuerySubject, Candidate>(offered.map((candidate) => [format.subject(candidate), candidate]));
  const named = [...subjects.keys()].filter(matcher(parseQuery(filter.query), format.compareVersions));
  if (named.length === 0) {
    ctx.report({ type: 'warning', message: `${mirror.name}: the filter matches none of ${offered.length} packages` });
  }
  const chosen = filter.withDependencies ? withNeeded(subjects, named, { mirror, format }, ctx) : named;
  const kept = new Set([...chosen].map((subject) => subjects.get(subject)));
  return parts.map((part) =>
    isFiltered(part) ? { ...part, candidates: part.candidates.filter((candidate) => kept.has(candidate)) } : part,
  );
}

/** Files that are no packages are there because they were asked for by name. */
function isFiltered(part: IndexPackages): part is Extract<IndexPackages, { readonly candidates: unknown }> {
  return 'candidates' in part && part.index.kind !== 'file';
}

function withNeeded(
  subjects: ReadonlyMap<QuerySubject, Candidate>,
  named: readonly QuerySubject[],
  { mirror, format }: { readonly mirror: MirrorDefinition; readonly format: RepoFormat },
  ctx: Context,
): Iterable<QuerySubject> {
  const universe = buildUniverse(subjects.keys());
  const { selected, missing } = closure(universe, named, {
    follow: mirror.filter?.follow ?? {},
    architectures: mirror.request.architectures,
    compareVersions: format.compareVersions,
  });
  if (missing.length > 0) {
    const first = missing[0];
    const needs = first?.requirement.map(({ name }) => name).join(' | ');
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : '';
    ctx.report({ type: 'warning', message: `${mirror.name}: ${first?.subject.name} needs ${needs}, which is not offered${more}` });
  }
  return selected;
}
