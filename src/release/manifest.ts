/** The manifest of a build: every file it consists of, with size and digest, signed and written last. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Artifact, ArtifactFacts } from '../core/artifact.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Publication } from '../catalog/publications.ts';
import type { Tree } from '../catalog/trees.ts';
import type { Clock } from '../core/context.ts';
import { sha256, type Sha256 } from '../core/digest.ts';
import type { Content } from '../core/snapshot.ts';
import type { Seat } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import { publishedOverrides, type OverrideFile } from '../overrides/overrides.ts';
import type { Signer } from '../sign/signer.ts';
import { membersOf } from '../snapshot/snapshots.ts';
import * as durable from '../util/durable.ts';
import { runCommand } from '../util/run-command.ts';
import { RELEASE_INDEX, releaseIndex } from './release-index.ts';
import { mikoName, publicationPlaces, slushieName, type ReleaseSpec } from './spec.ts';

export interface ManifestNode {
  readonly id: string;
  readonly state: string;
  readonly detail: string;
}

/** Paths are relative to the public folder. */
export interface ManifestFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256;
}

export interface ManifestArtifact {
  readonly id: string;
  readonly kind: string;
  /** What its makers have to say: commits, locks. */
  readonly facts: ArtifactFacts;
  readonly madeAt: string;
  /** Paths of its files. */
  readonly paths: readonly string[];
}

export interface Manifest {
  readonly schema: 1;
  readonly release: string;
  readonly series: string;
  readonly build: string;
  readonly createdAt: string;
  readonly inputs: {
    readonly snapshots: readonly { readonly name: string; readonly content: Sha256; readonly packages: number }[];
    readonly tools: Readonly<Record<string, string>>;
  };
  /** What was made besides packages: whoever copies the release generates from it what lists the artifacts of all releases. */
  readonly artifacts: readonly ManifestArtifact[];
  readonly publications: readonly ManifestPublication[];
  /** Folders that are replaced as a whole when the release is built anew: whoever copies the release switches them, too. */
  readonly places: readonly string[];
  readonly nodes: readonly ManifestNode[];
  readonly files: readonly ManifestFile[];
}

export interface ManifestPublication {
  readonly prefix: string;
  readonly distribution: string;
  readonly generation: number;
  /** See OverridePublication. */
  readonly keys?: Readonly<Record<string, string>>;
}

/** The public keys that signed a build, beside its manifest. */
export const MANIFEST_KEY = 'release-signing-key.asc';

export interface ManifestTools {
  readonly catalog: Catalog;
  readonly publicRoot: string;
  readonly clock: Clock;
  readonly signer: Signer;
}

