import { cp, mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { PROJECT, runNode } from '../rig/run.ts';
import { tempDir } from '../rig/temp.ts';

const CASES = [
  { title: 'a bundle of what was compiled is run', made: { src: 100, bundle: 101 }, runs: 'bundle' },
  { title: 'a bundle as old as what was compiled is run: packing sets one time for all', made: { src: 100, bundle: 100 }, runs: 'bundle' },
  { title: 'a bundle older than what was compiled is not run', made: { src: 102, bundle: 101 }, runs: 'src' },
  { title: 'without a bundle, what was compiled is run', made: { src: 100 }, runs: 'src' },
  { title: 'a bundle alone is run', made: { bundle: 100 }, runs: 'bundle' },
];

for (const { title, made, runs } of CASES) {
  test(title, async (t) => {
    await using dir = await tempDir();
    await mkdir(dir.join('bin'));
    await cp(join(PROJECT, 'bin', 'artifacts.js'), dir.join('bin/artifacts.js'));
    await writeFile(dir.join('package.json'), '{ "type": "module" }');
    for (const [form, time] of Object.entries(made)) {
      const file = dir.join(`build/${form}/cli/main.js`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `console.log('${form}');`);
      await utimes(file, time, time);
    }

    const { stdout } = await runNode([dir.join('bin/artifacts.js')]);

    t.is(stdout, `${runs}\n`);
  });
}
