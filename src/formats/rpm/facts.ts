/** What the header of a package tells, in the words of repository metadata (createrepo_c's reading of headers). */
import type { Header } from './header.ts';
import { malformed } from './malformed.ts';
import { LONGEST_PACKAGE } from './package-chunks.ts';
import type { PackageHead } from './package-file.ts';
import { checkKey } from './package-key.ts';
import { readRelations, type Relations } from './relations.ts';
import { SIGNATURE_TAG, TAG } from './tags.ts';
import { exactText, exactTexts, repairedText, repairedTexts } from './text.ts';

export interface PackageFacts {
  readonly name: string;
  /** `src` for source packages, whatever their header says. */
  readonly arch: string;
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
  readonly summary: string;
  readonly description: string;
  readonly packager: string;
  readonly url: string;
  readonly license: string;
  readonly vendor: string;
  readonly group: string;
  readonly buildHost: string;
  readonly sourceRpm: string;
  /** Seconds since 1970. */
  readonly buildTime: number;
  /** Bytes its files take, and bytes of its unpacked payload. */
  readonly installedSize: number;
  readonly archiveSize: number;
  readonly headerStart: number;
  readonly headerEnd: number;
  readonly relations: Relations;
  readonly files: readonly PackagedFile[];
  /** Oldest first. */
  readonly changelogs: readonly Changelog[];
}

export interface PackagedFile {
  readonly path: string;
  readonly type: 'file' | 'dir' | 'ghost';
}

export interface Changelog {
  readonly author: string;
  readonly date: number;
  readonly text: string;
}

/** Reads a header. Throws E_FORMAT for one that lacks what every package has, or holds what XML cannot say. */
export function readFacts(head: PackageHead, place: string): PackageFacts {
  const { header, signature } = head;
  const exact = (tag: number, field: string): string => exactText(header.strings(tag)[0] ?? EMPTY, field, place);
  const text = (tag: number): string => repairedText(header.strings(tag)[0] ?? EMPTY);
  const required = (tag: number, field: string): string => {
    const value = exact(tag, field);
    if (value === '') throw malformed(place, `the header has no ${field}`);
    return value;
  };
  const files = readFiles(header, place);
  const name = required(TAG.name, 'name');
  const arch = isSource(header) ? 'src' : required(TAG.arch, 'architecture');
  const epoch = String(header.numbers(TAG.epoch)[0] ?? 0);
  const version = required(TAG.version, 'version');
  const release = required(TAG.release, 'release');
  checkKey({ name, arch, epoch, version, release }, place);
  return {
    name,
    arch,
    epoch,
    version,
    release,
    summary: text(TAG.summary),
    description: text(TAG.description),
    packager: text(TAG.packager),
    url: text(TAG.url),
    license: text(TAG.license),
    vendor: text(TAG.vendor),
    group: text(TAG.group),
    buildHost: text(TAG.buildHost),
    sourceRpm: exact(TAG.sourceRpm, 'source package'),
    buildTime: header.numbers(TAG.buildTime)[0] ?? 0,
    installedSize: header.numbers(TAG.longSize)[0] ?? header.numbers(TAG.size)[0] ?? 0,
    archiveSize:
      signature.numbers(SIGNATURE_TAG.longArchiveSize)[0] ??
      header.numbers(TAG.archiveSize)[0] ??
      signature.numbers(SIGNATURE_TAG.payloadSize)[0] ??
      0,
    headerStart: head.start,
    headerEnd: head.end,
    relations: readRelations(header, { owned: new Set(files.map(({ path }) => path)), self: head.format === 3 && !isSource(header) ? selfOf(header) : undefined, place }),
    files,
    changelogs: readChangelogs(header),
  };
}

const EMPTY = Buffer.alloc(0);

function selfOf(header: Header): { readonly name: string; readonly evr: string } {
  const text = (tag: number): string => header.strings(tag)[0]?.toString('latin1') ?? '';
  const [epoch] = header.numbers(TAG.epoch);
  return { name: text(TAG.name), evr: `${epoch === undefined ? '' : `${epoch}:`}${text(TAG.version)}-${text(TAG.release)}` };
}

/** rpm takes for a source package what says so and what names no source package (rpm's lib/package.cc). */
function isSource(header: Header): boolean {
  return header.has(TAG.sourcePackage) || !header.has(TAG.sourceRpm);
}

const MODE_KIND = 0o170000;
const MODE_DIRECTORY = 0o040000;
const FLAG_GHOST = 1 << 6;

function readFiles(header: Header, place: string): PackagedFile[] {
  const modes = header.numbers(TAG.fileModes);
  const flags = header.numbers(TAG.fileFlags);
  return readPaths(header, place).map((path, at) => {
    const isDirectory = ((modes[at] ?? 0) & MODE_KIND) === MODE_DIRECTORY;
    return { path, type: isDirectory ? 'dir' : ((flags[at] ?? 0) & FLAG_GHOST) !== 0 ? 'ghost' : 'file' };
  });
}

/** Folders are written once for all their files, so a small header can name paths without end. Nobody could mirror more. */
const LONGEST_PATHS = LONGEST_PACKAGE;

/** Folders are kept apart from base names; packages before rpm 4 have whole paths. */
function readPaths(header: Header, place: string): string[] {
  const read = (tag: number): string[] => exactTexts(header, tag, { field: 'file name', place });
  const old = read(TAG.oldFileNames);
  if (old.length > 0) return old;
  const folders = read(TAG.dirNames);
  const indexes = header.numbers(TAG.dirIndexes);
  let length = 0;
  return read(TAG.baseNames).map((base, at) => {
    const folder = folders[indexes[at] ?? -1];
    if (folder === undefined) throw malformed(place, 'a file lies in a folder that the header does not name');
    length += folder.length + base.length;
    if (length > LONGEST_PATHS) throw malformed(place, `its files have paths of more than ${LONGEST_PATHS} characters together`);
    return folder + base;
  });
}

/** Longer histories are in the packages themselves; createrepo_c and its clients keep as many. */
const NEWEST_CHANGELOGS = 10;

function readChangelogs(header: Header): Changelog[] {
  const times = header.numbers(TAG.changelogTime).slice(0, NEWEST_CHANGELOGS);
  const authors = repairedTexts(header, TAG.changelogName);
  const texts = repairedTexts(header, TAG.changelogText);
  const found = times.map((date, at) => ({ author: (authors[at] ?? '').replace(/ +$/, ''), date, text: texts[at] ?? '' }));
  return apart(found.toReversed());
}

/** Clients order entries by their times, so those of equal times are moved apart by seconds. */
function apart(oldestFirst: readonly Changelog[]): Changelog[] {
  const found: Changelog[] = [];
  for (const [at, entry] of oldestFirst.entries()) {
    const last = found.at(-1)?.date;
    const isSame = last !== undefined && (entry.date === last || entry.date === oldestFirst[at - 1]?.date);
    found.push(isSame ? { ...entry, date: last + 1 } : entry);
  }
  return found;
}
