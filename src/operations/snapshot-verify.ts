import type { ErrorCode } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { followFrom, FOLLOW_OPTIONS, missingText, viewMissing } from './queries.ts';

const { followRecommends, followSuggests, followSource, followBuild, architectures } = FOLLOW_OPTIONS;

export const snapshotVerify = defineOperation({
  name: 'snapshot verify',
  summary: 'Check that everything the packages of a snapshot need is there',
  description: `The first snapshot is checked; needs may also be met by the others. Status 3 when something is missing. Each need
is looked at by itself: whether two packages can be installed together is not asked.`,
  example: `$ artifacts snapshot verify web
1 need that nothing meets:
  nginx-light 1.22.1-9 amd64 needs nginx-common (= 1.22.1-9)`,
  arguments: { names: { summary: 'the snapshot to check, then those that may help', variadic: true } },
  options: { followRecommends, followSuggests, followSource, followBuild, architectures },
  run: async (app, input) => {
    const { requireSnapshot } = await import('../snapshot/snapshots.ts');
    const { verifySnapshot } = await import('../snapshot/verify.ts');
    const catalog = await app.catalog();
    const [first = '', ...others] = input.names;
    const request = {
      snapshot: requireSnapshot(catalog, first),
      sources: others.map((name) => requireSnapshot(catalog, name)),
      follow: followFrom({ ...input, followAllVariants: false }),
    };
    const missing = verifySnapshot(catalog, request).map(viewMissing);
    return { snapshot: first, sources: others, packages: request.snapshot.content.count, complete: missing.length === 0, missing };
  },
  render: ({ snapshot, packages, missing }) =>
    missing.length === 0 ? `Snapshot ${snapshot}: the needs of all ${packages} packages can be met.` : missingText(missing),
  verdict: ({ complete }): ErrorCode | undefined => (complete ? undefined : 'E_CHECK'),
});
