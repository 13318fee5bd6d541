import { ArtifactsError, isArtifactsError } from '../../core/errors.ts';
import type { PackageRecord } from '../../core/package.ts';
import { describePackage } from '../../core/package.ts';
import type { Capability, FollowOptions, QuerySubject, Requirement } from '../../core/relation.ts';
import { parseProvides, parseRelations } from './relation.ts';
import { fieldValue } from './stanza.ts';

/**
 * A package of an apt repository as queries and closures see it. Nothing is read from the record's text before it is
 * asked for. `capabilities` and `requirements` throw E_FORMAT, naming package and field, for a relation that cannot be
 * read.
 */
export function aptSubject(record: PackageRecord): QuerySubject {
  return new AptSubject(record);
}

/** Tens of thousands of these live at a time: a class shares the methods that an object literal would repeat. */
class AptSubject implements QuerySubject {
  readonly #record: PackageRecord;
  #source: QuerySubject['source'] | undefined;
  #capabilities: readonly Capability[] | undefined;

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
    return this.#record.architecture === 'all';
  }

  get type(): string {
    const { partition } = this.#record;
    if (partition === 'source') return 'source';
    return partition.startsWith('debian-installer-') ? 'udeb' : 'deb';
  }

  get source(): QuerySubject['source'] {
    this.#source ??= readSource(this.#record, this.type);
    return this.#source;
  }

  get capabilities(): readonly Capability[] {
    this.#capabilities ??= readCapabilities(this.#record);
    return this.#capabilities;
  }

  get multiArch(): QuerySubject['multiArch'] {
    const value = this.field('Multi-Arch')?.toLowerCase();
    return value === 'same' || value === 'foreign' || value === 'allowed' ? value : 'no';
  }

  field(name: string): string | undefined {
    return fieldValue(this.#record.text, name);
  }

  requirements(follow: FollowOptions): readonly Requirement[] {
    const found: Requirement[] = [];
    for (const field of relationFields(this.type, follow)) found.push(...readRelations(this.#record, field, follow));
    return found;
  }
}

/** Which fields name the needs that are followed, those needed first in front. */
function relationFields(type: string, follow: FollowOptions): readonly string[] {
  if (type === 'source') {
    return follow.source === true ? ['Build-Depends', 'Build-Depends-Arch', 'Build-Depends-Indep'] : [];
  }
  return [
    'Pre-Depends',
    'Depends',
    ...(follow.recommends === true ? ['Recommends'] : []),
    ...(follow.suggests === true ? ['Suggests'] : []),
  ];
}

function readRelations(record: PackageRecord, field: string, follow: FollowOptions): readonly Requirement[] {
  const text = fieldValue(record.text, field);
  if (text === undefined) return [];
  const { architecture } = follow;
  return inField(record, field, () => parseRelations(text, architecture === undefined ? {} : { architecture }));
}

function readCapabilities(record: PackageRecord): readonly Capability[] {
  const own = { name: record.name, version: record.version };
  const provides = fieldValue(record.text, 'Provides');
  return provides === undefined ? [own] : [own, ...inField(record, 'Provides', () => parseProvides(provides))];
}

/** Policy 5.6.1: `Source: name (version)`; each part is only written where it differs from the package's own. */
function readSource(record: PackageRecord, type: string): QuerySubject['source'] {
  const { name, version } = record;
  const written = type === 'source' ? undefined : fieldValue(record.text, 'Source');
  if (written === undefined || written === '') return { name, version };
  const [sourceName = name, sourceVersion] = written.split(/[\s()]+/, 2);
  return { name: sourceName, version: sourceVersion === undefined || sourceVersion === '' ? version : sourceVersion };
}

function inField<T>(record: PackageRecord, field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isArtifactsError(error, 'E_FORMAT')) throw error;
    throw new ArtifactsError('E_FORMAT', `${describePackage(record)}, ${field}: ${error.message}`, { cause: error });
  }
}
