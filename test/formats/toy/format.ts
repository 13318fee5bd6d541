/**
 * A repository format that nobody uses, as small as one can be and unlike both others where it can: so that the domain
 * shows that it knows formats by their interface alone. A line of JSON for each package, in one index for each architecture;
 * `any` is for all of them.
 */
import { posix } from 'node:path';
import { parseSha256, sha256, type Sha256 } from '../../../src/core/digest.ts';
import { ArtifactsError } from '../../../src/core/errors.ts';
import type { PackageRecord } from '../../../src/core/package.ts';
import type { QuerySubject } from '../../../src/core/relation.ts';
import type { Digested, IndexOffer, ListedFile, RepoFormat, ServedForm, UpstreamIndex, UpstreamPackage, UpstreamRequest, UpstreamRoot } from '../../../src/formats/format.ts';
import { pathProblem } from '../../../src/util/safe-path.ts';

/** What a line of an index says, and the second line of a package file. */
export interface ToyPackage {
  readonly name: string;
  readonly version: string;
  readonly on: string;
  readonly needs: readonly string[];
  /** Names besides its own. The word is there only where there are any. */
  readonly offers?: readonly string[];
}

export interface ToyEntry extends ToyPackage {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface ToyRoot {
  readonly date: string;
  readonly until?: string;
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
}

const LISTED = 'beside';
const INDEX = 'packages.jsonl';

export const toy: RepoFormat = {
  id: 'toy',
  compareVersions: (a, b) => Number(a) - Number(b),
  names: {
    write: ({ name, version, architecture }) => `${name}@${version}@${architecture}`,
    forms: (word) => {
      const [name = '', version, architecture] = word.split('@');
      return version === undefined || architecture === undefined ? [{ name: word }] : [{ name, version, architecture }];
    },
    part: (key, part) => (part === 'version' ? key.version : part === 'architecture' ? key.architecture : key.name),
    isField: () => true,
  },
  subject: subjectOf,
  capabilityWord: '"offers"',
  companionWords: {},
  upstream: {
    entries: ({ distribution }) => [{ kind: 'detached', path: `trees/${distribution}/ROOT.json`, signature: `trees/${distribution}/ROOT.json.sig` }],
    readRoot,
    readIndex,
  },
  local: {
    kindOf: (fileName) => (fileName.endsWith('.toy') ? 'package' : undefined),
    scan,
    readPackage: ({ fileName: name, size, sha256: digest }, description) => recordOf({ ...(parse(description, name) as ToyPackage), path: name, size, sha256: digest }, digest),
  },
  publishing: {
    separator: '\n',
    untold: [],
    profile: (clients) => {
      if (clients === undefined) return { packings: ['gz'], listedForms: () => undefined };
      throw new ArtifactsError('E_USAGE', 'All clients of toys are alike');
    },
    parts: ['line'],
    textOf: (text) => text,
    frame: () => ({ head: Buffer.alloc(0), tail: Buffer.alloc(0) }),
    folders: { distributions: 'trees', pool: 'store' },
    hashedPath: (path, digest) => (path.includes('/older/') ? path : `${posix.dirname(path)}/older/${digest}`),
    namesStay: true,
    poolPaths: ({ partition, files }) => (partition === LISTED ? [] : files.map(({ name, sha256: digest }) => storePath(name, digest))),
    architectures: (partitions, asked) => {
      const own = [...partitions].filter((name) => name !== LISTED && name !== 'on-any').map((name) => name.replace('on-', ''));
      return [...new Set(own.length > 0 ? own : asked)].sort();
    },
    indexes: ({ component }, architectures) => architectures.map((name) => ({ path: `${component}/${name}/${INDEX}`, component, partitions: [`on-${name}`, 'on-any'], part: 'line' })),
    listed: {
      partition: LISTED,
      paths: (name, component) => [`${component}/${name}`],
      record: listedRecord,
      read: ({ name, text }): ListedFile => ({ name, ...(JSON.parse(text.toString()) as Pick<ListedFile, 'packing' | 'plain'>) }),
      combine: (name) => (name === 'notes.txt' ? combineNotes : undefined),
      prune: (name) => (name === 'notes.txt' ? (plain, has) => pruneNotes(plain.toString(), has) : undefined),
      readBound: (name, chunks) => (name === 'sets.txt' ? readSets(chunks) : undefined),
    },
    seats: () => [{ root: '' }],
    clientLines: ({ prefix, distribution }) => [{ label: 'Toy line', line: `URL/${prefix} ${distribution} KEY` }],
    root: ({ date, validUntil, files }) => Buffer.from(JSON.stringify({ date: date.toISOString(), ...(validUntil === undefined ? {} : { until: validUntil.toISOString() }), files } satisfies ToyRoot)),
    readServed: (text) => {
      const { date, until, files } = parseRoot(text);
      const forms = new Map<string, ServedForm[]>();
      for (const path of files.keys()) forms.set(plainName(path), [...(forms.get(plainName(path)) ?? []), { path, packing: packingOf(path) }]);
      return { date, ...(until === undefined ? {} : { validUntil: until }), files, forms, indexes: indexesOf(files), bundles: [] };
    },
    signedFiles: { plain: 'ROOT.json', detached: 'ROOT.json.sig' },
  },
};

function malformed(place: string, problem: string): ArtifactsError {
  return new ArtifactsError('E_FORMAT', `${place}: ${problem}`);
}

function parse(text: Buffer | string, place: string): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    throw malformed(place, 'this is no JSON');
  }
}

