import { ArtifactsError } from '../core/errors.ts';
import type { Content, SnapshotOrigin } from '../core/snapshot.ts';
import { defineOperation } from './operation.ts';
import { declaredRepos } from './repo-access.ts';
import { viewSnapshot } from './snapshot-view.ts';
import { counted } from './text.ts';

export const snapshotCreate = defineOperation({
  name: 'snapshot create',
  summary: 'Freeze what a mirror or a local repository holds now',
  description: 'Exactly one of --from-mirror, --from-repo and --empty says what is frozen.',
  example: `$ artifacts snapshot create bookworm-2026-11-21 --from-mirror debian-bookworm
Snapshot bookworm-2026-11-21: 38 packages.`,
  arguments: { name: { summary: 'the name of the new snapshot' } },
  options: {
    fromMirror: { kind: 'text', value: 'MIRROR', summary: 'the mirror to freeze' },
    fromRepo: { kind: 'text', value: 'REPO', summary: 'the local repository to freeze' },
    empty: { kind: 'flag', summary: 'a snapshot of nothing' },
  },
  run: async (app, { name, fromMirror, fromRepo, empty }, ctx) => {
    if (Number(fromMirror !== undefined) + Number(fromRepo !== undefined) + Number(empty) !== 1) {
      throw new ArtifactsError('E_USAGE', 'Give exactly one of --from-mirror, --from-repo and --empty');
    }
    const { createSnapshot } = await import('../snapshot/snapshots.ts');
    const { requireMirrorState } = await import('../mirror/require-state.ts');
    const { DEFAULT_FORMAT, findRepo } = await import('../repo/repos.ts');
    const catalog = await app.catalog();
    const declared = fromRepo === undefined ? [] : await declaredRepos(app);
    const frozen = (): Frozen => {
      if (fromMirror !== undefined) {
        const { format, content, inputs } = requireMirrorState(catalog, fromMirror);
        return { format, content, origin: { kind: 'mirror', mirror: fromMirror, inputs } };
      }
      if (fromRepo === undefined) return { format: DEFAULT_FORMAT, content: undefined, origin: { kind: 'empty' } };
      const { format, content } = findRepo(catalog, fromRepo, declared);
      return { format, content, origin: { kind: 'repo', repo: fromRepo } };
    };
    return app.change(ctx, async () =>
      catalog.transaction(() => {
        const { format, origin, content = catalog.contents.storeMembers([]) } = frozen();
        return viewSnapshot(createSnapshot(catalog, { name, format, content, origin, now: app.clock() }));
      }),
    );
  },
  render: ({ name, packages }) => `Snapshot ${name}: ${counted(packages, 'package')}.`,
});

interface Frozen {
  readonly format: string;
  /** Undefined: nothing. */
  readonly content: Content | undefined;
  readonly origin: SnapshotOrigin;
}
