/** A node of a dependency graph; `needs` are ids of other nodes. */
export interface GraphNode {
  readonly id: string;
  readonly needs: readonly string[];
}

/** The nodes so that each comes after what it needs; otherwise in the order given. Throws on a cycle or an unknown id. */
export function sortGraph<N extends GraphNode>(nodes: readonly N[]): N[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const sorted: N[] = [];
  const state = new Map<string, 'visiting' | 'done'>();
  const visit = (node: N, path: readonly string[]): void => {
    if (state.get(node.id) === 'done') return;
    if (state.get(node.id) === 'visiting') throw new Error(`Dependency cycle: ${[...path, node.id].join(' -> ')}`);
    state.set(node.id, 'visiting');
    for (const id of node.needs) {
      const needed = byId.get(id);
      if (needed === undefined) throw new Error(`${node.id} needs ${id}, which is not in the graph`);
      visit(needed, [...path, node.id]);
    }
    state.set(node.id, 'done');
    sorted.push(node);
  };
  for (const node of nodes) visit(node, []);
  return sorted;
}

/**
 * Runs `work` for each node once all it needs have run, at most `limit` at a time. How a node ended is its result, and
 * what becomes of its dependents is for `work` to decide from the results it is given. What `work` throws is thrown here,
 * the first of it, when nothing runs any more; what needs the node is not begun.
 */
export async function runGraph<N extends GraphNode, R>(
  nodes: readonly N[],
  limit: number,
  work: (node: N, needed: readonly R[]) => Promise<R>,
): Promise<Map<string, R>> {
  const results = new Map<string, Promise<R>>();
  const acquire = semaphore(limit);
  for (const node of sortGraph(nodes)) {
    const needed = node.needs.map((id) => results.get(id) as Promise<R>);
    const run = async (): Promise<R> => {
      const inputs = await Promise.all(needed);
      const release = await acquire();
      try {
        return await work(node, inputs);
      } finally {
        release();
      }
    };
    results.set(node.id, run());
  }
  await Promise.allSettled(results.values());
  const ended = new Map<string, R>();
  for (const [id, result] of results) ended.set(id, await result);
  return ended;
}

function semaphore(limit: number): () => Promise<() => void> {
  let free = limit;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    return release;
  };
}
