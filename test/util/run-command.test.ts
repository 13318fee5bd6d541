import test from 'ava';
import { isArtifactsError } from '../../src/core/errors.ts';
import { runCommand } from '../../src/util/run-command.ts';

test('a command that prints more than it may is stopped, and that is what is told', async (t) => {
  const endless = await t.throwsAsync(runCommand('cat', ['/dev/zero'], { limit: 1000 }));
  const short = await t.throwsAsync(runCommand('printf', ['%s', 'x'.repeat(1001)], { limit: 1000 }));

  t.true(isArtifactsError(endless, 'E_TOO_LARGE'), String(endless));
  t.true(isArtifactsError(short, 'E_TOO_LARGE'), String(short));
  t.is((await runCommand('printf', ['%s', 'x'.repeat(1000)], { limit: 1000 })).stdout.length, 1000);
});

test('a missing tool, a failing one and one with an accepted status are told apart', async (t) => {
  t.regex(String(await t.throwsAsync(runCommand('no-such-tool-here', []))), /"no-such-tool-here" is not installed/);
  t.regex(String(await t.throwsAsync(runCommand('sh', ['-c', 'echo why >&2; exit 3']))), /ended with status 3: why/);
  t.is((await runCommand('sh', ['-c', 'exit 3'], { accept: [3] })).status, 3);
});
