/**
 * Lists of what packages install, one a component and architecture. Sources in this order: the lists that came with the
 * packages from their upstreams, and the package files themselves, each of which is read once in its life.
 */
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { PublishedIndex } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { Content } from '../core/snapshot.ts';
import type { FileListFormat } from '../formats/format.ts';
import { exitStatusOf, startCommand, type RunningCommand } from '../util/run-command.ts';
import { tarPaths } from '../util/tar-paths.ts';
import { unpackFile } from '../util/unpack.ts';
import type { WrittenIndex } from './index-files.ts';
import { partsByName, sourceOf, writeCombined, type ListedTools, type Part } from './listed-files.ts';

export interface FileListTools extends ListedTools {
  readonly cache: LeafCache;
}

interface ListingTools extends FileListTools {
  readonly fileLists: FileListFormat;
}

export interface FileListRequest {
  readonly component: string;
  readonly content: Content;
  readonly architectures: readonly string[];
  /** False: only where upstreams have several lists of one name, and only of what stands in those. */
  readonly complete: boolean;
}

export interface WrittenLists extends WrittenIndex {
  /** Names below the component of what was written. */
  readonly names: ReadonlySet<string>;
}

/** Writes the lists of a component below the folder of a generation. */
export async function writeFileLists(
  folder: string,
  { component, content, architectures, complete }: FileListRequest,
  given: FileListTools,
  ctx: Context,
): Promise<WrittenLists> {
  const { fileLists } = given.format;
  if (fileLists === undefined) return { listed: [], written: [], names: new Set() };
  const tools: ListingTools = { ...given, fileLists };
  const leaves = tools.catalog.contents.leaves(content.id);
  const upstream = partsByName(content, tools);
  const plans = fileLists
    .plan(new Set(leaves.map(({ partition }) => partition)), architectures)
    .filter(({ name }) => complete || (upstream.get(name) ?? []).length > 1);
  const listed: PublishedIndex[] = [];
  const written: PublishedIndex[] = [];
  for (const { name, partitions } of plans) {
    ctx.report({ type: 'phase', subject: component, text: `listing files for ${name}` });
    const packages = packagesOf(content, new Set(partitions), tools);
    const sorted = sortLines(dirname(folder), ctx);
    const feeding = feed(sorted, { packages, parts: upstream.get(name) ?? [], complete }, tools, ctx);
    feeding.catch(() => sorted.kill());
    const plain = chunked(group(sorted, fileLists));
    const { packed, plain: whole } = await settled(writeCombined(folder, `${component}/${name}`, plain, tools), feeding);
    written.push(packed);
    listed.push(packed, whole);
  }
  return { listed, written, names: new Set(plans.map(({ name }) => name)) };
}

/** The failure of the feeder is the cause of the reader's. */
async function settled<T>(writing: Promise<T>, feeding: Promise<void>): Promise<T> {
  const [read, fed] = await Promise.allSettled([writing, feeding]);
  if (fed.status === 'rejected') throw fed.reason;
  if (read.status === 'rejected') throw read.reason;
  return read.value;
}

interface ListedPackage {
  readonly name: string;
  /** As it stands in a list. */
  readonly qualified: string;
  readonly file: Sha256;
}

function packagesOf(content: Content, partitions: ReadonlySet<string>, { catalog, fileLists }: ListingTools): ListedPackage[] {
  const packages: ListedPackage[] = [];
  for (const leaf of catalog.contents.leaves(content.id)) {
    if (!partitions.has(leaf.partition)) continue;
    for (const id of catalog.contents.members(leaf.id)) {
      const record = catalog.records.get(id);
      const file = record.files[0];
      if (file !== undefined) packages.push({ name: record.name, qualified: fileLists.qualifiedName(record), file: file.sha256 });
    }
  }
  return packages;
}

/** Parts a path from a package's name, and sorts before everything a path may hold. */
const BETWEEN = '\u0001';

/** Sorted bytewise and each once, by a tool that needs little memory however long the lists are. */
function sortLines(temporary: string, ctx: Context): RunningCommand {
  const environment = { LC_ALL: 'C' };
  const sort = startCommand('sort', ['-u', '-S', '64M', '-T', temporary], { environment, signal: ctx.signal });
  sort.stdin.on('error', () => {}); // EPIPE: the exit status tells what went wrong
  return sort;
}

interface Feed {
  readonly packages: readonly ListedPackage[];
  readonly parts: readonly Part[];
  readonly complete: boolean;
}

