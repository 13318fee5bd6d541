/**
 * Locks that the kernel drops when their holder dies: an exclusive transaction on a small database of their own, on a
 * file that is never removed. What stands beside it says to people who holds it, and is never trusted for the lock.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import type { Context } from '../core/context.ts';
import type { LockHolder } from '../core/event.ts';
import * as durable from '../util/durable.ts';
import { guarded, isBusy } from './driver-errors.ts';

const POLL_MILLISECONDS = 100;

export interface LockFolder {
  /**
   * Waits until the named lock is ours, telling who holds it; runs the work; lets go. Locks of other names are
   * independent. Not re-entrant.
   */
  hold<T>(name: string, ctx: Context, work: () => Promise<T>): Promise<T>;
  /** Whether somebody alive holds it at this moment. */
  isHeld(name: string): boolean;
}

export function openLocks(folder: string, command: string): LockFolder {
  const queues = new Map<string, Promise<void>>();
  return {
    hold: async (name, ctx, work) => {
      const leave = await enter(queues, name, ctx);
      try {
        return await holdFile(folder, { name, command, work }, ctx);
      } finally {
        leave();
      }
    },
    isHeld: (name) => isHeld(join(folder, `${name}.lock`)),
  };
}

function isHeld(file: string): boolean {
  if (!existsSync(file)) return false;
  const connection = guarded(file, () => new DatabaseSync(file, { timeout: 0 }));
  try {
    if (!guarded(file, () => tryBegin(connection))) return true;
    connection.exec('ROLLBACK');
    return false;
  } finally {
    connection.close();
  }
}

/** Work of this process takes turns without asking the kernel, and without being told that it waits for itself. */
async function enter(queues: Map<string, Promise<void>>, name: string, ctx: Context): Promise<() => void> {
  const before = queues.get(name) ?? Promise.resolve();
  let leave = (): void => {};
  const mine = new Promise<void>((resolve) => {
    leave = resolve;
  });
  queues.set(name, before.then(() => mine));
  await before;
  if (ctx.signal.aborted) leave();
  ctx.signal.throwIfAborted();
  return leave;
}

interface Holding<T> {
  readonly name: string;
  readonly command: string;
  readonly work: () => Promise<T>;
}

async function holdFile<T>(folder: string, { name, command, work }: Holding<T>, ctx: Context): Promise<T> {
  durable.makeFolder(folder);
  const connection = await acquire(folder, name, ctx);
  const note = join(folder, `${name}.json`);
  try {
    writeNote(note, command);
    return await work();
  } finally {
    rmSync(note, { force: true });
    connection.exec('ROLLBACK');
    connection.close();
  }
}

/** It only informs: a full disk must not keep anybody from cleaning up. */
function writeNote(note: string, command: string): void {
  try {
    writeFileSync(note, JSON.stringify(describeSelf(command)));
  } catch {
    rmSync(note, { force: true });
  }
}

async function acquire(folder: string, name: string, ctx: Context): Promise<DatabaseSyncInstance> {
  const file = join(folder, `${name}.lock`);
  const connection = guarded(file, () => new DatabaseSync(file, { timeout: 0 }));
  let told: string | undefined;
  try {
    while (!guarded(file, () => tryBegin(connection))) {
      const holder = readHolder(join(folder, `${name}.json`));
      const text = JSON.stringify(holder ?? null);
      if (told !== text) ctx.report({ type: 'waiting', lock: name, holder });
      told = text;
      await sleep(POLL_MILLISECONDS, undefined, { signal: ctx.signal });
    }
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function tryBegin(connection: DatabaseSyncInstance): boolean {
  try {
    connection.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}

function readHolder(note: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(note, 'utf8')) as LockHolder;
  } catch {
    return undefined; // not written yet, or just removed
  }
}

function describeSelf(command: string): LockHolder {
  return { pid: process.pid, host: hostname(), command, since: new Date().toISOString() };
}
