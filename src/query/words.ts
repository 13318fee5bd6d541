/** What the words of a query mean: the format says what they can mean, the packages that are there say what they do. */
import type { PackageKey } from '../core/package.ts';
import type { PackageForm, PackageNames } from '../core/package-names.ts';
import { compileGlob } from './pattern.ts';
import type { FieldTerm, PackageTerm, Query, WordTerm } from './query.ts';

/** The query with nothing left open: each word means the first of its forms that is there. */
export function settle(query: Query, names: PackageNames, isThere: (form: PackageForm) => boolean): Query {
  switch (query.kind) {
    case 'all':
    case 'any':
      return { ...query, parts: query.parts.map((part) => settle(part, names, isThere)) };
    case 'not':
      return { ...query, part: settle(query.part, names, isThere) };
    case 'field': {
      const term = fieldOrPackage(query, names);
      return term.kind === 'word' ? settleWord(term, names, isThere) : term;
    }
    case 'word':
      return settleWord(query, names, isThere);
    case 'form':
    case 'package':
      return query;
  }
}

/** The same for packages that are at hand. Reads nothing of them but their keys. */
export function settleAmong(query: Query, names: PackageNames, keys: readonly PackageKey[]): Query {
  const wanted = new Map<string, PackageKey[]>();
  settle(query, names, ({ name }) => {
    if (name !== undefined) wanted.set(name, []);
    return false;
  });
  if (wanted.size > 0) for (const key of keys) wanted.get(key.name)?.push(key);
  return settle(query, names, (form) => {
    const candidates = form['name'] === undefined || isGlob(form['name']) ? keys : (wanted.get(form['name']) ?? []);
    return candidates.some(formTest(form, names));
  });
}

/** What a term that looks like a field is for this format. */
export function fieldOrPackage({ field: name, condition, column }: FieldTerm, names: PackageNames): FieldTerm | PackageTerm | WordTerm {
  if (name.startsWith('$') || names.isField(name)) return { kind: 'field', field: name, ...(condition === undefined ? {} : { condition }), column };
  return condition === undefined ? { kind: 'word', text: name, column } : { kind: 'package', name, condition, column };
}

/** The only name that packages of this form can have, if there is one. */
export function onlyName({ name }: PackageForm): string | undefined {
  return name === undefined || isGlob(name) ? undefined : name;
}

/** Whether a package is of this form. */
export function formTest(form: PackageForm, names: PackageNames): (key: PackageKey) => boolean {
  const tests = Object.entries(form).map(([part, wanted]) => [part, partTest(wanted)] as const);
  return (key) => tests.every(([part, test]) => test(names.part(key, part)));
}

/** A test of a part of a form. What is no glob is meant as it is written. */
export function partTest(wanted: string): (text: string) => boolean {
  const glob = isGlob(wanted) ? compileGlob(wanted) : undefined;
  return glob?.ok === true ? glob.test : (text) => text === wanted;
}

function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

/** The word as a name is meant like a dependency; and when nothing is there, that too is what is meant. */
function settleWord({ text, column }: WordTerm, names: PackageNames, isThere: (form: PackageForm) => boolean): Query {
  const forms = names.forms(text);
  const isName = (form: PackageForm): boolean => onlyName(form) === text && Object.keys(form).length === 1;
  const form = forms.find(isThere) ?? forms.find(isName) ?? forms[0];
  return form === undefined || isName(form) ? { kind: 'package', name: text, column } : { kind: 'form', form, text, column };
}
