/** Release files (Debian RepositoryFormat, "Release"): reading an upstream's, writing ours. */
import { posix } from 'node:path';
import { ArtifactsError } from '../../core/errors.ts';
import { parseSha256, type Sha256 } from '../../core/digest.ts';
import { pathProblem } from '../../util/safe-path.ts';
import type { Compression, IndexOffer, RootEntry, RootPlan, UpstreamIndex, UpstreamRequest, UpstreamRoot } from '../format.ts';

/** InRelease first: it cannot be torn apart from its signature. A bad one is no reason to try the other. */
export function rootEntries(request: UpstreamRequest): RootEntry[] {
  const folder = rootFolder(request);
  return [
    { kind: 'clearsigned', path: `${folder}InRelease` },
    { kind: 'detached', path: `${folder}Release`, signature: `${folder}Release.gpg` },
  ];
}

function rootFolder(request: UpstreamRequest): string {
  return `dists/${request.distribution}/`;
}

/** Reads the verified text of a Release file. Throws E_FORMAT, E_WEAK_HASH, E_SUITE or E_NOT_FOUND. */
export function readRelease(text: Buffer, request: UpstreamRequest): UpstreamRoot {
  const fields = readFields(text.toString('utf8'));
  checkSuite(fields, request);
  const validUntil = fields.get('valid-until');
  return {
    date: readDate(fields.get('date'), 'Date'),
    ...(validUntil === undefined ? {} : { validUntil: readDate(validUntil, 'Valid-Until') }),
    identity: identityOf(fields),
    indexes: chooseIndexes(fields, request),
  };
}

function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    if (/^[ \t]/.test(line)) {
      if (current === undefined) throw new ArtifactsError('E_FORMAT', 'Release begins with a continuation line');
      fields.set(current, `${fields.get(current)}\n${line.trim()}`);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0) throw new ArtifactsError('E_FORMAT', `Release has a line without a field name: ${JSON.stringify(line.slice(0, 80))}`);
    current = line.slice(0, colon).toLowerCase();
    if (fields.has(current)) throw new ArtifactsError('E_FORMAT', `Release has the field ${line.slice(0, colon)} twice`);
    fields.set(current, line.slice(colon + 1).trim());
  }
  return fields;
}

const IDENTITY = ['origin', 'label', 'suite', 'codename', 'version'] as const;

function identityOf(fields: Map<string, string>): Record<string, string> {
  const identity: Record<string, string> = {};
  for (const name of IDENTITY) {
    const value = fields.get(name);
    if (value !== undefined) identity[name] = value;
  }
  return identity;
}

/**
 * RepositoryFormat: the distribution asked for is the Suite or the Codename. For `bookworm/updates` either part will do,
 * because archives name such suites both ways. A Release that names neither cannot be compared.
 */
function checkSuite(fields: Map<string, string>, { distribution }: UpstreamRequest): void {
  const offered = ['suite', 'codename'].flatMap((name) => fields.get(name) ?? []);
  if (offered.length === 0) return;
  const asked = new Set([distribution, ...distribution.split('/').slice(0, 1)]);
  const candidates = offered.flatMap((name) => [name, ...name.split('/').slice(0, 1)]);
  if (candidates.some((name) => asked.has(name))) return;
  throw new ArtifactsError('E_SUITE', `Asked for the distribution "${distribution}" and was served "${offered.join('", "')}"`, {
    hint: 'Set `distribution` to what the upstream calls itself, if that is what you want.',
  });
}

/** RFC 5322 dates; RepositoryFormat: the zone must be UTC. */
function readDate(text: string | undefined, name: string): Date {
  if (text === undefined) throw new ArtifactsError('E_FORMAT', `Release has no ${name}`);
  const utc = /^(?:\w{3}, )?\d{1,2} \w{3} \d{4} \d{1,2}:\d{2}:\d{2} (?:UTC|GMT|Z|\+0000)$/.test(text);
  const date = new Date(text.replace(/ (UTC|Z)$/, ' GMT'));
  if (!utc || Number.isNaN(date.getTime())) {
    throw new ArtifactsError('E_FORMAT', `Release has a ${name} that is no date in UTC: ${JSON.stringify(text.slice(0, 80))}`);
  }
  return date;
}

interface Listed {
  readonly size: number;
  readonly sha256: Sha256;
}

function readListing(fields: Map<string, string>): Map<string, Listed> {
  const section = fields.get('sha256');
  if (section === undefined) {
    throw new ArtifactsError('E_WEAK_HASH', 'Release lists no SHA256 digests', {
      hint: 'MD5 and SHA-1 are refused: such an upstream cannot be verified.',
    });
  }
  const listing = new Map<string, Listed>();
  for (const line of section.split('\n')) {
    if (line.trim() === '') continue;
    const [digest = '', size = '', path = '', ...more] = line.trim().split(/\s+/);
    const sha256 = parseSha256(digest);
    if (sha256 === undefined || !/^\d{1,15}$/.test(size) || path === '' || more.length > 0) {
      throw new ArtifactsError('E_FORMAT', `Release lists ${JSON.stringify(line.slice(0, 120))}, which is no digest, size and path`);
    }
    const problem = pathProblem(path);
    if (problem !== undefined) throw new ArtifactsError('E_PATH', `Release lists the path ${JSON.stringify(path.slice(0, 120))}, which ${problem}`);
    const entry = { size: Number(size), sha256 };
    const before = listing.get(path);
    if (before !== undefined && (before.sha256 !== sha256 || before.size !== entry.size)) {
      throw new ArtifactsError('E_FORMAT', `Release lists ${path} twice with different digests`);
    }
    listing.set(path, entry);
  }
  return listing;
}

