/** The program without a process of its own: many times as fast, for tests that run many commands one after another. */
import { Writable } from 'node:stream';
import { runCli } from '../../src/cli/cli.ts';
import { createApp } from '../../src/operations/app.ts';
import { operations } from '../../src/operations/index.ts';
import type { RunOptions, RunResult } from '../rig/run.ts';
import type { Site } from '../rig/site.ts';

// Tests of a file run side by side, and each command listens for signals.
process.setMaxListeners(100);

class Captured extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** The same site, with its commands run in this process; options but for `env` are ignored. */
export function inProcess(site: Site): Site {
  const run = async (args: readonly string[], { env }: RunOptions = {}): Promise<RunResult> => {
    const stdout = new Captured();
    const stderr = new Captured();
    const status = await runCli(['--root', site.root, '--state', site.state, ...args], {
      operations,
      createApp,
      version: () => '0',
      stdout,
      stderr,
      environment: { ...process.env, ...env },
      cwd: site.root,
    });
    return { status, signal: null, stdout: stdout.text, stderr: stderr.text };
  };
  return {
    ...site,
    run,
    json: async <T>(args: readonly string[], status = 0, options: RunOptions = {}) => {
      const result = await run([...args, '--json'], options);
      if (result.status !== status) throw new Error(`artifacts ${args.join(' ')} ended with ${result.status}, not ${status}:\n${result.stdout}\n${result.stderr}`);
      return JSON.parse(result.stdout) as T;
    },
  };
}
