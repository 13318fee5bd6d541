import { defineOperation } from './operation.ts';
import { viewPublication } from './publish-view.ts';
import { table } from './text.ts';

export const publishList = defineOperation({
  name: 'publish list',
  summary: 'List what is published',
  description: 'An expiry marked near or past wants `artifacts publish update`: clients refuse what has expired.',
  example: `$ artifacts publish list
PREFIX                 DISTRIBUTION     COMPONENTS                 PUBLISHED                 EXPIRES
apt-mirror/integrated  r1.0.0-bookworm  main=miko-r1.0.0-bookworm  2026-11-21T03:15:02.000Z  2026-12-21T03:15:02.000Z`,
  arguments: {},
  options: {},
  run: async (app) => {
    const catalog = await app.catalog();
    return catalog.publications.list().map((publication) => viewPublication(catalog, publication, app.clock()));
  },
  render: (list) =>
    list.length === 0
      ? 'Nothing is published.'
      : table(
          ['PREFIX', 'DISTRIBUTION', 'COMPONENTS', 'PUBLISHED', 'EXPIRES'],
          list.map(({ prefix, distribution, components, publishedAt, validUntil, expires }) => [
            prefix,
            distribution,
            components.map(({ component, snapshot }) => `${component}=${snapshot}`).join(' '),
            publishedAt,
            validUntil === null ? 'never' : `${validUntil}${expires === 'valid' ? '' : ` (${expires})`}`,
          ]),
        ),
});
