/** A package as it stands in primary, filelists and other, the way createrepo_c writes them. */
import type { Sha256 } from '../../core/digest.ts';
import type { PackageFacts, PackagedFile } from './facts.ts';
import { isPrimary, RELATION_KINDS, type Relation, type Relations } from './relations.ts';
import { escapeAttribute, escapeText, needsAttributeEscape, needsEscape } from './text.ts';

/** Where the file of a package lies, and what it is as a file. */
export interface PackagePlace {
  readonly href: string;
  readonly size: number;
  readonly sha256: Sha256;
  /** Seconds since 1970: what metadata tells as the age of the file. */
  readonly fileTime: number;
}

/** Its three texts, each ending in a newline. */
export interface PackageTexts {
  readonly primary: string;
  readonly filelists: string;
  readonly other: string;
}

export function packageTexts(facts: PackageFacts, place: PackagePlace): PackageTexts {
  const version = `<version epoch="${facts.epoch}" ver="${escapeAttribute(facts.version)}" rel="${escapeAttribute(facts.release)}"/>`;
  const head = `<package pkgid="${place.sha256}" name="${escapeAttribute(facts.name)}" arch="${escapeAttribute(facts.arch)}">\n  ${version}\n`;
  let changelogs = '';
  for (const { author, date, text } of facts.changelogs) {
    changelogs += `  <changelog author="${escapeAttribute(author)}" date="${date}">${escapeText(text)}</changelog>\n`;
  }
  return {
    primary: primaryText(facts, place, version),
    filelists: `${head}${fileElements(facts.files, '  ')}</package>\n`,
    other: `${head}${changelogs}</package>\n`,
  };
}

function primaryText(facts: PackageFacts, { href, size, sha256, fileTime }: PackagePlace, version: string): string {
  return `<package type="rpm">
  <name>${escapeText(facts.name)}</name>
  <arch>${escapeText(facts.arch)}</arch>
  ${version}
  <checksum type="sha256" pkgid="YES">${sha256}</checksum>
  <summary>${escapeText(facts.summary)}</summary>
  <description>${escapeText(facts.description)}</description>
  <packager>${escapeText(facts.packager)}</packager>
  <url>${escapeText(facts.url)}</url>
  <time file="${fileTime}" build="${facts.buildTime}"/>
  <size package="${size}" installed="${facts.installedSize}" archive="${facts.archiveSize}"/>
  <location href="${escapeAttribute(href)}"/>
  <format>
    <rpm:license>${escapeText(facts.license)}</rpm:license>
    <rpm:vendor>${escapeText(facts.vendor)}</rpm:vendor>
    <rpm:group>${escapeText(facts.group)}</rpm:group>
    <rpm:buildhost>${escapeText(facts.buildHost)}</rpm:buildhost>
    <rpm:sourcerpm>${escapeText(facts.sourceRpm)}</rpm:sourcerpm>
    <rpm:header-range start="${facts.headerStart}" end="${facts.headerEnd}"/>
${relationElements(facts.relations)}${fileElements(facts.files.filter(({ path }) => isPrimary(path)), '    ')}  </format>
</package>
`;
}

/** A line for each. Hardly a path needs escaping, so all are looked at together first. */
function fileElements(files: readonly PackagedFile[], indent: string): string {
  const written = needsEscape(files.map(({ path }) => path).join('\n')) ? escapeText : asItIs;
  let lines = '';
  for (const { path, type } of files) lines += `${indent}<file${type === 'file' ? '' : ` type="${type}"`}>${written(path)}</file>\n`;
  return lines;
}

function relationElements(relations: Relations): string {
  let elements = '';
  for (const kind of RELATION_KINDS) {
    const entries = relations[kind];
    if (entries.length > 0) elements += `    <rpm:${kind}>\n${entryLines(entries)}    </rpm:${kind}>\n`;
  }
  return elements;
}

/** Looked at together, as above. */
function entryLines(relations: readonly Relation[]): string {
  const raw = relations.map(({ name, epoch, version, release }) => `${name}${epoch}${version}${release}`).join('');
  const written = needsAttributeEscape(raw) ? escapeAttribute : asItIs;
  let lines = '';
  for (const { name, flags, epoch, version, release, pre } of relations) {
    lines += `      <rpm:entry name="${written(name)}"`;
    if (flags !== '') {
      lines += ` flags="${flags}"`;
      if (epoch !== '') lines += ` epoch="${written(epoch)}"`;
      if (version !== '') lines += ` ver="${written(version)}"`;
      if (release !== '') lines += ` rel="${written(release)}"`;
    }
    lines += pre ? ' pre="1"/>\n' : '/>\n';
  }
  return lines;
}

function asItIs(text: string): string {
  return text;
}
