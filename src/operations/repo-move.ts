import { ArtifactsError } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { renderTransfer, transfer, TRANSFER_OPTIONS, TRANSFER_QUERIES } from './repo-transfer.ts';

export const repoMove = defineOperation({
  name: 'repo move',
  summary: 'Move packages from one local repository to another',
  description: 'Like `repo copy`, and in the same step they leave the source.',
  example: `$ artifacts repo move ours stable 'hello (= 2.10-3)'
+ hello_2.10-3_amd64
Repository stable: 5 packages.`,
  arguments: {
    source: { summary: 'the repository to move from' },
    dest: { summary: 'the repository to move to' },
    queries: TRANSFER_QUERIES,
  },
  options: TRANSFER_OPTIONS,
  run: async (app, input, ctx) => {
    const { findRepo } = await import('../repo/repos.ts');
    if (input.source === input.dest) throw new ArtifactsError('E_USAGE', 'Source and destination are the same repository');
    return transfer(
      app,
      {
        source: ({ catalog, declared }) => findRepo(catalog, input.source, declared),
        origin: `repository "${input.source}"`,
        to: input.dest,
        movedFrom: input.source,
      },
      input,
      ctx,
    );
  },
  render: renderTransfer,
});
