import { defineOperation } from './operation.ts';
import { renderTransfer, transferBetween, TRANSFER_OPTIONS, TRANSFER_QUERIES } from './repo-transfer.ts';

export const repoCopy = defineOperation({
  name: 'repo copy',
  summary: 'Copy packages from one local repository to another',
  description: `Nothing is copied on disk. The same version with other bytes in the destination is a conflict that names both. Of
rpm packages their modules and the advisories about them come along; other metadata only as --metadata says.`,
  example: `$ artifacts repo copy ours stable 'hello' --with-deps
+ hello_2.10-3_amd64
Repository stable: 5 packages.`,
  arguments: {
    source: { summary: 'the repository to copy from' },
    dest: { summary: 'the repository to copy to' },
    queries: TRANSFER_QUERIES,
  },
  options: TRANSFER_OPTIONS,
  run: (app, input, ctx) => transferBetween(app, input, { move: false }, ctx),
  render: renderTransfer,
});
