import { defineOperation } from './operation.ts';
import { table } from './text.ts';

export const mirrorList = defineOperation({
  name: 'mirror list',
  summary: 'List the mirrors and what they hold',
  example: `$ artifacts mirror list
MIRROR           PACKAGES  UPSTREAM DATE         CHECKED
debian-bookworm  38        2026-11-14T10:12:33Z  2026-11-21T03:15:00Z`,
  arguments: {},
  options: {},
  run: async (app) => {
    const { mirrors } = await app.config();
    const catalog = await app.catalog();
    return mirrors.map((mirror) => {
      const state = catalog.mirrors.get(mirror.name);
      return {
        name: mirror.name,
        present: mirror.present,
        update: mirror.update,
        packages: state?.content.count ?? null,
        date: state?.root.date ?? null,
        checkedAt: state?.checkedAt ?? null,
        changedAt: state?.changedAt ?? null,
      };
    });
  },
  render: (list) =>
    list.length === 0
      ? 'There are no mirrors: declare them as aptly_mirrors or rpm_mirrors in vars/.'
      : table(
          ['MIRROR', 'PACKAGES', 'UPSTREAM DATE', 'CHECKED'],
          list.map((item) => [item.name, String(item.packages ?? '-'), item.date ?? 'never updated', item.checkedAt ?? '-']),
        ),
});
