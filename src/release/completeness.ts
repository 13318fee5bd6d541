/** Whether a release has everything that deployers will ask for. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { Publication } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import { EMPTY_SHA256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { QuerySubject } from '../core/relation.ts';
import type { Content } from '../core/snapshot.ts';
import { formatOf } from '../formats/index.ts';
import { compileGlob } from '../query/pattern.ts';
import { openPackages } from '../snapshot/packages.ts';
import { startCommand } from '../util/run-command.ts';
import { packingOf } from '../util/packing.ts';
import { unpackFile } from '../util/unpack.ts';
import { distributionName, independentPrefix, integratedPrefix, type CodenameSpec, type CompletenessSpec } from './spec.ts';
import { readWanted, type WantedPackage } from './wanted.ts';

export interface CompletenessRequest {
  readonly name: string;
  readonly codenames: readonly CodenameSpec[];
  readonly completeness: CompletenessSpec;
}

export interface Completeness {
  readonly release: string;
  /** How many packages are wanted, the ignored ones left out. */
  readonly wanted: number;
  readonly missing: readonly MissingPackage[];
  readonly unresolved: readonly string[];
}

export interface MissingPackage {
  /** As it is wanted: `foo:amd64=1.2`. */
  readonly package: string;
  /** Who wants it. */
  readonly from: readonly string[];
}

/** Looks for every wanted package, by name or Provides, in what the release publishes and in the base. Throws E_CONFIG. */
export async function checkCompleteness({ name, codenames, completeness }: CompletenessRequest, catalog: Catalog, ctx: Context): Promise<Completeness> {
  const { packages, unresolved } = readWanted(completeness);
  const ignored = ignoreTest(completeness.ignore);
  const wanted = new Map<string, { readonly one: WantedPackage; readonly from: string[] }>();
  for (const one of packages.filter((item) => !ignored(item.name))) {
    const key = describeWanted(one);
    const known = wanted.get(key);
    if (known === undefined) wanted.set(key, { one, from: [one.from] });
    else known.from.push(one.from);
  }
  const open = new Map(wanted);
  const sources = [releasePackages(catalog, name, codenames), ...completeness.base.map((base) => basePackages(base, { catalog, root: completeness.root, ctx }))];
  for (const source of sources) {
    const names = new Set([...open.values()].map(({ one }) => one.name));
    const found = await source(names);
    for (const [key, { one }] of open) if (found(one.name).some((subject) => fits(subject, one))) open.delete(key);
  }
  const missing = [...open].map(([key, { from }]) => ({ package: key, from })).sort((a, b) => (a.package < b.package ? -1 : 1));
  return { release: name, wanted: wanted.size, missing, unresolved };
}

/** One line for a failed node or the end of a report. */
export function describeMissing({ missing, wanted }: Completeness): string {
  const some = missing.slice(0, 5).map((one) => one.package).join(', ');
  return `${missing.length} of ${wanted} wanted packages are neither in the release nor in its base: ${some}${missing.length > 5 ? ', …' : ''}`;
}

function describeWanted({ name, architecture, version }: WantedPackage): string {
  return `${name}${architecture === undefined ? '' : `:${architecture}`}${version === undefined ? '' : `=${version}`}`;
}

function ignoreTest(patterns: readonly string[]): (name: string) => boolean {
  const tests = patterns.map((pattern) => {
    const compiled = compileGlob(pattern);
    if (!compiled.ok) throw new ArtifactsError('E_CONFIG', `completeness.ignore: ${JSON.stringify(pattern)} ${compiled.reason}`);
    return compiled.test;
  });
  return (name) => tests.some((test) => test(name));
}

/** Whether the package, found by a name it answers to, is the one wanted. */
function fits(subject: QuerySubject, { name, version, architecture }: WantedPackage): boolean {
  const anywhere = architecture === undefined || architecture === 'any' || architecture === 'native';
  if (!anywhere && subject.architecture !== architecture && !subject.isForAll) return false;
  if (version === undefined) return true;
  const compiled = compileGlob(version);
  return subject.capabilities.some(
    (one) => one.name === name && one.version !== undefined && (one.version === version || (compiled.ok && compiled.test(one.version))),
  );
}

