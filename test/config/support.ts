import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { Problem } from '../../src/config/problem.ts';
import type { SourceFile } from '../../src/config/read-sources.ts';
import { ArtifactsError } from '../../src/core/errors.ts';

export const KEY = 'A1B2C3D4E5F60718293A4B5C6D7E8F9001122334';

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A mirror by URL that is right; extra lines are put below it. */
export function mirror(name: string, ...extra: readonly string[]): string {
  return [
    `  - name: ${name}`,
    `    archive_url: http://${name.toLowerCase().replaceAll('_', '-')}.example.org/debian`,
    '    distribution: bookworm',
    '    components: [main]',
    `    gpg: {key: [${KEY}], keyring: keys/upstream.asc}`,
    ...extra.map((line) => `    ${line}`),
    '',
  ].join('\n');
}

export function mirrors(...entries: readonly string[]): string {
  return `aptly_mirrors:\n${entries.join('')}`;
}

export function sources(files: Files): readonly SourceFile[] {
  return Object.entries(files).map(([file, content]) => ({ file, bytes: Buffer.from(content) }));
}

export function load(files: Files, environment: Readonly<Record<string, string>> = {}): Promise<Config> {
  return loadConfig({ root: '/nowhere', environment, sources: sources(files) });
}

/** Every problem as a person sees it; empty when the configuration loads. */
export async function problemsOf(files: Files, environment: Readonly<Record<string, string>> = {}): Promise<string[]> {
  try {
    await load(files, environment);
    return [];
  } catch (error) {
    if (!(error instanceof ArtifactsError) || error.code !== 'E_CONFIG') throw error;
    const problems = error.details?.['problems'] as readonly Problem[] | undefined;
    return (problems ?? []).map(formatProblem);
  }
}

/** Problems of a file of variables, without the file's name. */
export async function problemsIn(text: string | Uint8Array): Promise<string[]> {
  return (await problemsOf({ 'vars/a.yml': text })).map((problem) => problem.replace(/^vars\/a\.yml:/, ''));
}