function chooseIndexes(fields: Map<string, string>, request: UpstreamRequest): UpstreamIndex[] {
  const listing = readListing(fields);
  const folder = rootFolder(request);
  const byHash = fields.get('acquire-by-hash')?.toLowerCase() === 'yes';
  const indexes: UpstreamIndex[] = [];
  for (const component of chooseComponents(fields, request)) {
    for (const architecture of chooseArchitectures(fields, request)) {
      const name = `${component}/binary-${architecture}/Packages`;
      const index = offersOf(name, listing, { folder, byHash });
      if (index !== undefined) indexes.push(index);
    }
  }
  if (indexes.length === 0) {
    throw new ArtifactsError('E_NOT_FOUND', `The upstream offers no Packages index for ${request.architectures.join(', ')}`, {
      hint: `It offers the architectures ${fields.get('architectures') ?? '(none named)'}.`,
    });
  }
  return indexes;
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

/** `updates/main` in Components stands for `main` below `bookworm/updates` (RepositoryFormat, "Components"). */
function chooseComponents(fields: Map<string, string>, request: UpstreamRequest): string[] {
  const offered = words(fields.get('components')).map((name) => posix.basename(name));
  if (request.components.length === 0) return offered;
  for (const component of request.components) {
    if (offered.length > 0 && !offered.includes(posix.basename(component))) {
      throw new ArtifactsError('E_NOT_FOUND', `The upstream offers no component "${component}"`, {
        hint: `It offers ${offered.join(', ')}.`,
      });
    }
  }
  return [...request.components];
}

/**
 * Architectures the upstream does not have are left out, since one list serves all mirrors. `all` has an index of its
 * own unless the Release says that Packages does without (No-Support-for-Architecture-all).
 */
function chooseArchitectures(fields: Map<string, string>, request: UpstreamRequest): string[] {
  const offered = words(fields.get('architectures'));
  const wanted = request.architectures.filter((name) => offered.length === 0 || offered.includes(name));
  const separateAll = offered.includes('all') && !words(fields.get('no-support-for-architecture-all')).includes('Packages');
  return separateAll && !wanted.includes('all') ? [...wanted, 'all'] : wanted;
}

/** Smallest download first; the plain file last, because it is often listed and not there. */
const COMPRESSIONS: readonly (readonly [string, Compression])[] = [
  ['.xz', 'xz'],
  ['.gz', 'gz'],
  ['.zst', 'zst'],
  ['.bz2', 'bz2'],
  ['', 'none'],
];

function offersOf(
  name: string,
  listing: Map<string, Listed>,
  { folder, byHash }: { folder: string; byHash: boolean },
): UpstreamIndex | undefined {
  const offers: IndexOffer[] = [];
  for (const [suffix, compression] of COMPRESSIONS) {
    const listed = listing.get(name + suffix);
    if (listed === undefined) continue;
    const named = `${folder}${name}${suffix}`;
    const hashed = `${folder}${posix.dirname(name)}/by-hash/SHA256/${listed.sha256}`;
    offers.push({ ...listed, compression, paths: byHash ? [hashed, named] : [named] });
  }
  const plain = listing.get(name);
  if (offers.length === 0) return undefined;
  if (plain === undefined) {
    throw new ArtifactsError('E_FORMAT', `Release lists ${name} compressed but not its plain digest`);
  }
  return { name, offers, plain };
}

/** Writes a Release file. Only SHA256: apt since 1.0 and every tool in use reads it, and nothing weaker is trusted. */
export function writeRelease(plan: RootPlan): Buffer {
  const files = plan.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const width = Math.max(1, ...files.map((file) => String(file.size).length));
  const lines = [
    `Origin: ${plan.origin}`,
    `Label: ${plan.label}`,
    `Suite: ${plan.distribution}`,
    `Codename: ${plan.distribution}`,
    `Date: ${plan.date.toUTCString().replace('GMT', 'UTC')}`,
    `Architectures: ${plan.architectures.join(' ')}`,
    `Components: ${plan.components.join(' ')}`,
    `Description: ${plan.description}`,
    'Acquire-By-Hash: yes',
    'SHA256:',
    ...files.map((file) => ` ${file.sha256} ${String(file.size).padStart(width)} ${file.path}`),
  ];
  return Buffer.from(`${lines.join('\n')}\n`);
}
