/** Reading relation fields: Depends and its like, Provides, Build-Depends (Debian Policy 7, deb-control(5)). */
import { ArtifactsError } from '../../core/errors.ts';
import type { Alternative, Capability, Requirement, VersionOperator } from '../../core/relation.ts';
import { architectureMatches } from './architecture.ts';

/** For which build the restrictions of build dependencies are decided. */
export interface BuildOptions {
  /** Architecture the build is for. Absent: restrictions to architectures are left out of account. */
  readonly architecture?: string;
  /** Build profiles that are on. Default none, so `<!nocheck>` holds and `<stage1>` does not. */
  readonly profiles?: readonly string[];
}

/**
 * The needs of a Depends, Recommends or Build-Depends field, in the order they are written. Alternatives that
 * `[architectures]` or `<profiles>` rule out are left out, and so is a need none of whose alternatives remains.
 * The old operators `<` and `>` mean `<=` and `>=` (Policy 7.1). Empty entries, such as behind a last comma, are passed
 * over. Throws E_FORMAT naming the first text that is no relation.
 */
export function parseRelations(text: string, options: BuildOptions = {}): readonly Requirement[] {
  const requirements: Requirement[] = [];
  for (const entry of text.split(',')) {
    const { alternatives, restricted } = readEntry(entry);
    const applying = restricted === undefined ? alternatives : restricted.filter((one) => applies(one, options)).map((one) => one.alternative);
    if (applying.length > 0) requirements.push(applying);
  }
  return requirements;
}

/**
 * The names a Provides field adds. Only `=` gives a version (Policy 7.5). Like apt, passes over an entry with another
 * operator or with alternatives; one for another architecture (`name:i386`) is passed over too, for a capability is one
 * of the package's own architecture. Throws E_FORMAT like `parseRelations`.
 */
export function parseProvides(text: string): readonly Capability[] {
  const capabilities: Capability[] = [];
  for (const entry of text.split(',')) {
    const { alternatives } = parseEntry(entry); // hardly any is written twice
    const [first] = alternatives;
    if (first === undefined || alternatives.length > 1) continue;
    const { name, operator, version, qualifier } = first;
    if (qualifier !== undefined && qualifier !== 'any') continue;
    if (operator === undefined) capabilities.push({ name });
    else if (operator === '=' && version !== undefined) capabilities.push({ name, version });
  }
  return capabilities;
}

interface WrittenAlternative {
  readonly alternative: Alternative;
  /** The contents of `[…]`, split at blanks. */
  readonly architectures: readonly string[] | undefined;
  /** The contents of each `<…>`, split at blanks. */
  readonly profiles: readonly (readonly string[])[];
}

/** What stands between two commas. */
interface Entry {
  /** None when it is empty. */
  readonly alternatives: Requirement;
  /** The same with what restricts them, where anything does. */
  readonly restricted?: readonly WrittenAlternative[];
}

/**
 * In a distribution most entries are written many times ("libc6 (>= 2.36)" in thousands of packages): each is read once,
 * and the need it stands for is the same object everywhere, which lets a caller remember what it found out about it.
 */
const known = new Map<string, Entry>();
const MOST_KNOWN = 100_000;

function readEntry(text: string): Entry {
  let entry = known.get(text);
  if (entry !== undefined) return entry;
  entry = parseEntry(text);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, entry);
  return entry;
}

/** Neither comma nor bar can stand within a relation. White space becomes single blanks first, so that no expression below can spend long on it. */
function parseEntry(text: string): Entry {
  const plain = WHITE_SPACE.test(text) ? text.replace(/\s+/g, ' ') : text;
  if (plain === '' || plain === ' ') return { alternatives: [] };
  const written = plain.includes('|') ? plain.split('|').map(parseAlternative) : [parseAlternative(plain)];
  const alternatives = written.map(({ alternative }) => alternative);
  const isRestricted = written.some(({ architectures, profiles }) => architectures !== undefined || profiles.length > 0);
  return isRestricted ? { alternatives, restricted: written } : { alternatives };
}

/** More than one blank, or one of another kind. */
const WHITE_SPACE = /[^\S ]|  /;

// Each expression reads one piece from where the last one ended.
const PACKAGE = / ?([^ ,|:()[\]<>{}]+)(?::([A-Za-z0-9-]+))?(?: ?\( ?([<>=]*) ?([^ ()<>=]+) ?\))?/y;
const ARCHITECTURES = / ?\[([^[\]]*)\]/y;
const PROFILES = / ?<([^<>]*)>/y;
const END = / ?$/y;

const OPERATORS: Readonly<Record<string, VersionOperator>> = {
  '<<': '<<',
  '<=': '<=',
  '<': '<=',
  '=': '=',
  '>=': '>=',
  '>': '>=',
  '>>': '>>',
  '': '=', // dpkg: "implicit exact match"
};

function parseAlternative(text: string): WrittenAlternative {
  let at = 0;
  const take = (piece: RegExp): RegExpExecArray | null => {
    piece.lastIndex = at;
    const match = piece.exec(text);
    if (match !== null) at = piece.lastIndex;
    return match;
  };
  const [, name, qualifier, written, version] = take(PACKAGE) ?? [];
  const operator = version === undefined ? undefined : OPERATORS[written ?? ''];
  const isPlain = at === text.length;
  const architectures = isPlain ? undefined : take(ARCHITECTURES)?.[1];
  const profiles: (readonly string[])[] = [];
  for (let group = isPlain ? null : take(PROFILES); group !== null; group = take(PROFILES)) profiles.push(words(group[1]));
  if (name === undefined || take(END) === null || (version !== undefined && operator === undefined)) {
    throw new ArtifactsError('E_FORMAT', `"${excerpt(text)}" is no relation to a package`);
  }
  return {
    alternative: {
      name,
      ...(operator === undefined || version === undefined ? {} : { operator, version }),
      ...(qualifier === undefined ? {} : { qualifier }),
    },
    architectures: architectures === undefined ? undefined : words(architectures),
    profiles,
  };
}

function applies(written: WrittenAlternative, options: BuildOptions): boolean {
  return architecturesHold(written, options.architecture) && profilesHold(written, options.profiles ?? []);
}

/** Policy 7.1: for any of the architectures named, or for all but those named after an exclamation mark. */
function architecturesHold({ architectures }: WrittenAlternative, architecture: string | undefined): boolean {
  if (architectures === undefined || architecture === undefined) return true;
  const excluded = architectures.filter((one) => one.startsWith('!'));
  if (excluded.some((one) => architectureMatches(architecture, one.slice(1)))) return false;
  return excluded.length > 0 || architectures.some((one) => architectureMatches(architecture, one));
}

/** Policy 7.1: any of the groups holds, and a group holds when all its terms do. */
function profilesHold({ profiles }: WrittenAlternative, active: readonly string[]): boolean {
  if (profiles.length === 0) return true;
  return profiles.some((group) =>
    group.every((term) => (term.startsWith('!') ? !active.includes(term.slice(1)) : active.includes(term))),
  );
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

function excerpt(text: string): string {
  const short = text.trim();
  return short.length > 80 ? `${short.slice(0, 80)}…` : short;
}
