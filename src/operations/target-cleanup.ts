import type { TargetCleanup } from '../release/target-cleanup.ts';
import { defineOperation } from './operation.ts';
import { targetsOf } from './target-access.ts';
import { counted } from './text.ts';

export const targetCleanup = defineOperation({
  name: 'target cleanup',
  summary: 'Remove from targets what no build there needs any more',
  description: `Copies of builds that were replaced longer ago than publish.keep_for, and files that none of the builds left on
the target lists, whoever pushed them. What no manifest lists is not touched.`,
  example: `$ artifacts target cleanup
east: 1 build, 12 files removed.`,
  arguments: {},
  options: {
    to: { kind: 'list', value: 'TARGET', summary: 'only these targets' },
    dryRun: { kind: 'flag', summary: 'only show what would go' },
  },
  run: async (app, { to, dryRun }, ctx) => {
    const { cleanTarget } = await import('../release/target-cleanup.ts');
    const { keepFor } = (await app.config()).publish;
    const results: (TargetCleanup & { readonly target: string; readonly dryRun: boolean })[] = [];
    for (const target of await targetsOf(app, to)) {
      await using session = await target.open(ctx);
      results.push({ target: target.name, dryRun, ...(await cleanTarget(session, { now: app.clock(), keepFor, dryRun }, ctx)) });
    }
    return results;
  },
  render: (results) =>
    results
      .map(({ target, builds, files, dryRun }) => `${target}: ${counted(builds.length, 'build')}, ${counted(files.length, 'file')} ${dryRun ? 'would be removed' : 'removed'}.`)
      .join('\n'),
});
