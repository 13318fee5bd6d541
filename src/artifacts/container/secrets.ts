/** Texts that nobody but the roles of an image may see: read, kept out of messages, and looked for in the image. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Context } from '../../core/context.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { runAsOwner } from '../../sandbox/namespaces.ts';
import { removeFile } from '../../util/durable.ts';
import { readNamed } from './role-folders.ts';

/** Shorter ones cannot be told from other text. */
const SHORTEST = 8;

/** The values of all variables of the files. Throws E_NOT_FOUND, E_CONFIG; no message has a value in it. */
export function secretTexts(files: readonly string[]): readonly string[] {
  return files.flatMap((file) => [...textsIn(readYaml(file), { file, name: '' })]);
}

/** The text without the secrets. */
export function hideTexts(text: string, secrets: readonly string[]): string {
  const spellings = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), longestLine(secret)]);
  return spellings.sort((a, b) => b.length - a.length).reduce((hidden, spelling) => hidden.replaceAll(spelling, '***'), text);
}

/** Files below the folder that have one of the texts in them, by paths from there. */
export async function findTexts(secrets: readonly string[], { folder, temporary }: { readonly folder: string; readonly temporary: string }, ctx: Context): Promise<readonly string[]> {
  if (secrets.length === 0) return [];
  const patterns = join(temporary, 'patterns');
  try {
    // On the command line everybody could read them.
    writeFileSync(patterns, secrets.map((secret) => `${longestLine(secret)}\n`).join(''), { mode: 0o600, flag: 'wx' });
    const { stdout } = await runAsOwner(['sh', '-c', LIST_FILES, 'sh', patterns, folder], ctx);
    return stdout.toString('utf8').split('\0').filter((path) => path !== '').map((path) => path.slice(folder.length)).sort();
  } finally {
    removeFile(patterns);
  }
}

/** grep(1) ends with 1 when there is none, and follows no link. */
const LIST_FILES = 'grep --recursive --files-with-matches --null --text --fixed-strings --file="$1" -- "$2" || [ $? -eq 1 ]';

function readYaml(file: string): unknown {
  try {
    return parse(readNamed(file).toString('utf8'), { logLevel: 'silent' });
  } catch (error) {
    if (error instanceof ArtifactsError) throw error;
    throw new ArtifactsError('E_CONFIG', `${file}, which holds secrets, is no YAML`); // the cause would show what stands there
  }
}

function* textsIn(value: unknown, at: { readonly file: string; readonly name: string }): Generator<string> {
  if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) yield* textsIn(item, { file: at.file, name: at.name === '' ? name : `${at.name}.${name}` });
  } else if (typeof value === 'string' || typeof value === 'number') {
    const text = String(value);
    if (longestLine(text).length < SHORTEST) {
      throw new ArtifactsError('E_CONFIG', `${at.file}: the secret ${at.name} has less than ${SHORTEST} characters`, { hint: 'Such a text cannot be looked for in an image; make it longer, or put what is no secret into vars_files.' });
    }
    yield text;
  }
}

/** A key of many lines is looked for by one of them. */
function longestLine(text: string): string {
  return text.split('\n').reduce((longest, line) => (line.length > longest.length ? line : longest), '');
}
