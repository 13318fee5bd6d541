/** Entry of the program: the real operations, the real process. Whoever wants to call the command line imports cli.ts. */
import { readFileSync } from 'node:fs';
import { operations } from '../operations/index.ts';
import { runCli } from './cli.ts';
import { describeFailure } from './failure.ts';

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
