import { join } from 'node:path';
import type { Publication } from '../catalog/publications.ts';
import type { RepoFormat } from '../formats/format.ts';
import { defineOperation } from './operation.ts';
import { findPublication, SHOWN_PREFIX, viewPublication, type PublicationView } from './publish-view.ts';

export const publishShow = defineOperation({
  name: 'publish show',
  summary: 'Show a publication and how clients reach it',
  description: `Clients reach it under the URL by which its folder is served (or file: and the folder itself), and trust it by
the key in that folder. For apt that is a source line, for dnf and zypper a baseurl for each architecture. What is served
as its upstream signed it (Exact) is trusted by the upstream's key, which lies beside it.`,
  example: `$ artifacts publish show r1.0.0-bookworm
Distribution:  r1.0.0-bookworm
Components:    main=miko-r1.0.0-bookworm (38 packages)
Folder:        /srv/artifacts/public
Key:           apt-mirror/release-signing-key.asc
Source line:   deb [signed-by=KEY] URL/apt-mirror/integrated r1.0.0-bookworm main`,
  arguments: {
    distribution: { summary: 'the distribution' },
    prefix: { summary: SHOWN_PREFIX, optional: true },
  },
  options: {},
  run: async (app, { distribution, prefix }) => {
    const catalog = await app.catalog();
    const publication = findPublication(catalog, prefix, distribution);
    const { keyPath } = await import('../publish/layout.ts');
    const { publications } = catalog;
    const generations = publications.generations(publication.prefix, publication.distribution);
    const { formatOf } = await import('../formats/index.ts');
    const view = viewPublication(catalog, publication, app.clock());
    const clientLines = formatOf(view.format).publishing.clientLines({ ...view, components: view.components.map(({ component }) => component) });
    const upstreamKeys = exactKeys(publication, formatOf(view.format));
    return { ...view, folder: app.publicRoot, key: keyPath(publication.prefix), upstreamKeys, generations: generations.length, clientLines };
  },
  render: (publication) => {
    const { prefix, distribution, components } = publication;
    const lines = [
      ['Distribution', distribution],
      ['Prefix', prefix],
      ['Components', components.map((item) => `${item.component}=${item.snapshot} (${item.packages} packages)`).join(', ')],
      ['Architectures', publication.architectures.join(' ')],
      ['Published', `${publication.publishedAt}, generation ${publication.generation} (${publication.generations} kept)`],
      ['Signed by', publication.upstreamKeys.length === 0 ? publication.signedBy.join(', ') : 'its upstream'],
      ...fieldLines(publication),
      ['Folder', publication.folder],
      ...(publication.upstreamKeys.length === 0 ? [publication.key] : publication.upstreamKeys).map((key) => ['Key', key]),
      ...publication.clientLines.map(({ label, line }) => [label, line]),
    ];
    return lines.map(([name, value]) => `${`${name}:`.padEnd(15)}${value}`).join('\n');
  },
});

/** Keys of the upstreams whose signatures are served, below the public folder. */
function exactKeys({ prefix, distribution, components, spec }: Publication, { publishing, exact }: RepoFormat): string[] {
  const seats = publishing.seats(components.map(({ component }) => component), spec.architectures);
  const signedElsewhere = seats.filter(({ component }) => component !== undefined && spec.exact?.includes(component) === true);
  return signedElsewhere.map(({ base = '' }) => join(prefix, publishing.folders.distributions, distribution, base, exact?.keyPath ?? ''));
}

function fieldLines({ fields, repos, exact, validUntil, expires }: PublicationView): string[][] {
  const { suite, codename, version, description, notAutomatic, butAutomaticUpgrades, pinKeys, contents, clients } = fields;
  const said: readonly (readonly [string, string | undefined])[] = [
    ['Suite', suite],
    ['Codename', codename],
    ['Version', version],
    ['Description', description],
    ['Automatic', notAutomatic === true ? `no${butAutomaticUpgrades === true ? ', but its upgrades' : ''}` : undefined],
    ['Valid until', validUntil === null ? undefined : `${validUntil}${expires === 'valid' ? '' : ` (${expires})`}`],
    ['Pins its keys', pinKeys === true ? 'yes' : undefined],
    ['File lists', contents === true ? 'yes' : undefined],
    ['Clients', clients],
    ['Exact', exact.join(', ') || undefined],
    ['Follows', Object.entries(repos).map(([component, repo]) => `${component}=${repo}`).join(', ') || undefined],
  ];
  return said.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}
