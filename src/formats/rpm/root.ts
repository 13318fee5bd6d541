/** An upstream's repomd.xml as root metadata: what is read of it, what is kept as it is, and what is left out. */
import { ArtifactsError } from '../../core/errors.ts';
import type { PackageRecord } from '../../core/package.ts';
import { packingOf } from '../../util/packing.ts';
import type { ExactUpstream, ListedDigest, RootEntry, UpstreamIndex, UpstreamPackage, UpstreamRequest, UpstreamRoot } from '../format.ts';
import { globPattern } from '../glob.ts';
import { exactRecord, notExact } from './exact.ts';
import { listedRecord } from './listed.ts';
import { malformed } from './malformed.ts';
import { TREE_TYPE, TREEINFO } from './pool-path.ts';
import { readRepomd, type Repomd, type RepomdRecord } from './repomd.ts';

export function rootEntries(): RootEntry[] {
  return [{ kind: 'detached', path: 'repodata/repomd.xml', signature: 'repodata/repomd.xml.asc' }];
}

/** Reads verified bytes. Throws E_FORMAT, E_WEAK_HASH or E_PATH. */
export function readRoot(text: Buffer, request: UpstreamRequest): UpstreamRoot {
  const { files = [], architectures, kinds = [] } = request;
  const weak = kinds.includes('sha1');
  const repomd = readRepomd(text, { weak });
  const patterns = files.map(globPattern);
  const isWanted = (type: string): boolean => patterns.some((pattern) => pattern.test(type));
  const exact = kinds.includes('exact');
  refuseOtherForms(repomd, (type) => type === 'primary' || (!exact && (type === 'filelists' || type === 'other' || isWanted(type))));
  const find = (type: string): UpstreamIndex[] => repomd.records.filter((record) => record.type === type).slice(0, 1).map(indexOf);
  const [primary] = find('primary');
  if (primary === undefined) throw malformed('repomd.xml', 'no primary');
  const wants = (partition: string): boolean => {
    if (exact) return true;
    if (partition === 'src') return kinds.includes('source');
    return architectures.length === 0 || partition === 'noarch' || architectures.includes(partition);
  };
  return {
    date: dateOf(repomd),
    identity: {},
    indexes: [{ ...primary, companions: [...find('filelists'), ...find('other'), ...(kinds.includes('modules') ? find('modules') : [])], wants, weak }],
    files: repomd.records.filter((record) => isKept(record) && isWanted(record.type)).map(fileOf),
    bundles: find(TREE_TYPE).filter(({ offers: [offer] }) => offer?.paths[0] === TREEINFO && isWanted(TREE_TYPE)).map((tree) => (exact ? { ...tree, kind: 'exact' } : tree)),
    ...(exact ? { exact: exactUpstream(repomd, primary, weak) } : {}),
  };
}

/** What is wanted and is there only as zchunk or as a database would be missing in what is published. */
function refuseOtherForms({ records }: Repomd, isNeeded: (type: string) => boolean): void {
  const types = new Set(records.map(({ type }) => type));
  for (const type of types) {
    const plain = type.replace(/_(?:zck|db)$/, '');
    if (!DERIVED.test(type) || types.has(plain) || !isNeeded(plain)) continue;
    throw new ArtifactsError('E_FORMAT', `repomd.xml: there is no ${plain} but in the form ${type}, which is not read`, {
      hint: 'createrepo_c lists the plain forms beside those of zchunk and SQLite: ask the upstream for them.',
    });
  }
}

function exactUpstream({ records }: Repomd, { offers }: UpstreamIndex, weak: boolean): ExactUpstream {
  const [offer] = offers;
  if (offer === undefined) throw new Error('primary is offered in no form');
  const elsewhere = records.find(({ base }) => base !== undefined);
  if (elsewhere !== undefined) throw notExact(`repomd.xml, "${elsewhere.type}"`, 'the metadata');
  const text = { primary: offer.paths[0] ?? '', form: offer.compression, weak };
  return { files: records.map(fileOf), record: (files) => exactRecord(files, text) };
}

/** What says the same as primary, filelists and other in other forms, and what speaks of packages that are not here. */
export const DERIVED = /^(?:primary|filelists|filelists-ext|other)(?:_db|_zck)?$|_zck$|^prestodelta$|^deltainfo$/;

function isKept({ type, href }: RepomdRecord): boolean {
  return !DERIVED.test(type) && !(type === TREE_TYPE && href === TREEINFO);
}

function indexOf(record: RepomdRecord): UpstreamIndex {
  const { type, href, base, open } = record;
  const compression = packingOf(href);
  const packed = digestOf(record);
  const plain = open ?? (compression === 'none' ? packed : undefined);
  const offer = { ...packed, compression, paths: [href], ...(base === undefined ? {} : { base }) };
  return { name: type, kind: type, offers: [offer], ...(plain === undefined ? {} : { plain }) };
}

function fileOf(record: RepomdRecord): UpstreamPackage {
  const { type, href, base, size, sha256, other, open } = record;
  // What nobody here unpacks, as the forms of zchunk and names without a suffix, is kept as it is packed.
  const packing = packingOf(href);
  const file: PackageRecord['files'][number] = { name: href.slice(href.lastIndexOf('/') + 1), size: size ?? 0, sha256 };
  const plain = packing === 'none' || open === undefined ? file : { size: 0, ...open };
  const checks = {
    ...(other === undefined ? {} : { other }),
    ...(size === undefined ? { unsized: true } : {}),
    ...(packing === 'none' ? {} : { plain: { ...open, packing } }),
  };
  return { record: listedRecord(type, { file, packing, plain, other }), locations: [href], ...(base === undefined ? {} : { base }), checks };
}

function digestOf({ size, sha256, other }: RepomdRecord): ListedDigest {
  return { sha256, ...(size === undefined ? {} : { size }), ...(other === undefined ? {} : { other }) };
}

/** The revision is a time in seconds unless somebody chose another; then the newest of the files tells. */
function dateOf({ revision, records }: Repomd): Date {
  const seconds = /^\d{9,11}$/.test(revision) ? Number(revision) : Math.max(0, ...records.map(({ timestamp = 0 }) => timestamp));
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw malformed('repomd.xml', 'its time is none');
  return date;
}
