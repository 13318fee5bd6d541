/** The pages tell the truth where a program can tell: links lead somewhere, files exist, every variable is described. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'ava';
import { baseRepositorySchema } from '../src/config/base-repositories.ts';
import { containerImageSchema } from '../src/config/build-container.ts';
import { pythonSetSchema } from '../src/config/build-python.ts';
import { mirrorSchema } from '../src/config/mirror-schema.ts';
import { KNOWN_VARIABLES, releaseSchema, repoSchema, single } from '../src/config/schema.ts';
import { EXIT_STATUS_MEANINGS } from '../src/cli/exit-status.ts';
import { PROJECT } from './rig/run.ts';

const PAGES = ['.', 'docs', 'docs/decisions', 'examples/rpc-o'].flatMap((folder) =>
  readdirSync(join(PROJECT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

test('every link leads to a file, and to a heading where it names one', (t) => {
  t.true(PAGES.length > 20);
  t.deepEqual(PAGES.flatMap((page) => linksOf(page).flatMap((link) => linkProblem(page, link) ?? [])), []);
});

test('every source file a page names exists', (t) => {
  // The walk-throughs also name files that are yet to be made.
  const pages = PAGES.filter((page) => !/adding-|commands\.md$/.test(page));
  const missing = pages.flatMap((page) =>
    [...read(page).matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs|js|json|yml))`/g)]
      .map(([, path = '']) => path)
      .filter((path) => !exists(page, path))
      .map((path) => `${page}: ${path}`),
  );

  t.deepEqual(missing, []);
});

test('every folder of src/ is in the picture of the architecture', (t) => {
  const drawn = new Set([...read('ARCHITECTURE.md').matchAll(/^ {2}(\w+)\/ +\d /gm)].map(([, name]) => name));
  const there = readdirSync(join(PROJECT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());

  t.deepEqual(there.map(({ name }) => name).filter((name) => !drawn.has(name)), []);
});

test('docs/configuration.md describes every variable, every key of it, and every variable of the environment', (t) => {
  const page = read('docs/configuration.md');
  const keys = [mirrorSchema, repoSchema, releaseSchema, pythonSetSchema, containerImageSchema, baseRepositorySchema].flatMap(({ shape }) => Object.keys(shape));
  const nested = [single.publish, single.downloads, single.signing].flatMap(({ shape }) => Object.keys(shape));
  const environment = [...read('src/config/environment.ts').matchAll(/read\('([A-Z_]+)'/g)].map(([, name = '']) => name);

  t.true(environment.length >= 8);
  for (const name of [...KNOWN_VARIABLES, ...keys, ...nested, ...environment]) {
    t.regex(page, new RegExp(`\\b${name}\\b`), name);
  }
});

test('the README has every exit status, and the two commands literally', (t) => {
  const readme = read('README.md');

  for (const [status, meaning] of EXIT_STATUS_MEANINGS) t.true(readme.includes(`| ${status} | ${meaning} |`), String(status));
  t.true(readme.includes('npm run quickstart') && readme.includes('npm test'));
});

test('what the program needs from others is pinned to exact versions', (t) => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;

  for (const version of Object.values({ ...dependencies, ...devDependencies })) t.regex(version, /^\d+\.\d+\.\d+$/);
});

function read(path: string): string {
  return readFileSync(join(PROJECT, path), 'utf8');
}

/** Pages shorten paths: those in src/ and test/, and those beside the page. */
function exists(page: string, path: string): boolean {
  return [path, join('src', path), join('test', path), join(dirname(page), path)].some((place) => existsSync(join(PROJECT, place)));
}

/** Targets of Markdown links outside of code blocks, those to other sites left out. */
function linksOf(page: string): string[] {
  const text = read(page).replace(/^```[^]*?^```/gm, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link));
}

function linkProblem(page: string, link: string): string | undefined {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? page : relative(PROJECT, join(PROJECT, dirname(page), path));
  if (!existsSync(join(PROJECT, target))) return `${page}: ${link} leads nowhere`;
  if (heading === undefined) return undefined;
  const headings = [...read(target).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => anchor(text));
  return headings.includes(heading) ? undefined : `${page}: ${target} has no heading ${heading}`;
}

/** How the anchor of a heading is made where these pages are read. */
function anchor(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-');
}
