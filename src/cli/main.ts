/** Entry of the program: the real operations, the real process. Whoever else wants to call the command line imports cli.ts. */
import { readFileSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { operations } from '../operations/index.ts';
import type { ReadingTask } from '../repo/read-in-threads.ts';
import { runThread } from '../util/thread.ts';
import { runCli } from './cli.ts';
import { describeFailure } from './failure.ts';

process.on('uncaughtException', (thrown) => {
  const { text, exitStatus } = describeFailure(thrown, { cancelled: false, doing: 'running' });
  process.stderr.write(text);
  process.exit(exitStatus);
});

/** Runs a command line and resolves to the exit status, all output written. */
export function main(argv: readonly string[]): Promise<number> {
  return runCli(argv, {
    operations,
    createApp: async (settings) => {
      const { createApp } = await import('../operations/app.ts');
      return createApp(settings);
    },
    version: packageVersion,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    cwd: process.cwd(),
  });
}

/** What threads of the program do, by name: see util/thread.ts. */
export const threads = {
  readPackages: async (task: ReadingTask, port: MessagePort): Promise<void> => {
    const { readInThread } = await import('../repo/read-in-threads.ts');
    await runThread(port, (out) => readInThread(task, out));
  },
};

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const { version } = manifest as { readonly version: string };
  return version;
}
