import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import { runCommand } from '../util/run-command.ts';
import type { PythonIndex } from './build-python.ts';

const HINT = 'Name one: `indexes` of an entry of python_sets.';

/** Nearest first: pip's own order of what decides. */
const SETTINGS = [':env:', 'install', 'global'] as const;

/**
 * The index that pip on this machine asks: from its environment or configuration files, or its own default, which its
 * help names. Throws E_CONFIG when there is no pip to ask.
 */
export async function pipIndex(environment: Readonly<Record<string, string | undefined>>): Promise<PythonIndex> {
  const listed = await askPip(['config', 'list'], environment);
  const set = SETTINGS.map((section) => settingOf(listed, `${section}.index-url`)).find((url) => url !== undefined);
  const url = set ?? /--index-url <url>\s.*?\(default\s+(https?:\/\/[^\s)]+)\)/s.exec(await askPip(['install', '--help'], environment))?.[1];
  if (url === undefined || !/^https?:\/\/\S+$/.test(url)) throw new ArtifactsError('E_CONFIG', 'pip asks no package index that is read by http', { hint: HINT });
  return { name: 'pip', url, packages: ['*'] };
}

/** `global.index-url='http://…'`, a line each. */
function settingOf(listed: string, name: string): string | undefined {
  const line = listed.split('\n').find((text) => text.startsWith(`${name}=`));
  return line?.slice(name.length + 1).trim().replace(/^(['"])(.*)\1$/, '$2');
}

async function askPip(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const settings = Object.entries(environment).flatMap(([name, value]) => (name.startsWith('PIP_') && value !== undefined ? [[name, value]] : []));
  // Wide enough that no URL is broken over two lines.
  const options = { environment: { ...Object.fromEntries(settings), COLUMNS: '4000' } };
  try {
    return (await runCommand('python3', ['-m', 'pip', ...args], options)).stdout.toString('utf8');
  } catch (error) {
    if (!isArtifactsError(error, 'E_TOOL')) throw error;
    throw new ArtifactsError('E_CONFIG', 'No package index is configured, and there is no pip to ask for its own', { hint: HINT, cause: error });
  }
}
