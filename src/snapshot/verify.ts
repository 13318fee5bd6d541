/** Whether what a snapshot's packages need is there. */
import type { Catalog } from '../catalog/catalog.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { formatOf } from '../formats/index.ts';
import { verify, type Missing } from '../query/closure.ts';
import { openPackages, type PackageSet } from './packages.ts';
import { chooseArchitectures, closureOptions, findSource, type Follow } from './select.ts';

export interface VerifyRequest {
  readonly snapshot: Snapshot;
  /** Where needs may be met besides the snapshot itself. */
  readonly sources: readonly Snapshot[];
  readonly follow: Follow;
}

/**
 * The needs of the snapshot's packages that neither it nor the sources meet. A need is looked at by itself: whether two
 * packages can be installed together is not asked.
 */
export function verifySnapshot(catalog: Catalog, { snapshot, sources, follow }: VerifyRequest): readonly Missing[] {
  const other = sources.find(({ format }) => format !== snapshot.format);
  if (other !== undefined) {
    throw new ArtifactsError('E_USAGE', `Snapshot "${other.name}" is ${other.format} and meets no need of ${snapshot.format}`);
  }
  const format = formatOf(snapshot.format);
  const architectures = chooseArchitectures(catalog, format, { contents: [snapshot.content], wanted: follow.architectures });
  const packages = openPackages(catalog, format, [snapshot, ...sources].map(({ content }) => content));
  const missing = verify(packages.universe, packages.eachOf(snapshot.content), closureOptions(format, { ...follow, architectures }));
  return follow.sources === true ? [...missing, ...missingSources(packages, snapshot)] : missing;
}

function missingSources(packages: PackageSet, snapshot: Snapshot): readonly Missing[] {
  const missing: Missing[] = [];
  for (const subject of packages.eachOf(snapshot.content)) {
    if (findSource(packages, subject) !== undefined) continue;
    const { name, version } = subject.source;
    missing.push({ subject, architecture: 'source', requirement: [{ name, qualifier: 'source', operator: '=', version }] });
  }
  return missing;
}
