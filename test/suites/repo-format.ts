/** What every repository format must do: called for each with a small upstream made by that format's own tools. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { isArtifactsError } from '../../src/core/errors.ts';
import type { Sha256 } from '../../src/core/digest.ts';
import { recordDigest } from '../../src/core/package.ts';
import type { IndexOffer, IndexPlan, RepoFormat, RootPlan, UpstreamIndex, UpstreamPackage, UpstreamRequest, UpstreamRoot } from '../../src/formats/format.ts';
import { unpackFile } from '../../src/util/unpack.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';

export interface FormatFixture {
  /** Bytes by path below the upstream's URL. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly request: UpstreamRequest;
  /** The same packages as files. */
  readonly packages: readonly { readonly fileName: string; readonly bytes: Buffer }[];
  /** Versions in their order. */
  readonly versions: readonly string[];
  /** The name of a package that needs another one of the upstream, and the latter's name. */
  readonly need: readonly [string, string];
}

export interface FormatSuite {
  readonly format: RepoFormat;
  readonly possible: boolean;
  readonly needs: string;
  open(dir: TempDir): Promise<FormatFixture>;
}

const NEVER = new AbortController().signal;

export function testRepoFormat({ format, possible, needs, open }: FormatSuite): void {
  const test = testWith(possible, needs);
  const name = format.id;

  test(`${name}: versions have one order`, async (t) => {
    await using dir = await tempDir();
    const { versions } = await open(dir);
    for (const [i, a] of versions.entries()) {
      for (const [j, b] of versions.entries()) t.is(Math.sign(format.compareVersions(a, b)), Math.sign(i - j), `${a} to ${b}`);
    }
  });

  test(`${name}: an upstream is read, and what would be published of it gives the same records again`, async (t) => {
    await using dir = await tempDir();
    const fixture = await open(dir);
    const root = readRoot(format, fixture);
    const read = await readAll(format, fixture, { dir, root });
    t.is(read.length, fixture.packages.length);
    for (const { record, locations } of read) {
      t.is(record.format, name);
      t.is(locations.length, record.files.length);
      for (const [at, file] of record.files.entries()) t.is(sha256(fixture.files.get(locations[at] ?? '') ?? Buffer.alloc(0)), file.sha256);
      for (const place of format.publishing.poolPaths(record)) t.true(record.text.includes(place) || record.partition === 'source', `the text of ${record.name} points to ${place}`);
    }

    const published = await republish(format, read, dir);
    const digests = (list: readonly UpstreamPackage[]): readonly string[] => [...new Set(list.map(({ record }) => recordDigest(record)))].sort();
    t.deepEqual(digests(published), digests(read));
  });

  test(`${name}: root metadata tells of every index, by its digest`, (t) => {
    const { publishing } = format;
    const seats = publishing.seats(['main'], publishing.architectures([], ['amd64']));
    t.true(seats.length > 0);
    for (const seat of seats) {
      const [plan] = planned(format, seat.root);
      const packed = { path: `${plan?.path}.gz`, size: 7, sha256: sha256(Buffer.from('packed')) };
      const hashed = publishing.hashedPath(packed.path, packed.sha256);
      t.true(hashed.includes(packed.sha256));
      t.is(publishing.namesStay ? packed.path : publishing.hashedPath(hashed, packed.sha256), publishing.namesStay ? packed.path : hashed);
      const plain = { path: plan?.path ?? '', size: 9, sha256: sha256(Buffer.from('plain')) };
      const listed = { ...packed, path: publishing.namesStay ? packed.path : hashed };
      const served = publishing.readServed(publishing.root({ ...ROOT, files: [plain, listed] }, seat), seat);
      t.deepEqual(served.files.get(listed.path), { size: 7, sha256: packed.sha256 });
      t.is(served.indexes.length, 1);
      t.deepEqual(served.indexes[0]?.plain, { size: 9, sha256: plain.sha256 });
      t.is(served.date.toISOString(), ROOT.date.toISOString());
    }
  });

  test(`${name}: what a package needs and offers is told`, async (t) => {
    await using dir = await tempDir();
    const fixture = await open(dir);
    const read = await readAll(format, fixture, { dir, root: readRoot(format, fixture) });
    const [needer, needed] = fixture.need.map((one) => read.find(({ record }) => record.name === one));
    if (needer === undefined || needed === undefined) throw new Error('The fixture lacks its packages');
    const subject = format.subject(needer.record);
    t.true(subject.requirements({}).some((requirement) => requirement.some((one) => one.name === needed.record.name)));
    t.deepEqual(format.subject(needed.record).capabilities[0], { name: needed.record.name, version: needed.record.version });
    t.is(subject.field('no such field'), undefined);
    t.true(needer.record.text.toString('latin1').toLowerCase().includes(format.capabilityWord) || subject.capabilities.length === 1);
  });

  test(`${name}: a package as a file is the package its index tells of`, async (t) => {
    await using dir = await tempDir();
    const fixture = await open(dir);
    const read = await readAll(format, fixture, { dir, root: readRoot(format, fixture) });
    for (const { fileName, bytes } of fixture.packages) {
      const digest = sha256(bytes);
      const listed = read.find(({ record }) => record.files.some((file) => file.sha256 === digest))?.record;
      t.is(format.local.kindOf(fileName), 'package');
      const scan = format.local.scan(fileName);
      for (let at = 0; at < bytes.length; at += 1000) scan.push(Buffer.from(bytes.subarray(at, at + 1000)));
      const { packing, bytes: packed } = scan.end();
      await writeFile(dir.join('description'), packed);
      const plain = await collect(unpackFile(dir.join('description'), packing, NEVER));
      const own = format.local.readPackage({ fileName, size: bytes.length, sha256: digest }, plain);
      const key = ({ partition, name: own_, version, architecture, files }: typeof own): unknown => [partition, own_, version, architecture, files.map((file) => [file.sha256, file.size])];
      t.deepEqual(key(own), key(listed ?? own));
      t.not(listed, undefined);
    }
  });

  test(`${name}: damaged indexes and packages are E_FORMAT and nothing else`, async (t) => {
    await using dir = await tempDir();
    const fixture = await open(dir);
    const root = readRoot(format, fixture);
    const [index] = root.indexes;
    if (index === undefined) throw new Error('The fixture has no index');
    const [plain, ...companions] = await Promise.all([index, ...(index.companions ?? [])].map((one) => plainOf(one, fixture, dir)));
    let refused = 0;
    for (const [at, damaged] of [...damages(plain ?? Buffer.alloc(0))].entries()) {
      try {
        await collectPackages(format.upstream.readIndex(index, once(damaged), companions.map(once)));
      } catch (error) {
        if (!isArtifactsError(error)) throw error;
        t.true(['E_FORMAT', 'E_PATH', 'E_WEAK_HASH'].includes(error.code), `${at}: ${error.message}`);
        refused += 1;
      }
    }
    t.true(refused > 10, `${refused}`);
    for (const damaged of damages(fixture.packages[0]?.bytes ?? Buffer.alloc(0))) {
      try {
        const scan = format.local.scan('x');
        scan.push(damaged);
        scan.end();
      } catch (error) {
        if (!isArtifactsError(error, 'E_FORMAT')) throw error;
      }
    }
  });
}

