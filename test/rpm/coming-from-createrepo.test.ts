/** docs/coming-from-createrepo-and-pulp.md is whole: the tools' own help says what there is to answer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { operations } from '../../src/operations/index.ts';
import { PROJECT, runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';

const PAGE = readFileSync(join(PROJECT, 'docs/coming-from-createrepo-and-pulp.md'), 'utf8');

for (const tool of ['createrepo_c', 'mergerepo_c', 'modifyrepo_c']) {
  testWith(hasCommand(tool), `needs ${tool}`)(`every option that ${tool} helps with is on the page`, async (t) => {
    const { stdout } = await runCommand(tool, ['--help']);
    t.deepEqual(missing(stdout, tool), []);
  });
}

testWith(hasCommand('dnf'), 'needs dnf')('every option of dnf reposync is on the page', async (t) => {
  const { stdout } = await runCommand('dnf', ['--releasever=9', 'reposync', '--help']);
  const [, own = ''] = stdout.split('Reposync command-specific options:');
  t.deepEqual(missing(own, 'dnf reposync'), []);
});

test('every command of ours that the page names exists', (t) => {
  const names = new Set(operations.map(({ name }) => name));
  const groups = new Set([...names].filter((name) => name.includes(' ')).map((name) => name.split(' ', 1)[0]));
  const named = [...PAGE.matchAll(/`([a-z]+) ([a-z]+)(?: ([a-z]+))?[^`]*`/g)].filter(([, group]) => groups.has(group ?? ''));
  t.true(named.length > 15);
  for (const [text, group, verb, last] of named) t.true(names.has(`${group} ${verb}`) || names.has(`${group} ${verb} ${last}`), text);
});

/** Options the help lists that the section of the page does not answer. */
function missing(help: string, tool: string): readonly string[] {
  const section = PAGE.split(/^## /m).find((one) => one.startsWith(`${tool}\n`)) ?? '';
  const told = new Set([...section.matchAll(/^\| (.*?) \|/gm)].flatMap(([, left = '']) => left.match(/(?<=`)--?[a-zA-Z][a-z-]*/g) ?? []));
  const options = [...help.matchAll(/^ {2}(-[^ ]+(?:, -[^ ]+| \[[^\]]*\], -[^ ]+| [A-Z_]+, -[^ ]+)*)/gm)].flatMap(([, words = '']) => words.match(/(?<![\w-])--?[a-zA-Z][a-z-]*/g) ?? []);
  if (options.length < 10) throw new Error(`The help of ${tool} cannot be read`);
  return options.filter((option) => !told.has(option));
}
