/** What the people of a format call its packages, and what they mean by it. */
import type { PackageKey } from './package.ts';

/**
 * One way to read a word: for each part of a package that it names, what that part must be, a glob where it has one of
 * `*?[`. The part `name` is the package's own name, by which packages are looked up.
 */
export type PackageForm = Readonly<Record<string, string>>;

export interface PackageNames {
  /** A package as it is written where a query can be: `jq_1.6-2.1_amd64`, `jq-1.6-2.el9.x86_64`. */
  write(key: PackageKey): string;
  /**
   * What a word can mean, in the order in which it is tried: the first form that any package has is meant. A form that is
   * nothing but the word as a name stands for what provides it, too.
   */
  forms(word: string): readonly PackageForm[];
  /** A part of a package that forms speak of. */
  part(key: PackageKey, part: string): string;
  /** Whether descriptions have a field of this name. What is none may be a package. */
  isField(name: string): boolean;
}

/** A package with its name in full. */
export interface NamedPackage extends PackageKey {
  /** As `PackageNames.write` gives it. */
  readonly package: string;
}

export function namedPackage({ name, version, architecture }: PackageKey, names: PackageNames): NamedPackage {
  return { package: names.write({ name, version, architecture }), name, version, architecture };
}
