import type { Operation } from '../operations/operation.ts';
import { EXIT_STATUS_MEANINGS } from './exit-status.ts';
import { GLOBAL_OPTIONS } from './globals.ts';
import { argumentSyntax, knownWords, optionSummary, optionSyntax, usageLine } from './syntax.ts';

/** Help texts, derived from the declarations of the operations. Each ends with a newline. */

const WIDTH = 96;
const INDENT = '  ';
/** Terms longer than this get a line of their own, so that one long option does not push all summaries to the edge. */
const LONGEST_TERM = 30;

const PURPOSE =
  'Freezes what a platform release is made of: mirrors apt and rpm upstreams, takes immutable snapshots, merges them per ' +
  'release and publishes them signed and atomically.';

/**
 * The help a command line asks for, by `--help`, `-h`, `help mirror update`, or by naming no command: then `asked` is
 * false. Undefined when it asks for none, or names a command that does not exist.
 */
export function requestedHelp(
  argv: readonly string[],
  operations: readonly Operation[],
): { readonly text: string; readonly asked: boolean } | undefined {
  const options = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const asked = argv[0] === 'help' || options.includes('--help') || options.includes('-h');
  const line = argv[0] === 'help' ? argv.slice(1) : argv;
  const words = knownWords(line, operations);
  const next = line[words === '' ? 0 : words.split(' ').length];
  const operation = operations.find(({ name }) => name === words);
  if (operation !== undefined) return asked ? { text: operationHelp(operation), asked } : undefined;
  if (next !== undefined && !(asked && next.startsWith('-'))) return undefined;
  return { text: words === '' ? programHelp(operations) : groupHelp(words, operations), asked };
}

/** `artifacts --help`: every command by noun, the global options, the exit statuses. */
export function programHelp(operations: readonly Operation[]): string {
  return sections([
    'Usage: artifacts COMMAND [options]',
    wrap(PURPOSE, ''),
    `Commands:\n${commandList(operations)}`,
    globalOptions(),
    exitStatuses(),
    'Run `artifacts COMMAND --help` for the arguments, options and an example of a command.',
  ]);
}

/** `artifacts mirror --help`: the commands that begin with these words. */
function groupHelp(words: string, operations: readonly Operation[]): string {
  const members = operations.filter(({ name }) => name.startsWith(`${words} `));
  return sections([
    `Usage: artifacts ${words} COMMAND [options]`,
    `Commands:\n${commandList(members)}`,
    `Run \`artifacts ${words} COMMAND --help\` for more about one of them, \`artifacts --help\` for all.`,
  ]);
}

/** `artifacts mirror update --help`. */
export function operationHelp(operation: Operation): string {
  const args = Object.entries(operation.arguments).map(
    ([name, spec]): Row => [argumentSyntax(name, spec), spec.summary],
  );
  const options = Object.entries(operation.options).map(
    ([name, spec]): Row => [optionSyntax(name, spec), optionSummary(spec)],
  );
  return sections([
    `Usage: ${usageLine(operation)}`,
    wrap(sentence(operation.summary), ''),
    operation.description === undefined ? '' : paragraphs(operation.description),
    args.length === 0 ? '' : `Arguments:\n${table(args)}`,
    options.length === 0 ? '' : `Options:\n${table(options)}`,
    globalOptions(),
    `Example:\n${indented(operation.example)}`,
    exitStatuses(),
  ]);
}

type Row = readonly [term: string, summary: string];

function sections(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Commands of one word first, then one block per noun; within both the order of the registry. */
function commandList(operations: readonly Operation[]): string {
  const width = Math.max(0, ...operations.map(({ name }) => name.length));
  const rows = (block: readonly Operation[]): Row[] => block.map(({ name, summary }) => [name, summary]);
  return groupByNoun(operations)
    .map((block) => table(rows(block), width))
    .join('\n\n');
}

function groupByNoun(operations: readonly Operation[]): Operation[][] {
  const groups = new Map<string, Operation[]>([['', []]]);
  for (const operation of operations) {
    const words = operation.name.split(' ');
    const noun = words.length === 1 ? '' : (words[0] ?? '');
    groups.set(noun, [...(groups.get(noun) ?? []), operation]);
  }
  return [...groups.values()].filter((group) => group.length > 0);
}

function globalOptions(): string {
  const rows = GLOBAL_OPTIONS.map(
    ({ name, value, choices, summary }): Row => [
      value === undefined ? `--${name}` : `--${name} ${choices?.join('|') ?? value}`,
      summary,
    ],
  );
  return `Global options, before or after the command:\n${table([...rows, ['--help', 'show this help']])}`;
}

function exitStatuses(): string {
  return `Exit status:\n${table(EXIT_STATUS_MEANINGS.map(([status, meaning]): Row => [String(status), meaning]))}`;
}

function table(rows: readonly Row[], width = Math.max(...rows.map(([term]) => fitting(term)))): string {
  const summaryIndent = ' '.repeat(INDENT.length + width + 2);
  return rows
    .map(([term, summary]) => {
      const text = wrap(summary, summaryIndent);
      if (term.length > width) return `${INDENT}${term}\n${text}`;
      return `${INDENT}${term.padEnd(width)}  ${text.slice(summaryIndent.length)}`;
    })
    .join('\n');
}

function fitting(term: string): number {
  return term.length > LONGEST_TERM ? 0 : term.length;
}

/** Paragraphs are wrapped, except those with an indented line, which are laid out by hand. */
function paragraphs(text: string): string {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => (/^\s/m.test(paragraph) ? paragraph : wrap(paragraph, '')))
    .join('\n\n');
}

function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line.length > indent.length && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return [...lines, line].join('\n');
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : INDENT + line))
    .join('\n');
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
