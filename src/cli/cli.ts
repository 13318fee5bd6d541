/**
 * The command line: arguments in, one operation run, its result or failure out. Commands, help, completion and docs are
 * derived from the operations; this folder must not know what any of them does.
 */
import { performance } from 'node:perf_hooks';
import type { Context } from '../core/context.ts';
import { redact } from '../http/redact.ts';
import type { App, Settings } from '../operations/app.ts';
import type { Operation } from '../operations/operation.ts';
import { completionOperation } from './completion.ts';
import { EXIT_CANCELLED, EXIT_OK, EXIT_USAGE, exitStatusOf } from './exit-status.ts';
import { describeFailure } from './failure.ts';
import type { Globals } from './globals.ts';
import { splitGlobals, wantsJson } from './globals.ts';
import { requestedHelp } from './help.ts';
import type { Output } from './output.ts';
import { jsonText, tolerateClosedReader, writeOut } from './output.ts';
import { printableBlock, printableLine } from './printable.ts';
import { cancelOnSignals } from './signals.ts';

/** What the command line works with. */
export interface Cli {
  readonly operations: readonly Operation[];
  readonly createApp: (settings: Settings) => App | Promise<App>;
  readonly version: () => string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Runs one command line, without the name of the program, and resolves to the exit status. Never rejects. */
export async function runCli(argv: readonly string[], cli: Cli): Promise<number> {
  tolerateClosedReader(cli.stdout);
  tolerateClosedReader(cli.stderr);
  try {
    const { globals, rest } = splitGlobals(argv, cli);
    if (globals.version) {
      await writeOut(cli.stdout, `artifacts ${cli.version()}\n`);
      return EXIT_OK;
    }
    const operations = [...cli.operations, completionOperation(cli.operations)];
    const help = requestedHelp(rest, operations);
    if (help !== undefined) {
      await writeOut(help.asked ? cli.stdout : cli.stderr, help.text);
      return help.asked ? EXIT_OK : EXIT_USAGE;
    }
    const { parseInvocation } = await import('./parse.ts'); // brings commander, which help does without
    const invocation = await parseInvocation(rest, operations);
    const { root, state } = globals;
    const settings: Settings = { root, state, environment: cli.environment, command: commandText(argv) };
    return await runOperation({ ...invocation, globals, settings }, cli);
  } catch (error) {
    return showFailure(error, { cli, json: wantsJson(argv), doing: 'reading the command line', cancelled: false });
  }
}

interface Run {
  readonly operation: Operation;
  readonly input: Readonly<Record<string, unknown>>;
  readonly globals: Globals;
  readonly settings: Settings;
}

async function runOperation({ operation, input, globals, settings }: Run, cli: Cli): Promise<number> {
  const { chooseReporter } = await import('./reporters/choose.ts');
  const reporter = chooseReporter(globals, cli.environment, { output: cli.stderr, now: () => performance.now() });
  const closeReporter = (): void => reporter.close();
  process.once('exit', closeReporter); // also when a second signal ends everything at once
  using cancellation = cancelOnSignals(() => {
    reporter.report({ type: 'note', message: 'Cancelling; once more to stop at once.' });
  });
  try {
    const ctx: Context = { signal: cancellation.signal, report: (event) => reporter.report(event) };
    const result = await withApp(cli, settings, (app) => operation.run(app, input, ctx));
    reporter.close();
    await writeOut(cli.stdout, globals.json ? jsonText(result) : resultText(operation, result));
    return verdictStatus(operation, result, cancellation.signal);
  } catch (error) {
    reporter.close();
    const { aborted } = cancellation.signal;
    return await showFailure(error, { cli, json: globals.json, doing: `running ${operation.name}`, cancelled: aborted });
  } finally {
    process.off('exit', closeReporter);
  }
}

/** Closing must not hide why the run failed: its own failure counts only when there was none before. */
async function withApp<T>(cli: Cli, settings: Settings, work: (app: App) => Promise<T>): Promise<T> {
  const app = await cli.createApp(settings);
  let result: T;
  try {
    result = await work(app);
  } catch (error) {
    await Promise.resolve(app[Symbol.asyncDispose]()).catch(() => {});
    throw error;
  }
  await app[Symbol.asyncDispose]();
  return result;
}

function resultText(operation: Operation, result: unknown): string {
  const text = operation.render(result);
  return text === '' ? '' : `${printableBlock(text)}\n`;
}

/** A run that was told to stop and therefore did only a part counts as cancelled. */
function verdictStatus(operation: Operation, result: unknown, signal: AbortSignal): number {
  const code = operation.verdict?.(result);
  if (code === undefined) return EXIT_OK;
  return signal.aborted ? EXIT_CANCELLED : exitStatusOf(code);
}

interface FailedRun {
  readonly cli: Cli;
  readonly json: boolean;
  readonly doing: string;
  readonly cancelled: boolean;
}

async function showFailure(thrown: unknown, { cli, json, doing, cancelled }: FailedRun): Promise<number> {
  const failure = describeFailure(thrown, { cancelled, doing });
  // When even the error cannot be written, the exit status is all that is left to say.
  if (json) await writeOut(cli.stdout, jsonText(failure.json)).catch(() => {});
  if (!json || failure.bug) await writeOut(cli.stderr, failure.text).catch(() => {});
  return failure.exitStatus;
}

/** The command line as one readable line for lock holders and the audit log; passwords in URLs are left out. */
function commandText(argv: readonly string[]): string {
  const words = argv.map((word) => (word.includes('//') ? redact(word) : word));
  return printableLine(['artifacts', ...words.map(shellWord)].join(' '));
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./*-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
