/** Our own Release files (Debian RepositoryFormat, "Release"). */
import type { RootPlan } from '../format.ts';

/** Writes a Release file. Only SHA256: apt since 1.0 and every tool in use reads it, and nothing weaker is trusted. */
export function writeRelease(plan: RootPlan): Buffer {
  const files = plan.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const width = Math.max(1, ...files.map((file) => String(file.size).length));
  const lines = [
    ...fields(plan).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`])),
    'SHA256:',
    ...files.map((file) => ` ${file.sha256} ${String(file.size).padStart(width)} ${file.path}`),
  ];
  return Buffer.from(`${lines.join('\n')}\n`);
}

function fields(plan: RootPlan): (readonly [string, string | undefined])[] {
  return [
    ['Origin', plan.origin],
    ['Label', plan.label],
    ['Suite', plan.suite],
    ['Version', plan.version],
    ['Codename', plan.codename],
    ['Date', utc(plan.date)],
    ['Valid-Until', plan.validUntil === undefined ? undefined : utc(plan.validUntil)],
    ['NotAutomatic', plan.notAutomatic === true ? 'yes' : undefined],
    // apt_preferences(5): it counts only together with NotAutomatic.
    ['ButAutomaticUpgrades', plan.butAutomaticUpgrades === true ? 'yes' : undefined],
    ['Signed-By', plan.signedBy?.join(', ')],
    ['Architectures', plan.architectures.join(' ')],
    ['Components', plan.components.join(' ')],
    ['Description', plan.description],
    ['Acquire-By-Hash', 'yes'],
  ];
}

/** RepositoryFormat, "Date": the zone is UTC. */
function utc(date: Date): string {
  return date.toUTCString().replace('GMT', 'UTC');
}
