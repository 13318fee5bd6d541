/** Filtering what an upstream offers: the packages a query names, and what they need. */
import type { Context } from '../core/context.ts';
import { memberKey } from '../core/member-order.ts';
import { describePackage, sameFiles } from '../core/package.ts';
import { isForAll, type QuerySubject } from '../core/relation.ts';
import type { RepoFormat, UpstreamRequest } from '../formats/format.ts';
import { closure } from '../query/closure.ts';
import { matcher } from '../query/match.ts';
import { parseQuery } from '../query/parse.ts';
import { buildUniverse } from '../query/universe.ts';
import type { MirrorDefinition } from './definition.ts';
import type { IndexPackages } from './indexes.ts';
import type { Candidate } from './spool.ts';

/** The same indexes with only the chosen packages; what is needed and not offered is reported as a warning. */
export function selectPackages(
  all: readonly IndexPackages[],
  { mirror, format }: { readonly mirror: MirrorDefinition; readonly format: RepoFormat },
  ctx: Context,
): readonly IndexPackages[] {
  const { filter, newest, duplicates } = mirror;
  const single = duplicates === undefined ? all : withoutDuplicates(all, { mirror, format }, ctx);
  const parts = newest === undefined ? single : newestOf(single, newest, format);
  if (filter === undefined) return parts;
  const offered = parts.flatMap((part) => (isFiltered(part) ? part.candidates : []));
  const isNamed = matcher(parseQuery(filter.query), format.compareVersions);
  const named = offered.filter((candidate) => isNamed(format.subject(candidate)));
  if (named.length === 0) {
    ctx.report({ type: 'warning', message: `${mirror.name}: the filter matches none of ${offered.length} packages` });
  }
  const kept = new Set(filter.withDependencies ? withNeeded(offered, named, { mirror, format }, ctx) : named);
  return parts.map((part) =>
    isFiltered(part) ? { ...part, candidates: part.candidates.filter((candidate) => kept.has(candidate)) } : part,
  );
}

/** Files that are no packages are there because they were asked for by name. */
function isFiltered(part: IndexPackages): part is Extract<IndexPackages, { readonly candidates: unknown }> {
  return 'candidates' in part && part.index.kind !== 'file';
}

/** Of packages that cannot stand beside each other the one that was built last, as dnf would choose; of equals that of the lower digest. */
function withoutDuplicates(parts: readonly IndexPackages[], { mirror, format }: { readonly mirror: MirrorDefinition; readonly format: RepoFormat }, ctx: Context): readonly IndexPackages[] {
  const builtAt = (candidate: Candidate): number => Number(format.subject(candidate).field('Buildtime') ?? 0);
  const digestOf = ({ files }: Candidate): string => files[0]?.sha256 ?? '';
  const kept = new Map<string, Candidate>();
  for (const candidate of parts.flatMap((part) => (isFiltered(part) ? part.candidates : []))) {
    const key = memberKey(candidate);
    const before = kept.get(key);
    if (before === undefined) kept.set(key, candidate);
    if (before === undefined || sameFiles(before.files, candidate.files)) continue;
    const order = builtAt(candidate) - builtAt(before) || (digestOf(candidate) < digestOf(before) ? 1 : -1);
    const [taken, left] = order > 0 ? [candidate, before] : [before, candidate];
    kept.set(key, taken);
    ctx.report({ type: 'warning', message: `${mirror.name}: ${describePackage(taken)} is offered with other bytes: ${digestOf(taken).slice(0, 12)} is taken, ${digestOf(left).slice(0, 12)} was built earlier` });
  }
  const chosen = new Set(kept.values());
  return parts.map((part) => (isFiltered(part) ? { ...part, candidates: part.candidates.filter((candidate) => chosen.has(candidate)) } : part));
}

/** Of each name and architecture the highest versions, whichever index has them; what is bound is neither old nor newer. */
function newestOf(parts: readonly IndexPackages[], count: number, { compareVersions }: RepoFormat): readonly IndexPackages[] {
  const groups = new Map<string, Candidate[]>();
  const kept = new Set<Candidate>();
  for (const candidate of parts.flatMap((part) => (isFiltered(part) ? part.candidates : []))) {
    if (candidate.bound) {
      kept.add(candidate);
      continue;
    }
    const key = `${candidate.partition} ${candidate.name} ${candidate.architecture}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [candidate]);
    else group.push(candidate);
  }
  for (const group of groups.values()) {
    const versions = [...new Set(group.map(({ version }) => version))].sort((a, b) => compareVersions(b, a));
    const highest = new Set(versions.slice(0, count));
    for (const candidate of group) if (highest.has(candidate.version)) kept.add(candidate);
  }
  return parts.map((part) => (isFiltered(part) ? { ...part, candidates: part.candidates.filter((candidate) => kept.has(candidate)) } : part));
}

/** Those that are asked for; where none are, those that are offered. */
function architecturesOf({ architectures }: UpstreamRequest, subjects: Iterable<QuerySubject>): readonly string[] {
  if (architectures.length > 0) return architectures;
  const offered = new Set(Array.from(subjects, ({ architecture }) => architecture));
  return [...offered].filter((name) => !isForAll(name)).sort();
}

function withNeeded(
  offered: readonly Candidate[],
  named: readonly Candidate[],
  { mirror, format }: { readonly mirror: MirrorDefinition; readonly format: RepoFormat },
  ctx: Context,
): readonly (Candidate | undefined)[] {
  const subjects = new Map<QuerySubject, Candidate>(offered.map((candidate) => [format.subject(candidate), candidate]));
  const isNamed = new Set(named);
  const roots = [...subjects].flatMap(([subject, candidate]) => (isNamed.has(candidate) ? [subject] : []));
  const universe = buildUniverse(subjects.keys());
  const { selected, missing } = closure(universe, roots, {
    follow: mirror.filter?.follow ?? {},
    architectures: architecturesOf(mirror.request, subjects.keys()),
    compareVersions: format.compareVersions,
  });
  if (missing.length > 0) {
    const first = missing[0];
    const needs = first?.requirement.map(({ name }) => name).join(' | ');
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : '';
    ctx.report({ type: 'warning', message: `${mirror.name}: ${first?.subject.name} needs ${needs}, which is not offered${more}` });
  }
  return selected.map((subject) => subjects.get(subject));
}
