import type { ErrorCode } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { findPublication, SHOWN_PREFIX } from './publish-view.ts';
import { counted } from './text.ts';

export const publishVerify = defineOperation({
  name: 'publish verify',
  summary: 'Read and hash everything that is served, as clients would',
  description: `Checks the signatures by the key that is handed out, every index Release lists under its name and by its digest, and
every package file the served indexes name. Status 3 when anything is not as promised.`,
  example: `$ artifacts publish verify r1.0.0-bookworm
apt-mirror/integrated r1.0.0-bookworm: 52 files, 38 packages: no problems.`,
  arguments: {
    distribution: { summary: 'the distribution (default: all there are)', optional: true },
    prefix: { summary: SHOWN_PREFIX, optional: true },
  },
  options: {
    format: { kind: 'choice', choices: ['text', 'json', 'junit'], summary: 'how the result is printed; junit lists every file' },
  },
  run: async (app, { distribution, prefix, format = 'text' }, ctx): Promise<Result> => {
    const { verifyPublication } = await import('../publish/verify.ts');
    const { fileChecker } = await import('../publish/check-file.ts');
    const catalog = await app.peek();
    const wanted = distribution === undefined ? catalog.publications.list() : [findPublication(catalog, prefix, distribution)];
    const request = { catalog, publicRoot: app.publicRoot, now: app.clock(), check: fileChecker({ hash: true }), unpack: true };
    const publications: VerifiedPublication[] = [];
    for (const publication of wanted) {
      const { checked, ...rest } = await verifyPublication(publication, request, ctx);
      publications.push({ ...rest, files: checked.length, ...(format === 'junit' ? { checked } : {}) });
    }
    return { ok: publications.every(({ problems }) => problems.length === 0), format, publications };
  },
  render: (result) => {
    switch (result.format) {
      case 'text':
        return renderText(result);
      case 'json':
        return JSON.stringify(result, undefined, 2);
      case 'junit':
        return renderJunit(result);
      default:
        return result.format satisfies never;
    }
  },
  verdict: ({ ok }): ErrorCode | undefined => (ok ? undefined : 'E_CHECK'),
});

interface VerifiedPublication {
  readonly prefix: string;
  readonly distribution: string;
  readonly generation: number;
  readonly packages: number;
  readonly files: number;
  readonly checked?: readonly string[];
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
}

interface Result {
  readonly ok: boolean;
  readonly format: 'text' | 'json' | 'junit';
  readonly publications: readonly VerifiedPublication[];
}

function renderText({ publications }: Result): string {
  if (publications.length === 0) return 'Nothing is published.';
  return publications
    .flatMap(({ prefix, distribution, files, packages, problems }) => [
      ...problems.map(({ path, problem }) => `${path} ${problem}`),
      `${prefix} ${distribution}: ${counted(files, 'file')}, ${counted(packages, 'package')}: ${
        problems.length === 0 ? 'no problems' : counted(problems.length, 'problem')
      }.`,
    ])
    .join('\n');
}

/** One suite a publication, one case a file: what continuous integration reads. */
function renderJunit({ publications }: Result): string {
  const suites = publications.flatMap(({ prefix, distribution, checked = [], problems }) => {
    const wrong = new Map<string, string[]>();
    for (const { path, problem } of problems) wrong.set(path, [...(wrong.get(path) ?? []), problem]);
    return [
      ` <testsuite name="${escape(`${prefix} ${distribution}`)}" tests="${checked.length}" failures="${wrong.size}" errors="0">`,
      ...checked.map((path) => junitCase(path, distribution, wrong.get(path))),
      ' </testsuite>',
    ];
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites name="publish verify">', ...suites, '</testsuites>'].join('\n');
}

function junitCase(path: string, distribution: string, problems: readonly string[] | undefined): string {
  const attributes = `classname="${escape(distribution)}" name="${escape(path)}"`;
  if (problems === undefined) return `  <testcase ${attributes}/>`;
  const failures = problems.map((problem) => `<failure message="${escape(problem)}"/>`);
  return `  <testcase ${attributes}>${failures.join('')}</testcase>`;
}

function escape(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => names[character] ?? '');
}
