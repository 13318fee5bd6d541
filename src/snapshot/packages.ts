/**
 * The packages of contents as queries and closures see them, read from the catalog only as far as they are looked at:
 * names first, versions and architectures of those whose names will do, texts last.
 */
import type { Catalog } from '../catalog/catalog.ts';
import type { PackageForm } from '../core/package-names.ts';
import type { Content } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import { matcher } from '../query/match.ts';
import { asksCapabilities, exactNames, nameTest, readsText } from '../query/names.ts';
import type { Query } from '../query/query.ts';
import type { Universe } from '../query/universe.ts';
import { formTest, onlyName, settle } from '../query/words.ts';
import { LazyRecord, LazySubject, type Head, type PackageSubject } from './lazy-subject.ts';

export type { PackageSubject } from './lazy-subject.ts';

export interface PackageSet {
  readonly format: RepoFormat;
  /** How many packages there are. */
  readonly count: number;
  /** Packages of all contents, found by the names they answer to. */
  readonly universe: Universe;
  /** The packages a query means, in publication order. */
  matching(query: Query): readonly PackageSubject[];
  /** All packages; their texts are read some thousand at a time and forgotten again. */
  each(): Iterable<PackageSubject>;
  /** The packages of one of the contents, read likewise. */
  eachOf(content: Content): Iterable<PackageSubject>;
  /** Does work that reads the texts of most of these packages: they are read at once, and forgotten after it. */
  reading<T>(packages: readonly PackageSubject[], work: () => T): T;
  /** The packages of this very name, sources too. */
  named(name: string): readonly PackageSubject[];
  /** The packages a word means by what they are called themselves, never by what they provide. */
  called(word: string): readonly PackageSubject[];
}

/** What is in any of the contents, each record once. Files that are no packages are left out. */
export function openPackages(catalog: Catalog, format: RepoFormat, contents: readonly Content[]): PackageSet {
  const ids = [...new Set(contents)].map((content) => packageIds(catalog, format, content));
  return new Packages(catalog, format, ids.length === 1 && ids[0] !== undefined ? ids[0] : unite(ids));
}

/** Every package the catalog knows, whether anything holds it or not. */
export function openAllPackages(catalog: Catalog, format: RepoFormat): PackageSet {
  return new Packages(catalog, format, catalog.members.all(format.id, format.publishing.listed.partition));
}

/** The architectures the contents have packages of, `all` left out. */
export function architecturesIn(catalog: Catalog, { publishing }: RepoFormat, contents: readonly Content[]): readonly string[] {
  const partitions = new Set(contents.flatMap(({ id }) => catalog.contents.leaves(id).map(({ partition }) => partition)));
  return publishing.architectures(partitions, []).filter((name) => name !== 'source');
}

/** Numbers of the records of a content that are packages, in publication order. */
function packageIds(catalog: Catalog, { publishing }: RepoFormat, content: Content): Uint32Array {
  const leaves = catalog.contents.leaves(content.id);
  const packages = leaves.filter(({ partition }) => partition !== publishing.listed.partition);
  if (packages.length === leaves.length) return catalog.contents.allMembers(content.id);
  return unite(packages.map(({ id }) => catalog.contents.members(id)));
}

function unite(lists: readonly Uint32Array[]): Uint32Array {
  const ids = new Set<number>();
  for (const list of lists) for (const id of list) ids.add(id);
  return Uint32Array.from(ids);
}

/** Texts held in memory at a time. */
const BATCH = 2048;

class Packages implements PackageSet {
  readonly format: RepoFormat;
  readonly #catalog: Catalog;
  readonly #ids: Uint32Array;
  readonly #subjects: (LazySubject | undefined)[];
  #names: readonly string[] | undefined;
  #byName: ((name: string) => readonly number[]) | undefined;
  #byProvided: ReadonlyMap<string, readonly number[]> | undefined;
  readonly #byPath = new Map<string, readonly number[]>();
  #positions: ReadonlyMap<number, number> | undefined;

