/** A lock the kernel drops with its holder, on a file that is never removed: flock(1), for Node has none of its own. */
import type { Context } from '../core/context.ts';
import { startCommand } from '../util/run-command.ts';

/** What flock(1) ends with when somebody else holds the lock and it is told not to wait. */
const HELD = 1;

/** After this it is told that somebody waits. */
const PATIENCE = 1000;

/**
 * Runs the work while this process alone holds the file, which is made when missing. `cat` holds the lock for as long as
 * its input is open, so that it ends with this process however that ends.
 */
export async function holdFile<T>(file: string, ctx: Context, work: () => Promise<T>): Promise<T> {
  const holder = startCommand('flock', ['--exclusive', file, 'cat']);
  const told = setTimeout(() => ctx.report({ type: 'waiting', lock: file, holder: undefined }), PATIENCE);
  const giveUp = (): void => holder.kill();
  ctx.signal.addEventListener('abort', giveUp);
  try {
    holder.stdin.on('error', () => {}).write('\n');
    await Promise.race([new Promise((resolve) => void holder.stdout.once('data', resolve)), holder.ended]);
    ctx.signal.throwIfAborted();
    clearTimeout(told);
    return await work();
  } finally {
    clearTimeout(told);
    ctx.signal.removeEventListener('abort', giveUp);
    holder.stdin.end();
    await holder.ended.catch(() => {});
  }
}

/** As holdFile, if nobody holds the file now; false, and nothing done, if somebody does. */
export async function tryHoldFile(file: string, work: () => Promise<void>): Promise<boolean> {
  const holder = startCommand('flock', ['--exclusive', '--nonblock', '--conflict-exit-code', String(HELD), file, 'cat'], { accept: [HELD] });
  holder.stdin.on('error', () => {}).write('\n');
  try {
    const held = await Promise.race([new Promise((resolve) => void holder.stdout.once('data', () => resolve(true))), holder.ended.then(() => false)]);
    if (held === true) await work();
    return held === true;
  } finally {
    holder.stdin.end();
    await holder.ended.catch(() => {});
  }
}
