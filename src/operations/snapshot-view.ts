import type { RecordHead } from '../catalog/records.ts';
import { namedPackage, type NamedPackage, type PackageNames } from '../core/package-names.ts';
import type { Snapshot, SnapshotOrigin } from '../core/snapshot.ts';

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
