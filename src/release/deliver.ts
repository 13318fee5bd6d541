/**
 * Bringing a release to a target: first everything that nobody is pointed to yet, then the pointers. What is prepared
 * may be switched or dropped; until then the target serves what it served.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ArtifactKind, Listing } from '../artifacts/kind.ts';
import type { Artifact } from '../core/artifact.ts';
import type { Clock, Context } from '../core/context.ts';
import { canonicalJson, sha256 } from '../core/digest.ts';
import { mergeKeyrings } from '../sign/merge-keys.ts';
import { OWN_FOLDER, type Batch, type Pointer, type SecondName, type TargetSession } from '../targets/target.ts';
import * as durable from '../util/durable.ts';
import { pathProblem } from '../util/safe-path.ts';
import { COPIES, isHashed, linkText, placeFinder, type CopyPlan } from './copy-plan.ts';
import { MANIFEST_KEY } from './manifest.ts';
import { isName, type ReadManifest } from './read-manifest.ts';
import { RELEASE_INDEX, releaseIndex, type ListedRelease } from './release-index.ts';

/** A release that lies on this machine. */
export interface Delivery {
  readonly manifest: ReadManifest;
  readonly plan: CopyPlan;
  /** Holds the files that releases share, and those beside the manifest, under their paths. */
  readonly shared: string;
  /** Holds the files of the places, under their paths. */
  readonly placed: string;
  /** Holds `manifest.json`, its signature and its keys. */
  readonly buildFolder: string;
  readonly kinds: readonly Pick<ArtifactKind, 'name' | 'shared'>[];
  /** A detached signature; absent where there is no key, and what lists artifacts then has none. */
  sign?(text: string): Promise<Buffer>;
  readonly temporary: string;
  readonly clock: Clock;
}

export interface Prepared {
  /** Paths on the target that were written. */
  readonly copied: readonly string[];
  /** What is left to switch; empty when the target serves the build already. */
  readonly pointers: readonly Pointer[];
}

/** What a copy was made of, beside it: the next copy lets readers in the middle of this one finish. */
export interface CopyRecord {
  readonly release: string;
  readonly build: string;
  /** Its predecessor was replaced then, or a little later; ISO 8601. */
  readonly preparedAt: string;
  readonly places: readonly string[];
  /** Files of the places that readers find by digest. */
  readonly hashed: readonly string[];
  readonly artifacts: readonly Artifact[];
}

const RECORD = 'record.json';

