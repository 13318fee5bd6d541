/** A package as it stands in primary, filelists and other, the way createrepo_c writes them. */
import type { Sha256 } from '../../core/digest.ts';
import type { PackageFacts, PackagedFile } from './facts.ts';
import { isPrimary, RELATION_KINDS, type Relation, type RelationKind } from './relations.ts';
import { escapeAttribute, escapeText, needsEscape } from './text.ts';

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
  const changelogs = facts.changelogs.map(
    ({ author, date, text }) => `  <changelog author="${escapeAttribute(author)}" date="${date}">${escapeText(text)}</changelog>\n`,
  );
  return {
    primary: primaryText(facts, place, version),
    filelists: `${head}${fileElements(facts.files, '  ')}</package>\n`,
    other: `${head}${changelogs.join('')}</package>\n`,
  };
}

function primaryText(facts: PackageFacts, { href, size, sha256, fileTime }: PackagePlace, version: string): string {
  const files = facts.files.filter(({ path }) => isPrimary(path));
  return [
    '<package type="rpm">',
    `  ${element('name', facts.name)}`,
    `  ${element('arch', facts.arch)}`,
    `  ${version}`,
    `  <checksum type="sha256" pkgid="YES">${sha256}</checksum>`,
    `  ${element('summary', facts.summary)}`,
    `  ${element('description', facts.description)}`,
    `  ${element('packager', facts.packager)}`,
    `  ${element('url', facts.url)}`,
    `  <time file="${fileTime}" build="${facts.buildTime}"/>`,
    `  <size package="${size}" installed="${facts.installedSize}" archive="${facts.archiveSize}"/>`,
    `  <location href="${escapeAttribute(href)}"/>`,
    '  <format>',
    `    ${element('rpm:license', facts.license)}`,
    `    ${element('rpm:vendor', facts.vendor)}`,
    `    ${element('rpm:group', facts.group)}`,
    `    ${element('rpm:buildhost', facts.buildHost)}`,
    `    ${element('rpm:sourcerpm', facts.sourceRpm)}`,
    `    <rpm:header-range start="${facts.headerStart}" end="${facts.headerEnd}"/>`,
    ...RELATION_KINDS.flatMap((kind) => relationLines(kind, facts.relations[kind])),
    `${fileElements(files, '    ')}  </format>`,
    '</package>',
    '',
  ].join('\n');
}

function element(name: string, text: string): string {
  return `<${name}>${escapeText(text)}</${name}>`;
}

/** A line for each. Hardly a path needs escaping, so all are looked at together first. */
function fileElements(files: readonly PackagedFile[], indent: string): string {
  const written = needsEscape(files.map(({ path }) => path).join('\n')) ? escapeText : (path: string): string => path;
  return files.map(({ path, type }) => `${indent}<file${type === 'file' ? '' : ` type="${type}"`}>${written(path)}</file>\n`).join('');
}

function relationLines(kind: RelationKind, relations: readonly Relation[]): string[] {
  if (relations.length === 0) return [];
  const entries = relations.map(({ name, flags, epoch, version, release, pre }) => {
    const versioned: readonly (readonly [string, string])[] = flags === '' ? [] : [['flags', flags], ['epoch', epoch], ['ver', version], ['rel', release]];
    const attributes = [['name', name] as const, ...versioned.filter(([, value]) => value !== ''), ...(pre ? [['pre', '1'] as const] : [])];
    return `      <rpm:entry ${attributes.map(([attribute, value]) => `${attribute}="${escapeAttribute(value)}"`).join(' ')}/>`;
  });
  return [`    <rpm:${kind}>`, ...entries, `    </rpm:${kind}>`];
}
