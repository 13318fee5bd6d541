import test from 'ava';
import { dropOrder, planPrune, type PrunableSnapshot } from '../../src/retention/plan.ts';
import type { RetentionRule } from '../../src/retention/policy.ts';

const DAY = 86_400_000;
const NOW = new Date('2026-03-01T00:00:00Z');

function daily(count: number, prefix = 'd', first = 1): PrunableSnapshot[] {
  return Array.from({ length: count }, (_, age) => ({
    id: first + count - 1 - age,
    name: `${prefix}-${String(age).padStart(2, '0')}`,
    createdAt: new Date(NOW.getTime() - age * DAY).toISOString(),
    sources: [],
  }));
}

function dropped(snapshots: readonly PrunableSnapshot[], rules: readonly RetentionRule[], needed = new Map<number, string>()): string[] {
  return planPrune(snapshots, { rules, needed, now: NOW }).filter(({ action }) => action === 'drop').map(({ name }) => name);
}

test('the newest stay, or the young, or whatever is either', (t) => {
  t.deepEqual(dropped(daily(5), [{ pattern: '*', keep: 3 }]), ['d-03', 'd-04']);
  t.deepEqual(dropped(daily(5), [{ pattern: '*', olderThan: 2 * DAY }]), ['d-02', 'd-03', 'd-04']);
  t.deepEqual(dropped(daily(5), [{ pattern: '*', keep: 1, olderThan: 3 * DAY }]), ['d-03', 'd-04']);
  t.deepEqual(dropped(daily(5), [{ pattern: '*', keep: 4, olderThan: 1 }]), ['d-04']);
  t.deepEqual(dropped(daily(3), [{ pattern: '*', keep: 0 }]), ['d-00', 'd-01', 'd-02']);
});

test('the first rule that fits decides, and what none is about stays', (t) => {
  const snapshots = [...daily(3, 'a'), ...daily(3, 'b', 10), ...daily(2, 'c', 20)];

  t.deepEqual(dropped(snapshots, [{ pattern: 'a-*', keep: 2 }, { pattern: '[ab]-*', keep: 1 }]), ['a-02', 'b-01', 'b-02']);
});

test('what was set aside under its date is counted for each name', (t) => {
  const aside = ['a', 'b'].flatMap((name, at) => daily(3, name, 1 + 10 * at).map((snapshot) => ({ ...snapshot, name: snapshot.name.replace('-', '@') })));

  const plan = planPrune(aside, { rules: [{ pattern: '*@*', keep: 2 }], needed: new Map(), now: NOW });

  t.deepEqual(plan.filter(({ action }) => action === 'drop').map(({ name, reason }) => [name, reason]), [
    ['a@02', 'not one of the 2 newest of a@*'],
    ['b@02', 'not one of the 2 newest of b@*'],
  ]);
});

test('what is needed stays, and what it was made from, to the bottom', (t) => {
  const [top, middle, bottom, other] = daily(4);
  const chain = [{ ...top!, sources: [middle!.id] }, { ...middle!, sources: [bottom!.id] }, bottom!, other!];

  const plan = planPrune(chain, { rules: [{ pattern: '*', keep: 0 }], needed: new Map([[top!.id, 'published as p d']]), now: NOW });

  t.deepEqual(plan.map(({ name, action, reason }) => [name, action, reason]), [
    ['d-00', 'keep', 'published as p d'],
    ['d-01', 'keep', 'source of d-00'],
    ['d-02', 'keep', 'source of d-01'],
    ['d-03', 'drop', 'not one of the 0 newest of *'],
  ]);
});

test('a snapshot goes before those it was made from', (t) => {
  const [top, bottom] = daily(2);

  const plan = planPrune([bottom!, { ...top!, sources: [bottom!.id] }], { rules: [{ pattern: '*', keep: 0 }], needed: new Map(), now: NOW });

  t.deepEqual(dropOrder(plan).map(({ name }) => name), ['d-00', 'd-01']);
});

test('of two made in the same second the later one is the newer', (t) => {
  const createdAt = NOW.toISOString();

  t.deepEqual(dropped([{ id: 1, name: 'z', createdAt, sources: [] }, { id: 2, name: 'a', createdAt, sources: [] }], [{ pattern: '*', keep: 1 }]), ['z']);
});

test('a rule that would drop everything by saying nothing is refused', (t) => {
  t.throws(() => dropped(daily(1), [{ pattern: '*' }]), { message: /neither how many nor how young/ });
  t.throws(() => dropped(daily(1), [{ pattern: '[', keep: 1 }]), { message: /The pattern/ });
});
