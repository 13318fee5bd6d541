import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { runGraph, sortGraph, type GraphNode } from '../../src/util/graph.ts';

/** Graphs without cycles: each node needs some of those before it, listed in any order. */
const graphs = fc
  .array(fc.array(fc.nat({ max: 20 }), { maxLength: 4 }), { minLength: 1, maxLength: 20 })
  .chain((needs) => {
    const nodes = needs.map((list, index) => ({
      id: `n${index}`,
      needs: [...new Set(list.filter((need) => need < index).map((need) => `n${need}`))],
    }));
    return fc.shuffledSubarray(nodes, { minLength: nodes.length, maxLength: nodes.length });
  });

test('each node stands behind what it needs, once', (t) => {
  fc.assert(
    fc.property(graphs, (nodes) => {
      const sorted = sortGraph(nodes).map(({ id }) => id);

      t.deepEqual(sorted.toSorted(), nodes.map(({ id }) => id).toSorted());
      t.true(nodes.every(({ id, needs }) => needs.every((need) => sorted.indexOf(need) < sorted.indexOf(id))));
    }),
  );
});

test('without needs the order is the one given', (t) => {
  const nodes = ['c', 'a', 'b'].map((id) => ({ id, needs: [] }));

  t.deepEqual(sortGraph(nodes), nodes);
});

test('a cycle and an unknown need are told', (t) => {
  t.throws(() => sortGraph([{ id: 'a', needs: ['b'] }, { id: 'b', needs: ['a'] }]), { message: /cycle: a -> b -> a/ });
  t.throws(() => sortGraph([{ id: 'a', needs: ['z'] }]), { message: /a needs z/ });
});

test('work runs once a node, with the results it needs, and never more at a time than allowed', async (t) => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.integer({ min: 1, max: 4 }), async (nodes, limit) => {
      let running = 0;
      let most = 0;
      const ran: string[] = [];
      const work = async (node: GraphNode, needed: readonly string[]): Promise<string> => {
        running += 1;
        most = Math.max(most, running);
        ran.push(node.id);
        await setImmediate();
        running -= 1;
        t.deepEqual(needed, node.needs);
        return node.id;
      };

      const results = await runGraph(nodes, limit, work);

      t.deepEqual(ran.toSorted(), nodes.map(({ id }) => id).toSorted());
      t.true([...results].every(([id, result]) => id === result));
      t.true(most <= limit);
    }),
    { numRuns: 50 },
  );
});

test('what is thrown is thrown once nothing runs any more, and what needs the node is not begun', async (t) => {
  const nodes = [
    { id: 'bad', needs: [] },
    { id: 'slow', needs: [] },
    { id: 'also bad', needs: [] },
    { id: 'behind', needs: ['bad'] },
    { id: 'last', needs: ['behind', 'slow'] },
  ];
  const ended: string[] = [];
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listen);

  const run = runGraph(nodes, 4, async ({ id }) => {
    if (id.endsWith('bad')) throw new Error(`${id} failed`);
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    ended.push(id);
  });

  await t.throwsAsync(run, { message: 'bad failed' });
  t.deepEqual(ended, ['slow']);
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  process.off('unhandledRejection', listen);
  t.deepEqual(unhandled, []);
});
