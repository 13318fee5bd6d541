import type { ErrorCode } from '../core/errors.ts';
import type { Context } from '../core/context.ts';
import type { Pushed } from '../release/push.ts';
import { counted } from '../util/counted.ts';
import type { App } from './app.ts';
import { defineOperation } from './operation.ts';
import { pushTools, targetsOf } from './target-access.ts';
import { table } from './text.ts';

export const push = defineOperation({
  name: 'push',
  summary: 'Copy a release to targets and switch them to it',
  description: `Copies the latest complete build, by its manifest, to the targets of vars/, or those named. What nobody is
pointed to yet comes first; only when all targets have everything are their links switched, and the list of
complete releases last of all. A push that stops anywhere leaves what is served as it was; run it again.

Other publishers of a target are waited for. Old copies stay for readers in the middle of them, until
"target cleanup" removes them. What was transferred is listed in logs/push/ of the state.`,
  example: `$ artifacts push --release r1.0.0
TARGET  STATE     COPIED  SWITCHED
east    switched  58      4
west    switched  58      4
Release r1.0.0 is pushed: 20261121T031500Z.`,
  arguments: {},
  options: {
    release: { kind: 'text', value: 'NAME', summary: 'the release to push', required: true },
    to: { kind: 'list', value: 'TARGET', summary: 'only these targets' },
    dryRun: { kind: 'flag', summary: 'only show what would be pushed and where; connects to nothing' },
  },
  run: async (app, { release, to, dryRun }, ctx) => runPush(app, { release, to, dryRun }, ctx),
  render: renderPush,
  verdict: pushVerdict,
});

export interface PushInput {
  readonly release: string;
  readonly to?: readonly string[] | undefined;
  readonly dryRun: boolean;
}

/** A build of the release that is under way is waited for. */
export async function runPush(app: App, { release, to, dryRun }: PushInput, ctx: Context): Promise<Pushed> {
  const { planPush, pushRelease } = await import('../release/push.ts');
  const targets = await targetsOf(app, to);
  const tools = await pushTools(app);
  if (dryRun) return planPush(release, targets, tools);
  return (await app.locks()).hold(`release-${release}`, ctx, () => pushRelease(release, targets, tools, ctx));
}

export function renderPush({ release, build, files, bytes, targets }: Pushed): string {
  const rows = targets.map(({ name, state, copied, switched, error }) => [name, state, String(copied), error?.message ?? String(switched.length)]);
  const all = targets.every(({ state }) => state !== 'failed');
  const planned = targets.some(({ state }) => state === 'planned');
  const last = planned
    ? `${counted(files, 'file')}, ${bytes} bytes would be pushed: ${release} ${build}.`
    : all
      ? `Release ${release} is pushed: ${build}.`
      : `Release ${release} is not pushed everywhere: run the same command again.`;
  return [table(['TARGET', 'STATE', 'COPIED', 'SWITCHED'], rows), last].join('\n');
}

export function pushVerdict({ targets }: Pushed): ErrorCode | undefined {
  return targets.some(({ state }) => state === 'failed') ? 'E_PARTIAL' : undefined;
}
