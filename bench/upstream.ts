/**
 * The upstream of the bench: small valid packages made from real control data, in three states. `base` is where every
 * round starts, `daily` has 50 packages in a new version, `weekly` two percent more. Built once and kept for later runs.
 */
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gzip } from 'node:zlib';
import type { RigKey } from '../test/rig/key.ts';
import { releaseDate, signRelease } from '../test/rig/upstream.ts';
import { controlRecords } from './records.ts';
import { mustRun } from './run.ts';
import type { Built, Job } from './deb-worker.ts';

export const STATES = ['base', 'daily', 'weekly'] as const;
export type State = (typeof STATES)[number];

/** How many packages `daily` changes, and one in how many `weekly` changes besides. */
export const DAILY_CHANGES = 50;
const WEEKLY_ONE_IN = 50;

/** How many packages of an upstream of that size `weekly` changes after `daily`. */
export function manyChanges(packages: number): number {
  return Math.floor(packages / WEEKLY_ONE_IN);
}

export const SUITE = 'bench';
const INDEX = 'main/binary-amd64/Packages';
const FORMS = ['', '.gz', '.xz'] as const;

export interface BenchUpstream {
  /** Served by the web server; `dists` in it is a link to the current state. */
  readonly folder: string;
  readonly packages: number;
  /** Bytes of all package files of `base`. */
  readonly bytes: number;
  /** Paths of the package files of `base` below the folder. */
  readonly paths: readonly string[];
  /** Where the control data came from, for the table. */
  readonly origin: string;
}

interface Summary {
  readonly packages: number;
  readonly bytes: number;
  readonly origin: string;
}

/** Finds the upstream of that size in the cache, or builds it there. */
export async function prepareUpstream(cache: string, size: number, say: (text: string) => void): Promise<BenchUpstream> {
  const { records, origin } = await controlRecords(size);
  const digest = createHash('sha256').update(records.join('\n')).digest('hex').slice(0, 12);
  const folder = join(cache, `upstream-${records.length}-${digest}`);
  if (!existsSync(join(folder, 'summary.json'))) {
    say(`building ${records.length} packages (${origin}); later runs use them again`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await buildUpstream(folder, records, origin);
  }
  const summary = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')) as Summary;
  const paths = readFileSync(join(folder, 'paths'), 'utf8').trimEnd().split('\n');
  return { folder, paths, ...summary };
}

/** Makes the state current, as an upstream that published does. */
export function serveState({ folder }: BenchUpstream, state: State): void {
  rmSync(join(folder, 'dists.new'), { force: true });
  symlinkSync(`dists-${state}`, join(folder, 'dists.new'));
  renameSync(join(folder, 'dists.new'), join(folder, 'dists'));
}

/** Signs all states with the key, each a day younger than the one before. */
export async function signStates({ folder }: BenchUpstream, key: RigKey): Promise<void> {
  for (const [age, state] of STATES.toReversed().entries()) {
    const suite = join(folder, `dists-${state}`, SUITE);
    const date = new Date(Math.floor(Date.now() / 1000) * 1000 - (age + 1) * 86_400_000);
    const text = releaseText(suite, date);
    const [inline, detached] = await signRelease(text, [key], date);
    writeFileSync(join(suite, 'Release'), text);
    writeFileSync(join(suite, 'InRelease'), inline);
    writeFileSync(join(suite, 'Release.gpg'), detached);
    // A web server tells states apart by time and size, and the sizes are equal.
    for (const name of ['Release', 'InRelease', 'Release.gpg']) utimesSync(join(suite, name), date, date);
  }
}

async function buildUpstream(folder: string, records: readonly string[], origin: string): Promise<void> {
  const half = Math.ceil(records.length / 2);
  const every = Math.max(1, Math.floor(records.length / DAILY_CHANGES));
  const jobs = [0, half].map((first): Job => ({
    folder,
    records: records.slice(first, first + half),
    changes: records.slice(first, first + half).map((_, index) => changeOf(first + index, every)),
  }));
  const built = (await Promise.all(jobs.map(inWorker))).flat();
  for (const state of STATES) await writeIndex(folder, state, built);
  const base = built.map(({ base: deb }) => deb);
  writeFileSync(join(folder, 'paths'), `${base.map(({ path }) => path).join('\n')}\n`);
  const summary: Summary = { packages: built.length, bytes: base.reduce((sum, { size }) => sum + size, 0), origin };
  writeFileSync(join(folder, 'summary.json'), JSON.stringify(summary));
}

function changeOf(index: number, every: number): Exclude<State, 'base'> | undefined {
  if (index % every === 0 && index / every < DAILY_CHANGES) return 'daily';
  return index % WEEKLY_ONE_IN === WEEKLY_ONE_IN / 2 ? 'weekly' : undefined;
}

function inWorker(job: Job): Promise<Built[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./deb-worker.js', import.meta.url), { workerData: job });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function writeIndex(folder: string, state: State, built: readonly Built[]): Promise<void> {
  const stanzas = built.map(({ base, changed, since }) => {
    const isChanged = changed !== undefined && (since === state || state === 'weekly') && state !== 'base';
    return isChanged ? changed.stanza : base.stanza;
  });
  const bytes = Buffer.from(stanzas.join('\n'));
  const suite = join(folder, `dists-${state}`, SUITE);
  const named = join(suite, INDEX);
  mkdirSync(join(named, '..', 'by-hash', 'SHA256'), { recursive: true });
  writeFileSync(named, bytes);
  writeFileSync(`${named}.gz`, await promisify(gzip)(bytes, { level: 9 }));
  await mustRun('xz', ['-T0', '-k', named]);
  for (const form of FORMS) linkSync(named + form, join(named, '..', 'by-hash', 'SHA256', digest('sha256', `${named}${form}`)));
}

function releaseText(suite: string, date: Date): string {
  const lines = (algorithm: string): string =>
    FORMS.map((form) => {
      const file = join(suite, INDEX + form);
      return ` ${digest(algorithm, file)} ${readFileSync(file).length} ${INDEX}${form}\n`;
    }).join('');
  return [
    'Origin: Bench\nLabel: Bench\nSuite: stable\n',
    `Codename: ${SUITE}\nDate: ${releaseDate(date)}\nAcquire-By-Hash: yes\n`,
    'Architectures: amd64\nComponents: main\nDescription: upstream of the bench\n',
    `MD5Sum:\n${lines('md5')}SHA256:\n${lines('sha256')}`,
  ].join('');
}

function digest(algorithm: string, file: string): string {
  return createHash(algorithm).update(readFileSync(file)).digest('hex');
}
