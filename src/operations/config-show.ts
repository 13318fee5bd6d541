import { defineOperation } from './operation.ts';
import { table } from './text.ts';

export const configShow = defineOperation({
  name: 'config show',
  summary: 'Show every setting with the place it comes from',
  example: `$ artifacts config show
NAME                       VALUE            FROM
aptly_mirrors[0].name      debian-bookworm  vars/aptly.yml:3:11`,
  arguments: {},
  options: {},
  run: async (app) => (await import('../config/show.ts')).configPlaces(app.settings),
  render: (values) =>
    table(
      ['NAME', 'VALUE', 'FROM'],
      values.map(({ name, value, from }) => [name, typeof value === 'string' ? value : JSON.stringify(value), from]),
    ),
});