function storePath(name: string, digest: Sha256): string {
  return `store/${digest}/${name}`;
}

function packingOf(path: string): 'gz' | 'none' {
  return path.endsWith('.gz') ? 'gz' : 'none';
}

function plainName(path: string): string {
  return path.replace(/\.gz$/, '');
}

function parseRoot(text: Buffer): { readonly date: Date; readonly until: Date | undefined; readonly files: ReadonlyMap<string, Digested> } {
  const { date, until, files } = parse(text, 'ROOT.json') as ToyRoot;
  const digested = files.map(({ path, size, sha256: hex }) => {
    const digest = parseSha256(hex);
    if (digest === undefined || pathProblem(path) !== undefined) throw malformed('ROOT.json', `${path} is no file`);
    return [path, { size, sha256: digest }] as const;
  });
  return { date: new Date(date), until: until === undefined ? undefined : new Date(until), files: new Map(digested) };
}

/** By the folder of the distribution. */
function indexesOf(files: ReadonlyMap<string, Digested>, folder = ''): UpstreamIndex[] {
  return [...files].flatMap(([name, plain]) => {
    if (posix.basename(name) !== INDEX) return [];
    const offers = [`${name}.gz`, name].flatMap((path): IndexOffer[] => {
      const listed = files.get(path);
      return listed === undefined ? [] : [{ ...listed, compression: packingOf(path), paths: [`${folder}${path}`] }];
    });
    return [{ name, kind: 'packages', plain, offers }];
  });
}

function readRoot(text: Buffer, { distribution, components, architectures, files: globs = [] }: UpstreamRequest): UpstreamRoot {
  const folder = `trees/${distribution}/`;
  const { date, until, files } = parseRoot(text);
  const isWanted = (path: string): boolean => {
    const [component = '', architecture = ''] = path.split('/');
    return components.includes(component) && architectures.includes(architecture);
  };
  const beside = [...files].filter(([path]) => posix.basename(plainName(path)) !== INDEX);
  return {
    date,
    ...(until === undefined ? {} : { validUntil: until }),
    identity: {},
    indexes: indexesOf(files, folder).filter(({ name }) => isWanted(name)),
    files: globs.includes('*') ? beside.map(([path, plain]) => listedRecord(path.slice(path.indexOf('/') + 1), { name: path, kind: 'file', plain, offers: [{ ...plain, compression: 'none', paths: [folder + path] }] })) : [],
    bundles: [],
  };
}

async function* readIndex({ name }: UpstreamIndex, chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly UpstreamPackage[]> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  const lines = Buffer.concat(all).toString().split('\n');
  yield lines.filter((line) => line !== '').map((line, at) => entryOf(parse(line, `${name}, line ${at + 1}`), `${name}, line ${at + 1}`));
}

function entryOf(value: unknown, place: string): UpstreamPackage {
  if (typeof value !== 'object' || value === null) throw malformed(place, 'this is no package');
  const { path, size, sha256: hex, ...described } = value as ToyEntry;
  const digest = parseSha256(String(hex));
  if (digest === undefined || !Number.isSafeInteger(size) || typeof path !== 'string') throw malformed(place, 'it names no file');
  if (pathProblem(path) !== undefined) throw new ArtifactsError('E_PATH', `${place}: the path ${JSON.stringify(path)} leads elsewhere`);
  return { record: recordOf({ ...described, path: posix.basename(path), size, sha256: digest }, digest, place), locations: [path] };
}