const ROOT: RootPlan = {
  origin: 'o',
  label: 'l',
  suite: 's',
  codename: 'c',
  description: 'd',
  date: new Date('2023-11-14T22:13:20Z'),
  architectures: ['amd64'],
  components: ['main'],
  files: [],
};

function sha256(bytes: Uint8Array): Sha256 {
  return createHash('sha256').update(bytes).digest('hex') as Sha256;
}

function readRoot(format: RepoFormat, { files, request }: FormatFixture): UpstreamRoot {
  const entry = format.upstream.entries(request).find(({ kind, path }) => kind === 'detached' && files.has(path));
  return format.upstream.readRoot(files.get(entry?.path ?? '') ?? Buffer.alloc(0), request);
}

async function readAll(format: RepoFormat, fixture: FormatFixture, { dir, root }: { readonly dir: TempDir; readonly root: UpstreamRoot }): Promise<UpstreamPackage[]> {
  const found: UpstreamPackage[] = [];
  for (const index of root.indexes) {
    const [plain = Buffer.alloc(0), ...companions] = await Promise.all([index, ...(index.companions ?? [])].map((one) => plainOf(one, fixture, dir)));
    found.push(...(await collectPackages(format.upstream.readIndex(index, once(plain), companions.map(once)))));
  }
  return found;
}

