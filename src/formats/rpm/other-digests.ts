/** Packages and metadata that their upstream lists without a SHA-256 or without a size: told of them once they are there. */
import { LISTED, type PackageRecord } from '../../core/package.ts';
import type { Digested, OtherDigests } from '../format.ts';
import { poolPath } from '../pool-path.ts';
import { listedOther, settledListed } from './listed.ts';
import { malformed } from './malformed.ts';
import { joinTexts, listedDigest, textPart } from './record-text.ts';

export const otherDigests: OtherDigests = {
  settle: (record, file, plain) => (record.partition === LISTED ? settledListed(record, file, plain) : settledPackage(record, file)),
  listed: ({ partition, text }) => (partition === LISTED ? listedOther(text) : listedDigest(text)),
};

/** Clients are told the SHA-256: who mirrors SHA-1 need not publish it. */
function settledPackage(record: PackageRecord, { sha256 }: Digested): PackageRecord {
  const { text, name } = record;
  const [file] = record.files;
  const other = listedDigest(text);
  if (file === undefined || other === undefined) throw new Error(`${name} was not listed with another digest`);
  const settled = { ...file, sha256 };
  const primary = textPart(text, 'primary').toString('latin1');
  const renamed = replaceOnce(primary, /<checksum\b[^>]*>[^<]*<\/checksum>/g, `<checksum type="sha256" pkgid="YES">${sha256}</checksum>`, name);
  const texts = {
    primary: Buffer.from(renamed.replace(poolPath(file), poolPath(settled)), 'latin1'),
    filelists: renamedPackage(textPart(text, 'filelists'), other.hex, sha256),
    other: renamedPackage(textPart(text, 'other'), other.hex, sha256),
  };
  return { ...record, files: [settled], text: joinTexts(texts, other) };
}

function renamedPackage(text: Buffer, pkgid: string, sha256: string): Buffer {
  const written = new RegExp(`\\bpkgid\\s*=\\s*(["'])${pkgid}\\1`, 'i');
  return Buffer.from(text.toString('latin1').replace(written, `pkgid="${sha256}"`), 'latin1');
}

function replaceOnce(text: string, pattern: RegExp, by: string, name: string): string {
  if (text.match(pattern)?.length !== 1) throw malformed(name, 'there is not one checksum');
  return text.replace(pattern, by);
}
