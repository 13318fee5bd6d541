/** A package of which nothing is read before it is asked for. */
import type { Catalog } from '../catalog/catalog.ts';
import type { FileRef, PackageRecord } from '../core/package.ts';
import type { Capability, FollowOptions, QuerySubject, Requirement } from '../core/relation.ts';

/** A package with its number in the catalog. */
export interface PackageSubject extends QuerySubject {
  readonly id: number;
}

/** What the catalog's columns tell of a record. */
export type Head = Pick<PackageRecord, 'partition' | 'name' | 'version' | 'architecture'>;

/** A record whose files and text come from the catalog when they are asked for. */
export class LazyRecord implements PackageRecord {
  readonly format: string;
  readonly partition: string;
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly #catalog: Catalog;
  readonly #id: number;
  /** The text, while a batch of texts is in memory. */
  loaded: Buffer | undefined;

  constructor(format: string, head: Head, place: { readonly catalog: Catalog; readonly id: number }) {
    this.format = format;
    this.partition = head.partition;
    this.name = head.name;
    this.version = head.version;
    this.architecture = head.architecture;
    this.#catalog = place.catalog;
    this.#id = place.id;
  }

  get files(): readonly FileRef[] {
    return this.#catalog.records.head(this.#id).files;
  }

  get text(): Buffer {
    return this.loaded ?? this.#catalog.records.text(this.#id);
  }
}

/** The format's subject, asked only for what the catalog's columns do not tell. */
export class LazySubject implements PackageSubject {
  readonly id: number;
  /** Where it stands among the packages of its set. */
  readonly position: number;
  readonly record: LazyRecord;
  readonly #inner: QuerySubject;
  /** False when its text is known to name no capabilities besides its own name. */
  mayProvide = false;

  constructor({ id, position }: { readonly id: number; readonly position: number }, record: LazyRecord, inner: QuerySubject) {
    this.id = id;
    this.position = position;
    this.record = record;
    this.#inner = inner;
  }

  get name(): string {
    return this.record.name;
  }

  get version(): string {
    return this.record.version;
  }

  get architecture(): string {
    return this.record.architecture;
  }

  get type(): string {
    return this.#inner.type;
  }

  get source(): QuerySubject['source'] {
    return this.#inner.source;
  }

  get capabilities(): readonly Capability[] {
    return this.mayProvide ? this.#inner.capabilities : [{ name: this.name, version: this.version }];
  }

  get isForAll(): boolean {
    return this.#inner.isForAll;
  }

  get multiArch(): QuerySubject['multiArch'] {
    return this.#inner.multiArch;
  }

  field(name: string): string | undefined {
    return this.#inner.field(name);
  }

  installs(path: string): boolean {
    return this.#inner.installs?.(path) === true;
  }

  times(): ReturnType<NonNullable<QuerySubject['times']>> {
    return this.#inner.times?.() ?? {};
  }

  requirements(follow: FollowOptions): readonly Requirement[] {
    return this.#inner.requirements(follow);
  }

  companions(follow: FollowOptions): readonly (readonly Requirement[])[] {
    return this.#inner.companions?.(follow) ?? [];
  }
}