async function plainOf({ name, offers, plain }: UpstreamIndex, { files }: FormatFixture, dir: TempDir): Promise<Buffer> {
  const offer = offers.find(({ paths }) => paths.some((path) => files.has(path)));
  const path = offer?.paths.find((one) => files.has(one)) ?? '';
  const target = dir.join(`packed-${sha256(Buffer.from(name)).slice(0, 8)}`);
  await writeFile(target, files.get(path) ?? Buffer.alloc(0));
  const bytes = await collect(unpackFile(target, (offer as IndexOffer).compression, NEVER));
  if (sha256(bytes) !== plain?.sha256) throw new Error(`${name} is not what the root metadata says`);
  return bytes;
}

/** All plans of a content with packages of everything there is, for the seat with this root. */
function planned(format: RepoFormat, seat: string): readonly IndexPlan[] {
  const architectures = format.publishing.architectures([], ['amd64']);
  const plans = format.publishing.indexes({ component: 'main', partitions: new Set() }, architectures);
  return plans.filter(({ path }) => seat === '' || path.startsWith(`${seat}/`));
}

/** The plain indexes that would be published of these records, read again. */
async function republish(format: RepoFormat, read: readonly UpstreamPackage[], dir: TempDir): Promise<UpstreamPackage[]> {
  const { publishing } = format;
  const partitions = new Set(read.map(({ record }) => record.partition));
  const plans = publishing.indexes({ component: 'main', partitions }, publishing.architectures(partitions, []));
  const byFolder = new Map<string, Map<string, Buffer>>();
  for (const plan of plans) {
    const records = read.map(({ record }) => record).filter((record) => plan.partitions.includes(record.partition));
    const { head, tail } = publishing.frame(plan.part, records.length);
    const separator = Buffer.from(publishing.separator);
    const text = Buffer.concat([head, ...records.flatMap((record) => [publishing.textOf(record.text, plan.part), separator]), tail]);
    const folder = plan.part === '' ? plan.path : posix.dirname(plan.path);
    byFolder.set(folder, (byFolder.get(folder) ?? new Map<string, Buffer>()).set(plan.part, text));
    await writeFile(dir.join('last'), text);
  }
  const found: UpstreamPackage[] = [];
  for (const [folder, texts] of byFolder) {
    const [[first = '', bytes = Buffer.alloc(0)] = [], ...others] = [...texts];
    const index = (kind: string): UpstreamIndex => ({ name: folder, kind, offers: [], plain: { size: 0, sha256: sha256(Buffer.alloc(0)) } });
    const companions = others.map(([part]) => index(part));
    const kind = first === '' ? (folder.endsWith('Sources') ? 'sources' : 'packages') : first;
    found.push(...(await collectPackages(format.upstream.readIndex({ ...index(kind), companions }, once(bytes), others.map(([, text]) => once(text))))));
  }
  return found;
}

/** Cut short at every tenth of it, and bytes changed here and there. */
function* damages(bytes: Buffer): Generator<Buffer> {
  for (let tenth = 0; tenth < 10; tenth += 1) yield bytes.subarray(0, Math.floor((bytes.length * tenth) / 10) + 1);
  for (let round = 0; round < 60; round += 1) {
    const copy = Buffer.from(bytes);
    const hash = createHash('sha256').update(String(round)).digest();
    for (let n = 0; n < 4; n += 1) copy[hash.readUInt32BE(n * 4) % copy.length] = hash[20 + n] ?? 0;
    yield copy;
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 997) yield bytes.subarray(at, at + 997);
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function collectPackages(batches: AsyncIterable<readonly UpstreamPackage[]>): Promise<UpstreamPackage[]> {
  const all: UpstreamPackage[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}
