import type { ErrorCode } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { counted } from './text.ts';

export const dbCheck = defineOperation({
  name: 'db check',
  summary: 'Check that catalog, pool and published trees are whole and agree',
  description: `Finds damage of the database, files missing from the pool or of the wrong size, publications that are not
served, files missing from published trees. With --deep every file is read and hashed as well. Mirrors that
need a lost file are marked, so that their next update fetches it again. Status 3 when anything is found.`,
  example: `$ artifacts db check
38 records, 38 files, 1 publication: no problems.`,
  arguments: {},
  options: { deep: { kind: 'flag', summary: 'read and hash every file' } },
  run: async (app, { deep }, ctx) => {
    const { checkState } = await import('../publish/check.ts');
    return checkState({ ...(await app.tools()), deep }, ctx);
  },
  render: ({ problems, records, files, publications }) =>
    [
      ...problems,
      `${counted(records, 'record')}, ${counted(files, 'file')}, ${counted(publications, 'publication')}: ${
        problems.length === 0 ? 'no problems' : counted(problems.length, 'problem')
      }.`,
    ].join('\n'),
  verdict: ({ ok }): ErrorCode | undefined => (ok ? undefined : 'E_CHECK'),
});
