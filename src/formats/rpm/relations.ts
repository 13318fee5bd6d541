/** What a header says that a package needs and offers, reduced as createrepo_c does. */
import type { Header } from './header.ts';
import { RELATION_TAGS } from './tags.ts';
import { exactTexts } from './text.ts';
import { compareVersions } from './version.ts';

export type RelationKind = keyof typeof RELATION_TAGS;

export type Relations = Readonly<Record<RelationKind, readonly Relation[]>>;

/** In the order in which metadata has them. */
export const RELATION_KINDS = Object.keys(RELATION_TAGS) as readonly RelationKind[];

export interface Relation {
  readonly name: string;
  readonly flags: '' | 'LT' | 'GT' | 'EQ' | 'LE' | 'GE';
  /** Empty without a version; `0` when the version names none. */
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
  /** Needed by scripts before or after the package itself is there. */
  readonly pre: boolean;
}

/** `owned`: the paths the package installs. */
export function readRelations(header: Header, owned: ReadonlySet<string>, place: string): Relations {
  const provides = readRaw(header, 'provides', place);
  const plain = (raws: readonly RawRelation[]): readonly Relation[] => raws.flatMap((raw) => parse(raw) ?? []);
  const relations = (kind: RelationKind): readonly Relation[] => {
    if (kind === 'provides') return plain(provides);
    const raws = readRaw(header, kind, place);
    return kind === 'requires' ? requires(raws, { provided: new Set(provides.map(keyOf)), owned }) : plain(raws);
  };
  return Object.fromEntries(RELATION_KINDS.map((kind) => [kind, relations(kind)])) as unknown as Relations;
}

interface RawRelation {
  readonly name: string;
  readonly sense: number;
  /** `[epoch:]version[-release]`, as written. */
  readonly evr: string;
}

function readRaw(header: Header, kind: RelationKind, place: string): RawRelation[] {
  const [names, flags, versions] = RELATION_TAGS[kind];
  const senses = header.numbers(flags);
  const evrs = exactTexts(header, versions, { field: kind, place });
  return exactTexts(header, names, { field: kind, place }).map((name, at) => ({ name, sense: senses[at] ?? 0, evr: evrs[at] ?? '' }));
}

const FLAGS: Readonly<Record<number, Relation['flags']>> = { 2: 'LT', 4: 'GT', 8: 'EQ', 10: 'LE', 12: 'GE' };

function flagsOf({ sense }: RawRelation): Relation['flags'] {
  return FLAGS[sense & 15] ?? '';
}

function keyOf(raw: RawRelation): string {
  return `${raw.name}\0${flagsOf(raw)}\0${raw.evr}`;
}

/** Undefined for a version that no client could read. */
function parse(raw: RawRelation): Relation | undefined {
  const { name, evr } = raw;
  if (evr === '') return { name, flags: flagsOf(raw), epoch: '', version: '', release: '', pre: false };
  const colon = evr.indexOf(':');
  const epoch = colon === -1 ? '0' : evr.slice(0, colon) || '0';
  if (!/^\d+$/.test(epoch)) return undefined;
  const rest = evr.slice(colon + 1);
  const hyphen = rest.indexOf('-');
  const version = hyphen === -1 ? rest : rest.slice(0, hyphen);
  return { name, flags: flagsOf(raw), epoch, version, release: hyphen === -1 ? '' : rest.slice(hyphen + 1), pre: false };
}

/** RPMSENSE_POSTTRANS, _PREREQ, _PRETRANS, _SCRIPT_PRE and _SCRIPT_POST (include/rpm/rpmds.h). */
const BEFORE = (1 << 5) | (1 << 6) | (1 << 7) | (1 << 9) | (1 << 10);

/**
 * Left out are rpm's own features, what the package meets itself and repetitions; of the versions of the C library only
 * the highest stays, and stands last.
 */
function requires(
  raws: readonly RawRelation[],
  { provided, owned }: { readonly provided: ReadonlySet<string>; readonly owned: ReadonlySet<string> },
): Relation[] {
  const found: Relation[] = [];
  const last = new Map<string, string>();
  let libc: Relation | undefined;
  for (const raw of raws) {
    const { name } = raw;
    if (name.startsWith('rpmlib(') || (owned.has(name) && isPrimary(name)) || provided.has(keyOf(raw))) continue;
    const pre = (raw.sense & BEFORE) !== 0;
    const key = `${keyOf(raw)}\0${pre}`;
    if (last.get(name) === key) continue;
    const parsed = parse(raw);
    if (parsed === undefined) continue;
    if (name.startsWith('libc.so.6')) {
      if (libc === undefined || compareVersions(libcVersion(libc.name), libcVersion(name)) < 0) libc = { ...parsed, pre };
      continue;
    }
    last.set(name, key);
    found.push({ ...parsed, pre });
  }
  return libc === undefined ? found : [...found, libc];
}

/** `libc.so.6(GLIBC_2.34)(64bit)`: what stands in the first brackets. */
function libcVersion(name: string): string {
  return /\(([^)]*)\)/.exec(name)?.[1] ?? '';
}

/** Paths that stand in primary, so that most needs of files are met without the lists of all of them. */
export function isPrimary(path: string): boolean {
  return path.startsWith('/etc/') || path === '/usr/lib/sendmail' || path.includes('bin/');
}
