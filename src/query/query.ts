/**
 * The query language: which packages of a list are meant. It is aptly's, with its traps mended:
 *
 *     query     = all { "|" all }
 *     all       = term { "," term }
 *     term      = "!" term | "(" query ")" | word | package | field
 *     package   = name [ condition ] [ "{" architecture "}" ]          name alone: in quotation marks
 *     field     = ( Field | $Special ) [ condition ]
 *     condition = "(" [ operator ] value ")"
 *     operator  = "<<" | "<=" | "<" | "=" | ">=" | ">" | ">>" | "%" | "~"
 *
 * A word alone is the name of packages, or spells packages as the format does: `jq_1.6-2.1_amd64` for apt, for rpm
 * `jq-1.6-2.x86_64`, `jq.x86_64` and what else dnf takes; a glob in it means names. A word with a capital first letter and no
 * underscore is a field, unless the format has none of this name. A word in quotation marks is always the name of a package. `<` and `>` mean `<=` and `>=`, as in relations of
 * old; `%` is a glob for the whole value, `~` a regular expression found anywhere in it. Values with blanks or round
 * brackets stand in quotation marks, single or double, where a backslash takes the next character as it is.
 *
 * A query knows nothing of repository formats: it sees subjects, and gets the order of versions handed in.
 */
import type { PackageForm } from '../core/package-names.ts';
import type { VersionOperator } from '../core/relation.ts';

export type Query = All | Any | Not | WordTerm | FormTerm | PackageTerm | FieldTerm;

/** Every part matches. Has at least two parts, none of them an `all`. */
export interface All {
  readonly kind: 'all';
  readonly parts: readonly Query[];
}

/** One part matches. Has at least two parts, none of them an `any`. */
export interface Any {
  readonly kind: 'any';
  readonly parts: readonly Query[];
}

export interface Not {
  readonly kind: 'not';
  readonly part: Query;
}

/**
 * Like a dependency: packages of that name and packages that provide it, in a version that meets the condition. An
 * unversioned Provides meets no condition. An architecture means packages of it and those of `all`.
 */
export interface PackageTerm {
  readonly kind: 'package';
  readonly name: string;
  readonly condition?: Condition;
  readonly architecture?: string;
  /** Where the term begins in the query, counted from 1. */
  readonly column: number;
}

/** A field of the description, or a special one. Without a condition: the field is there and not empty. */
export interface FieldTerm {
  readonly kind: 'field';
  /** `Section`, `Name`, `$PackageType`. */
  readonly field: string;
  readonly condition?: Condition;
  readonly column: number;
}

/** A name of packages, or whatever else the format reads in it: which of all that is settled by what packages there are. */
export interface WordTerm {
  readonly kind: 'word';
  readonly text: string;
  readonly column: number;
}

/** A word that is settled: packages of this form. */
export interface FormTerm {
  readonly kind: 'form';
  readonly form: PackageForm;
  /** As it was written. */
  readonly text: string;
  readonly column: number;
}

/** `glob` and `regex` test text; the other operators compare, by the rules of the field they stand with. */
export interface Condition {
  readonly operator: VersionOperator | 'glob' | 'regex';
  readonly value: string;
}

/** What `$…` can stand for. All but the version fields are text. */
export const SPECIAL_FIELDS = ['$Architecture', '$PackageType', '$Source', '$SourceVersion', '$Version'] as const;

export type FieldType = 'version' | 'number' | 'text';

/** By which rules the values of a field are compared. */
export function fieldType(field: string): FieldType {
  switch (field) {
    case 'Version':
    case '$Version':
    case '$SourceVersion':
      return 'version';
    case 'Size':
    case 'Installed-Size':
      return 'number';
    default:
      return 'text';
  }
}