/** Puts everything on the target that the pointers will need: what is shared first, then the copy, then its manifest. */
export async function prepare(session: TargetSession, delivery: Delivery, ctx: Context): Promise<Prepared> {
  const { plan, shared, placed } = delivery;
  const copied: string[] = [];
  const stage = async (batch: Batch): Promise<void> => {
    if (batch.files.length === 0) return;
    for (const path of await session.stage(batch, ctx)) copied.push(batch.there === '' ? path : `${batch.there}/${path}`);
  };
  await stage({ here: shared, there: '', files: plan.hashed, unique: true });
  await stage({ here: shared, there: '', files: plan.shared, unique: false });
  const records = await readRecords(session, ctx);
  const copies = (records.get(delivery.manifest.release) ?? []).filter(({ folder }) => folder !== plan.folder);
  const like = copies.map(({ folder }) => folder).toReversed();
  await stage({ here: placed, there: plan.folder, files: plan.placed.filter(isHashed), unique: true, like });
  await stage({ here: placed, there: plan.folder, files: plan.placed.filter((file) => !isHashed(file)), unique: true });
  const folder = makeTemporary(delivery.temporary);
  try {
    await session.keep(namesToKeep(plan, copies), ctx);
    await stage({ ...describe(folder, RECORD, JSON.stringify(recordOf(delivery))), there: plan.folder, unique: true });
    await stage({ here: shared, there: '', files: plan.described, unique: false });
    await stage({ here: delivery.buildFolder, there: plan.buildFolder, files: manifestFiles(delivery), unique: false });
    const pointers = await pointersFor(session, { delivery, records, folder, stage }, ctx);
    return { copied, pointers };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeTemporary(temporary: string): string {
  durable.makeFolder(temporary);
  return mkdtempSync(join(temporary, 'deliver-'));
}

/** A small file for a batch of its own. */
function describe(here: string, path: string, text: string | Buffer): Pick<Batch, 'here' | 'files'> {
  const bytes = Buffer.from(text);
  mkdirSync(dirname(join(here, path)), { recursive: true });
  writeFileSync(join(here, path), bytes);
  return { here, files: [{ path, size: bytes.length, sha256: sha256(bytes) }] };
}

function manifestFiles({ buildFolder }: Delivery): Batch['files'] {
  return ['manifest.json', 'manifest.json.asc'].map((path) => {
    const bytes = readFileSync(join(buildFolder, path));
    return { path, size: bytes.length, sha256: sha256(bytes) };
  });
}

function recordOf({ manifest, plan, clock }: Delivery): CopyRecord {
  const hashed = plan.placed.filter(isHashed).map(({ path }) => path);
  const { release, build, artifacts } = manifest;
  return { release, build, preparedAt: clock().toISOString(), places: plan.places, hashed, artifacts };
}

export interface KeptCopy extends CopyRecord {
  /** Its folder on the target. */
  readonly folder: string;
}

/** Records of all copies on the target, by release. */
export async function readRecords(session: TargetSession, ctx: Context): Promise<ReadonlyMap<string, readonly KeptCopy[]>> {
  const found = new Map<string, KeptCopy[]>();
  for (const release of await session.list(COPIES, ctx)) {
    for (const name of await session.list(`${COPIES}/${release}`, ctx)) {
      const folder = `${COPIES}/${release}/${name}`;
      const record = parseRecord(await session.read(`${folder}/${RECORD}`, ctx));
      if (record !== undefined) found.set(release, [...(found.get(release) ?? []), { ...record, folder }]);
    }
  }
  return found;
}

/** Undefined for a copy that was never finished, too, and for what we did not write: what it names may be removed one day. */
function parseRecord(bytes: Buffer | undefined): CopyRecord | undefined {
  try {
    const value: unknown = bytes === undefined ? undefined : JSON.parse(bytes.toString());
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is CopyRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { release, build, preparedAt, places, hashed, artifacts }: { readonly [Key in keyof CopyRecord]?: unknown } = value;
  return isName(release) && isName(build) && typeof preparedAt === 'string' && arePaths(places) && arePaths(hashed) && Array.isArray(artifacts) && artifacts.every(isArtifact);
}

function isArtifact(value: unknown): value is Artifact {
  if (typeof value !== 'object' || value === null) return false;
  const { id, kind, facts, files }: { readonly [Key in keyof Artifact]?: unknown } = value;
  return typeof id === 'string' && typeof kind === 'string' && typeof facts === 'object' && facts !== null && Array.isArray(files);
}

function arePaths(value: unknown): boolean {
  return Array.isArray(value) && value.every((path) => typeof path === 'string' && pathProblem(path) === undefined);
}

/** Readers in the middle of an earlier copy ask for its files by digest, and find them through the new one. */
function namesToKeep(plan: CopyPlan, copies: readonly KeptCopy[]): SecondName[] {
  const placeOf = placeFinder(plan.places);
  const there = new Set(plan.placed.map(({ path }) => path));
  return copies.flatMap(({ folder, hashed }) =>
    hashed
      .filter((path) => !there.has(path) && placeOf(path) !== undefined)
      .map((path) => ({ from: `${folder}/${path}`, to: `${plan.folder}/${path}` })),
  );
}

interface Pointing {
  readonly delivery: Delivery;
  readonly records: ReadonlyMap<string, readonly KeptCopy[]>;
  readonly folder: string;
  readonly stage: (batch: Batch) => Promise<void>;
}

/** Keys before what they signed, then the places, then what lists them, and last what says that the release is complete. */
async function pointersFor(session: TargetSession, pointing: Pointing, ctx: Context): Promise<Pointer[]> {
  const { delivery } = pointing;
  const releases = await listedReleases(session, delivery, ctx);
  const artifacts = [...delivery.manifest.artifacts, ...otherArtifacts(releases, pointing)];
  const keys = await files(await keyFiles(session, delivery, ctx));
  const listings = await listingLinks();
  const index = await files(new Map([[RELEASE_INDEX, Buffer.from(releaseIndex(releases))]]));
  const places = delivery.plan.links.filter(({ path }) => !path.endsWith('/latest'));
  const latest = delivery.plan.links.filter(({ path }) => path.endsWith('/latest'));
  return [...keys, ...(await changed(places)), ...listings, ...(await changed(latest)), ...index];

  async function files(wanted: ReadonlyMap<string, Buffer>): Promise<Pointer[]> {
    const pointers: Pointer[] = [];
    for (const [path, bytes] of wanted) {
      if ((await session.read(path, ctx))?.equals(bytes) === true) continue;
      // Each is moved to its place, so two that are alike, such as the keys of two formats, are staged under two names.
      const name = sha256(canonicalJson([path, sha256(bytes)]));
      await stageText(name, bytes, `${OWN_FOLDER}/new`);
      pointers.push({ kind: 'file', path, from: `${OWN_FOLDER}/new/${name}` });
    }
    return pointers;
  }

  /** A folder with what lists artifacts is switched as a whole, so that a list and its signature belong together. */
  async function listingLinks(): Promise<Pointer[]> {
    const links: Pointer[] = [];
    for (const [place, listed] of listingsByPlace(delivery.kinds, artifacts)) {
      const digest = sha256(canonicalJson(listed.map(({ path, bytes }) => [path, sha256(bytes)])));
      const there = `${OWN_FOLDER}/shared/${digest.slice(0, 16)}`;
      const link: Pointer = { kind: 'link', path: place, to: linkText(place, `${there}/${place}`) };
      if ((await changed([link])).length === 0) continue;
      for (const { path, bytes, signed } of listed) {
        await stageText(path, bytes, there);
        if (signed && delivery.sign !== undefined) await stageText(`${path}.asc`, await delivery.sign(Buffer.from(bytes).toString()), there);
      }
      links.push(link);
    }
    return links;
  }

  async function stageText(path: string, bytes: Uint8Array | string, there: string): Promise<void> {
    await pointing.stage({ ...describe(pointing.folder, path, Buffer.from(bytes)), there, unique: true });
  }

  async function changed(links: readonly Pointer[]): Promise<Pointer[]> {
    const differ: Pointer[] = [];
    for (const link of links) {
      if (link.kind !== 'link' || (await session.readLink(link.path, ctx)) !== link.to) differ.push(link);
    }
    return differ;
  }
}

function listingsByPlace(kinds: Delivery['kinds'], artifacts: readonly Artifact[]): ReadonlyMap<string, Listing[]> {
  const newestFirst = artifacts.toSorted((a, b) => (a.madeAt < b.madeAt ? 1 : -1));
  const places = new Map<string, Listing[]>();
  for (const kind of kinds) {
    for (const listing of kind.shared?.(newestFirst.filter((artifact) => artifact.kind === kind.name)) ?? []) {
      const place = dirname(listing.path);
      places.set(place, [...(places.get(place) ?? []), listing]);
    }
  }
  return places;
}

/** What the target holds completely when this release is switched. */
async function listedReleases(session: TargetSession, { manifest, plan }: Delivery, ctx: Context): Promise<ListedRelease[]> {
  const listed: ListedRelease[] = [];
  const complete = plan.links.some(({ path }) => path === `releases/${manifest.release}/latest`);
  for (const release of await session.list('releases', ctx)) {
    if (complete && release === manifest.release) continue;
    const build = await session.readLink(`releases/${release}/latest`, ctx);
    if (build !== undefined) listed.push({ release, build });
  }
  return complete ? [...listed, { release: manifest.release, build: manifest.build }] : listed;
}

function otherArtifacts(releases: readonly ListedRelease[], { records, delivery }: Pointing): Artifact[] {
  return releases.flatMap(({ release, build }) => {
    if (release === delivery.manifest.release) return [];
    return (records.get(release) ?? []).find((record) => record.build === build)?.artifacts ?? [];
  });
}

/** One key file for each kind of repository, as publishing has it. Other publishers' keys that are there stay. */
async function keyFiles(session: TargetSession, { manifest, buildFolder }: Delivery, ctx: Context): Promise<Map<string, Buffer>> {
  const own = readFileSync(join(buildFolder, MANIFEST_KEY));
  const found = new Map<string, Buffer>();
  for (const top of new Set(manifest.publications.map(({ prefix }) => prefix.split('/')[0] ?? ''))) {
    const path = `${top}/${MANIFEST_KEY}`;
    const there = await session.read(path, ctx);
    found.set(path, there === undefined ? own : await mergeKeyrings(there, own));
  }
  return found;
}
