import type { PlannedNode } from '../release/plan.ts';
import { defineOperation } from './operation.ts';
import { table } from './text.ts';

export const plan = defineOperation({
  name: 'plan',
  summary: 'Show what a build of a release would do, and why',
  description: 'Asks nobody and changes nothing. A changed filter or URL shows here before the next build takes it up.',
  example: `$ artifacts plan --release r1.0.0
NODE                                     STATE  REASON
mirror debian-bookworm                   build  filter changed
snapshot slushie-r1.0.0-debian-bookworm  build  filter changed
merge miko-r1.0.0-bookworm               build  snapshot slushie-r1.0.0-debian-bookworm is made anew`,
  arguments: {},
  options: {
    release: { kind: 'text', value: 'NAME', summary: 'the release', required: true },
    codename: { kind: 'list', value: 'NAME', summary: 'only these codenames' },
    replace: { kind: 'flag', summary: 'as if everything were to be made anew' },
  },
  run: async (app, input) => {
    const { releaseSpec } = await import('./release-spec.ts');
    const { planRelease } = await import('../release/plan.ts');
    const { releaseFacts } = await import('../release/facts.ts');
    const config = await app.config();
    const spec = await releaseSpec(app, input.release);
    const options = { replace: input.replace || config.environment.replace === true, codenames: input.codename ?? [] };
    const { planned } = planRelease(spec, releaseFacts(await app.peek(), spec.name, app.clock()), options);
    return { release: spec.name, nodes: planned };
  },
  render: (result) => renderPlan(result),
});

/** The plan as a table, with a last line that says whether there is anything to do. */
export function renderPlan({ release, nodes }: { readonly release: string; readonly nodes: readonly PlannedNode[] }): string {
  const rows = nodes.map(({ id, state, reason }) => [id, state, reason]);
  const open = nodes.filter(({ state }) => state === 'build').length;
  const end = open === 0 ? `Release ${release} is built and unchanged: nothing to do.` : `${open} of ${nodes.length} nodes to build.`;
  return `${table(['NODE', 'STATE', 'REASON'], rows)}\n\n${end}`;
}
