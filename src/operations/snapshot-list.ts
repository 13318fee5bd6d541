import { defineOperation } from './operation.ts';
import { describeOrigin, viewSnapshot } from './snapshot-view.ts';
import { table } from './text.ts';

export const snapshotList = defineOperation({
  name: 'snapshot list',
  summary: 'List the snapshots',
  example: `$ artifacts snapshot list
SNAPSHOT                        PACKAGES  CREATED                   FROM
slushie-r1.0.0-debian-bookworm  38        2026-11-21T03:15:00.000Z  mirror debian-bookworm`,
  arguments: {},
  options: {},
  run: async (app) => (await app.catalog()).snapshots.list().map(viewSnapshot),
  render: (list) =>
    list.length === 0
      ? 'There are no snapshots.'
      : table(
          ['SNAPSHOT', 'PACKAGES', 'CREATED', 'FROM'],
          list.map(({ name, packages, createdAt, origin }) => [name, String(packages), createdAt, describeOrigin(origin)]),
        ),
});
