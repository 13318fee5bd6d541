import { defineOperation } from './operation.ts';
import { renderTransfer, transfer, TRANSFER_OPTIONS, TRANSFER_QUERIES } from './repo-transfer.ts';

export const repoImport = defineOperation({
  name: 'repo import',
  summary: 'Import packages of a mirror into a local repository',
  description: `As the mirror was last updated, described as its upstream describes them. Of rpm packages their modules and the
advisories about them come along; other metadata only as --metadata says.`,
  example: `$ artifacts repo import debian-bookworm ours 'jq' --with-deps
+ jq_1.6-2.1_amd64
+ libjq1_1.6-2.1_amd64
Repository ours: 14 packages.`,
  arguments: {
    mirror: { summary: 'the mirror' },
    repo: { summary: 'the repository' },
    queries: TRANSFER_QUERIES,
  },
  options: TRANSFER_OPTIONS,
  run: async (app, input, ctx) => {
    const { requireMirrorState } = await import('../mirror/require-state.ts');
    return transfer(
      app,
      { source: ({ catalog }) => requireMirrorState(catalog, input.mirror), origin: `mirror "${input.mirror}"`, to: input.repo },
      input,
      ctx,
    );
  },
  render: renderTransfer,
});
