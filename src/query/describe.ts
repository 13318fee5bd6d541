import type { Alternative, Requirement } from '../core/relation.ts';

/** A need as it is written in a relation field: `libc6 (>= 2.36) | libc6.1:any`. */
export function describeRequirement(requirement: Requirement): string {
  return requirement.map(describeAlternative).join(' | ');
}

function describeAlternative({ name, qualifier, operator, version, with: besides = [], without = [], absent }: Alternative): string {
  const qualified = qualifier === undefined ? name : `${name}:${qualifier}`;
  const own = operator === undefined || version === undefined ? qualified : `${qualified} (${operator} ${version})`;
  const also = besides.map((one) => ` with ${describeAlternative(one)}`).join('');
  return `${absent === true ? 'no ' : ''}${own}${also}${without.map((one) => ` without ${describeAlternative(one)}`).join('')}`;
}
