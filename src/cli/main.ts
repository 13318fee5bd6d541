/** Entry of the program: the real operations, the real process. Whoever wants to call the command line imports cli.ts. */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { operations } from '../operations/index.ts';
import { runCli } from './cli.ts';
import { describeFailure } from './failure.ts';

// Thousands of small downloads leave garbage that has just grown old. By default V8 lets it grow to a multiple of what is
// in use; collecting earlier costs little time and saves a third of the memory (docs/benchmarks.md).
setFlagsFromString('--heap-growing-percent=40');

process.on('uncaughtException', (thrown) => {
  const { text, exitStatus } = describeFailure(thrown, { cancelled: false, doing: 'running' });
  process.stderr.write(text);
  process.exit(exitStatus);
});

const status = await runCli(process.argv.slice(2), {
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
// All output is written. Idle keep-alive connections must not keep the process.
process.exit(status);

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const { version } = manifest as { readonly version: string };
  return version;
}
