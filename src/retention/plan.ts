/** What a prune would drop, and why. Pure; whatever is used stays, whatever the rules say. */
import { judgeByRules, type DatedSnapshot, type RetentionRule } from './policy.ts';

export interface PrunableSnapshot extends DatedSnapshot {
  /** Numbers of the snapshots it was made from. */
  readonly sources: readonly number[];
}

export interface PruneRequest {
  readonly rules: readonly RetentionRule[];
  /** Why a snapshot is needed by something that is no snapshot: a publication, a release. By number. */
  readonly needed: ReadonlyMap<number, string>;
  readonly now: Date;
}

export interface PruneDecision {
  readonly id: number;
  readonly name: string;
  readonly createdAt: string;
  readonly action: 'keep' | 'drop';
  readonly reason: string;
}

/** A decision for every snapshot, by name. Throws E_USAGE for a bad rule. */
export function planPrune(snapshots: readonly PrunableSnapshot[], { rules, needed, now }: PruneRequest): readonly PruneDecision[] {
  const judged = judgeByRules(snapshots, rules, now);
  const reasons = new Map<number, string>();
  for (const { id } of snapshots) {
    const judgement = judged.get(id);
    const need = needed.get(id);
    if (need !== undefined) reasons.set(id, need);
    else if (judgement?.keep === true) reasons.set(id, judgement.reason);
  }
  keepSources(snapshots, reasons);
  return snapshots
    .map(({ id, name, createdAt }): PruneDecision => {
      const kept = reasons.get(id);
      const reason = kept ?? judged.get(id)?.reason ?? '';
      return { id, name, createdAt, action: kept === undefined ? 'drop' : 'keep', reason };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The order in which the plan's snapshots can go: none before those made from it, which have higher numbers. */
export function dropOrder(decisions: readonly PruneDecision[]): readonly PruneDecision[] {
  return decisions.filter(({ action }) => action === 'drop').sort((a, b) => b.id - a.id);
}

/** What a kept snapshot was made from stays with it, and so on down to the mirrors. */
function keepSources(snapshots: readonly PrunableSnapshot[], reasons: Map<number, string>): void {
  const byId = new Map(snapshots.map((snapshot) => [snapshot.id, snapshot]));
  const open = snapshots.filter(({ id }) => reasons.has(id));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const id of next.sources) {
      const source = byId.get(id);
      if (source === undefined || reasons.has(id)) continue;
      reasons.set(id, `source of ${next.name}`);
      open.push(source);
    }
  }
}
