import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ArtifactsError } from '../core/errors.ts';
import type { ArgumentSpec, Operation, OptionSpec } from '../operations/operation.ts';
import { optionFlag } from '../operations/operation.ts';
import { GLOBAL_OPTIONS } from './globals.ts';
import { argumentTitle, knownWords } from './syntax.ts';

/** An operation with arguments and options that fit its declaration. */
export interface Invocation {
  readonly operation: Operation;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * Finds the operation of a command line whose global options are taken out, and checks arguments and options against its
 * declaration. Throws E_USAGE.
 */
export async function parseInvocation(
  argv: readonly string[],
  operations: readonly Operation[],
): Promise<Invocation> {
  const found: { invocation?: Invocation } = {};
  const program = buildProgram(operations, (invocation) => {
    found.invocation = invocation;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? usageError(error, knownWords(argv, operations)) : error;
  }
  if (found.invocation === undefined) throw new Error('The command line was parsed, but no command was found');
  return found.invocation;
}

type Found = (invocation: Invocation) => void;

function buildProgram(operations: readonly Operation[], found: Found): Command {
  const program = prepared(new Command('artifacts'));
  // Only for the nearest name of a misspelt one: the globals are taken out before the parser sees them.
  for (const { name, value } of GLOBAL_OPTIONS) program.option(value === undefined ? `--${name}` : `--${name} <value>`);
  for (const operation of operations) declare(commandFor(program, operation.name.split(' ')), operation, found);
  return program;
}

/** Help is ours (help.ts), and so are the errors: commander neither prints nor exits. */
function prepared(command: Command): Command {
  return command
    .helpCommand(false)
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} });
}

function commandFor(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) {
    const known = command.commands.find((candidate) => candidate.name() === word);
    command = known ?? prepared(command.command(word));
  }
  return command;
}

function declare(command: Command, operation: Operation, found: Found): void {
  const args = Object.entries(operation.arguments);
  for (const [name, spec] of args) command.addArgument(toArgument(name, spec));
  const options = Object.entries(operation.options).map(([name, spec]) => ({
    name,
    spec,
    option: toOption(name, spec),
  }));
  for (const { option } of options) command.addOption(option);
  command.action(() => {
    const input: Record<string, unknown> = {};
    for (const [index, [name, spec]] of args.entries()) {
      input[name] = command.processedArgs[index] ?? (spec.variadic === true ? [] : undefined);
    }
    const values = command.opts<Record<string, unknown>>();
    for (const { name, spec, option } of options) input[name] = optionInput(spec, option, values);
    found({ operation, input });
  });
}

function toArgument(name: string, spec: ArgumentSpec): Argument {
  const shown = `${argumentTitle(name)}${spec.variadic === true ? '...' : ''}`;
  return new Argument(spec.optional === true ? `[${shown}]` : `<${shown}>`);
}

function toOption(name: string, spec: OptionSpec): Option {
  if (GLOBAL_OPTIONS.some((option) => option.name === name)) throw new Error(`Option "${name}" is a global option`);
  const flag = optionFlag(name);
  switch (spec.kind) {
    case 'flag':
      return new Option(flag);
    case 'choice':
      return new Option(`${flag} <value>`).choices(spec.choices);
    case 'list':
      return new Option(`${flag} <${spec.value}>`).argParser((value, previous: readonly string[] | undefined) => [
        ...(previous ?? []),
        value,
      ]);
    case 'integer':
      return new Option(`${flag} <${spec.value}>`).argParser(parseInteger);
    case 'text':
      return new Option(`${flag} <${spec.value}>`).makeOptionMandatory(spec.required === true);
    default:
      return spec satisfies never;
  }
}

function parseInteger(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number)) throw new InvalidArgumentError('It is a whole number.');
  return number;
}

function optionInput(spec: OptionSpec, option: Option, values: Readonly<Record<string, unknown>>): unknown {
  const value = values[option.attributeName()];
  if (spec.kind !== 'flag') return value;
  // `--no-remove` is a flag called noRemove here; commander takes it for the opposite of `--remove`
  return option.negate ? value === false : value === true;
}

/** Commander's message has its suggestion on a second line: `error: unknown option '--x'\n(Did you mean --y?)`. */
function usageError(error: CommanderError, words: string): ArtifactsError {
  const [first = '', ...suggestions] = error.code === 'commander.help' ? ['No command given'] : error.message.split('\n');
  const message = first.replace(/^error: /, '').replaceAll("'", '"').replace(/\.$/, '');
  const suggestion = suggestions.map((line) => `${line.trim().replace(/^\((.*)\)$/, '$1')} `).join('');
  const help = words === '' ? 'artifacts --help' : `artifacts ${words} --help`;
  return new ArtifactsError('E_USAGE', message.charAt(0).toUpperCase() + message.slice(1), {
    hint: `${suggestion}Run \`${help}\`.`,
    cause: error,
  });
}