  constructor(catalog: Catalog, format: RepoFormat, ids: Uint32Array) {
    this.format = format;
    this.#catalog = catalog;
    this.#ids = ids;
    this.#subjects = Array.from({ length: ids.length });
  }

  get count(): number {
    return this.#ids.length;
  }

  get universe(): Universe {
    return {
      named: (name) => this.#subjectsAt(this.#answering(name)).filter(({ type }) => type !== 'source'),
      companionable: ({ recommends, suggests }) => {
        const words = [recommends === true && this.format.companionWords.recommends, suggests === true && this.format.companionWords.suggests];
        const positions = words.flatMap((word) => (typeof word === 'string' ? this.#catalog.members.mentioning(this.#ids, word) : []));
        return this.#read(inOrder(positions));
      },
    };
  }

  matching(query: Query): readonly PackageSubject[] {
    const settled = this.#settled(query);
    const positions = this.#candidates(settled);
    const match = matcher(settled, this.format);
    if (asksCapabilities(settled)) this.#providers();
    if (!readsText(settled)) {
      return this.#subjectsAt(positions).filter(match);
    }
    return [...this.#read(positions)].filter(match);
  }

  each(): Iterable<PackageSubject> {
    return this.#readMost([...this.#ids.keys()]);
  }

  eachOf(content: Content): Iterable<PackageSubject> {
    this.#positions ??= new Map(Array.from(this.#ids, (id, position) => [id, position]));
    const positions = this.#positions;
    return this.#readMost(Array.from(packageIds(this.#catalog, this.format, content), (id) => positions.get(id) ?? -1).filter((at) => at >= 0));
  }

  reading<T>(packages: readonly PackageSubject[], work: () => T): T {
    const batches = [...inBatches(packages as readonly LazySubject[])];
    for (const batch of batches) this.#load(batch);
    try {
      return work();
    } finally {
      for (const subject of batches.flat()) subject.record.loaded = undefined;
    }
  }

  named(name: string): readonly PackageSubject[] {
    return this.#subjectsAt(this.#named(name));
  }

  called(word: string): readonly PackageSubject[] {
    const term = this.#settled({ kind: 'word', text: word, column: 1 });
    return term.kind === 'form' ? this.matching(term) : this.named(word);
  }

  #settled(query: Query): Query {
    return settle(query, this.format.names, (form) => this.#isThere(form));
  }

  #isThere(form: PackageForm): boolean {
    const name = onlyName(form);
    if (name !== undefined && Object.keys(form).length === 1) return this.#named(name).length > 0;
    const term = { kind: 'form', form, text: '', column: 1 } as const;
    return this.#subjectsAt(this.#candidates(term)).some(formTest(form, this.format.names));
  }

  /** Positions of what the query can mean; what is there must still be matched. */
  #candidates(query: Query): readonly number[] {
    const own = exactNames(query, 'name');
    if (own !== undefined) return inOrder([...own].flatMap((name) => this.#named(name)));
    const answering = exactNames(query, 'capability');
    if (answering !== undefined) return inOrder([...answering].flatMap((name) => this.#answering(name)));
    const fits = nameTest(query);
    if (fits === undefined) return [...this.#ids.keys()];
    const found: number[] = [];
    for (const [position, name] of this.#allNames().entries()) if (fits(name)) found.push(position);
    return found;
  }

  /** Positions of the packages that have this name or provide it. */
  #answering(name: string): readonly number[] {
    const own = this.#named(name);
    const provided = this.#providers().get(name);
    if (provided === undefined && name.startsWith('/')) return this.#installing(name);
    return provided === undefined ? own : inOrder([...own, ...provided]);
  }

  /** Positions of the packages that install a path which is no capability; each path is looked for once. */
  #installing(path: string): readonly number[] {
    let found = this.#byPath.get(path);
    if (found === undefined) {
      const mentioning = this.#catalog.members.mentioning(this.#ids, path);
      found = [...this.#read(mentioning)].filter((subject) => subject.installs(path)).map(({ position }) => position);
      this.#byPath.set(path, found);
    }
    return found;
  }

  #named(name: string): readonly number[] {
    return (this.#byName ??= indexNames(this.#allNames()))(name);
  }

  #providers(): ReadonlyMap<string, readonly number[]> {
    return (this.#byProvided ??= this.#indexProvided());
  }

  #allNames(): readonly string[] {
    return (this.#names ??= this.#catalog.members.names(this.#ids));
  }

  /** Only packages whose text can name further capabilities are read; all others answer to their own name alone. */
  #indexProvided(): ReadonlyMap<string, readonly number[]> {
    const providers = this.#catalog.members.mentioning(this.#ids, this.format.capabilityWord);
    const index = new Map<string, number[]>();
    for (const subject of this.#subjects) if (subject !== undefined) subject.mayProvide = false;
    for (const subject of this.#read(providers)) {
      subject.mayProvide = true;
      for (const { name } of subject.capabilities.slice(1)) {
        const known = index.get(name);
        if (known === undefined) index.set(name, [subject.position]);
        else if (known.at(-1) !== subject.position) known.push(subject.position);
      }
    }
    return index;
  }

  #subjectsAt(positions: readonly number[]): LazySubject[] {
    this.#preload(positions);
    return positions.map((position) => this.#subjects[position]).filter((subject) => subject !== undefined);
  }

  #keep(position: number, head: Head): void {
    const id = this.#ids[position] ?? 0;
    const record = new LazyRecord(this.format.id, head, { catalog: this.#catalog, id });
    const subject = new LazySubject({ id, position }, record, this.format.subject(record));
    // Before the providers were looked for, any package may be one.
    if (this.#byProvided === undefined) subject.mayProvide = true;
    this.#subjects[position] = subject;
  }

  /** Makes the subjects of these positions with one question. */
  #preload(positions: readonly number[]): void {
    const wanted = positions.filter((position) => this.#subjects[position] === undefined);
    if (wanted.length === 0) return;
    const names = this.#allNames();
    const { kinds, versions } = this.#catalog.members.columns(Uint32Array.from(wanted, (position) => this.#ids[position] ?? 0));
    for (const [index, position] of wanted.entries()) {
      const { partition = '', architecture = '' } = kinds[index] ?? {};
      this.#keep(position, { partition, name: names[position] ?? '', version: versions[index] ?? '', architecture });
    }
  }

  /** Of so many, those that others ask for meanwhile need not be looked up one by one. */
  #readMost(positions: readonly number[]): Iterable<LazySubject> {
    this.#preload(positions);
    return this.#read(positions);
  }

  *#read(positions: readonly number[]): Generator<LazySubject> {
    for (const batch of inBatches(positions)) {
      const subjects = this.#subjectsAt(batch);
      this.#load(subjects);
      yield* subjects;
      for (const { record } of subjects) record.loaded = undefined;
    }
  }

  #load(subjects: readonly LazySubject[]): void {
    const texts = this.#catalog.members.texts(Uint32Array.from(subjects, ({ id }) => id));
    for (const [index, { record }] of subjects.entries()) record.loaded = texts[index];
  }
}

function* inBatches<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < list.length; from += BATCH) yield list.slice(from, from + BATCH);
}

function inOrder(positions: readonly number[]): readonly number[] {
  return [...new Set(positions)].sort((a, b) => a - b);
}

/** Finds positions by name. Most names stand once, so each position points to the next of its name: no list for each. */
function indexNames(names: readonly string[]): (name: string) => readonly number[] {
  const first = new Map<string, number>();
  const next = new Int32Array(names.length);
  for (let position = names.length - 1; position >= 0; position -= 1) {
    const name = names[position] ?? '';
    next[position] = first.get(name) ?? -1;
    first.set(name, position);
  }
  return (name) => {
    const found: number[] = [];
    for (let position = first.get(name) ?? -1; position >= 0; position = next[position] ?? -1) found.push(position);
    return found;
  };
}
