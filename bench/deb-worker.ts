/** Builds packages in a thread of its own: half of them each keeps two cores busy. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { buildDeb, packagesStanza, type Deb } from '../test/rig/deb.ts';
import type { State } from './upstream.ts';

export interface Job {
  readonly folder: string;
  readonly records: readonly string[];
  /** For each record, since which state it has a new version. */
  readonly changes: readonly (Exclude<State, 'base'> | undefined)[];
}

export interface BuiltDeb {
  /** Below the upstream's folder. */
  readonly path: string;
  readonly size: number;
  readonly stanza: string;
}

export interface Built {
  readonly base: BuiltDeb;
  readonly changed: BuiltDeb | undefined;
  readonly since: State | undefined;
}

/** What only an index says of a package, not its control file. */
const INDEX_ONLY = new Set(['Filename', 'Size', 'MD5sum', 'SHA1', 'SHA256', 'SHA512']);

const made = new Set<string>();
const { folder, records, changes } = workerData as Job;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
parentPort?.postMessage(records.map((record, index) => build(record, changes[index])));

function build(record: string, since: Exclude<State, 'base'> | undefined): Built {
  const { fields, filename } = parse(record);
  return {
    base: write(fields, filename),
    changed: since === undefined ? undefined : write({ ...fields, Version: `${fields['Version']}+b1` }, filename),
    since,
  };
}

function parse(record: string): { readonly fields: Record<string, string>; readonly filename: string } {
  const pairs = record.split(/\n(?![ \t])/).map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon), field.slice(colon + 1).trimStart()] as const;
  });
  const filename = pairs.find(([name]) => name === 'Filename')?.[1] ?? '';
  return { fields: Object.fromEntries(pairs.filter(([name]) => !INDEX_ONLY.has(name))), filename };
}

function write(fields: Record<string, string>, filename: string): BuiltDeb {
  const { Package: name = '', Version: version = '', Architecture: architecture = '' } = fields;
  const deb = buildDeb({ name, version, architecture, fields });
  const path = join(dirname(filename), deb.fileName);
  store(join(folder, path), deb);
  return { path, size: deb.bytes.length, stanza: packagesStanza(deb, path) };
}

function store(path: string, deb: Deb): void {
  const parent = dirname(path);
  if (!made.has(parent)) mkdirSync(parent, { recursive: true });
  made.add(parent);
  writeFileSync(path, deb.bytes);
}
