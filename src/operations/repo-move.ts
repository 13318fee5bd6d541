import { defineOperation } from './operation.ts';
import { renderTransfer, transferBetween, TRANSFER_OPTIONS, TRANSFER_QUERIES } from './repo-transfer.ts';

export const repoMove = defineOperation({
  name: 'repo move',
  summary: 'Move packages from one local repository to another',
  description: 'Like `repo copy`, and in the same step they leave the source; metadata stays there, too.',
  example: `$ artifacts repo move ours stable 'hello (= 2.10-3)'
+ hello_2.10-3_amd64
Repository stable: 5 packages.`,
  arguments: {
    source: { summary: 'the repository to move from' },
    dest: { summary: 'the repository to move to' },
    queries: TRANSFER_QUERIES,
  },
  options: TRANSFER_OPTIONS,
  run: (app, input, ctx) => transferBetween(app, input, { move: true }, ctx),
  render: renderTransfer,
});
