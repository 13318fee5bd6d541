/** Packages with all there is to say of them. */
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import { formats, formatOf } from '../formats/index.ts';
import { compareSubjects } from '../query/universe.ts';
import { openAllPackages, openPackages, type PackageSet, type PackageSubject } from '../snapshot/packages.ts';
import { parseQueries } from '../snapshot/select.ts';
import { requireSnapshot } from '../snapshot/snapshots.ts';
import { viewPackage, type PackageView } from './snapshot-view.ts';

/** Something that holds a package. */
export interface Reference {
  readonly kind: 'mirror' | 'repo' | 'snapshot' | 'publication';
  readonly name: string;
}

export interface PackageDetails extends PackageView {
  readonly format: string;
  /** Which index it stands in. */
  readonly partition: string;
  /** Its description as published. Bytes that are no UTF-8 are shown as U+FFFD. */
  readonly stanza: string;
  readonly references?: readonly Reference[];
}

export interface ShowRequest {
  /** A word means what packages are called themselves, a query also what they provide. */
  readonly which: { readonly query: string } | { readonly word: string };
  readonly snapshot: string | undefined;
  readonly references: boolean;
}

/** By name, version and architecture; one entry for each description. Throws E_USAGE, E_NOT_FOUND. */
export async function showPackages(catalog: Catalog, { which, snapshot, references }: ShowRequest): Promise<readonly PackageDetails[]> {
  const find = finder(which);
  return packageSets(catalog, snapshot).flatMap((packages) =>
    find(packages)
      .toSorted((a, b) => compareSubjects(a, b, packages.format.compareVersions))
      .map(({ id }) => details(catalog, catalog.records.head(id), references)),
  );
}

function finder(which: ShowRequest['which']): (packages: PackageSet) => readonly PackageSubject[] {
  if ('word' in which) return (packages) => packages.called(which.word);
  const query = parseQueries([which.query]);
  return (packages) => packages.matching(query);
}

function packageSets(catalog: Catalog, snapshot: string | undefined): readonly PackageSet[] {
  if (snapshot === undefined) return Object.values(formats).map((format) => openAllPackages(catalog, format));
  const { format, content } = requireSnapshot(catalog, snapshot);
  return [openPackages(catalog, formatOf(format), [content])];
}

function details(catalog: Catalog, head: RecordHead, references: boolean): PackageDetails {
  const { format, partition } = head;
  const { names, publishing } = formatOf(format);
  const { parts, textOf } = publishing;
  const text = catalog.records.text(head.id);
  const stanza = Buffer.concat(parts.map((part) => textOf(text, part))).toString('utf8');
  return { ...viewPackage(head, names), format, partition, stanza, ...(references ? { references: referencesTo(catalog, head) } : {}) };
}

function referencesTo(catalog: Catalog, head: RecordHead): readonly Reference[] {
  const contents = new Set(catalog.contents.holding(head));
  const holds = ({ content }: { readonly content: { readonly id: number } }): boolean => contents.has(content.id);
  const snapshots = catalog.snapshots.list().filter(holds);
  const ids = new Set(snapshots.map(({ id }) => id));
  const published = catalog.publications.list().filter(({ components }) => components.some(({ snapshot }) => ids.has(snapshot)));
  return [
    ...catalog.mirrors.list().filter(holds).map(({ name }): Reference => ({ kind: 'mirror', name })),
    ...catalog.repos.list().filter(holds).map(({ name }): Reference => ({ kind: 'repo', name })),
    ...snapshots.map(({ name }): Reference => ({ kind: 'snapshot', name })),
    ...published.map(({ prefix, distribution }): Reference => ({ kind: 'publication', name: `${prefix} ${distribution}` })),
  ];
}
