import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../test/rig/run.ts';
import type { Measurement } from './round.ts';
import { renderTable, type Figure } from './table.ts';

/** All there is to say about one run. */
export interface BenchResult {
  readonly date: string;
  readonly machine: string;
  readonly packages: number;
  readonly bytes: number;
  readonly origin: string;
  readonly rounds: number;
  readonly contenders: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
  readonly measurements: readonly Measurement[];
}

const PICTURES = `What a step costs follows the change with us, and the size with aptly:

![Seconds against the number of packages](benchmarks-size.svg)

![Seconds against the number of packages that changed](benchmarks-change.svg)

`;

/** The page of the docs that holds the figures of one run, and shows the pictures where they have been drawn. */
export function benchPage(result: BenchResult, { pictures }: { readonly pictures: boolean }): string {
  const { contenders, figures, machine, origin, packages, bytes, rounds, date } = result;
  return `# Benchmarks

Written by \`npm run bench -- --page\` on ${date}: ${machine}; median of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.

${renderTable(figures)}

Seconds are those of the whole command, memory is the peak of its largest process. \`time\` and \`cpu\` are our seconds and our
processor time by aptly's; the latter says more when the machine did other things as well.

- The upstream: ${packages.toLocaleString('en')} small valid packages made from ${origin}, ${(bytes / 2 ** 20).toFixed(0)} MiB, signed with a key
  made on the spot, served by nginx on loopback with keep-alive. Small files make bookkeeping, not bandwidth, decide.
- artifacts: ${contenders['artifacts'] ?? 'left out'}.
- aptly: ${contenders['aptly'] ?? 'left out'}.
- Both start from nothing in every round and take turns in going first; the disk is flushed before each measured command.
- Ours leaves every change flushed to disk before it is visible, hashes every byte on the way into the pool, and checks the
  upstream's signature; aptly checks the signature and the digests, and flushes nothing.
- "2 % changed": every fiftieth package has a new version. "growth of the catalog": everything but package files, published
  trees and caches.

${pictures ? PICTURES : ''}To measure again: \`npm run bench\`; \`npm run bench -- --plots\` draws the pictures as well, \`npm run bench -- --help\` tells how to do less.
`;
}

const PAGE = join(PROJECT, 'docs', 'benchmarks.md');
/** Begins what the bench of rpm wrote, and stays when the page is written anew. */
const RPM_HEADING = '## Rpm repositories';

/** Writes the page, with what it says of rpm as it was. */
export function writePage(text: string): void {
  const before = readFileSync(PAGE, 'utf8');
  const at = before.indexOf(RPM_HEADING);
  writeFileSync(PAGE, at === -1 ? text : `${text}\n${before.slice(at)}`);
}

export interface RpmResult {
  readonly table: string;
  readonly rounds: number;
  readonly machine: string;
  /** Of a package. */
  readonly averageBytes: number;
}

/** Writes the part of the page about rpm. */
export function writeRpmSection({ table, rounds, machine, averageBytes }: RpmResult): void {
  const before = readFileSync(PAGE, 'utf8');
  const at = before.indexOf(RPM_HEADING);
  const kept = (at === -1 ? before : before.slice(0, at)).trimEnd();
  writeFileSync(PAGE, `${kept}\n\n${RPM_HEADING}

Written by \`npm run bench -- rpm --page\` on ${new Date().toISOString().slice(0, 10)}: ${machine}; median of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.
Each row names the peer behind its semicolon.

${table}

- The packages: names, versions and needs of Debian's main, files and histories made up, ${Math.round(averageBytes / 1024)} KiB each on average,
  written by the bench as rpm's format says. rpm reads and verifies them; their payload is filler, so none can be installed.
- createrepo_c reads and hashes each file and writes metadata without databases, with a worker for each processor. Ours hashes
  each file, and its payload against the header, copies it into the pool, records it and flushes all of it to disk; then it
  links and signs. These are two commands, and each starts Node: for 3,000 packages that alone is half of what createrepo_c takes.
- createrepo_c \`--update\` looks at size and time of each file; ours at device and inode as well.
- \`dnf reposync\` has 16 connections, as ours, and checks the signature of the metadata.
`);
}
