import { defineOperation } from './operation.ts';
import { readQueries } from './queries.ts';
import { renderFound } from './search.ts';

export const packageSearch = defineOperation({
  name: 'package search',
  summary: 'List the packages a query means among all the catalog knows',
  description: 'Also finds what no snapshot holds any more and the next `artifacts db cleanup` forgets.',
  example: `$ artifacts package search 'Name (~ ^nginx), Version (<< 1.24)'
nginx-common_1.22.1-9_all
nginx-light_1.22.1-9_amd64`,
  arguments: { query: { summary: 'which packages, in the query language or as @file' } },
  options: {},
  run: async (app, { query }) => {
    const { namedPackage } = await import('../core/package-names.ts');
    const { formats } = await import('../formats/index.ts');
    const { openAllPackages } = await import('../snapshot/packages.ts');
    const { parseQueries } = await import('../snapshot/select.ts');
    const { compareSubjects } = await import('../query/universe.ts');
    const catalog = await app.catalog();
    const parsed = parseQueries(readQueries([query]));
    const found = Object.values(formats).flatMap((format) =>
      openAllPackages(catalog, format)
        .matching(parsed)
        .toSorted((a, b) => compareSubjects(a, b, format.compareVersions))
        .map((one) => namedPackage(one, format.names)),
    );
    // One package may be described in several ways: each is a record, but here it is one package.
    return [...new Map(found.map((one) => [one.package, one])).values()];
  },
  render: renderFound,
});
