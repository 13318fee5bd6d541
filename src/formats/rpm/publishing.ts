/** Our own repositories: one for each architecture, with the packages that run there. */
import { posix } from 'node:path';
import type { Sha256 } from '../../core/digest.ts';
import { LISTED } from '../../core/package.ts';
import { packingOf, unpackedName } from '../../util/packing.ts';
import type { Digested, IndexOffer, IndexPlan, ListedDigest, PlannedComponent, PublishingFormat, RootPlan, Seat, ServedForm, ServedRoot, UpstreamIndex } from '../format.ts';
import { clientProfile } from './clients.ts';
import { baseOf, listedFiles, typeOfName } from './listed.ts';
import { malformed } from './malformed.ts';
import { INDEX_ROOTS, type IndexKind } from './package-chunks.ts';
import { poolPaths, TREE_TYPE, TREEINFO } from './pool-path.ts';
import { TEXT_PARTS, textPart, type TextPart } from './record-text.ts';
import { readRepomd, writeRepomd, type RepomdRecord } from './repomd.ts';
import { servedTree } from './treeinfo.ts';

export const publishing: PublishingFormat = {
  separator: '',
  profile: clientProfile,
  // repomd.xml has a date and nothing else to say of itself; filelists are always there.
  untold: ['origin', 'label', 'suite', 'codename', 'version', 'description', 'notAutomatic', 'butAutomaticUpgrades', 'validFor', 'pinKeys', 'contents'],
  parts: TEXT_PARTS,
  textOf: (text, part) => textPart(text, part as TextPart),
  frame: (part, packages) => frameOf(part as IndexKind, packages),
  folders: { distributions: '', pool: 'pool' },
  hashedPath,
  namesStay: false,
  poolPaths,
  architectures: architecturesOf,
  indexes: planIndexes,
  listed: listedFiles,
  seats: (components, architectures) => components.flatMap((component) => architectures.map((architecture) => seatOf(component, architecture))),
  clientLines: ({ prefix, distribution, components, architectures }) =>
    components.flatMap((component) =>
      architectures.map((architecture) => ({ label: 'baseurl', line: `URL/${prefix}/${distribution}/${baseOf(component, architecture)}/` })),
    ),
  root: writeRoot,
  readServed,
  readBundle: servedTree,
  signedFiles: { plain: 'repomd.xml', detached: 'repomd.xml.asc' },
};

function frameOf(kind: IndexKind, packages: number): { readonly head: Buffer; readonly tail: Buffer } {
  const { name, namespace } = INDEX_ROOTS[kind];
  const prefixes = kind === 'primary' ? ' xmlns:rpm="http://linux.duke.edu/metadata/rpm"' : '';
  const head = `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${namespace}"${prefixes} packages="${packages}">\n`;
  return { head: Buffer.from(head), tail: Buffer.from(`</${name}>\n`) };
}

const HASHED = /^[0-9a-f]{64}-/;

/** createrepo_c's unique names: they only collide when the bytes are equal. */
function hashedPath(path: string, sha256: Sha256): string {
  const base = posix.basename(path);
  return base === TREEINFO || HASHED.test(base) ? path : posix.join(posix.dirname(path), `${sha256}-${base}`);
}

/** Repositories of source packages are an architecture of their own. */
const SOURCE = 'source';

/** rpm's `arch_compat`: what runs where. Whatever else is there has a repository of its own. */
const RUNS_ALSO: ReadonlyMap<string, readonly string[]> = new Map([
  ['x86_64', ['x86_64_v2', 'x86_64_v3', 'x86_64_v4', 'amd64', 'ia32e', 'athlon', 'i686', 'i586', 'i486', 'i386']],
  ['i686', ['athlon', 'i586', 'i486', 'i386']],
  ['armv7hl', ['armv7hnl']],
  ['ppc64', ['ppc']],
  ['s390x', ['s390']],
]);

function partitionsOf(architecture: string): string[] {
  if (architecture === SOURCE) return ['src'];
  return [architecture, ...(RUNS_ALSO.get(architecture) ?? []), 'noarch'];
}

