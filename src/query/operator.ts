import type { VersionOperator } from '../core/relation.ts';

/** Negative, 0 or positive: the order of two versions of the format at hand. */
export type CompareVersions = (a: string, b: string) => number;

/** True when something that compares like `order` (negative, 0, positive) to a wanted value satisfies the operator. */
export function holds(operator: VersionOperator, order: number): boolean {
  switch (operator) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
  }
}

/** Order of two texts by UTF-16 code units: the same everywhere, whatever the locale. */
export function compareTexts(a: string, b: string): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}
