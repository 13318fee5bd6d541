/** Which snapshots a site wants to keep. Pure: rules and snapshots in, a judgement with its reason out. */
import { ArtifactsError } from '../core/errors.ts';
import { compileGlob } from '../query/pattern.ts';

/**
 * What becomes of the snapshots whose names fit the pattern. A snapshot goes when it is neither among the newest nor
 * young; a rule must say at least one of the two.
 */
export interface RetentionRule {
  /** A glob over the whole name. The first rule that fits a snapshot is the one that counts. */
  readonly pattern: string;
  /**
   * How many of the newest stay. Those that were set aside under the date, `NAME@DATE`, are counted for each NAME: one rule
   * is about the revisions of all sources.
   */
  readonly keep?: number;
  /** Milliseconds; younger ones stay. */
  readonly olderThan?: number;
}

export interface DatedSnapshot {
  readonly id: number;
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

export interface Judgement {
  readonly keep: boolean;
  readonly reason: string;
}

/** What the rules say of each snapshot, by its number, before anybody asks whether it is used. Throws E_USAGE for a bad rule. */
export function judgeByRules(
  snapshots: readonly DatedSnapshot[],
  rules: readonly RetentionRule[],
  now: Date,
): ReadonlyMap<number, Judgement> {
  const judged = new Map<number, Judgement>(snapshots.map(({ id }) => [id, { keep: true, reason: 'no rule is about it' }]));
  const taken = new Set<number>();
  for (const rule of rules) {
    const fits = patternTest(rule);
    const own = snapshots.filter(({ id, name }) => !taken.has(id) && fits(name)).sort(newestFirst);
    const counts = new Map<string, number>();
    for (const snapshot of own) {
      const series = seriesOf(snapshot.name, rule.pattern);
      const index = counts.get(series) ?? 0;
      counts.set(series, index + 1);
      taken.add(snapshot.id);
      judged.set(snapshot.id, judge(snapshot, { rule, series, index, now }));
    }
  }
  return judged;
}

/** Which snapshots it is counted with, as a pattern. */
function seriesOf(name: string, pattern: string): string {
  const at = name.lastIndexOf('@');
  return at === -1 ? pattern : `${name.slice(0, at)}@*`;
}

function patternTest({ pattern, keep, olderThan }: RetentionRule): (name: string) => boolean {
  if (keep === undefined && olderThan === undefined) {
    throw new ArtifactsError('E_USAGE', `The rule for ${JSON.stringify(pattern)} says neither how many nor how young snapshots stay`, {
      hint: 'Say keep, or older than, or both.',
    });
  }
  const compiled = compileGlob(pattern);
  if (!compiled.ok) throw new ArtifactsError('E_USAGE', `The pattern ${JSON.stringify(pattern)} ${compiled.reason}`);
  return compiled.test;
}

/** Of two made at the same time the later number is the newer. */
function newestFirst(a: DatedSnapshot, b: DatedSnapshot): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return b.id - a.id;
}

interface Judging {
  readonly rule: RetentionRule;
  readonly series: string;
  /** Its place among the rule's snapshots of its series, the newest first. */
  readonly index: number;
  readonly now: Date;
}

function judge(snapshot: DatedSnapshot, { rule: { keep, olderThan }, series, index, now }: Judging): Judgement {
  if (keep !== undefined && index < keep) return { keep: true, reason: `one of the ${keep} newest of ${series}` };
  const age = now.getTime() - Date.parse(snapshot.createdAt);
  if (olderThan !== undefined && age < olderThan) return { keep: true, reason: `younger than ${describeAge(olderThan)}` };
  const many = keep === undefined ? undefined : `not one of the ${keep} newest of ${series}`;
  const old = olderThan === undefined ? undefined : `older than ${describeAge(olderThan)}`;
  return { keep: false, reason: [many, old].filter((part) => part !== undefined).join(', ') };
}

/** `30d`, `36h`: the largest unit that leaves no rest. */
function describeAge(milliseconds: number): string {
  const units: readonly (readonly [string, number])[] = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]];
  const [unit, size] = units.find(([, length]) => milliseconds % length === 0) ?? ['ms', 1];
  return `${milliseconds / size}${unit}`;
}
