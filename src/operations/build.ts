import type { ReleaseBuild } from '../release/build.ts';
import { FAILURE_MODES, type FailureMode } from '../release/making.ts';
import type { PlannedNode } from '../release/plan.ts';
import type { Pushed } from '../release/push.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Context } from '../core/context.ts';
import type { App } from './app.ts';
import { defineOperation } from './operation.ts';
import { renderPlan, unchangedText } from './plan.ts';
import { pushVerdict, renderPush, runPush } from './push.ts';
import { targetsOf } from './target-access.ts';
import { table } from './text.ts';

type Result =
  | (ReleaseBuild & { readonly readOnly: boolean; readonly pushed?: Pushed })
  | { readonly release: string; readonly dryRun: true; readonly nodes: readonly PlannedNode[] };

export const build = defineOperation({
  name: 'build',
  summary: 'Build what is missing of a release',
  description: `Updates the mirrors the release names, freezes each, merges them per codename, publishes the merges and
what is published apart, and writes a signed manifest last. What is frozen already is not touched: a second
run does nothing and says so. A failed upstream leaves everything else as it is; the run then ends with
status 3.

With --read-only every step really runs, over a copy of the catalog and the real pool, signed by a key made
on the spot; production stays byte-identical, and no key is needed. REPLACE_ARTIFACTS=YES stands for
--replace, PUBLISH_SNAPSHOT=NO stops after the snapshots, PUSH_TO_MIRROR=YES pushes a complete release to all
targets at the end; a read-only run never pushes.`,
  example: `$ artifacts build --release r1.0.0
mirror debian-bookworm            done   38 packages, 38 files fetched
snapshot slushie-r1.0.0-debian-bookworm  done   38 packages
...
Release r1.0.0 is built: 20261121T031500Z`,
  arguments: {},
  options: {
    release: { kind: 'text', value: 'NAME', summary: 'the release to build', required: true },
    only: { kind: 'list', value: 'KIND', summary: 'only artifacts of these kinds: apt, rpm, git, python, container' },
    codename: { kind: 'list', value: 'NAME', summary: 'only these codenames' },
    replace: { kind: 'flag', summary: 'make a new revision of what exists' },
    readOnly: { kind: 'flag', summary: 'try it all, change nothing' },
    dryRun: { kind: 'flag', summary: 'only show what would be done, and why' },
    onFailure: { kind: 'choice', choices: FAILURE_MODES, summary: 'what becomes of the rest when something fails (default: continue)' },
    overrideLock: { kind: 'flag', summary: 'replace even what is locked; written to the audit log' },
  },
  run: async (app, input, ctx): Promise<Result> => {
    if (!input.readOnly || input.dryRun) return runBuild(app, input, ctx);
    await using scratch = await app.scratch();
    return await runBuild(scratch, input, ctx); // awaited here, or the scratch state goes before it is used
  },
  render: (result) => {
    if ('dryRun' in result) return renderPlan(result);
    const rows = result.nodes.map(({ id, state, detail }) => [id, state, detail]);
    const pushed = result.pushed === undefined ? [] : [renderPush(result.pushed)];
    return [table(['NODE', 'STATE', 'DETAIL'], rows), '', ...hintLines(result), verdictText(result), ...pushed].join('\n');
  },
  verdict: (result): ErrorCode | undefined => {
    if ('dryRun' in result) return undefined;
    if (result.result === 'partial') return 'E_PARTIAL';
    return result.pushed === undefined ? undefined : pushVerdict(result.pushed);
  },
});

interface BuildInput {
  readonly release: string;
  readonly only: readonly string[] | undefined;
  readonly codename: readonly string[] | undefined;
  readonly onFailure: FailureMode | undefined;
  readonly overrideLock: boolean;
  readonly replace: boolean;
  readonly readOnly: boolean;
  readonly dryRun: boolean;
}

async function runBuild(app: App, input: BuildInput, ctx: Context): Promise<Result> {
  const { checkSelection, releaseSpec } = await import('./release-spec.ts');
  const config = await app.config();
  const spec = await releaseSpec(app, input.release);
  checkSelection(spec, input);
  const options = {
    replace: input.replace || config.environment.replace === true,
    codenames: input.codename ?? [],
    only: input.only ?? [],
    adapt: input.readOnly,
    onFailure: input.onFailure ?? 'continue',
    overrideLock: input.overrideLock,
  } as const;
  for (const { file, line, message } of config.warnings) ctx.report({ type: 'warning', message: `${file}:${line}: ${message}` });
  if (input.dryRun) {
    const { planRelease } = await import('../release/plan.ts');
    const { releaseFacts } = await import('../release/facts.ts');
    const { planned } = planRelease(spec, releaseFacts(await app.peek(), spec, app.clock()), options);
    return { release: spec.name, dryRun: true, nodes: planned };
  }
  const pushes = config.environment.push === true && !input.readOnly;
  if (pushes) await targetsOf(app, undefined); // that there is none is told before anything is built
  const { buildRelease } = await import('../release/build.ts');
  const built = { ...(await buildRelease(spec, options, await app.tools(), ctx)), readOnly: input.readOnly };
  if (!pushes || built.result === 'partial' || built.build === undefined) return built;
  return { ...built, pushed: await runPush(app, { release: spec.name, dryRun: false }, ctx) };
}

function hintLines({ nodes }: ReleaseBuild): string[] {
  return nodes.flatMap(({ id, error }) => (error?.hint === undefined ? [] : [`${id}: ${error.hint}`]));
}

function verdictText({ release, result, nodes, build: id, readOnly }: ReleaseBuild & { readonly readOnly: boolean }): string {
  const tried = readOnly ? ' Nothing was changed: this was a read-only run.' : '';
  switch (result) {
    case 'unchanged':
      return unchangedText(release, nodes);
    case 'done':
      if (id === undefined) return `What was asked for of release ${release} is done; the release is not complete.${tried}`;
      return `Release ${release} is built: ${id}.${tried}`;
    case 'partial':
      return `Release ${release} is not complete: see the failed nodes above.${tried}`;
    default:
      return result satisfies never;
  }
}
