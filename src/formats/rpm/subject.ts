import { LISTED, type PackageRecord } from '../../core/package.ts';
import type { Alternative, Capability, FollowOptions, QuerySubject, Requirement, VersionOperator } from '../../core/relation.ts';
import { ownText } from '../../util/own-text.ts';
import { textPart } from './record-text.ts';
import { RELATION_KINDS, type RelationKind } from './relations.ts';
import { readRich } from './rich.ts';
import { escapeText } from './text.ts';
import { joinVersion, splitVersion } from './version.ts';
import { child, childrenOf, parseXml, type XmlElement } from './xml.ts';

/** A package of an rpm repository as queries and closures see it. Nothing is read of its text before it is asked for. */
export function rpmSubject(record: PackageRecord): QuerySubject {
  return new RpmSubject(record);
}

class RpmSubject implements QuerySubject {
  readonly #record: PackageRecord;
  #capabilities: readonly Capability[] | undefined;
  #source: QuerySubject['source'] | undefined;

  constructor(record: PackageRecord) {
    this.#record = record;
  }

  get name(): string {
    return this.#record.name;
  }

  get version(): string {
    return this.#record.version;
  }

  get architecture(): string {
    return this.#record.architecture;
  }

  get isForAll(): boolean {
    return this.#record.architecture === 'noarch';
  }

  get type(): string {
    return this.#record.partition === 'src' ? 'source' : 'rpm';
  }

  /** Which of several architectures meets a need is told by the names of capabilities, not by rules of architectures. */
  get multiArch(): QuerySubject['multiArch'] {
    return 'foreign';
  }

  get source(): QuerySubject['source'] {
    this.#source ??= sourceOf(this.#record, this.field('Sourcerpm'));
    return this.#source;
  }

  get capabilities(): readonly Capability[] {
    this.#capabilities ??= readCapabilities(this.#record);
    return this.#capabilities;
  }

