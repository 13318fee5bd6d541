/**
 * Operations: each user verb, declared once. The command line, shell completion and the command docs are derived from
 * the declaration (and so will be a REST API). An operation returns data and prints nothing; importing its file must
 * stay cheap, so what it works with is imported inside `run`.
 */
import type { Context } from '../core/context.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { App } from './app.ts';

/** A positional argument. Only the last one may be variadic or optional. */
export interface ArgumentSpec {
  readonly summary: string;
  readonly optional?: boolean;
  readonly variadic?: boolean;
}

/** A named option. Its flag is its key in kebab case: `fromMirror` is `--from-mirror`. */
export type OptionSpec =
  | { readonly kind: 'flag'; readonly summary: string }
  | { readonly kind: 'text'; readonly value: string; readonly summary: string; readonly required?: boolean }
  | { readonly kind: 'list'; readonly value: string; readonly summary: string }
  | { readonly kind: 'integer'; readonly value: string; readonly summary: string }
  | { readonly kind: 'choice'; readonly choices: readonly string[]; readonly summary: string };

type ArgumentValue<S extends ArgumentSpec> = S extends { variadic: true }
  ? readonly string[]
  : S extends { optional: true }
    ? string | undefined
    : string;

type OptionValue<S extends OptionSpec> = S extends { kind: 'flag' }
  ? boolean
  : S extends { kind: 'list' }
    ? readonly string[] | undefined
    : S extends { kind: 'integer' }
      ? number | undefined
      : S extends { kind: 'choice'; choices: readonly (infer C)[] }
        ? C | undefined
        : S extends { required: true }
          ? string
          : string | undefined;

/** What `run` receives: arguments and options by name, already checked against the specs. */
export type Input<A extends Record<string, ArgumentSpec>, O extends Record<string, OptionSpec>> = {
  readonly [K in keyof A]: ArgumentValue<A[K]>;
} & { readonly [K in keyof O]: OptionValue<O[K]> };

export interface OperationSpec<A extends Record<string, ArgumentSpec>, O extends Record<string, OptionSpec>, R> {
  /** The words of the command: `mirror update`. */
  readonly name: string;
  /** One line for lists of commands. */
  readonly summary: string;
  /** What a person must know besides, plain text, paragraphs separated by a blank line. */
  readonly description?: string;
  /** A worked example: a command line and what it prints, as a person would see it. */
  readonly example: string;
  readonly arguments: A;
  readonly options: O;
  run(app: App, input: Input<A, O>, ctx: Context): Promise<R>;
  /** The result for people; `--json` prints the result itself. Ends without a newline. */
  render(result: R): string;
  /** A result that is no success although nothing was thrown: `E_PARTIAL`, `E_CHECK`. */
  verdict?(result: R): ErrorCode | undefined;
}

/** An operation whose types are forgotten: what the registry holds and the command line works with. */
export interface Operation {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly example: string;
  readonly arguments: Readonly<Record<string, ArgumentSpec>>;
  readonly options: Readonly<Record<string, OptionSpec>>;
  run(app: App, input: Readonly<Record<string, unknown>>, ctx: Context): Promise<unknown>;
  render(result: unknown): string;
  verdict?(result: unknown): ErrorCode | undefined;
}

export function defineOperation<
  const A extends Record<string, ArgumentSpec>,
  const O extends Record<string, OptionSpec>,
  R,
>(spec: OperationSpec<A, O, R>): Operation {
  return spec as unknown as Operation;
}

/** `fromMirror` -> `--from-mirror`. */
export function optionFlag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
