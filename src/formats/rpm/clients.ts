/** What kinds of clients read, by the names the configuration calls them. Without one: what all but yum of EL 7 read. */
import { ArtifactsError } from '../../core/errors.ts';
import type { ClientProfile, ListedFile, ListedForm } from '../format.ts';

/** Kinds of clients that a publication can be made for. */
export const RPM_CLIENTS = ['el7', 'el8', 'suse'] as const;

const ANY: ClientProfile = { packings: ['gz'], listedForms: () => undefined };

const PROFILES: Readonly<Record<(typeof RPM_CLIENTS)[number], ClientProfile>> = {
  // yum 3.4: neither zstd nor packed comps (createrepo_c issues 383 and 403).
  el7: { packings: ['gz'], listedForms: formsOfYum },
  // dnf: libsolv and librepo unpack zstd several times faster, and there is less of it to fetch.
  el8: { packings: ['zst'], listedForms: () => undefined },
  // zypper offers to trust the key it finds beside repomd.xml.
  suse: { packings: ['gz'], listedForms: () => undefined, keyFile: 'repomd.xml.key' },
};

/** Throws E_USAGE for a kind that nobody knows. */
export function clientProfile(clients: string | undefined): ClientProfile {
  if (clients === undefined || clients === 'any') return ANY;
  const known = RPM_CLIENTS.find((name) => name === clients);
  if (known !== undefined) return PROFILES[known];
  throw new ArtifactsError('E_USAGE', `Nobody knows rpm clients of the kind ${JSON.stringify(clients.slice(0, 40))}`, { hint: `There are ${RPM_CLIENTS.join(', ')}.` });
}

function formsOfYum({ name, packing }: ListedFile): readonly ListedForm[] | undefined {
  if (name === 'group.xml') return [{ name, packing: 'none' }, { name: 'group_gz.xml', packing: 'gz' }];
  return packing === 'none' || packing === 'gz' ? undefined : [{ name, packing: 'gz' }];
}
