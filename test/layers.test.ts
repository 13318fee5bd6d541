import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { PROJECT } from './rig/run.ts';

/** The layers of design section 4: a file imports its own folder or one with a lower number. */
const LAYERS: Readonly<Record<string, number>> = {
  core: 0,
  util: 0,
  formats: 1,
  http: 1,
  pool: 1,
  catalog: 1,
  sign: 1,
  query: 1,
  targets: 1,
  sandbox: 1,
  mirror: 2,
  snapshot: 2,
  publish: 2,
  import: 2,
  repo: 2,
  artifacts: 2,
  overrides: 2,
  retention: 2,
  config: 3,
  release: 3,
  gate: 3,
  operations: 4,
  server: 5,
  cli: 6,
};

/** Files of core that util may use although both are at the bottom: words everything speaks. */
const CORE_FOR_UTIL = ['core/errors.ts', 'core/digest.ts', 'core/context.ts', 'core/event.ts'];

interface Gate {
  readonly module: RegExp;
  /** Files that may import it, as paths below src/. */
  readonly allowed: RegExp;
  readonly why: string;
}

/** One driver per outside thing. */
const GATES: readonly Gate[] = [
  {
    module: /^(node:)?child_process$/,
    allowed: /^util\/run-command\.ts$/,
    why: 'only util/run-command.ts starts processes: never through a shell, always with a limit',
  },
  {
    module: /^(@photostructure\/sqlite|(node:)?sqlite)$/,
    allowed: /^(catalog\/|util\/lock)/,
    why: 'only the catalog and the lock know the database driver',
  },
  { module: /^undici(\/|$)|^(node:)?https?$/, allowed: /^http\//, why: 'only http/ talks to the network: caps, retries, proxies' },
  { module: /^openpgp$/, allowed: /^sign\//, why: 'only sign/ handles keys and signatures' },
  { module: /^commander$/, allowed: /^cli\//, why: 'the command line is derived from the operations' },
];

/** Files that compute and touch nothing, so that they can be tested with plain values. */
const PURE = /^(formats|query)\/|^(?!operations\/|cli\/)[^/]+\/(.*\/)?(plan|policy|merge)\.ts$/;
const IMPURE = /^(node:)?(fs|fs\/promises|net|tls|dns|http|https|http2|child_process|worker_threads)$/;
const IMPURE_FOLDERS: ReadonlySet<string> = new Set(['http', 'catalog']);

/** The domain is blind to the format: what is read of a user's words, and the formats themselves, are not. */
const KNOW_FORMATS: ReadonlySet<string> = new Set(['formats', 'config']);
const ASKS_FORMAT = /[!=]==?\s*['"](?:apt|rpm)['"]|['"](?:apt|rpm)['"]\s*[!=]==?|\bcase\s+['"](?:apt|rpm)['"]/;

interface SourceFile {
  /** Below src/, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

test('every file imports only what its layer may, and the reason is printed when not', (t) => {
  const files = sourceFiles();

  t.true(files.length > 0);
  t.deepEqual(files.flatMap(problems), []);
});

test('the check sees what it is there for', (t) => {
  const file = (path: string, text: string): readonly string[] => problems({ path, text });

  t.regex(file('core/a.ts', `import { b } from '../util/b.ts';`).join(), /^$/);
  t.regex(file('util/a.ts', `import type { B } from '../core/errors.ts';`).join(), /^$/);
  t.regex(file('util/a.ts', `import type { B } from '../core/package.ts';`).join(), /util may use only/);
  t.regex(file('pool/a.ts', `import { b } from '../catalog/b.ts';`).join(), /pool \(1\) must not import catalog \(1\)/);
  t.regex(file('mirror/a.ts', `export type { B } from "../config/b.ts";`).join(), /mirror \(2\) must not import config \(3\)/);
  t.regex(file('release/a.ts', `const b = await import('../operations/b.ts');`).join(), /must not import operations/);
  t.regex(file('core/deep/a.ts', `import {\n  b,\n  c,\n} from '../../http/b.ts';`).join(), /core \(0\) must not import http/);
  t.regex(file('new/a.ts', '').join(), /no layer/);
  t.regex(file('pool/a.ts', `import { spawn } from 'node:child_process';`).join(), /only util\/run-command\.ts starts/);
  t.regex(file('mirror/a.ts', `import 'undici';`).join(), /only http\/ talks/);
  t.regex(file('snapshot/merge.ts', `import { readFile } from 'node:fs/promises';`).join(), /computes and touches nothing/);
  t.regex(file('formats/apt/a.ts', `import { b } from '../../core/b.ts';`).join(), /^$/);
  t.regex(file('release/plan.ts', `import { b } from '../catalog/b.ts';`).join(), /computes and touches nothing/);
  t.regex(file('operations/plan.ts', `import { b } from '../catalog/b.ts';`).join(), /^$/);
  t.regex(file('publish/a.ts', `if (format.id === 'rpm') skip();`).join(), /asks which format/);
  t.regex(file('operations/a.ts', `switch (id) {\n  case "apt":\n}`).join(), /asks which format/);
  t.regex(file('config/a.ts', `if (format === 'rpm') skip();`).join(), /^$/);
  t.regex(file('pool/a.ts', 'console.log(1);').join(), /console/);
  t.deepEqual(file('pool/a.ts', `// console.log, import { b } from '../cli/b.ts'\n/* import 'undici'; */`), []);
});

function sourceFiles(): SourceFile[] {
  const root = join(PROJECT, 'src');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function problems(file: SourceFile): string[] {
  const code = withoutComments(file.text);
  const folder = folderOf(file.path);
  if (!(folder in LAYERS)) return [`src/${file.path}: the folder ${folder} has no layer; give it a number in this test`];
  const found = importsOf(code).flatMap((specifier) => [
    layerProblem(file.path, specifier),
    gateProblem(file.path, specifier),
    purityProblem(file.path, specifier),
  ]);
  if (!KNOW_FORMATS.has(folder) && ASKS_FORMAT.test(code)) {
    found.push('asks which format it has before it: what differs between apt and rpm is a method of RepoFormat (formats/format.ts)');
  }
  if (folder !== 'cli' && /\bconsole\s*\./.test(code)) {
    found.push('uses console: what a person may see is an event (core/event.ts)');
  }
  return found.flatMap((problem) => (problem === undefined ? [] : [`src/${file.path}: ${problem}`]));
}

function layerProblem(path: string, specifier: string): string | undefined {
  const target = resolved(path, specifier);
  if (target === undefined) return undefined;
  const [from, to] = [folderOf(path), folderOf(target)];
  const [own, other] = [LAYERS[from] ?? 0, LAYERS[to]];
  if (from === to || (from === 'core' && to === 'util')) return undefined;
  if (from === 'util' && to === 'core') {
    return CORE_FOR_UTIL.includes(target) ? undefined : `util may use only ${CORE_FOR_UTIL.join(', ')} of core`;
  }
  if (other !== undefined && other < own) return undefined;
  const reason = 'a folder imports itself and lower layers, never a sibling of its own layer and never upwards';
  return `${from} (${own}) must not import ${to} (${other ?? 'no layer'}): ${reason}`;
}

function gateProblem(path: string, specifier: string): string | undefined {
  const gate = GATES.find(({ module, allowed }) => module.test(specifier) && !allowed.test(path));
  return gate === undefined ? undefined : `must not import ${specifier}: ${gate.why}`;
}

function purityProblem(path: string, specifier: string): string | undefined {
  if (!PURE.test(path)) return undefined;
  const target = resolved(path, specifier);
  const impure = target === undefined ? IMPURE.test(specifier) : IMPURE_FOLDERS.has(folderOf(target));
  return impure ? `must not import ${specifier}: this file computes and touches nothing (design, section 4)` : undefined;
}

/** The imported file below src/, or undefined for a package. */
function resolved(path: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? join(path, '..', specifier).replaceAll('\\', '/') : undefined;
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? '';
}

/** Specifiers of static, side-effect, re-exporting and dynamic imports, type imports included. */
function importsOf(code: string): string[] {
  const forms = [
    /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*['"]([^'"]+)['"]/g,
    /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
  ];
  return forms.flatMap((form) => Array.from(code.matchAll(form), (match) => match[1] ?? ''));
}

/** Good enough for this code: `//` within a string would need a quote before it on the line, and is kept. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^([^'"`\n]*?)\/\/.*$/gm, '$1');
}
