/** An upstream's Release file (Debian RepositoryFormat, "Release"). */
import { ArtifactsError } from '../../core/errors.ts';
import type { RootEntry, UpstreamRequest, UpstreamRoot } from '../format.ts';
import { chooseBundles, chooseFiles, chooseIndexes, isFlat } from './choose-indexes.ts';
import { readListing } from './release-listing.ts';

/** InRelease first: it cannot be torn apart from its signature. A bad one is no reason to try the other. */
export function rootEntries(request: UpstreamRequest): RootEntry[] {
  const folder = rootFolder(request);
  return [
    { kind: 'clearsigned', path: `${folder}InRelease` },
    { kind: 'detached', path: `${folder}Release`, signature: `${folder}Release.gpg` },
  ];
}

function rootFolder(request: UpstreamRequest): string {
  if (!isFlat(request)) return `dists/${request.distribution}/`;
  return request.distribution.replace(/^(\.?\/)+/, '');
}

/** Reads the verified text of a Release file. Throws E_FORMAT, E_WEAK_HASH, E_SUITE or E_NOT_FOUND. */
export function readRelease(text: Buffer, request: UpstreamRequest): UpstreamRoot {
  const fields = readFields(text.toString('utf8'));
  checkSuite(fields, request);
  const release = { fields, listing: readListing(fields.get('sha256')), folder: rootFolder(request) };
  const validUntil = fields.get('valid-until');
  return {
    date: readDate(fields.get('date'), 'Date'),
    ...(validUntil === undefined ? {} : { validUntil: readDate(validUntil, 'Valid-Until') }),
    identity: identityOf(fields),
    indexes: chooseIndexes(release, request),
    files: chooseFiles(release, request),
    bundles: chooseBundles(release, request),
  };
}

/** Fields of a Release by lower-case name, continuation lines joined with newlines. Throws E_FORMAT. */
export function readFields(text: string): Map<string, string> {
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
 * because archives name such suites both ways. A Release that names neither, and a flat repository, cannot be
 * compared.
 */
function checkSuite(fields: Map<string, string>, { distribution }: UpstreamRequest): void {
  const offered = ['suite', 'codename'].flatMap((name) => fields.get(name) ?? []);
  if (offered.length === 0 || distribution.endsWith('/')) return;
  const asked = new Set([distribution, ...distribution.split('/').slice(0, 1)]);
  const candidates = offered.flatMap((name) => [name, ...name.split('/').slice(0, 1)]);
  if (candidates.some((name) => asked.has(name))) return;
  throw new ArtifactsError('E_SUITE', `Asked for the distribution "${distribution}" and was served "${offered.join('", "').slice(0, 200)}"`, {
    hint: 'Set `distribution` to what the upstream calls itself, if that is what you want.',
  });
}

/** RFC 5322 dates; RepositoryFormat: the zone must be UTC. */
export function readDate(text: string | undefined, name: string): Date {
  if (text === undefined) throw new ArtifactsError('E_FORMAT', `Release has no ${name}`);
  const [, day] = /^(?:\w{3}, )?(\d{1,2}) \w{3} \d{4} \d{1,2}:\d{2}:\d{2} (?:UTC|GMT|Z|\+0000)$/.exec(text) ?? [];
  const date = new Date(text.replace(/ (UTC|Z)$/, ' GMT'));
  // 31 Feb would be taken for 3 Mar.
  if (date.getUTCDate() !== Number(day)) {
    throw new ArtifactsError('E_FORMAT', `Release has a ${name} that is no date in UTC: ${JSON.stringify(text.slice(0, 80))}`);
  }
  return date;
}
