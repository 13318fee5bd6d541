/** Under which names something can be published. */
import { join } from 'node:path';
import type { Publication } from '../catalog/publications.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { PublishingFormat } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';

export interface PublishedNames {
  readonly prefix: string;
  readonly distribution: string;
  readonly components: Iterable<string>;
}

const PART = '[A-Za-z0-9][A-Za-z0-9+._~-]*';
const NAME = new RegExp(`^${PART}(/${PART})*$`);

/**
 * Distribution, prefix and component names stand in URLs and one-line sources. Throws E_USAGE for what cannot, and
 * E_EXISTS when the distribution would lie inside one that is published, or the other way round.
 */
export function checkNames(names: PublishedNames, format: PublishingFormat, published: readonly Publication[]): void {
  const { prefix, distribution, components } = names;
  for (const name of [prefix, distribution, ...components]) {
    if (!NAME.test(name)) throw badName(name, 'Use letters, digits and + . _ ~ - in the parts of a prefix, distribution or component.');
  }
  const taken = Object.values(format.folders).filter((folder) => folder !== '');
  if (format.folders.distributions === '' && taken.includes(distribution.split('/')[0] ?? '')) {
    throw badName(distribution, `Clients find ${taken.join(' and ')} there; choose another name.`);
  }
  if (prefix.split('/').some((part) => taken.includes(part))) {
    throw badName(prefix, `Clients find ${taken.join(' and ')} below the prefix; choose another name.`);
  }
  const link = linkPath({ prefix, distribution }, format);
  const nested = published.find((other) => {
    const theirs = linkPath(other, formatOf(other.format).publishing);
    return isNested(theirs, link) || prefix.startsWith(`${theirs}/`) || other.prefix.startsWith(`${link}/`) || prefix === theirs || other.prefix === link;
  });
  if (nested !== undefined) {
    throw new ArtifactsError('E_EXISTS', `${prefix} ${distribution} would lie inside ${nested.distribution}, or the other way round`, {
      hint: 'Choose another distribution, or another prefix for it.',
    });
  }
}

function linkPath({ prefix, distribution }: Pick<PublishedNames, 'prefix' | 'distribution'>, { folders }: PublishingFormat): string {
  return join(prefix, folders.distributions, distribution);
}

function badName(name: string, hint: string): ArtifactsError {
  return new ArtifactsError('E_USAGE', `"${name}" cannot be published under that name`, { hint });
}

/** What is published as `a` is one link, so nothing can be published as `a/b` beside it. */
function isNested(a: string, b: string): boolean {
  return a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