/** Debian's architectures by rpm's names, where these differ. */
const RPM_NAMES: ReadonlyMap<string, string> = new Map([['amd64', 'x86_64'], ['arm64', 'aarch64'], ['armhf', 'armv7hl'], ['i386', 'i686'], ['ppc64el', 'ppc64le']]);

/** What runs on another of the architectures that are there needs no repository of its own. */
function architecturesOf(partitions: Iterable<string>, asked: readonly string[]): readonly string[] {
  const all = new Set(partitions);
  const own = [...all].filter((name) => name !== 'noarch' && name !== 'src' && name !== LISTED);
  const bases = own.filter((name) => !own.some((other) => other !== name && RUNS_ALSO.get(other)?.includes(name)));
  const present = bases.length === 0 ? [...new Set(asked.map((name) => RPM_NAMES.get(name) ?? name))] : bases;
  return [...present, ...(all.has('src') ? [SOURCE] : [])].sort();
}

function seatOf(component: string, architecture: string): Seat {
  const base = baseOf(component, architecture);
  return { root: `${base}/repodata`, base, component, partitions: partitionsOf(architecture) };
}

function planIndexes({ component }: PlannedComponent, architectures: readonly string[]): IndexPlan[] {
  return architectures.flatMap((architecture) =>
    TEXT_PARTS.map((part) => ({
      path: `${baseOf(component, architecture)}/repodata/${part}.xml`,
      component,
      partitions: partitionsOf(architecture),
      part,
    })),
  );
}

function writeRoot({ files, date }: RootPlan, { root, base = '' }: Seat): Buffer {
  const own = files.filter(({ path }) => posix.dirname(path) === root);
  const plain = new Map(own.map((file) => [file.path, file]));
  const timestamp = Math.floor(date.getTime() / 1000);
  const records = own.flatMap((file): RepomdRecord[] => {
    const base = posix.basename(file.path);
    if (!HASHED.test(base)) return []; // the plain form of another
    const unpacked = plain.get(posix.join(root, plainName(base)));
    const { size, sha256 } = file;
    return [
      {
        type: typeOf(base),
        href: posix.join('repodata', base),
        size,
        sha256,
        ...(unpacked === undefined ? {} : { open: { size: unpacked.size, sha256: unpacked.sha256 } }),
        timestamp,
      },
    ];
  });
  // So that our signature covers the tree too.
  const trees = files.filter(({ path }) => path === posix.join(base, TREEINFO));
  const listed = trees.map(({ size, sha256 }): RepomdRecord => ({ type: TREE_TYPE, href: TREEINFO, size, sha256, timestamp }));
  return writeRepomd({ revision: String(timestamp), records: [...records, ...listed] });
}

function plainName(base: string): string {
  return unpackedName(base.replace(HASHED, ''));
}

function typeOf(base: string): string {
  return typeOfName(plainName(base));
}

/** What we made, so sizes are told. Throws E_FORMAT, E_PATH or E_WEAK_HASH. */
function readServed(root: Buffer, { base = '' }: Seat): ServedRoot {
  const { records, revision } = readRepomd(root);
  const files = new Map<string, Digested>();
  const forms = new Map<string, ServedForm[]>();
  const indexes: UpstreamIndex[] = [];
  for (const record of records) {
    const { type, href } = record;
    const path = posix.join(base, href);
    const packing = packingOf(href);
    const packed = sized(record, href);
    const open = record.open === undefined ? undefined : sized(record.open, href);
    files.set(path, packed);
    const name = open === undefined ? path : posix.join(base, 'repodata', plainName(posix.basename(href)));
    if (open !== undefined) files.set(name, open);
    forms.set(name, [{ path, packing: open === undefined ? 'none' : packing }]);
    if (type !== 'primary') continue;
    const offer: IndexOffer = { ...packed, paths: [path], compression: packing };
    indexes.push({ name, kind: type, offers: [offer], plain: open ?? packed });
  }
  const bundles = records.filter(({ type }) => type === TREE_TYPE).map(({ href }) => posix.join(base, href));
  return { date: new Date(Number(revision) * 1000), files, forms, indexes, bundles };
}

function sized({ size, sha256 }: ListedDigest, href: string): Digested {
  if (size === undefined) throw malformed('repomd.xml', `no size of ${JSON.stringify(href)}`);
  return { size, sha256 };
}
