/** Under which names something can be published. */
import type { Publication } from '../catalog/publications.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { PublishingFormat } from '../formats/format.ts';

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
  const taken = Object.values(format.folders);
  if (prefix.split('/').some((part) => taken.includes(part))) {
    throw badName(prefix, `Clients find ${taken.join(' and ')} below the prefix; choose another name.`);
  }
  const nested = published.find((other) => other.prefix === prefix && isNested(other.distribution, distribution));
  if (nested !== undefined) {
    throw new ArtifactsError('E_EXISTS', `${prefix} ${distribution} would lie inside ${nested.distribution}, or the other way round`, {
      hint: 'Choose another distribution, or another prefix for it.',
    });
  }
}

function badName(name: string, hint: string): ArtifactsError {
  return new ArtifactsError('E_USAGE', `"${name}" cannot be published under that name`, { hint });
}

/** What is published as `a` is one link, so nothing can be published as `a/b` beside it. */
function isNested(a: string, b: string): boolean {
  return a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
