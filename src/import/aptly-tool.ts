/** What an aptly root holds, as aptly itself tells: packages, snapshots, mirrors and local repositories. */
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Context } from '../core/context.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { FileRef } from '../core/package.ts';
import type { RepoFormat } from '../formats/format.ts';
import { runCommand, startCommand } from '../util/run-command.ts';
import { readMirror, readRepo, type AptlyMirror, type AptlyRepo } from './aptly-vars.ts';
import type { FoundList, FoundPackage } from './found.ts';
import { readStanza } from './read-stanza.ts';

export interface AptlyRoot {
  /** aptly's rootDir. */
  readonly root: string;
  /** Its configuration: then aptly reads its own database, wherever that is, and not a copy. */
  readonly config?: string;
  /** For the copy of the database; it exists, and goes at the end. */
  readonly temporary: string;
}

/** True when aptly can be run. */
export async function hasAptly(): Promise<boolean> {
  try {
    await runCommand('aptly', ['version']);
    return true;
  } catch (error) {
    if (isArtifactsError(error, 'E_TOOL')) return false;
    throw error;
  }
}

/** Everything aptly knows, as lists of packages. */
export async function readWithAptly(at: AptlyRoot, format: RepoFormat, ctx: Context): Promise<FoundList[]> {
  return withDatabase(at, (asking) => readAll({ ...asking, format }, ctx));
}

/** How aptly defines its mirrors and local repositories. */
export async function readDefinitions(at: AptlyRoot, ctx: Context): Promise<{ readonly mirrors: readonly AptlyMirror[]; readonly repos: readonly AptlyRepo[] }> {
  return withDatabase(at, async ({ options }) => {
    const shown = async (kind: 'mirror' | 'repo'): Promise<string[]> => {
      const texts: string[] = [];
      for (const name of await namesOf(kind, options, ctx)) {
        texts.push((await runCommand('aptly', [...options, kind, 'show', '-json', name], { signal: ctx.signal })).stdout.toString());
      }
      return texts;
    };
    return { mirrors: (await shown('mirror')).map(readMirror), repos: (await shown('repo')).map(readRepo) };
  });
}

/** Opening a database writes to it, so aptly is given a copy of its own. */
async function withDatabase<T>(at: AptlyRoot, work: (asking: Omit<Asking, 'format'>) => Promise<T>): Promise<T> {
  const folder = join(at.temporary, 'aptly');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const options = [`-config=${at.config ?? copyDatabase(at.root, folder)}`];
    const copied = join(folder, 'root');
    const place = (path: string): string => (path.startsWith(`${copied}/`) ? join(at.root, relative(copied, path)) : path);
    return await work({ options, place });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyDatabase(root: string, folder: string): string {
  const copy = join(folder, 'root');
  try {
    cpSync(join(root, 'db'), join(copy, 'db'), { recursive: true });
  } catch (error) {
    throw new ArtifactsError('E_NOT_FOUND', `${root} holds no database of aptly`, {
      hint: 'Name the rootDir of aptly, or give --config if its database lies elsewhere.',
      cause: error,
    });
  }
  symlinkSync(join(root, 'pool'), join(copy, 'pool'));
  writeFileSync(join(folder, 'aptly.conf'), JSON.stringify({ rootDir: copy, downloadConcurrency: 1 }));
  return join(folder, 'aptly.conf');
}

interface Asking {
  readonly options: readonly string[];
  readonly format: RepoFormat;
  /** Where a path that aptly prints really lies. */
  readonly place: (path: string) => string;
}

async function readAll(asking: Asking, ctx: Context): Promise<FoundList[]> {
  ctx.report({ type: 'phase', subject: 'aptly', text: 'reading packages' });
  const { packages, problems } = await readPackages(asking, ctx);
  const lists: FoundList[] = [];
  for (const kind of ['snapshot', 'mirror', 'repo'] as const) {
    for (const name of await namesOf(kind, asking.options, ctx)) {
      ctx.report({ type: 'phase', subject: 'aptly', text: `reading ${kind} ${name}` });
      lists.push({ kind, name, ...(await readList({ kind, name }, { ...asking, packages, problems }, ctx)) });
    }
  }
  return lists;
}

async function namesOf(kind: 'snapshot' | 'mirror' | 'repo', options: readonly string[], ctx: Context): Promise<string[]> {
  const { stdout } = await runCommand('aptly', [...options, kind, 'list', '-raw'], { signal: ctx.signal });
  return stdout.toString().split('\n').filter((line) => line !== '');
}

/** What aptly makes of images of the installer: a package without a version. It keeps no more of them than their files. */
const INSTALLER = /^(?:P\S+ installer  [0-9a-f]+$|Package: installer\nArchitecture: .*\nVersion: *$)/m;

interface Known {
  /** By the digest that tells a package from every other: that of its .deb or .dsc. */
  readonly packages: ReadonlyMap<string, FoundPackage>;
  readonly problems: ReadonlyMap<string, string>;
}

/** All packages of the database in one run of aptly: one for each would take hours. */
async function readPackages({ options, format, place }: Asking, ctx: Context): Promise<Known> {
  const packages = new Map<string, FoundPackage>();
  const problems = new Map<string, string>();
  let stanza: string | undefined;
  const running = startCommand('aptly', [...options, 'package', 'show', '-with-files', 'Name'], { signal: ctx.signal });
  running.stdin.end();
  for await (const part of paragraphs(running.stdout)) {
    ctx.signal.throwIfAborted();
    if (!part.startsWith('Files in the pool:')) {
      stanza = part;
      continue;
    }
    if (stanza === undefined || INSTALLER.test(stanza)) continue;
    const identity = identityOf(stanza);
    try {
      const record = await readStanza(stanza, format);
      packages.set(identity, { record, paths: pathsOf(record.files, part.split('\n').slice(1).map((line) => place(line.trim()))) });
    } catch (error) {
      if (!isArtifactsError(error)) throw error;
      problems.set(identity, error.message);
    }
  }
  await running.ended;
  return { packages, problems };
}

/** Text between blank lines; stanzas have none inside. */
async function* paragraphs(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + chunk.toString('latin1')).split('\n\n');
    rest = parts.pop() ?? '';
    yield* parts.map((part) => part.replace(/^\n+/, '')).filter((part) => part !== '');
  }
  if (rest.trim() !== '') yield rest.replace(/^\n+|\n+$/g, '');
}

