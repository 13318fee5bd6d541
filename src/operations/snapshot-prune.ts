import { ArtifactsError } from '../core/errors.ts';
import type { RetentionRule } from '../retention/policy.ts';
import type { App } from './app.ts';
import { defineOperation } from './operation.ts';
import { table } from './text.ts';

export const snapshotPrune = defineOperation({
  name: 'snapshot prune',
  summary: 'Drop the snapshots that are neither used nor wanted any longer',
  description: `The rules are those of \`retention\` in vars/, or with --pattern, --keep or --older-than the one these make. The first
rule whose pattern fits a snapshot decides on it: the newest stay, as many as it says, and whatever is younger.
A snapshot that no rule is about stays; so does, whatever the rules say, what is published, what a release of
the configuration is made of, and what a snapshot that stays was made from.

The files leave the pool with the next \`artifacts db cleanup\`.`,
  example: `$ artifacts snapshot prune --pattern 'bookworm-*' --keep 7 --older-than 30d --dry-run
SNAPSHOT             ACTION  CREATED                   REASON
bookworm-2026-10-01  drop    2026-10-01T03:15:00.000Z  not one of the 7 newest of bookworm-*, older than 30d
bookworm-2026-11-21  keep    2026-11-21T03:15:00.000Z  one of the 7 newest of bookworm-*`,
  arguments: {},
  options: {
    pattern: { kind: 'text', value: 'GLOB', summary: 'only snapshots whose whole name fits (default: all)' },
    keep: { kind: 'integer', value: 'N', summary: 'the newest N stay; of NAME@DATE, those of each NAME' },
    olderThan: { kind: 'text', value: 'AGE', summary: 'younger ones stay: 30d, 36h' },
    dryRun: { kind: 'flag', summary: 'only show what would be dropped, and why' },
  },
  run: async (app, input, ctx) => {
    const { dropOrder, planPrune } = await import('../retention/plan.ts');
    const catalog = await app.catalog();
    const rules = await rulesFrom(app, input);
    const plan = async () => {
      const snapshots = catalog.snapshots.list().map(({ origin, ...snapshot }) => ({
        ...snapshot,
        sources: 'sources' in origin ? origin.sources.map(({ id }) => id) : [],
      }));
      return planPrune(snapshots, { rules, needed: await neededSnapshots(app), now: app.clock() });
    };
    if (input.dryRun) return { dryRun: true, snapshots: await plan() };
    return app.change(ctx, async () => {
      const decisions = await plan();
      catalog.transaction(() => {
        for (const { id } of dropOrder(decisions)) catalog.snapshots.drop(id);
      });
      return { dryRun: false, snapshots: decisions };
    });
  },
  render: ({ dryRun, snapshots }) => {
    if (snapshots.length === 0) return 'There are no snapshots.';
    const dropped = snapshots.filter(({ action }) => action === 'drop').length;
    const rows = snapshots.map(({ name, action, createdAt, reason }) => [name, action, createdAt, reason]);
    const end = `${dropped} of ${snapshots.length} snapshots ${dryRun ? 'would be dropped' : 'dropped'}.`;
    return `${table(['SNAPSHOT', 'ACTION', 'CREATED', 'REASON'], rows)}\n\n${end}`;
  },
});

interface PruneInput {
  readonly pattern: string | undefined;
  readonly keep: number | undefined;
  readonly olderThan: string | undefined;
}

async function rulesFrom(app: App, { pattern, keep, olderThan }: PruneInput): Promise<readonly RetentionRule[]> {
  if (pattern !== undefined || keep !== undefined || olderThan !== undefined) {
    return [{ pattern: pattern ?? '*', ...(keep === undefined ? {} : { keep }), ...(olderThan === undefined ? {} : { olderThan: await readAge(olderThan) }) }];
  }
  const { retention } = await app.config();
  if (retention.length > 0) return retention;
  throw new ArtifactsError('E_USAGE', 'There is no rule to prune by', {
    hint: 'Give --keep or --older-than, or declare `retention` in vars/.',
  });
}

async function readAge(text: string): Promise<number> {
  const { parseDuration } = await import('../config/values.ts');
  const parsed = parseDuration(text);
  if ('value' in parsed) return parsed.value;
  throw new ArtifactsError('E_USAGE', `--older-than: ${parsed.problem}`);
}

/** What publications serve and what releases of the configuration are made of. */
async function neededSnapshots(app: App): Promise<ReadonlyMap<number, string>> {
  const { releases, ...config } = await app.config();
  const { resolveRelease } = await import('../config/resolve-release.ts');
  const { mikoName, slushieName } = await import('../release/spec.ts');
  const { publications, snapshots } = await app.catalog();
  const needed = new Map<number, string>();
  for (const release of releases) {
    const { sources, codenames } = await resolveRelease({ releases, ...config }, release, app.machine());
    const names = [
      ...sources.map(({ name }) => slushieName(release.name, name)),
      ...codenames.map(({ codename }) => mikoName(release.name, codename)),
    ];
    for (const name of names) {
      const id = snapshots.find(name)?.id;
      if (id !== undefined) needed.set(id, `part of release ${release.name}`);
    }
  }
  for (const { prefix, distribution, components } of publications.list()) {
    for (const { snapshot } of components) needed.set(snapshot, `published as ${prefix} ${distribution}`);
  }
  return needed;
}