function recordOf({ path: name, size, ...described }: ToyEntry, digest: Sha256, place = name): PackageRecord {
  const { name: own, version, on, needs, offers = [] } = described;
  if (!Array.isArray(needs) || !Array.isArray(offers)) throw malformed(place, 'its needs are no list');
  if (![own, version, on, ...needs, ...offers].every((word) => typeof word === 'string' && /^[\w.+-]+$/.test(word))) throw malformed(place, 'it says something odd');
  const entry: ToyEntry = { name: own, version, on, needs, ...(offers.length === 0 ? {} : { offers }), path: storePath(name, digest), size, sha256: digest };
  return { format: 'toy', partition: `on-${on}`, name: own, version, architecture: on, files: [{ name, size, sha256: digest }], text: Buffer.from(JSON.stringify(entry)) };
}

function subjectOf({ name, version, architecture, partition, text }: PackageRecord): QuerySubject {
  const { needs = [], offers = [] } = partition === LISTED ? {} : (JSON.parse(text.toString()) as ToyEntry);
  return {
    name,
    version,
    architecture,
    isForAll: architecture === 'any',
    type: 'toy',
    source: { name, version },
    field: (field) => (field.toLowerCase() === 'needs' && needs.length > 0 ? needs.join(', ') : undefined),
    capabilities: [{ name, version }, ...offers.map((offer) => ({ name: offer }))],
    requirements: () => needs.map((need) => [{ name: need }]),
    multiArch: 'no',
  };
}

/** In the form that is offered first. */
function listedRecord(name: string, { plain, offers: [offer] }: UpstreamIndex): UpstreamPackage {
  if (offer?.size === undefined || plain === undefined) throw new Error(`${name} is offered in no form`);
  const { size, sha256: digest, compression: packing } = offer;
  const text = { packing, plain: { size: plain.size, sha256: plain.sha256 } };
  const file = { name: posix.basename(offer.paths[0] ?? name), size, sha256: digest };
  return { record: { format: 'toy', partition: LISTED, name, version: digest, architecture: LISTED, files: [file], text: Buffer.from(JSON.stringify(text)) }, locations: [offer.paths[0] ?? name] };
}

/** `name version architecture` of a package, then what there is to say of it. */
function* notesOf(text: string): Generator<{ readonly line: string; readonly key: { readonly name: string; readonly version: string; readonly architecture: string } }> {
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [name = '', version = '', architecture = ''] = line.split(' ');
    yield { line, key: { name, version, architecture } };
  }
}

async function textOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk.toString();
  return text;
}

async function* combineNotes(parts: readonly AsyncIterable<Buffer>[]): AsyncGenerator<Buffer> {
  const lines = new Set<string>();
  for (const part of parts) for (const { line } of notesOf(await textOf(part))) lines.add(line);
  yield Buffer.from([...lines].map((line) => `${line}\n`).join(''));
}

function pruneNotes(text: string, has: (key: { readonly name: string; readonly version: string; readonly architecture: string }) => boolean): Buffer | undefined {
  const notes = [...notesOf(text)];
  const kept = notes.filter(({ key }) => has(key));
  return kept.length === notes.length ? undefined : Buffer.from(kept.map(({ line }) => `${line}\n`).join(''));
}

async function readSets(chunks: AsyncIterable<Buffer>): Promise<(key: { readonly name: string; readonly version: string; readonly architecture: string }) => boolean> {
  const sets = new Set((await textOf(chunks)).split('\n'));
  return ({ name, version, architecture }) => sets.has(`${name} ${version} ${architecture}`);
}

/** `toy`, a line of JSON, and whatever is packed. */
function scan(label: string): ReturnType<RepoFormat['local']['scan']> {
  const pieces: Buffer[] = [];
  return {
    push: (chunk) => void pieces.push(Buffer.from(chunk)),
    end: () => {
      const [magic, description] = Buffer.concat(pieces).toString('latin1').split('\n', 2);
      if (magic !== 'toy' || description === undefined) throw malformed(label, 'this is no toy');
      return { packing: 'none', bytes: Buffer.from(description, 'latin1'), limit: 65_536 };
    },
  };
}

/** The file of a package. */
export function packToy(described: ToyPackage, payload: string): Buffer {
  return Buffer.from(`toy\n${JSON.stringify(described)}\n${payload}`);
}

/** What root metadata lists of a file. */
export function rootFile(path: string, bytes: Buffer): ToyRoot['files'][number] {
  return { path, size: bytes.length, sha256: sha256(bytes) };
}
