/** The newer tools are there and see the files of the tests. .ci/run runs this first, which makes them. */
import { writeFile } from 'node:fs/promises';
import { newerTools } from './newer-tools.ts';
import { testWith } from './skip.ts';
import { tempDir } from './temp.ts';

const { run, reason } = await newerTools();
const newer = testWith(run !== undefined, reason ?? '');

for (const [tool, version] of [['rpm', /^RPM version (?:[6-9]|\d\d)\./], ['createrepo_c', /^Version: [1-9]/], ['dnf5', /^dnf5 version 5/], ['zypper', /^zypper 1/]] as const) {
  newer(`${tool} is a newer one`, async (t) => {
    const { status, stdout } = await run!(tool, ['--version']);

    t.is(status, 0);
    t.regex(stdout, version);
  });
}

newer('they work on the files of a test, in its folder, and with its environment', async (t) => {
  await using dir = await tempDir();
  await writeFile(dir.join('in'), 'text');

  const { status, stdout, stderr } = await run!('sh', ['-c', 'cat in; cp in out; printf %s " $WORD"; exit 3'], { cwd: dir.path, env: { WORD: 'word' } });

  t.deepEqual({ status, stdout, stderr }, { status: 3, stdout: 'text word', stderr: '' });
  t.is((await run!('cat', [dir.join('out')])).stdout, 'text');
});
