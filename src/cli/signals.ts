import { setMaxListeners } from 'node:events';
import { EXIT_CANCELLED } from './exit-status.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How a run learns that it should stop. Disposing of it gives the signals back to the system. */
export interface Cancellation extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * The first signal asks the run to stop, which leaves at most temporary files behind; `onCancel` may tell the user. The
 * second one ends the process at once, which every step of the program survives.
 */
export function cancelOnSignals(onCancel: () => void): Cancellation {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // every download in flight listens
  const listener = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_CANCELLED);
    onCancel();
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, listener);
    },
  };
}
