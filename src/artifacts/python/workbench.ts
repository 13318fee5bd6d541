/** Running Python in the build root: nothing of the machine is seen but what is bound, nothing is reached but the index. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { ArtifactsError, isArtifactsError } from '../../core/errors.ts';
import type { Root } from '../../sandbox/root.ts';
import { runIn, type Bind, type Limits, type RunResult } from '../../sandbox/run-in.ts';
import { exitStatusOf } from '../../util/run-command.ts';
import { UNPACK_SCRIPT } from './tools/unpack.ts';
import { VENV_SCRIPT } from './tools/venv.ts';
import { WHEEL_SCRIPT } from './tools/wheel.ts';

/** Any: the loopback interface of a sandbox has nothing else. */
const PORT = 8080;

/** 1 January 1980 UTC: before it zip archives have no dates. */
export const SOURCE_DATE = 315_532_800;

export interface Workbench {
  readonly root: Root;
  run(work: Work, ctx: Context): Promise<RunResult>;
}

export interface Work {
  /** What is being done, for the message when it fails: `building six 1.16.0`. */
  readonly what: string;
  /** A constant text for sh(1); values are its arguments `$1`… */
  readonly script: string;
  readonly arguments: readonly string[];
  readonly binds: readonly Bind[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Default: no network at all. */
  readonly index?: { readonly socket: string; readonly path: string };
  readonly log?: string;
  readonly user?: 'root';
}

export interface WorkbenchOptions {
  readonly root: Root;
  /** A folder of one's own, for scripts and mount points. */
  readonly temporary: string;
  readonly limits: Limits;
}

/** pip reads nothing but this, asks nobody, and keeps nothing. */
const PIP = {
  PIP_CONFIG_FILE: '/dev/null',
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  PIP_NO_INPUT: '1',
  PIP_NO_CACHE_DIR: '1',
  PIP_PROGRESS_BAR: 'off',
  PIP_RETRIES: '0',
  // The proxy fetches a file whole, and checks it, before it hands out the first byte.
  PIP_DEFAULT_TIMEOUT: '1800',
  PIP_ROOT_USER_ACTION: 'ignore',
  // PEP 668: the Python of the root is the distribution's; what happens to it goes with the sandbox.
  PIP_BREAK_SYSTEM_PACKAGES: '1',
};

const ENVIRONMENT = {
  ...PIP,
  HOME: '/tmp/home',
  LC_ALL: 'C.UTF-8',
  PYTHONHASHSEED: '0',
  PYTHONDONTWRITEBYTECODE: '1',
  SOURCE_DATE_EPOCH: String(SOURCE_DATE),
  // Debug information names the folder a build happened in, and pip makes a new one each time.
  CFLAGS: '-g0',
  CXXFLAGS: '-g0',
};

export function openWorkbench({ root, temporary, limits }: WorkbenchOptions): Workbench {
  const tools = join(temporary, 'tools');
  mkdirSync(tools, { recursive: true });
  const scripts = { 'unpack.py': UNPACK_SCRIPT, 'wheel.py': WHEEL_SCRIPT, 'venv.py': VENV_SCRIPT };
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(tools, name), text);
  return {
    root,
    run: async (work, ctx) => {
      const { index, log, user } = work;
      const environment = { ...ENVIRONMENT, ...work.environment, ...(index && { PIP_INDEX_URL: `http://127.0.0.1:${PORT}${index.path}` }) };
      const command = ['/bin/sh', '-euc', work.script, 'sh', ...work.arguments];
      const options = {
        temporary,
        limits,
        environment,
        binds: [{ from: tools, to: '/tools' }, ...work.binds],
        cwd: '/tmp',
        ...(index && { network: { socket: index.socket, port: PORT } }),
        ...(log !== undefined && { log }),
        ...(user !== undefined && { user }),
      };
      try {
        return await runIn(root, command, options, ctx);
      } catch (error) {
        throw explained(error, work);
      }
    },
  };
}

/** The line that says why: what we refused, else what the build said last, else pip's own error. */
function explained(error: unknown, { what, log }: Work): unknown {
  if (!isArtifactsError(error)) return error;
  const output = typeof error.details?.['output'] === 'string' ? error.details['output'] : '';
  const lines = output.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const refused = lines.find((line) => line.startsWith('refused: '))?.slice('refused: '.length);
  // pip frames what a build printed, and sums up in other words what it thinks of it.
  const printed = lines[lines.findIndex((line) => line.startsWith('[end of output]')) - 1];
  const told = lines.find((line) => /^(?:WARNING: Built wheel|ERROR: )/.test(line));
  const why = refused ?? (exitStatusOf(error) !== undefined ? (printed ?? told ?? lines.at(-1)) : undefined) ?? error.message;
  return new ArtifactsError(refused === undefined ? error.code : 'E_FORMAT', `${what}: ${printable(why)}`, {
    ...(log !== undefined && { hint: `The whole output is in ${log}.` }),
    ...(error.details !== undefined && { details: error.details }),
    cause: error,
  });
}

function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?').slice(0, 500);
}
