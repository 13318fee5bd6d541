import type { Alternative, Requirement } from '../core/relation.ts';

/** A need as it is written in a relation field: `libc6 (>= 2.36) | libc6.1:any`. */
export function describeRequirement(requirement: Requirement): string {
  return requirement.map(describeAlternative).join(' | ');
}

function describeAlternative({ name, qualifier, operator, version }: Alternative): string {
  const qualified = qualifier === undefined ? name : `${name}:${qualifier}`;
  return operator === undefined || version === undefined ? qualified : `${qualified} (${operator} ${version})`;
}
