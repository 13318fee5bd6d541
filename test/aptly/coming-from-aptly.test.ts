/** docs/coming-from-aptly.md is whole and true: aptly's own help says what there is, our declarations what is named exists. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { GLOBAL_OPTIONS } from '../../src/cli/globals.ts';
import { operations } from '../../src/operations/index.ts';
import { PROJECT, runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';

const PAGE = readFileSync(join(PROJECT, 'docs/coming-from-aptly.md'), 'utf8');

/** A row of the tables of commands. */
interface Row {
  readonly left: string;
  /** The commands of aptly it is about, carried on by rows that begin with `…`. */
  readonly commands: readonly string[];
  /** Flags of aptly, with `*` for several. */
  readonly flags: readonly string[];
  readonly right: string;
  /** Our verbs it names, carried on in the same way. */
  readonly verbs: readonly string[];
}

const GROUPS = new Set(['mirror', 'repo', 'snapshot', 'publish', 'package', 'db', 'api', 'task', 'config']);
const FLAGS_BY_NAME = new Set(operations.map(({ name }) => name));
const ROWS = readRows(PAGE.slice(PAGE.indexOf('## Commands and flags'), PAGE.indexOf('## The configuration file')));
const FLAGS = new Map(operations.map(({ name, options }) => [name, new Set(Object.keys(options).map((key) => `--${kebab(key)}`))]));
const GLOBALS = new Set(GLOBAL_OPTIONS.map(({ name }) => `--${name}`));

test('every command and option of ours that the page names exists', (t) => {
  const wrong: string[] = [];
  for (const { left, right, verbs, commands, flags } of ROWS) {
    const same = /\bthe same\b/.test(right) ? commands.filter((command) => FLAGS.has(command)) : [];
    // What aptly has for all commands, or not at all, is about any of ours.
    const about = commands.length === 0 ? [...FLAGS.keys()] : [...verbs, ...same, ...commands];
    const known = new Set([...GLOBALS, ...about.flatMap((verb) => [...(FLAGS.get(verb) ?? [])])]);
    for (const flag of spans(right).flatMap(optionsIn)) if (!known.has(flag)) wrong.push(`${left}: ${flag}`);
    if (/\bthe same\b/.test(right)) for (const flag of flags) if (!right.includes(flag) && !known.has(`-${flag}`)) wrong.push(`${left}: "the same" has no -${flag}`);
    if (/^the same\b/.test(right)) for (const command of commands) if (!FLAGS.has(command)) wrong.push(`${left}: "the same" has no ${command}`);
  }
  t.deepEqual(wrong, []);
  t.true(ROWS.length > 80);
});

test('every example of the page is a command that exists, with options that exist', (t) => {
  const lines = [...PAGE.matchAll(/(?:^ *\$ |`)artifacts ([a-z][^`\n]*)/gm)].map(([, words = '']) => words);
  for (const line of lines) {
    const verb = verbOf(line);
    t.truthy(verb, line);
    for (const flag of optionsIn(line)) t.true(FLAGS.get(verb ?? '')?.has(flag) === true || GLOBALS.has(flag), line);
  }
  t.true(lines.length > 6);
});

testWith(hasCommand('aptly'), 'needs aptly')('every command and flag that aptly helps with is on the page', async (t) => {
  const missing: string[] = [];
  const commands = await walk([]);
  const global = flagsFor('');
  for (const { name, flags } of commands) {
    const rows = ROWS.filter((row) => row.commands.includes(name));
    if (rows.length === 0) missing.push(name);
    const told = [...global, ...rows.flatMap((row) => row.flags)];
    for (const flag of flags) if (!told.some((one) => matches(one, flag))) missing.push(`${name} ${flag}`);
  }
  t.deepEqual(missing, []);
  t.true(commands.length > 40);
});

interface AptlyCommand {
  readonly name: string;
  readonly flags: readonly string[];
}

/** The commands below these words that do something by themselves, with all flags their help lists. */
async function walk(words: readonly string[]): Promise<readonly AptlyCommand[]> {
  const { stdout, stderr } = await runCommand('aptly', words.length === 0 ? [] : ['help', ...words]);
  const text = stdout + stderr;
  const below = [...text.matchAll(/^ {4}([a-z]+) {2,}/gm)].map(([, name = '']) => name);
  if (below.length > 0) return (await Promise.all(below.map((name) => walk([...words, name])))).flat();
  const flags = [...text.matchAll(/^ {2}(-[a-z0-9-]+)[=:]/gm)].map(([, flag = '']) => flag);
  return [{ name: words.join(' '), flags }];
}

/** Flags of the table about this command; of the first table for none. */
function flagsFor(command: string): readonly string[] {
  return ROWS.filter((row) => (command === '' ? row.commands.length === 0 : row.commands.includes(command))).flatMap((row) => row.flags);
}

function matches(pattern: string, flag: string): boolean {
  return pattern.endsWith('*') ? flag.startsWith(pattern.slice(0, -1)) : pattern === flag;
}

function readRows(text: string): readonly Row[] {
  const rows: Row[] = [];
  let commands: readonly string[] = [];
  let verbs: readonly string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('### ')) [commands, verbs] = [[], []];
    const [, left = '', right = ''] = /^\| (.*?) \| (.*) \|$/.exec(line) ?? [];
    if (left === '' || left === 'aptly') continue;
    if (!left.startsWith('…')) commands = commandsIn(left);
    const named = spans(right).flatMap((span) => verbOf(span) ?? []);
    verbs = left.startsWith('…') ? [...verbs, ...named] : named;
    const flags = spans(left).flatMap((span) => span.match(/(?<![\w-])-[a-z0-9*][a-z0-9*-]*/g) ?? []);
    rows.push({ left, commands, flags, right, verbs });
  }
  return rows;
}

/** `repo copy`, `move` are two commands of one group. */
function commandsIn(left: string): readonly string[] {
  let group = '';
  return spans(left).flatMap((span) => {
    const words = /^[a-z]+(?: [a-z]+)*/.exec(span)?.[0].split(' ') ?? [];
    const [first = '', second, third] = words;
    if (first === '') return [];
    if (GROUPS.has(first) && second !== undefined) {
      group = second === 'source' && third !== undefined ? `${first} source` : first;
      return [group === first ? `${first} ${second}` : `${group} ${third}`];
    }
    return [group === '' ? first : `${group} ${first}`];
  });
}

function spans(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll('\\|', '|'));
}

function optionsIn(text: string): readonly string[] {
  return text.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? [];
}

/** The operation a command line begins with. */
function verbOf(line: string): string | undefined {
  const words = line.split(' ');
  return [3, 2, 1].map((count) => words.slice(0, count).join(' ')).find((name) => FLAGS_BY_NAME.has(name));
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
