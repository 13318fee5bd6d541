import { writeFileSync } from 'node:fs';
import test from 'ava';
import { tempDir } from '../rig/temp.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { drive } from './drive.ts';

/** What bash offers for the last of the words. */
async function offered(words: readonly string[]): Promise<readonly string[]> {
  await using dir = await tempDir();
  writeFileSync(dir.join('completion'), (await drive(['completion', 'bash'])).stdout);
  const script = '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _artifacts; printf "%s\\n" "${COMPREPLY[@]}"';
  const { stdout } = await runCommand('bash', ['-c', script, dir.join('completion'), ...words]);
  return stdout.split('\n').filter((line) => line !== '');
}

testWith(hasCommand('bash'), 'bash is not installed')('bash completes commands, options and fixed values', async (t) => {
  t.deepEqual(await offered(['artifacts', 'mi']), ['mirror']);
  t.deepEqual(await offered(['artifacts', 'mirror', '']).then((all) => all[0]), 'update');
  t.deepEqual(await offered(['artifacts', 'mirror', 'update', '--fo']), ['--force']);
  t.deepEqual(await offered(['artifacts', '--root', 'snapshot', 'mirror', 'update', 'a', '--fr']), ['--from-url']);
  t.deepEqual(await offered(['artifacts', 'mirror', 'update', '--policy', '']), ['latest', 'replace']);
  t.deepEqual(await offered(['artifacts', 'mirror', '--progress', 'l']), ['lines']);
  t.deepEqual(await offered(['artifacts', 'comp']), ['completion']);
});

for (const shell of ['zsh', 'fish']) {
  testWith(hasCommand(shell), `${shell} is not installed`)(`${shell} accepts its script`, async (t) => {
    await using dir = await tempDir();
    writeFileSync(dir.join('completion'), (await drive(['completion', shell])).stdout);

    t.like(await runCommand(shell, ['-n', dir.join('completion')]), { status: 0, stderr: '' });
  });
}

test('there is a script for each shell that names every command, and an error for others', async (t) => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { status, stdout } = await drive(['completion', shell]);
    t.is(status, 0);
    t.regex(stdout, /'mirror update'/);
  }
  const other = await drive(['completion', 'tcsh']);
  t.is(other.status, 2);
  t.regex(other.stderr, /There is one for bash, zsh, fish/);
});