/** Reads what is needed to find packages by these names, and finds them. */
type PackageSource = (names: ReadonlySet<string>) => Promise<(name: string) => readonly QuerySubject[]>;

function releasePackages(catalog: Catalog, release: string, codenames: readonly CodenameSpec[]): PackageSource {
  const publications = codenames.flatMap(({ codename, format, independent }) =>
    [integratedPrefix(format), ...independent.map(({ dest }) => independentPrefix(format, dest))].flatMap(
      (prefix) => catalog.publications.find(prefix, distributionName(release, codename)) ?? [],
    ),
  );
  return contentPackages(catalog, publications.flatMap((publication) => publishedContents(catalog, publication)));
}

interface Held {
  readonly format: string;
  readonly content: Content;
}

function publishedContents(catalog: Catalog, { components }: Publication): Held[] {
  return components.map(({ snapshot }) => catalog.snapshots.get(snapshot));
}

function contentPackages(catalog: Catalog, held: readonly Held[]): PackageSource {
  return async () => {
    const formats = [...new Set(held.map(({ format }) => format))];
    const universes = formats.map((id) => {
      const contents = held.filter(({ format }) => format === id).map(({ content }) => content);
      return openPackages(catalog, formatOf(id), contents).universe;
    });
    return (name) => universes.flatMap((universe) => universe.named(name));
  };
}

interface BasePlace {
  readonly catalog: Catalog;
  readonly root: string;
  readonly ctx: Context;
}

/** A mirror's name, a publication's prefix and distribution, or a path of Packages files whose last part may be a glob. */
function basePackages(base: string, { catalog, root, ctx }: BasePlace): PackageSource {
  const mirror = catalog.mirrors.get(base);
  if (mirror !== undefined) return contentPackages(catalog, [mirror]);
  const publication = catalog.publications.find(dirname(base), basename(base));
  if (publication !== undefined) return contentPackages(catalog, publishedContents(catalog, publication));
  const files = matchingFiles(isAbsolute(base) ? base : join(root, base));
  if (files.length > 0) return indexFiles(files, ctx);
  throw new ArtifactsError('E_CONFIG', `completeness.base: ${JSON.stringify(base)} is no updated mirror, no publication and no file`, {
    hint: 'Name a mirror, a publication as prefix/distribution, or a path of Packages files.',
  });
}

function matchingFiles(path: string): string[] {
  const pattern = compileGlob(basename(path));
  if (!pattern.ok) return [];
  try {
    return readdirSync(dirname(path))
      .filter(pattern.test)
      .map((name) => join(dirname(path), name))
      .filter((file) => statSync(file).isFile())
      .sort();
  } catch {
    return []; // no such folder: told as no such file
  }
}

/** Packages files of apt repositories, of which only the wanted packages are kept in memory. */
function indexFiles(files: readonly string[], ctx: Context): PackageSource {
  return async (names) => {
    const format = formatOf('apt');
    const found = new Map<string, QuerySubject[]>();
    for (const file of files) {
      const index = { name: file, kind: 'packages', offers: [], plain: { size: 0, sha256: EMPTY_SHA256 } };
      for await (const batch of format.upstream.readIndex(index, plainBytes(file, ctx))) {
        for (const { record } of batch) keepWanted(found, format.subject(record), names);
      }
    }
    return (name) => found.get(name) ?? [];
  };
}

/** apt keeps its own lists in lz4, which no repository uses; its helper unpacks them. */
function plainBytes(file: string, { signal }: Context): AsyncIterable<Buffer> {
  return file.endsWith('.lz4') ? aptList(file, signal) : unpackFile(file, packingOf(file), signal);
}

async function* aptList(file: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const running = startCommand('/usr/lib/apt/apt-helper', ['cat-file', file], { signal });
  running.stdin.end();
  for await (const chunk of running.stdout) yield chunk as Buffer;
  await running.ended;
}

function keepWanted(found: Map<string, QuerySubject[]>, subject: QuerySubject, names: ReadonlySet<string>): void {
  for (const { name } of subject.capabilities) {
    if (!names.has(name)) continue;
    const known = found.get(name);
    if (known === undefined) found.set(name, [subject]);
    else known.push(subject);
  }
}
