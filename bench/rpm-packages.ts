/**
 * The packages of the rpm bench: names, versions and needs of Debian's main, as rpms. Their files and histories are made
 * up, about as many as those of Fedora: some 40 files, from three to a thousand, and ten entries of history.
 */
import { createHash } from 'node:crypto';
import { linkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeRpm, type RpmFacts, type RpmRelation } from './rpm-file.ts';

/** A package to write. */
export interface RpmJob {
  /** The record of apt that it stands for. */
  readonly record: string;
  /** 1, and more for a package that changed. */
  readonly revision: number;
  /** Where it goes; all but the first are links. */
  readonly folders: readonly string[];
}

export function storeRpm({ record, revision, folders }: RpmJob): void {
  const facts = factsOf(record, revision);
  const base = `${facts.name}-${facts.version}-${facts.release}.${facts.arch}.rpm`;
  const [first = '', ...others] = folders.map((folder) => join(folder, base));
  writeFileSync(first, writeRpm(facts));
  for (const other of others) linkSync(first, other);
}

const EPOCH = 1_600_000_000;

function factsOf(record: string, revision: number): RpmFacts {
  const field = (wanted: string): string => new RegExp(`^${wanted}: (.*)`, 'm').exec(record)?.[1] ?? '';
  const name = field('Package');
  const next = random(createHash('sha256').update(`${name} ${revision}`).digest().readUInt32BE(0));
  const version = field('Version').replace(/^\d+:/, '').replace(/[^A-Za-z0-9.+~]/g, '.');
  const release = `${revision}.el9`;
  const arch = field('Architecture') === 'all' ? 'noarch' : 'x86_64';
  const evr = `${version}-${release}`;
  const own = { name, flags: EQUAL, version: evr };
  return {
    name,
    version,
    release,
    arch,
    summary: field('Description'),
    description: `${field('Description')}.\n${record.slice(0, 400)}`,
    packager: field('Maintainer'),
    url: field('Homepage'),
    buildTime: EPOCH + (next() % 60_000_000),
    provides: arch === 'noarch' ? [own] : [own, { ...own, name: `${name}(x86-64)` }],
    requires: [...relations(field('Depends')), { name: 'rpmlib(CompressedFileNames)', flags: EQUAL | LESS | RPMLIB, version: '3.0.4-1' }],
    recommends: relations(field('Recommends')),
    files: files(name, version, next),
    changelogs: Array.from({ length: 10 }, (_, at) => ({ time: EPOCH - at * 5_000_000, author: `${field('Maintainer')} - ${evr}`, text: `- Rebuilt for ${version}\n- Fixes number ${next() % 100_000}, ${words(next, 6 + (next() % 10))}` })),
    payload: filler(2048 + (next() % 30_720), next),
  };
}

const LESS = 2;
const GREATER = 4;
const EQUAL = 8;
const RPMLIB = 1 << 24;
const FLAGS: Readonly<Record<string, number>> = { '<<': LESS, '<=': LESS | EQUAL, '=': EQUAL, '>=': GREATER | EQUAL, '>>': GREATER };

/** Of alternatives the first. */
function relations(list: string): RpmRelation[] {
  return list
    .split(',')
    .map((entry) => /^\s*([\w.+-]+)(?::\w+)?(?:\s*\((\S+)\s*([^)]*)\))?/.exec(entry))
    .filter((match) => match !== null)
    .map(([, name = '', relation = '', version = '']) => ({ name, flags: FLAGS[relation] ?? 0, version: version.replace(/^(\d+:)?/, '$1').replaceAll('-', '.') }));
}

const FOLDERS = ['/usr/share/NAME/', '/usr/share/NAME/templates/', '/usr/lib64/NAME/', '/usr/lib/python3.9/site-packages/NAME/', '/usr/share/locale/de/LC_MESSAGES/NAME/', '/usr/include/NAME/'];

function files(name: string, version: string, next: () => number): string[] {
  const share = next() % 100;
  const count = 3 + (next() % (share < 60 ? 12 : share < 90 ? 70 : share < 99 ? 250 : 1000));
  const made = Array.from({ length: count }, (_, at) => `${FOLDERS[next() % FOLDERS.length]}`.replace('NAME', name) + `${words(next, 1)}-${at}.dat`);
  return [...new Set([`/etc/${name}.conf`, `/usr/bin/${name}`, `/usr/share/doc/${name}-${version}/`, `/usr/share/doc/${name}-${version}/README`, ...made])].sort();
}

function words(next: () => number, count: number): string {
  return Array.from({ length: count }, () => (next() % 46_656).toString(36) + (next() % 1296).toString(36)).join(' ');
}

/** Bytes that do not compress. */
function filler(length: number, next: () => number): Buffer {
  const bytes = Buffer.alloc(length + 4);
  for (let at = 0; at < length; at += 3) bytes.writeUInt32BE(next() * 256, at);
  return bytes.subarray(0, length);
}

/** The same numbers every time, of 24 bits. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 8;
  };
}