function identityOf(text: string): string {
  const dsc = /^ *([0-9a-f]{64}) +\d+ +\S+\.dsc$/m.exec(text)?.[1];
  return dsc ?? /^SHA256: ([0-9a-f]{64})$/m.exec(text)?.[1] ?? text.slice(0, 200);
}

/** aptly puts digits before a file's name. */
function pathsOf(files: readonly FileRef[], paths: readonly string[]): string[] {
  return files.map(({ name }) => {
    const found = paths.find((path) => path.endsWith(`_${name}`) || path.endsWith(`/${name}`));
    if (found === undefined) throw new ArtifactsError('E_STATE', `aptly has no file ${name} in its pool`);
    return found;
  });
}

/** What tells the packages of a list: the digests their stanzas were kept under. */
const TEMPLATE = '{{.Key}}\nSHA256: {{.SHA256}}\n{{index . "Checksums-Sha256"}}\n--';

async function readList(
  { kind, name }: Pick<FoundList, 'kind' | 'name'>,
  { options, packages, problems }: Asking & Known,
  ctx: Context,
): Promise<Pick<FoundList, 'packages' | 'problems'>> {
  const { stdout, status, stderr } = await runCommand('aptly', [...options, kind, 'search', `-format=${TEMPLATE}`, name, 'Name'], {
    accept: [1],
    limit: 1024 * 1024 * 1024,
    signal: ctx.signal,
  });
  const said = `${stdout.toString()}${stderr}`;
  if (status !== 0) {
    if (/no results/.test(said)) return { packages: [], problems: [] };
    // A mirror that was never updated has no packages either.
    if (kind === 'mirror' && /not updated|hasn't been updated|never been updated/.test(said)) return { packages: [], problems: ['it was never updated'] };
    throw new ArtifactsError('E_TOOL', `aptly ${kind} search ${name} failed: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  }
  const found: FoundPackage[] = [];
  const missing: string[] = [];
  for (const entry of stdout.toString('latin1').split('\n--\n').filter((text) => text.trim() !== '')) {
    if (INSTALLER.test(entry)) {
      ctx.report({ type: 'warning', message: `${kind} ${name}: images of the installer are left out; a mirror with \`with_installer\` fetches them` });
      continue;
    }
    const identity = identityOf(entry);
    const known = packages.get(identity);
    if (known !== undefined) found.push(known);
    else missing.push(problems.get(identity) ?? `${entry.split('\n')[0] ?? ''} is not among its packages`);
  }
  return { packages: found, problems: missing };
}
