/** Filtering what an upstream offers: the packages a query names, and what they need. */
import type { Context } from '../core/context.ts';
import { memberKey } from '../core/member-order.ts';
import { describePackage, sameFiles } from '../core/package.ts';
import type { RepoFormat, UpstreamRequest } from '../formats/format.ts';
import { closure } from '../query/closure.ts';
import { matcher } from '../query/match.ts';
import { compareTexts } from '../query/operator.ts';
import { parseQuery } from '../query/parse.ts';
import { buildUniverse } from '../query/universe.ts';
import { settleAmong } from '../query/words.ts';
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
  const isNamed = matcher(settleAmong(parseQuery(filter.query), format.names, offered), format);
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
  const builtAt = (candidate: Candidate): number => format.subject(candidate).times?.().built ?? 0;
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
  const offered = parts.flatMap((part) => (isFiltered(part) ? part.candidates : []));
  const kept = new Set(offered.filter(({ bound }) => bound));
  const compareGroups = (a: Candidate, b: Candidate): number =>
    compareTexts(a.partition, b.partition) || compareTexts(a.name, b.name) || compareTexts(a.architecture, b.architecture);
  // Sorted, not gathered in a map: of a hundred thousand that takes 30 MB less.
  const sorted = offered
    .filter(({ bound }) => !bound)
    .sort((a, b) => compareGroups(a, b) || compareVersions(b.version, a.version) || compareTexts(a.version, b.version));
  let versions = 0;
  for (const [at, candidate] of sorted.entries()) {
    const before = sorted[at - 1];
    if (before === undefined || compareGroups(before, candidate) !== 0) versions = 1;
    else if (before.version !== candidate.version) versions += 1;
    if (versions <= count) kept.add(candidate);
  }
  return parts.map((part) => (isFiltered(part) ? { ...part, candidates: part.candidates.filter((candidate) => kept.has(candidate)) } : part));
}

/** Those that are asked for; where none are, those that are offered. */
function architecturesOf({ architectures }: UpstreamRequest, candidates: readonly Candidate[], format: RepoFormat): readonly string[] {
  if (architectures.length > 0) return architectures;
  const offered = new Map(candidates.map((candidate) => [candidate.architecture, candidate]));
  return [...offered].filter(([, candidate]) => !format.subject(candidate).isForAll).map(([architecture]) => architecture).sort();
}

function withNeeded(
  offered: readonly Candidate[],
  named: readonly Candidate[],
  { mirror, format }: { readonly mirror: MirrorDefinition; readonly format: RepoFormat },
  ctx: Context,
): readonly (Candidate | undefined)[] {
  const universe = buildUniverse(offered, (candidate) => format.subject(candidate));
  const { selected, missing } = closure(universe, named.map(universe.subjectOf), {
    follow: mirror.filter?.follow ?? {},
    architectures: architecturesOf(mirror.request, offered, format),
    compareVersions: format.compareVersions,
  });
  if (missing.length > 0) {
    const first = missing[0];
    const needs = first?.requirement.map(({ name }) => name).join(' | ');
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : '';
    ctx.report({ type: 'warning', message: `${mirror.name}: ${first?.subject.name} needs ${needs}, which is not offered${more}` });
  }
  return selected.map(universe.itemOf);
}