  installs(path: string): boolean {
    return textPart(this.#record.text, 'filelists').includes(`>${escapeText(path)}</file>`);
  }

  times(): { readonly built?: number; readonly file?: number } {
    const { build, file } = child(primaryOf(this.#record), 'time')?.attributes ?? {};
    const [built, made] = [Number(build ?? Number.NaN), Number(file ?? Number.NaN)];
    return { ...(Number.isNaN(built) ? {} : { built }), ...(Number.isNaN(made) ? {} : { file: made }) };
  }

  field(name: string): string | undefined {
    return fieldOf(primaryOf(this.#record), name.toLowerCase());
  }

  requirements(follow: FollowOptions): readonly Requirement[] {
    if (this.type === 'source' && follow.source !== true) return [];
    const kinds: RelationKind[] = ['requires', ...(follow.recommends === true ? (['recommends'] as const) : []), ...(follow.suggests === true ? (['suggests'] as const) : [])];
    const format = child(primaryOf(this.#record), 'format');
    return kinds.flatMap((kind) => entriesOf(format, kind).flatMap(requirementsOf));
  }

  companions(follow: FollowOptions): readonly (readonly Requirement[])[] {
    const kinds = (['supplements', 'enhances'] as const).filter((kind) => follow[FOLLOWED_BY[kind]] === true);
    const text = kinds.length === 0 || this.type === 'source' ? undefined : textPart(this.#record.text, 'primary');
    if (text === undefined || !kinds.some((kind) => text.includes(`<rpm:${kind}`))) return [];
    const format = child(primaryOf(this.#record), 'format');
    // A dependency that cannot be read is no reason.
    return kinds.flatMap((kind) => entriesOf(format, kind).map(requirementsOf)).filter((needs) => needs.length > 0);
  }
}

/** The weak dependencies that point the other way are as strong as these. */
const FOLLOWED_BY = { supplements: 'recommends', enhances: 'suggests' } as const;

/** What is listed beside the packages has no description. */
function primaryOf({ partition, text, name }: PackageRecord): XmlElement {
  if (partition === LISTED) return { name: 'package', attributes: {}, children: [], text: '' };
  return parseXml(textPart(text, 'primary'), name);
}

/** Where a field stands in primary, by its name in lower case. */
const FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['summary', ['summary']],
  ['description', ['description']],
  ['packager', ['packager']],
  ['url', ['url']],
  ['license', ['format', 'rpm:license']],
  ['vendor', ['format', 'rpm:vendor']],
  ['group', ['format', 'rpm:group']],
  ['buildhost', ['format', 'rpm:buildhost']],
  ['sourcerpm', ['format', 'rpm:sourcerpm']],
]);

/** Whether `field` knows it, for any package. */
export function isKnownField(name: string): boolean {
  const lower = name.toLowerCase();
  return FIELDS.has(lower) || OWN_FIELDS.has(lower) || RELATION_KINDS.some((kind) => kind === lower);
}

/** Those that stand elsewhere, and those that every package has. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['buildtime', 'filetime', 'size', 'installed-size', 'name', 'version', 'architecture']);

function fieldOf(element: XmlElement, name: string): string | undefined {
  const kind = RELATION_KINDS.find((one) => one === name);
  if (kind !== undefined) {
    const entries = entriesOf(child(element, 'format'), kind);
    return entries.length === 0 ? undefined : entries.map(writeEntry).join(', ');
  }
  switch (name) {
    case 'buildtime':
    case 'filetime':
      return child(element, 'time')?.attributes[name === 'buildtime' ? 'build' : 'file'];
    case 'size':
    case 'installed-size':
      return child(element, 'size')?.attributes[name === 'size' ? 'package' : 'installed'];
    default: {
      const steps = FIELDS.get(name);
      return steps?.reduce<XmlElement | undefined>(child, element)?.text.trim() || undefined;
    }
  }
}

function entriesOf(format: XmlElement | undefined, kind: RelationKind): readonly XmlElement[] {
  return childrenOf(child(format, `rpm:${kind}`), 'rpm:entry');
}

const OPERATORS: Readonly<Record<string, readonly [VersionOperator, string]>> = {
  LT: ['<<', '<'],
  LE: ['<=', '<='],
  EQ: ['=', '='],
  GE: ['>=', '>='],
  GT: ['>>', '>'],
};

function versionOf({ attributes }: XmlElement): string {
  const { epoch = '0', ver = '', rel = '' } = attributes;
  return joinVersion({ epoch: epoch || '0', version: ver, release: rel });
}

/** As packagers write it. */
function writeEntry(entry: XmlElement): string {
  const operator = OPERATORS[entry.attributes['flags'] ?? '']?.[1];
  const name = entry.attributes['name'] ?? '';
  return operator === undefined ? name : `${name} ${operator} ${versionOf(entry)}`;
}

function readCapabilities(record: PackageRecord): readonly Capability[] {
  const format = child(primaryOf(record), 'format');
  const provided = entriesOf(format, 'provides').map((entry): Capability => {
    const name = ownText(entry.attributes['name'] ?? '');
    // rpm compares ranges; what provides anything but one version meets any need of the name.
    return entry.attributes['flags'] === 'EQ' ? { name, version: ownText(versionOf(entry)) } : { name, anyVersion: true };
  });
  const files = childrenOf(format, 'file').map(({ text }): Capability => ({ name: ownText(text), anyVersion: true }));
  return [{ name: record.name, version: record.version }, ...provided.filter(({ name, version }) => name !== record.name || version !== record.version), ...files];
}

function requirementsOf(entry: XmlElement): readonly Requirement[] {
  const name = entry.attributes['name'] ?? '';
  if (name.startsWith('(')) return readRich(name);
  const operator = OPERATORS[entry.attributes['flags'] ?? '']?.[0];
  const alternative: Alternative = operator === undefined ? { name } : { name, operator, version: versionOf(entry) };
  return [[alternative]];
}

/**
 * `bash-5.1.8-6.el9.src.rpm`: the last two hyphens part name, version and release. Names of files hold no epoch, so source
 * packages tell theirs without it too.
 */
function sourceOf({ name, version }: PackageRecord, sourceRpm: string | undefined): QuerySubject['source'] {
  const match = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(sourceRpm ?? '');
  return match === null ? { name, version: joinVersion({ ...splitVersion(version), epoch: '0' }) } : { name: match[1] ?? name, version: match[2] ?? version };
}
