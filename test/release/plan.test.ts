import test from 'ava';
import fc from 'fast-check';
import { sha256 } from '../../src/core/digest.ts';
import { planRelease, toldInputs, type ReleaseFacts } from '../../src/release/plan.ts';
import type { MirrorSpec, ReleaseSpec } from '../../src/release/spec.ts';
import { sortGraph } from '../../src/util/graph.ts';

function source(name: string, more: Partial<MirrorSpec> = {}): MirrorSpec {
  return { kind: 'mirror', name, inputs: sha256(name), description: { url: name }, update: true, resolve: () => Promise.reject(new Error('not asked')), ...more };
}

function spec(more: Partial<ReleaseSpec> = {}): ReleaseSpec {
  return {
    name: 'r1',
    series: 'r1',
    locked: false,
    codenames: [
      { codename: 'alpha', format: 'apt', mergePolicy: 'no-remove', merged: ['one', 'shared'], independent: [] },
      { codename: 'beta', format: 'apt', mergePolicy: 'no-remove', merged: ['shared'], independent: [{ source: 'two', dest: 'apart' }] },
    ],
    sources: new Map(['one', 'two', 'shared'].map((name) => [name, source(name)])),
    origin: '',
    label: '',
    architectures: ['amd64'],
    publish: true,
    kinds: [],
    tasks: [],
    ...more,
  } as ReleaseSpec;
}

/** Everything is built from these snapshots, by number. */
const SNAPSHOTS: Readonly<Record<string, number>> = {
  'slushie-r1-one': 1,
  'slushie-r1-two': 2,
  'slushie-r1-shared': 3,
  'miko-r1-alpha': 4,
  'miko-r1-beta': 5,
};

function facts(more: Partial<ReleaseFacts> = {}): ReleaseFacts {
  const published: Readonly<Record<string, number>> = { 'r1-alpha': 4, 'r1-beta': 5 };
  return {
    slushie: (name) => (SNAPSHOTS[name] === undefined ? undefined : { id: SNAPSHOTS[name], inputs: sha256(name.replace('slushie-r1-', '')) }),
    snapshot: (name) => SNAPSHOTS[name],
    mirrorInputs: (name) => sha256(name),
    mirrorDescription: (name) => ({ url: name }),
    merged: (name) => (name === 'miko-r1-alpha' ? { sources: [1, 3], policy: 'no-remove' } : { sources: [3], policy: 'no-remove' }),
    published: (prefix, distribution) => ({ snapshot: prefix.endsWith('/apart') ? 2 : published[distribution], generation: 1, expiring: false }),
    recorded: () => ({ artifacts: [], places: [] }),
    built: TOLD,
    ...more,
  } as ReleaseFacts;
}

const TOLD = toldInputs(spec(), { published: () => ({ snapshot: undefined, generation: 1 }) });

const ALL = { replace: false, codenames: [], only: [], adapt: false };
const toBuild = (plan: ReturnType<typeof planRelease>): string[] => plan.planned.filter(({ state }) => state === 'build').map(({ id }) => id);

test('with everything there, nothing is to build and no mirror is asked', (t) => {
  const plan = planRelease(spec(), facts(), ALL);

  t.deepEqual(toBuild(plan), []);
  t.true(plan.nodes.every(({ kind }) => kind !== 'mirror'));
});

test('with nothing there, everything is to build, each after what it needs', (t) => {
  const nothing = facts({ slushie: () => undefined, snapshot: () => undefined, merged: () => undefined, published: () => undefined, built: undefined });

  const plan = planRelease(spec(), nothing, ALL);

  t.is(toBuild(plan).length, plan.planned.length);
  t.deepEqual(plan.planned.map(({ id }) => id), plan.nodes.map(({ id }) => id));
  t.deepEqual(sortGraph(plan.nodes).map(({ id }) => id), plan.nodes.map(({ id }) => id));
  t.is(plan.planned.at(-1)?.id, 'manifest');
  t.true(plan.planned.every(({ replaces }) => !replaces));
});

test('a changed definition touches what leans on it and nothing else', (t) => {
  const changed = new Map([...spec().sources, ['two', source('two', { inputs: sha256('other'), description: { url: 'other' } })]]);

  const plan = planRelease(spec({ sources: changed }), facts(), ALL);

  t.deepEqual(toBuild(plan), ['mirror two', 'snapshot slushie-r1-two', 'publish apt-mirror/independent/apart r1-beta', 'manifest']);
  t.is(plan.planned.find(({ id }) => id === 'mirror two')?.reason, 'url changed');
  t.true(plan.planned.find(({ id }) => id === 'mirror two')?.replaces);
});

test('another merge policy, other sources and another served snapshot are noticed', (t) => {
  t.deepEqual(toBuild(planRelease(spec({ codenames: spec().codenames.map((one) => ({ ...one, mergePolicy: 'latest' })) }), facts(), ALL)).filter((id) => id.startsWith('merge')), ['merge miko-r1-alpha', 'merge miko-r1-beta']);
  const reordered = facts({ merged: () => ({ sources: [3, 1], policy: 'no-remove' }) });
  t.true(toBuild(planRelease(spec(), reordered, ALL)).includes('merge miko-r1-alpha'));
  const switched = facts({ published: () => ({ snapshot: 99, generation: 1, expiring: false }) });
  t.is(toBuild(planRelease(spec(), switched, ALL)).filter((id) => id.startsWith('publish')).length, 3);
});

test('what was published anew by hand, with the same packages, needs a new manifest and nothing else', (t) => {
  const again = facts({ published: (prefix, distribution) => ({ snapshot: facts().published(prefix, distribution)?.snapshot, generation: distribution === 'r1-alpha' ? 3 : 1 }) });

  t.deepEqual(toBuild(planRelease(spec(), again, ALL)), ['manifest']);
});

test('whatever is missing, a plan is closed: what needs something that is built is built too', (t) => {
  fc.assert(
    fc.property(fc.subarray(Object.keys(SNAPSHOTS)), fc.boolean(), fc.boolean(), fc.subarray(['alpha', 'beta']), (there, built, replace, codenames) => {
      const known = facts({
        slushie: (name) => (there.includes(name) ? facts().slushie(name) : undefined),
        snapshot: (name) => (there.includes(name) ? SNAPSHOTS[name] : undefined),
        merged: (name) => (there.includes(name) ? facts().merged(name) : undefined),
        built: built ? TOLD : undefined,
      });

      const { nodes, planned } = planRelease(spec(), known, { ...ALL, replace, codenames });

      const states = new Map(planned.map(({ id, state }) => [id, state]));
      for (const node of nodes) {
        if (node.needs.some((id) => states.get(id) === 'build')) t.is(states.get(node.id), 'build', node.id);
        t.true(node.needs.every((id) => states.has(id)), `${node.id} needs nothing that is not in the plan`);
      }
    }),
  );
});
