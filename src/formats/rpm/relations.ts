/** What a header says that a package needs and offers, reduced as createrepo_c does. */
import type { Header } from './header.ts';
import { OLD_WEAK_TAGS, RELATION_TAGS } from './tags.ts';
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

export interface RelationsOf {
  /** The paths the package installs. */
  readonly owned: ReadonlySet<string>;
  /** `[epoch:]version-release` that the package provides under its own name without saying so, as before rpm 4. */
  readonly self?: { readonly name: string; readonly evr: string } | undefined;
  readonly place: string;
}

export function readRelations(header: Header, { owned, self, place }: RelationsOf): Relations {
  const raw = (kind: RelationKind): readonly RawRelation[] => readRaw(header, RELATION_TAGS[kind], { field: kind, place });
  // What rpm itself adds to such packages (legacyRetrofit).
  const provides = self === undefined ? raw('provides') : [...raw('provides'), { ...self, sense: EQUAL }];
  const { needed, wanted } = requires(raw('requires'), { provided: new Set(provides.map(keyOf)), owned });
  const old = (kind: keyof typeof OLD_WEAK_TAGS, strong: boolean): readonly RawRelation[] =>
    readRaw(header, OLD_WEAK_TAGS[kind], { field: kind, place }).filter(({ sense }) => ((sense & STRONG) !== 0) === strong);
  return {
    provides: plain(provides),
    requires: needed,
    conflicts: plain(raw('conflicts')),
    obsoletes: plain(raw('obsoletes')),
    suggests: plain([...raw('suggests'), ...old('suggests', false)]),
    enhances: plain([...raw('enhances'), ...old('enhances', false)]),
    recommends: [...wanted, ...plain([...raw('recommends'), ...old('suggests', true)])],
    supplements: plain([...raw('supplements'), ...old('enhances', true)]),
  };
}

function plain(raws: readonly RawRelation[]): readonly Relation[] {
  return raws.flatMap((raw) => parse(raw) ?? []);
}

interface RawRelation {
  readonly name: string;
  readonly sense: number;
  /** `[epoch:]version[-release]`, as written. */
  readonly evr: string;
}

function readRaw(header: Header, [names, flags, versions]: readonly [number, number, number], where: { readonly field: string; readonly place: string }): RawRelation[] {
  if (!header.has(names)) return [];
  const senses = header.numbers(flags);
  const evrs = exactTexts(header, versions, where);
  return exactTexts(header, names, where).map((name, at) => ({ name, sense: senses[at] ?? 0, evr: evrs[at] ?? '' }));
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

/** RPMSENSE_MISSINGOK: wanted, and not needed; RPMSENSE_STRONG of the old weak ones. */
const MISSINGOK = 1 << 19;
const STRONG = 1 << 27;
const EQUAL = 8;

/**
 * Left out are rpm's own features, what the package meets itself and repetitions; of the versions of the C library only
 * the highest stays, and stands last.
 */
function requires(
  raws: readonly RawRelation[],
  { provided, owned }: { readonly provided: ReadonlySet<string>; readonly owned: ReadonlySet<string> },
): { readonly needed: readonly Relation[]; readonly wanted: readonly Relation[] } {
  const found: Relation[] = [];
  const wanted: Relation[] = [];
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
    if ((raw.sense & MISSINGOK) !== 0) {
      wanted.push(parsed);
      continue;
    }
    if (name.startsWith('libc.so.6')) {
      if (libc === undefined || compareVersions(libcVersion(libc.name), libcVersion(name)) < 0) libc = { ...parsed, pre };
      continue;
    }
    last.set(name, key);
    found.push({ ...parsed, pre });
  }
  return { needed: libc === undefined ? found : [...found, libc], wanted };
}

/** `libc.so.6(GLIBC_2.34)(64bit)`: what stands in the first brackets. */
function libcVersion(name: string): string {
  return /\(([^)]*)\)/.exec(name)?.[1] ?? '';
}

/** Paths that stand in primary, so that most needs of files are met without the lists of all of them. */
export function isPrimary(path: string): boolean {
  return path.startsWith('/etc/') || path === '/usr/lib/sendmail' || path.includes('bin/');
}
