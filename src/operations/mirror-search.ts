import { defineOperation } from './operation.ts';
import { renderFound, search, SEARCH_OPTIONS, SEARCH_QUERY } from './search.ts';

export const mirrorSearch = defineOperation({
  name: 'mirror search',
  summary: 'List the packages of a mirror that a query means',
  example: `$ artifacts mirror search debian-bookworm 'Section (= web), Priority (= optional)'
nginx-light_1.22.1-9_amd64`,
  arguments: { name: { summary: 'the mirror' }, query: SEARCH_QUERY },
  options: SEARCH_OPTIONS,
  run: async (app, input) => {
    const { requireMirrorState } = await import('../mirror/require-state.ts');
    const catalog = await app.catalog();
    return search(catalog, requireMirrorState(catalog, input.name), input);
  },
  render: renderFound,
});