async function feed(sort: RunningCommand, { packages, parts, complete }: Feed, tools: ListingTools, ctx: Context): Promise<void> {
  const names = new Map(packages.map((item) => [item.name, item.qualified]));
  const covered = new Set<string>();
  const { fileLists } = tools;
  const write = async (text: string): Promise<void> => {
    if (!sort.stdin.write(text, 'latin1')) await Promise.race([once(sort.stdin, 'drain'), sort.ended]);
  };
  for (const part of parts) {
    for await (const lines of linesOf(unpackFile(sourceOf(part, tools), part.file.packing, ctx.signal))) {
      let text = '';
      for (const line of lines) {
        const read = fileLists.readLine(line);
        for (const qualified of read?.packages ?? []) {
          const name = fileLists.packageName(qualified);
          if (!names.has(name)) continue;
          covered.add(name);
          text += `${read?.path}${BETWEEN}${qualified}\n`;
        }
      }
      if (text !== '') await write(text);
    }
  }
  const others = packages.filter(({ name }) => complete && !covered.has(name));
  await listPackages(others.map(({ file }) => file), tools, ctx);
  for (const { file, qualified } of others) {
    const paths = tools.cache.fileList(file) ?? '';
    if (paths !== '') await write(paths.split('\n').map((path) => `${path}${BETWEEN}${qualified}\n`).join(''));
  }
  sort.stdin.end();
}

/** The names of a package's files, in bytes; the longest lists in Debian have some 10 MB. */
const LONGEST_LIST = 64 * 1024 * 1024;

/** What is wrong with the package itself. */
function isUnlistable(error: unknown): error is ArtifactsError {
  return isArtifactsError(error, 'E_FORMAT') || isArtifactsError(error, 'E_TOO_LARGE') || exitStatusOf(error) !== undefined;
}

/** Packages unpacked at a time. */
const AT_ONCE = availableParallelism();

/** Files listed in one transaction of the cache. */
const BATCH = 256;

/** Makes sure that the cache has the lists of these package files. */
async function listPackages(files: readonly Sha256[], { cache, pool, fileLists }: ListingTools, ctx: Context): Promise<void> {
  const missing = [...new Set(files)].filter((file) => cache.fileList(file) === undefined);
  for (let at = 0; at < missing.length; at += BATCH) {
    ctx.report({ type: 'progress', id: 'file-lists', label: 'listing files of packages', done: at, total: missing.length, unit: 'files' });
    const lists = new Map<Sha256, string>();
    const waiting = missing.slice(at, at + BATCH);
    const work = async (): Promise<void> => {
      for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
        ctx.signal.throwIfAborted();
        lists.set(file, await listPackage(pool.path(file), fileLists, ctx));
      }
    };
    // Whoever fails takes the work away from the others; all have ended when this goes on.
    const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => work().finally(() => (waiting.length = 0))));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    cache.putFileLists(lists);
  }
  if (missing.length > 0) ctx.report({ type: 'progress-end', id: 'file-lists' });
}

/** One path a line. A package that cannot be unpacked cannot be installed either: that is told, and no reason to stop. */
async function listPackage(path: string, { archiver: [command, ...args] }: FileListFormat, ctx: Context): Promise<string> {
  const running = startCommand(command, [...args, path], { signal: ctx.signal });
  running.stdin.end();
  const paths: string[] = [];
  let length = 0;
  try {
    for await (const name of tarPaths(bounded(running.stdout, statSync(path).size))) {
      length += name.length;
      if (length > LONGEST_LIST) throw new ArtifactsError('E_TOO_LARGE', `their names have more than ${LONGEST_LIST} bytes`);
      // eslint-disable-next-line no-control-regex
      if (!/[\u0000-\u001f]/.test(name)) paths.push(name); // they separate what is sorted
    }
    await running.ended;
  } catch (error) {
    running.kill();
    ctx.signal.throwIfAborted();
    if (!isUnlistable(error)) throw error;
    ctx.report({ type: 'warning', message: `${path}: its files cannot be listed: ${error.message}` });
    return '';
  }
  return paths.join('\n');
}

/** A small file can unpack to more than anybody wants to wait for. */
async function* bounded(chunks: AsyncIterable<Buffer>, packedSize: number): AsyncGenerator<Buffer> {
  const limit = Math.max(1024 ** 3, 1000 * packedSize);
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) throw new ArtifactsError('E_TOO_LARGE', `they have more than ${limit} bytes, a thousand times what the package has`);
    yield chunk;
  }
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    yield lines;
  }
  if (rest !== '') yield [rest];
}

/** One line a path, its packages joined. */
async function* group(sort: RunningCommand, { line }: FileListFormat): AsyncGenerator<string> {
  let current: string | undefined;
  let packages: string[] = [];
  for await (const lines of linesOf(sort.stdout)) {
    for (const text of lines) {
      const at = text.indexOf(BETWEEN);
      const path = text.slice(0, at);
      if (path !== current) {
        if (current !== undefined) yield line(current, packages);
        current = path;
        packages = [];
      }
      packages.push(text.slice(at + 1));
    }
  }
  if (current !== undefined) yield line(current, packages);
  await sort.ended;
}

/** Compressors like large pieces. */
const PIECE = 64 * 1024;

async function* chunked(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let text = '';
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < PIECE) continue;
    yield Buffer.from(text, 'latin1');
    text = '';
  }
  if (text !== '') yield Buffer.from(text, 'latin1');
}
