/** Metadata that people put into a repository of their own: comps, advisories, modules, and records of any other type. */
import { ArtifactsError } from '../../core/errors.ts';
import type { PackageRecord } from '../../core/package.ts';
import { packingOf, suffixOf, unpackedName } from '../../util/packing.ts';
import type { LocalMetadata, LocalMetadataFile } from '../format.ts';
import { listedRecord, typeOfName, withoutAlias } from './listed.ts';
import { malformed } from './malformed.ts';
import { withoutDoctype } from './merge-comps.ts';
import { checkModules } from './merge-modules.ts';
import { EXACT, TREE_TYPE } from './pool-path.ts';
import { DERIVED } from './root.ts';
import { parseXml } from './xml.ts';

export const localMetadata: LocalMetadata = { packingOf, typeNamed, typeOf: ({ name }) => withoutAlias(name), read };

/** modifyrepo_c's types, which become file names; an extension would be taken for that of the file. */
const TYPE = /^[A-Za-z0-9][\w.+-]{0,63}$/;

function typeNamed(type: string): string {
  if (!TYPE.test(type) || typeOfName(type) !== type) {
    throw new ArtifactsError('E_USAGE', `"${type}" is no type of metadata`, { hint: 'Name it with --type: letters, digits and . _ + - as in productid or susedata.de.' });
  }
  if (DERIVED.test(type) || type === EXACT || type.split('-', 1)[0] === TREE_TYPE) {
    throw new ArtifactsError('E_USAGE', `Metadata of the type "${type}" is made from the packages and cannot be put in`);
  }
  return withoutAlias(type);
}

function read(file: LocalMetadataFile, plain: Buffer): PackageRecord {
  const { fileName, size, sha256, packing } = file;
  // Unique names are createrepo_c's own; the digest is not part of what it is.
  const name = unpackedName(fileName.replace(/^[0-9a-f]{32,128}-/, ''));
  let root = name.endsWith('.xml') ? rootOf(plain, fileName) : undefined;
  const stem = name.replace(/\.(?:xml|ya?ml|json|txt)$/, '');
  const type = typeNamed(file.type ?? TYPES_OF_ROOTS.get(root ?? '') ?? TYPES_OF_NAMES.get(stem) ?? stem);
  // What dnf reads has to be what it is said to be, or clients would lose it in silence.
  if (type === 'modules') checkModules(plain, fileName);
  const expected = ROOTS_OF_TYPES.get(type);
  if (expected !== undefined) root ??= rootOf(plain, fileName);
  if (expected !== undefined && root !== expected) throw malformed(fileName, `the document is a <${root?.slice(0, 40)}>, not a <${expected}>`);
  const extension = EXTENSIONS.get(type) ?? /\.(?:xml|yaml|json|txt)$/.exec(name)?.[0] ?? '';
  // Not under the name it came with: the same bytes again are the same record.
  return listedRecord(type, { file: { name: `${type}${extension}${suffixOf(packing)}`, size, sha256 }, packing, plain: file.plain });
}

/** What a document is, whatever its file is called: comps of distributions are named in many ways. */
const TYPES_OF_ROOTS: ReadonlyMap<string, string> = new Map([['comps', 'group'], ['updates', 'updateinfo']]);

const ROOTS_OF_TYPES = new Map([...TYPES_OF_ROOTS].map(([root, type]) => [type, root]));

const TYPES_OF_NAMES: ReadonlyMap<string, string> = new Map([['comps', 'group'], ['modulemd', 'modules']]);

const EXTENSIONS: ReadonlyMap<string, string> = new Map([['group', '.xml'], ['updateinfo', '.xml'], ['modules', '.yaml']]);

function rootOf(plain: Buffer, fileName: string): string {
  return parseXml(withoutDoctype(plain), fileName).name;
}
