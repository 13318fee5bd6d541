import type { ArgumentSpec, Operation, OptionSpec } from '../operations/operation.ts';
import { optionFlag } from '../operations/operation.ts';

/** The spelling of arguments and options: the same in the parser, help, completion and the command docs. */

/** `sourceNames`, variadic -> `SOURCE-NAMES...`; an optional one stands in brackets. */
export function argumentSyntax(name: string, spec: ArgumentSpec): string {
  const shown = `${argumentTitle(name)}${spec.variadic === true ? '...' : ''}`;
  return spec.optional === true ? `[${shown}]` : shown;
}

/** `fromMirror` -> `--from-mirror MIRROR`. */
export function optionSyntax(name: string, spec: OptionSpec): string {
  const value = optionValue(spec);
  return value === undefined ? optionFlag(name) : `${optionFlag(name)} ${value}`;
}

/** What an option's summary leaves unsaid: that it must be given, or may be given often. */
export function optionSummary(spec: OptionSpec): string {
  if (spec.kind === 'text' && spec.required === true) return `${spec.summary} (required)`;
  return spec.kind === 'list' ? `${spec.summary} (repeatable)` : spec.summary;
}

/** `artifacts mirror update NAME... [options]`. */
export function usageLine(operation: Operation): string {
  const words = Object.entries(operation.arguments).map(([name, spec]) => argumentSyntax(name, spec));
  const required = Object.entries(operation.options)
    .filter(([, spec]) => spec.kind === 'text' && spec.required === true)
    .map(([name, spec]) => optionSyntax(name, spec));
  return ['artifacts', operation.name, ...words, ...required, '[options]'].join(' ');
}

/** How messages and help call an argument. */
export function argumentTitle(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter}`).toUpperCase();
}

/** The words of the longest command, or group of commands, that the line begins with. */
export function knownWords(argv: readonly string[], operations: readonly Operation[]): string {
  let words = '';
  for (const word of argv) {
    const longer = words === '' ? word : `${words} ${word}`;
    if (!operations.some(({ name }) => name === longer || name.startsWith(`${longer} `))) break;
    words = longer;
  }
  return words;
}

function optionValue(spec: OptionSpec): string | undefined {
  switch (spec.kind) {
    case 'flag':
      return undefined;
    case 'choice':
      return spec.choices.join('|');
    default:
      return spec.value.toUpperCase();
  }
}
