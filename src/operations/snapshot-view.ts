import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import { namedPackage, type NamedPackage, type PackageNames } from '../core/package-names.ts';
import { LISTED } from '../core/package.ts';
import type { Content, Snapshot, SnapshotOrigin } from '../core/snapshot.ts';

/** A snapshot as `--json` shows it. */
export interface SnapshotView {
  readonly name: string;
  /** Digest of the content: equal for equal contents, wherever they were made. */
  readonly id: string;
  readonly format: string;
  readonly createdAt: string;
  readonly packages: number;
  readonly origin: SnapshotOrigin;
}

export function viewSnapshot({ name, content, format, createdAt, origin }: Snapshot): SnapshotView {
  return { name, id: content.digest, format, createdAt, packages: content.count, origin };
}

/** A package as `--json` shows it. */
export interface PackageView extends NamedPackage {
  readonly files: RecordHead['files'];
  /** Identity of the record: changes when the description changes. */
  readonly digest: string;
}

export function viewPackage(head: RecordHead, names: PackageNames): PackageView {
  return { ...namedPackage(head, names), files: head.files, digest: head.digest };
}

/** What is published beside the indexes, as `--json` shows it: comps, advisories, translations. */
export interface MetadataView {
  readonly name: string;
  readonly files: RecordHead['files'];
  readonly digest: string;
}

export function viewMetadata({ contents, members }: Catalog, { id }: Content): readonly MetadataView[] {
  const listed = contents.leaves(id).filter(({ partition }) => partition === LISTED);
  return listed.flatMap((leaf) => members.heads(contents.members(leaf.id))).map(({ name, files, digest }) => ({ name, files, digest }));
}

const MOST_NAMED = 8;

/** A line of `show`, where there is anything to tell: `group, modules, updateinfo`. */
export function metadataLines(metadata: readonly MetadataView[]): string[][] {
  const names = [...new Set(metadata.map(({ name }) => name))];
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return names.length === 0 ? [] : [['Metadata', `${names.slice(0, MOST_NAMED).join(', ')}${more}`]];
}

/** Where it came from, for people. */
export function describeOrigin(origin: SnapshotOrigin): string {
  switch (origin.kind) {
    case 'mirror':
      return `mirror ${origin.mirror}`;
    case 'repo':
      return `local repository ${origin.repo}`;
    case 'merge':
      return `merge (${origin.policy}) of ${origin.sources.map(({ name }) => name).join(', ')}`;
    case 'filter':
    case 'pull':
      return `${origin.kind} of ${origin.sources.map(({ name }) => name).join(', ')} by ${origin.query}`;
    case 'empty':
      return 'nothing';
    case 'import':
      return `import from ${origin.from}`;
    default:
      return origin satisfies never;
  }
}
