import type { PackageRecord } from '../../src/core/package.ts';
import type { QuerySubject } from '../../src/core/relation.ts';
import { fieldValue, parseControl } from '../../src/formats/apt/stanza.ts';
import { aptSubject } from '../../src/formats/apt/subject.ts';
import type { Missing } from '../../src/query/closure.ts';
import { buildUniverse, type Universe } from '../../src/query/universe.ts';

/**
 * The packages of a control file as subjects. `Version` is 1 and `Architecture` amd64 where they are left out; the
 * field `X-Index` names the index a package stands in.
 */
export function packages(text: string): QuerySubject[] {
  const bytes = Buffer.from(text);
  return parseControl(bytes).map(({ start, end }) => aptSubject(record(bytes.subarray(start, end))));
}

function record(text: Buffer): PackageRecord {
  return {
    format: 'apt',
    partition: fieldValue(text, 'X-Index') ?? 'binary-amd64',
    name: fieldValue(text, 'Package') ?? '',
    version: fieldValue(text, 'Version') ?? '1',
    architecture: fieldValue(text, 'X-Index') === 'source' ? 'source' : (fieldValue(text, 'Architecture') ?? 'amd64'),
    files: [],
    text,
  };
}

/** A universe of subjects as they are. */
export function universeOf(subjects: Iterable<QuerySubject>): Universe {
  return buildUniverse(subjects, (subject) => subject);
}

/** `name version architecture` of each, for comparing with what is expected. */
export function described(subjects: Iterable<QuerySubject>): string[] {
  return [...subjects].map(({ name, version, architecture }) => `${name} ${version} ${architecture}`);
}

/** `name on architecture: need` of each, likewise. */
export function missing(list: readonly Missing[]): string[] {
  return list.map(({ subject, architecture, requirement }) => {
    const needs = requirement.map(({ name, version }) => (version === undefined ? name : `${name} ${version}`));
    return `${subject.name} on ${architecture}: ${needs.join(' | ')}`;
  });
}
