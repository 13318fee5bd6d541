import { defineOperation } from './operation.ts';
import { renderFound, search, SEARCH_OPTIONS, SEARCH_QUERY } from './search.ts';

export const snapshotSearch = defineOperation({
  name: 'snapshot search',
  summary: 'List the packages of a snapshot that a query means',
  example: `$ artifacts snapshot search bookworm-2026-11-21 'Name (% nginx*), $Version (>= 1.22)'
nginx_1.22.1-9_amd64
nginx-common_1.22.1-9_all`,
  arguments: { name: { summary: 'the snapshot' }, query: SEARCH_QUERY },
  options: SEARCH_OPTIONS,
  run: async (app, input) => {
    const { requireSnapshot } = await import('../snapshot/snapshots.ts');
    const catalog = await app.catalog();
    return search(catalog, requireSnapshot(catalog, input.name), input);
  },
  render: renderFound,
});
