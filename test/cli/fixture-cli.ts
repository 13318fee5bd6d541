// The command line over a small registry of its own, as a process that tests can drive.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCli } from '../../src/cli/cli.ts';
import { ArtifactsError } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { App } from '../../src/operations/app.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { defineOperation } from '../../src/operations/operation.ts';

const echo = defineOperation({
  name: 'mirror update',
  summary: 'fetch what changed upstream',
  description: 'Verifies everything.\n\nNothing is stored before it is verified.',
  example: '$ artifacts mirror update debian\ndebian: 3 packages added',
  arguments: { name: { summary: 'the mirror' }, others: { summary: 'more mirrors', variadic: true, optional: true } },
  options: {
    fromUrl: { kind: 'text', value: 'url', summary: 'where from' },
    only: { kind: 'list', value: 'part', summary: 'parts' },
    keep: { kind: 'integer', value: 'n', summary: 'how many to keep' },
    policy: { kind: 'choice', choices: ['latest', 'replace'], summary: 'how to merge' },
    noRemove: { kind: 'flag', summary: 'keep all' },
    force: { kind: 'flag', summary: 'even then' },
  },
  async run(app, input) {
    const { root, state, command } = app.settings;
    return { input, root, state, command };
  },
  render: ({ input, root, state, command }) => JSON.stringify({ input, root, state, command }),
});

const create = defineOperation({
  name: 'snapshot create',
  summary: 'freeze a mirror',
  example: '$ artifacts snapshot create s1 --from-mirror debian',
  arguments: { name: { summary: 'the snapshot' } },
  options: { fromMirror: { kind: 'text', value: 'mirror', summary: 'the mirror', required: true } },
  run: async (_app, { name, fromMirror }) => ({ name, fromMirror }),
  render: ({ name, fromMirror }) => `${name} from ${fromMirror}`,
});

const fail = defineOperation({
  name: 'fail',
  summary: 'fail with a code',
  example: '$ artifacts fail E_HASH',
  arguments: { code: { summary: 'the code' } },
  options: { dispose: { kind: 'flag', summary: 'fail at closing, too' } },
  async run(_app, { code }) {
    if (code === 'BUG') throw new TypeError('undefined is not a mirror');
    if (code === 'ENOSPC') throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    throw new ArtifactsError(code as ErrorCode, 'Mirror "a\u001b[31m\nb" is wrong.', {
      hint: 'Look at it.',
      details: { problems: [{ file: 'vars/a.yml', line: 12, column: 5, message: 'unknown key' }, 'plain'] },
    });
  },
  render: () => '',
});

const verdict = defineOperation({
  name: 'verdict',
  summary: 'end with a verdict',
  example: '$ artifacts verdict E_CHECK',
  arguments: { code: { summary: 'the code', optional: true } },
  options: {},
  run: async (_app, { code }) => ({
    code,
    map: new Map([['a', 1]]),
    when: new Date(0),
    text: Buffer.from('secret'),
    odd: '\u009b31m',
  }),
  render: ({ odd }) => `first\nodd ${odd}\u001b[2J`,
  verdict: ({ code }) => code as ErrorCode | undefined,
});

const progress = defineOperation({
  name: 'progress',
  summary: 'report every kind of event',
  example: '$ artifacts progress',
  arguments: {},
  options: {},
  async run(_app, _input, { report }) {
    report({ type: 'phase', subject: 'debian', text: 'reading Packages' });
    report({ type: 'warning', message: 'an old key' });
    report({ type: 'progress', id: 'p', label: 'debian: packages', done: 0, total: 100, unit: 'files' });
    await sleep(150);
    report({ type: 'progress', id: 'p', label: 'debian: packages', done: 100, total: 100, unit: 'files' });
    report({ type: 'progress-end', id: 'p' });
    return { ok: true };
  },
  render: () => 'ok',
});

const wait = defineOperation({
  name: 'wait',
  summary: 'wait until told to stop',
  example: '$ artifacts wait',
  arguments: {},
  options: { deaf: { kind: 'flag', summary: 'do not listen' }, wrap: { kind: 'flag', summary: 'fail otherwise' } },
  async run(_app, { deaf, wrap }, { signal, report }) {
    report({ type: 'note', message: 'waiting' });
    try {
      await sleep(20_000, undefined, deaf ? {} : { signal });
    } catch (error) {
      if (wrap) throw new ArtifactsError('E_TOOL', 'xz was stopped by SIGINT');
      throw error;
    }
    return {};
  },
  render: () => 'waited',
});

const big = defineOperation({
  name: 'big',
  summary: 'print a lot',
  example: '$ artifacts big',
  arguments: {},
  options: {},
  run: async () => ({}),
  render: () => 'line\n'.repeat(200_000),
});

/** The fixture's own registry; tests derive help, docs and completion from it. */
export const fixtureOperations: readonly Operation[] = [fail, verdict, progress, wait, big, echo, create];

if (process.argv[1]?.endsWith('fixture-cli.js') === true) {
  const marker = process.env['FIXTURE_MARKER'];
  const status = await runCli(process.argv.slice(2), {
    operations: fixtureOperations,
    createApp: (settings) => {
      if (marker !== undefined) writeFileSync(marker, 'open');
      const app: Pick<App, 'settings' | typeof Symbol.asyncDispose> = {
        settings,
        async [Symbol.asyncDispose]() {
          if (marker !== undefined && existsSync(marker)) rmSync(marker);
          if (process.argv.includes('--dispose')) throw new ArtifactsError('E_IO', 'closing failed');
        },
      };
      return app as App; // all that these operations touch
    },
    version: () => '1.2.3',
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    cwd: process.cwd(),
  });
  process.exit(status);
}
