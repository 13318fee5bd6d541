import { ArtifactsError } from '../core/errors.ts';
import { formatQuery } from '../query/format.ts';
import { defineOperation } from './operation.ts';
import { readQueries } from './queries.ts';
import type { ShowRequest } from './package-view.ts';
import { bytes } from './text.ts';

export const packageShow = defineOperation({
  name: 'package show',
  summary: 'Show packages as indexes describe them, with their files and who holds them',
  description: `WHICH is a name, with a version and an architecture if need be, a name in full as searches print it, or one query.
The same files may be described in several ways, as upstreams change sections, priorities or the times of files: each is shown,
with its own digest.`,
  example: `$ artifacts package show jq 1.6-2.1 amd64 --references
Package: jq
Version: 1.6-2.1
...
# file  jq_1.6-2.1_amd64.deb  63.5 kB  0f0c…
# held by mirror debian-bookworm
# held by snapshot bookworm-2026-11-21`,
  arguments: { which: { summary: 'name, version and architecture, or a query', variadic: true } },
  options: {
    snapshot: { kind: 'text', value: 'NAME', summary: 'look in this snapshot only' },
    references: { kind: 'flag', summary: 'also name the mirrors, snapshots, repositories and publications that hold it' },
  },
  run: async (app, { which, snapshot, references }) => {
    const { showPackages } = await import('./package-view.ts');
    const found = await showPackages(await app.catalog(), { which: readWhich(which), snapshot, references });
    if (found.length > 0) return found;
    throw new ArtifactsError('E_NOT_FOUND', `No package is ${which.join(' ')}${snapshot === undefined ? '' : ` in snapshot "${snapshot}"`}`, {
      hint: '`artifacts package search` finds packages by patterns.',
    });
  },
  render: (found) =>
    found
      .map(({ stanza, files, references }) =>
        [
          stanza.trimEnd(),
          ...files.map(({ name, size, sha256 }) => `# file  ${name}  ${bytes(size)}  ${sha256}`),
          ...(references ?? []).map(({ kind, name }) => `# held by ${kind} ${name}`),
        ].join('\n'),
      )
      .join('\n\n'),
});

/** A plain name means the packages of that name, not those that provide it; a name in full means this very package. */
function readWhich(which: readonly string[]): ShowRequest['which'] {
  const [first = '', version, architecture] = which;
  if (which.length > 3) {
    throw new ArtifactsError('E_USAGE', 'Too many words: name, version and architecture, or one query', {
      hint: 'Put a query with blanks in quotation marks.',
    });
  }
  if (version === undefined) return /^[A-Za-z0-9][A-Za-z0-9+._:~^-]*$/.test(first) ? { word: first } : { query: readQueries([first]).join(' | ') };
  const terms = [
    { kind: 'field', field: 'Name', condition: { operator: '=', value: first }, column: 1 } as const,
    { kind: 'field', field: '$Version', condition: { operator: '=', value: version }, column: 1 } as const,
    ...(architecture === undefined ? [] : [{ kind: 'field', field: '$Architecture', condition: { operator: '=', value: architecture }, column: 1 } as const]),
  ];
  return { query: formatQuery({ kind: 'all', parts: terms }) };
}
