/**
 * The test rig: what tests of every folder share. Temporary folders, small real packages, signed upstreams, a server
 * with faults, the program itself and real clients. It uses nothing of src but types, so that it can bear witness.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../src/core/context.ts';
import type { Event } from '../../src/core/event.ts';

export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** A path inside the folder. */
  join(...parts: readonly string[]): string;
}

/** A new empty folder that is removed, with everything in it, at the end of the scope: `await using dir = await tempDir()`. */
export async function tempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), 'artifacts-test-'));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

export interface TestContext extends Context {
  /** All that was reported, in order. */
  readonly events: readonly Event[];
  /** The messages of the warnings among them. */
  warnings(): readonly string[];
  /** Cancels `signal`. */
  abort(reason?: unknown): void;
}

/** A context that remembers what is reported to it and can be cancelled. */
export function testContext(): TestContext {
  const events: Event[] = [];
  const controller = new AbortController();
  return {
    signal: controller.signal,
    report: (event) => void events.push(event),
    events,
    warnings: () => events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
    abort: (reason) => controller.abort(reason),
  };
}