/** Writes manifest and signature, which appear together in a folder of their own, then points `latest` at it. Returns the manifest's digest. */
export async function writeManifest(
  spec: ReleaseSpec,
  { build, nodes }: { readonly build: string; readonly nodes: readonly ManifestNode[] },
  tools: ManifestTools,
): Promise<Sha256> {
  const publications = publicationsOf(spec, tools.catalog);
  const artifacts = tools.catalog.artifacts.list(spec.name);
  const key = await tools.signer.publicKeys();
  // Listed, so that whoever trusts the signature may trust the other keys as well.
  const keyFile = { path: join('releases', spec.name, build, MANIFEST_KEY), size: key.length, sha256: sha256(key) };
  const published = [...filesOf(publications, tools), ...artifactFiles(spec.name, artifacts, tools.catalog)];
  const listed = publications.map((publication) => listedPublication(publication, tools));
  const overrides = overridesOf(spec, { publications: listed, paths: published.map(({ path }) => path), key: key.toString() }, tools.signer);
  const overrideList = overrides.map(({ path, text }) => ({ path: join('releases', spec.name, build, path), size: Buffer.byteLength(text), sha256: sha256(text) }));
  const manifest: Manifest = {
    schema: 1,
    release: spec.name,
    series: spec.series,
    build,
    createdAt: tools.clock().toISOString(),
    inputs: { snapshots: snapshotsOf(spec, tools.catalog), tools: await toolVersions() },
    artifacts: artifacts.map(({ id, kind, facts, madeAt, files }) => ({ id, kind, facts, madeAt, paths: files.map(({ path }) => path) })),
    publications: listed,
    places: [...publications.map(placeOf), ...treesOf(spec.name, tools.catalog).map(({ place }) => place)].sort(),
    nodes,
    files: [...published, ...overrideList, keyFile].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  const text = `${JSON.stringify(manifest, null, 1)}\n`;
  const folder = join(tools.publicRoot, 'releases', spec.name);
  const draft = join(folder, '.draft');
  durable.removeTree(draft);
  durable.makeFolderDurably(draft);
  durable.writeFileDurably(join(draft, 'manifest.json'), text);
  durable.writeFileDurably(join(draft, 'manifest.json.asc'), await tools.signer.detach(text));
  durable.writeFileDurably(join(draft, MANIFEST_KEY), key);
  for (const { path, text: content } of overrides) durable.writeNewFile(join(draft, path), (write) => write(Buffer.from(content)));
  await durable.flushTree(draft);
  durable.removeTree(join(folder, build)); // of a run that was stopped before it recorded the build
  durable.moveFile(draft, join(folder, build));
  durable.flushFolder(folder);
  durable.switchLink(join(folder, 'latest'), build);
  writeReleaseIndex(tools.publicRoot);
  return sha256(text);
}

interface Overridden {
  readonly publications: readonly ManifestPublication[];
  readonly paths: readonly string[];
  /** The public keys. */
  readonly key: string;
}

/** What points deployers at the release, for whoever has only the tree; none where nobody said where it is served. */
function overridesOf({ name, baseUrl }: ReleaseSpec, { publications, paths, key }: Overridden, { fingerprints }: Signer): OverrideFile[] {
  if (baseUrl === undefined) return [];
  const input = { release: name, baseUrl: baseUrl.replace(/\/+$/, ''), fingerprints, publicKey: key, publications, paths };
  return publishedOverrides(input).map(({ path, text }) => ({ path: `overrides/${path}`, text }));
}

/** With the keys of upstreams whose signature it serves: who believes the manifest need not fetch them. */
function listedPublication(publication: Publication, { publicRoot }: ManifestTools): ManifestPublication {
  const { prefix, distribution, generation, spec, format } = publication;
  const { exact } = formatOf(format);
  const signedElsewhere = seatsOf(publication).filter(({ component, base }) => base !== undefined && component !== undefined && spec.exact?.includes(component) === true);
  const keyOf = ({ base = '' }: Seat): string => readFileSync(join(publicRoot, placeOf(publication), base, exact?.keyPath ?? ''), 'utf8');
  const keys = Object.fromEntries(signedElsewhere.map((seat) => [seat.base ?? '', keyOf(seat)]));
  return { prefix, distribution, generation, ...(signedElsewhere.length === 0 ? {} : { keys }) };
}

/** Lists the releases that are complete. Written last, so that what it does not name is absent and not on its way. */
function writeReleaseIndex(publicRoot: string): void {
  const folders = readdirSync(join(publicRoot, 'releases'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const releases = folders.flatMap(({ name: release }) => {
    const link = join(publicRoot, 'releases', release, 'latest');
    return lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true ? [{ release, build: readlinkSync(link) }] : [];
  });
  durable.writeFileDurably(join(publicRoot, RELEASE_INDEX), releaseIndex(releases));
}

function placeOf({ format, prefix, distribution }: Publication): string {
  return join(prefix, formatOf(format).publishing.folders.distributions, distribution);
}

/** What shaped the bytes besides the inputs. */
async function toolVersions(): Promise<Record<string, string>> {
  const { stdout } = await runCommand('xz', ['--version']);
  return { node: process.version, xz: /\d[\d.]*/.exec(stdout.toString())?.[0] ?? '' };
}

function publicationsOf(spec: ReleaseSpec, catalog: Catalog): Publication[] {
  return publicationPlaces(spec).flatMap(({ prefix, distribution }) => catalog.publications.find(prefix, distribution) ?? []);
}

function snapshotsOf(spec: ReleaseSpec, catalog: Catalog): Manifest['inputs']['snapshots'] {
  const names = [
    ...[...spec.sources.keys()].map((source) => slushieName(spec.name, source)),
    ...spec.codenames.map(({ codename }) => mikoName(spec.name, codename)),
  ];
  return names.flatMap((name) => {
    const snapshot = catalog.snapshots.find(name);
    return snapshot === undefined ? [] : { name, content: snapshot.content.digest, packages: snapshot.content.count };
  });
}

function treesOf(release: string, { trees }: Catalog): readonly Tree[] {
  return trees.list().filter((tree) => tree.release === release);
}

/** What is served in the release's own folders, and what its artifacts have outside of them. */
function artifactFiles(release: string, artifacts: readonly Artifact[], catalog: Catalog): ManifestFile[] {
  const own = treesOf(release, catalog);
  const served = own.flatMap(({ place, files }) => files.map((file) => ({ ...file, path: `${place}/${file.path}` })));
  const places = own.map(({ place }) => `${place}/`);
  const shared = artifacts.flatMap(({ files }) => files).filter(({ path }) => !places.some((place) => path.startsWith(place)));
  return [...served, ...shared];
}

/** Root metadata, indexes and package files, each once. */
function* filesOf(publications: readonly Publication[], tools: ManifestTools): Generator<ManifestFile> {
  const seen = new Set<string>();
  for (const publication of publications) {
    for (const file of [...rootFiles(publication, tools), ...indexFiles(publication, tools), ...packageFiles(publication, tools)]) {
      if (seen.has(file.path)) continue;
      seen.add(file.path);
      yield file;
    }
  }
}

function* rootFiles(publication: Publication, { publicRoot }: ManifestTools): Generator<ManifestFile> {
  const { publishing } = formatOf(publication.format);
  const { keyFile } = publishing.profile(publication.spec.clients);
  const names = [...Object.values(publishing.signedFiles), ...(keyFile === undefined ? [] : [keyFile])];
  for (const { root } of seatsOf(publication)) {
    for (const name of names) {
      const path = join(placeOf(publication), root, name);
      const bytes = readFileSync(join(publicRoot, path));
      yield { path, size: bytes.length, sha256: sha256(bytes) };
    }
  }
}

function* indexFiles(publication: Publication, { catalog }: ManifestTools): Generator<ManifestFile> {
  const { prefix, distribution, generation, format } = publication;
  const { namesStay, hashedPath } = formatOf(format).publishing;
  const served = catalog.publications.generations(prefix, distribution).find(({ number }) => number === generation);
  for (const { path, size, sha256: digest } of served?.indexes ?? []) {
    // Where names do not stay, a path is the one it has for ever.
    for (const name of namesStay ? [path, hashedPath(path, digest)] : [path]) yield { path: join(placeOf(publication), name), size, sha256: digest };
  }
}

function* packageFiles(publication: Publication, { catalog }: ManifestTools): Generator<ManifestFile> {
  const { publishing } = formatOf(publication.format);
  const seats = seatsOf(publication);
  for (const content of pooledContents(publication, catalog)) {
    for (const { partition, files } of membersOf(catalog, content)) {
      const bases = basesOf(partition, seats);
      for (const [index, place] of publishing.poolPaths({ partition, files }).entries()) {
        const file = files[index];
        if (file === undefined) continue;
        const { size, sha256: digest } = file;
        for (const base of bases) yield { path: base === undefined ? join(publication.prefix, place) : join(placeOf(publication), base, place), size, sha256: digest };
      }
    }
  }
}

function seatsOf({ format, components, spec }: Publication): readonly Seat[] {
  return formatOf(format).publishing.seats(components.map(({ component }) => component), spec.architectures);
}

/** Contents whose packages lie in the pool: those of exact repositories lie where their upstream has them. */
function pooledContents({ components, spec: { exact = [] } }: Publication, { snapshots }: Catalog): Content[] {
  const pooled = components.filter(({ component }) => !exact.includes(component));
  return pooled.map(({ snapshot }) => snapshots.get(snapshot).content);
}

/** Where clients look for packages of a partition: below the prefix, or in each of the places that serve it. */
function basesOf(partition: string, seats: readonly Seat[]): (string | undefined)[] {
  const serving = seats.filter(({ partitions }) => partitions === undefined || partitions.includes(partition));
  return [...new Set(serving.map(({ base }) => base))];
}
