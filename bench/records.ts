/** Control data for the packages of the bench: what the machine's own apt knows of main, or made up where it knows none. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './run.ts';

const LISTS = '/var/lib/apt/lists';

export interface ControlRecords {
  /** Stanzas without the newline at their end; each package once. */
  readonly records: readonly string[];
  readonly origin: string;
}

/** At most that many records, spread over the alphabet. */
export async function controlRecords(size: number): Promise<ControlRecords> {
  const real = await machineRecords();
  if (real.length === 0) return { records: Array.from({ length: size }, (_, index) => madeUp(index)), origin: 'made-up control data' };
  const step = Math.max(1, real.length / size);
  const count = Math.min(size, real.length);
  return { records: Array.from({ length: count }, (_, index) => real[Math.floor(index * step)] ?? ''), origin: 'real control data of main' };
}

async function machineRecords(): Promise<string[]> {
  const file = largestIndex();
  if (file === undefined) return [];
  const { status, stdout } = await runQuietly('/usr/lib/apt/apt-helper', ['cat-file', file]);
  if (status !== 0) return [];
  // Two of one name, version and architecture could not both lie in a pool.
  return [...new Map(stdout.trimEnd().split(/\n\n+/).map((record) => [identity(record), record])).values()];
}

function identity(record: string): string {
  return ['Package', 'Version', 'Architecture'].map((name) => new RegExp(`^${name}: (.*)`, 'm').exec(record)?.[1]).join(' ');
}

function largestIndex(): string | undefined {
  const files = listFolder().filter((name) => /_main_binary-[a-z0-9]+_Packages(\.[a-z0-9]+)?$/.test(name));
  const sized = files.map((name) => ({ path: join(LISTS, name), size: statSync(join(LISTS, name)).size }));
  return sized.sort((a, b) => b.size - a.size)[0]?.path;
}

function listFolder(): string[] {
  try {
    return readdirSync(LISTS);
  } catch {
    return []; // no apt on this machine
  }
}

/** About as long and as varied as a real one. */
function madeUp(index: number): string {
  const name = `bench-${String(index * 7919 + 100_003)}`;
  const needs = Array.from({ length: 6 }, (_, at) => `bench-${String((index * 31 + at * 17) % 5000)} (>= ${at}.${index % 10})`);
  return [
    `Package: ${name}`,
    `Version: ${index % 9}.${index % 31}.${index % 7}-${(index % 5) + 1}`,
    `Installed-Size: ${(index % 4000) + 12}`,
    'Maintainer: Bench Maintainers <bench@example.org>',
    `Architecture: ${index % 3 === 0 ? 'all' : 'amd64'}`,
    `Depends: ${needs.join(', ')}`,
    `Description: package number ${index} of the bench`,
    `Homepage: http://example.org/${name}/`,
    `Tag: role::program, use::${index % 13}, interface::commandline,\n works-with::${index % 17}, scope::utility`,
    'Section: utils',
    'Priority: optional',
    `Filename: pool/main/b/${name}/${name}.deb`,
  ].join('\n');
}
