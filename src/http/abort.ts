const watchers = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `stop` when the signal aborts, unless the returned function was called before. One listener serves all watchers
 * of a signal: thousands of downloads share one signal, and adding and removing listeners for each is not free.
 */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  const set = watchers.get(signal) ?? watch(signal);
  set.add(stop);
  return () => void set.delete(stop);
}

/** Waits, or throws the reason of the signal as soon as it aborts. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(finish, milliseconds);
    const forget = onAbort(signal, finish);
    function finish(): void {
      clearTimeout(timer);
      forget();
      resolve();
    }
  });
  signal.throwIfAborted();
}

function watch(signal: AbortSignal): Set<() => void> {
  const set = new Set<() => void>();
  watchers.set(signal, set);
  const stopAll = (): void => {
    for (const stop of set) stop();
  };
  signal.addEventListener('abort', stopAll, { once: true });
  return set;
}
