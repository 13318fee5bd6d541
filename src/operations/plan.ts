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
    only: { kind: 'list', value: 'KIND', summary: 'only artifacts of these kinds: apt, rpm, git, python, container' },
    codename: { kind: 'list', value: 'NAME', summary: 'only these codenames' },
    replace: { kind: 'flag', summary: 'as if everything were to be made anew' },
    graph: { kind: 'flag', summary: 'draw the nodes and what each needs, in Mermaid' },
  },
  run: async (app, input) => {
    const { checkSelection, releaseSpec } = await import('./release-spec.ts');
    const { planRelease } = await import('../release/plan.ts');
    const { releaseFacts } = await import('../release/facts.ts');
    const config = await app.config();
    const spec = await releaseSpec(app, input.release);
    checkSelection(spec, input);
    const replace = input.replace || config.environment.replace === true;
    const options = { replace, codenames: input.codename ?? [], only: input.only ?? [], adapt: false };
    const { nodes, planned } = planRelease(spec, releaseFacts(await app.peek(), spec, app.clock()), options);
    const needs = new Map(nodes.map((node) => [node.id, node.needs]));
    return { release: spec.name, graph: input.graph, nodes: planned.map((node) => ({ ...node, needs: needs.get(node.id) ?? [] })) };
  },
  render: (result) => (result.graph ? drawPlan(result.nodes) : renderPlan(result)),
});

/** The plan as a table, with a last line that says whether there is anything to do. */
/** A release is complete by its manifest; a plan of some kinds of it has none before the others are there. */
export function unchangedText(release: string, nodes: readonly { readonly id: string }[]): string {
  const subject = nodes.some(({ id }) => id === 'manifest') ? `Release ${release}` : `What was asked for of release ${release}`;
  return `${subject} is built and unchanged: nothing to do.`;
}

export function renderPlan({ release, nodes }: { readonly release: string; readonly nodes: readonly PlannedNode[] }): string {
  const rows = nodes.map(({ id, state, reason }) => [id, state, reason]);
  const open = nodes.filter(({ state }) => state === 'build').length;
  const blocked = nodes.some(({ state }) => state === 'blocked');
  const end = open === 0 && !blocked ? unchangedText(release, nodes) : `${open} of ${nodes.length} nodes to build.`;
  return `${table(['NODE', 'STATE', 'REASON'], rows)}\n\n${end}`;
}

/** Mermaid: an arrow from each node to those that need it; what is to be made is round, what is blocked slanted. */
function drawPlan(nodes: readonly (PlannedNode & { readonly needs: readonly string[] })[]): string {
  const number = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const shape = { fresh: ['[', ']'], build: ['([', '])'], blocked: ['[/', '/]'] } as const;
  return [
    'flowchart LR',
    ...nodes.map(({ id, state }) => `  ${number.get(id)}${shape[state][0]}"${id}: ${state}"${shape[state][1]}`),
    ...nodes.flatMap(({ id, needs }) => needs.map((need) => `  ${number.get(need)} --> ${number.get(id)}`)),
  ].join('\n');
}
