/** Rich dependencies: what is needed is what dnf installs. */
import test from 'ava';
import type { Requirement } from '../../src/core/relation.ts';
import { readRich } from '../../src/formats/rpm/rich.ts';
import { buildRpms, type RpmSpec } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { runCommand } from '../rig/run.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const hasPlugins = hasRpmTools && (await runCommand('dnf', ['download', '--help'])).status === 0;
const witnessed = testWith(hasPlugins, `${NO_RPM_TOOLS}, or dnf-plugins-core`);

/** What there is besides the packages with the dependencies. */
const OFFERED: readonly RpmSpec[] = [
  ...['a', 'b', 'c'].map((name) => ({ name })),
  { name: 'old', lines: ['Provides: cap = 1'] },
  { name: 'mid', lines: ['Provides: cap = 2.5, flavour'] },
  { name: 'new', lines: ['Provides: cap = 4'] },
];

const CASES: readonly { readonly requires: string }[] = [
  { requires: '(nowhere or b)' },
  { requires: '(a and b)' },
  { requires: '(a if b)' },
  { requires: 'b, (a if b)' },
  { requires: 'b, (nowhere if c)' },
  { requires: 'b, (nowhere if b)' },
  { requires: '(nowhere if b else c)' },
  { requires: 'b, (a if b else c)' },
  { requires: 'a, (c if (a and b))' },
  { requires: 'a, b, (c if (a and b))' },
  { requires: 'a, (c if (a or nowhere))' },
  { requires: '(cap >= 2 with cap < 3)' },
  { requires: '(cap >= 5 with cap < 6)' },
  { requires: '(cap >= 2 without flavour)' },
  { requires: '((cap with nowhere) or c)' },
  { requires: '((a and b) or nowhere)' },
  { requires: '(cap = 1 with (nowhere or old))' },
  { requires: '(nowhere or (b and nowhere))' },
  { requires: '(a if (cap >= 2 with cap < 3)), mid' },
  { requires: '(a if (cap >= 3 with cap < 4)), new' },
];

witnessed('closures take what dnf takes, and miss what dnf misses', async (t) => {
  t.timeout(180_000);
  await using dir = await tempDir();
  const specs = CASES.map(({ requires }, at): RpmSpec => ({ name: `case${at}`, lines: [`Requires: ${requires}`] }));
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [...OFFERED, ...specs]) });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  await scene.site.json(['build', '--release', 'r1.0.0']);
  const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');

  for (const [at, { requires }] of CASES.entries()) {
    const name = `case${at}`;
    const { stdout, stderr, status } = await client.run(['download', '-q', '--resolve', '--url', name]);
    const theirs = [...stdout.matchAll(/_([a-z0-9]+)-1\.0-1\.noarch\.rpm$/gm)].map((match) => match[1] ?? '').sort();
    const filtered = await scene.site.run(['snapshot', 'filter', 'miko-r1.0.0-el9', name, `Name (= ${name})`, '--with-deps', '--architectures', 'x86_64', '--json']);
    t.is(filtered.status, 0, filtered.stdout);
    const found = JSON.parse(filtered.stdout) as { missing: readonly unknown[] };
    const search = await scene.site.run(['snapshot', 'search', name]);
    const ours = search.stdout.trim().split('\n').map((line) => line.replace(/-1\.0-1\.noarch$/, '')).sort();
    t.is(found.missing.length === 0, status === 0, `${requires}: ${stderr}${filtered.stdout}`);
    if (status === 0) t.deepEqual(ours, theirs, requires);
  }

  const verified = await scene.site.run(['snapshot', 'verify', 'miko-r1.0.0-el9', '--architectures', 'x86_64']);
  const closed = await client.run(['repoclosure']);
  const named = (text: string): readonly string[] => [...new Set(text.match(/\bcase\d+/g))].sort();
  // repoclosure takes (b and nowhere) for met when one of them is, which dnf itself does not, and anything with `else`.
  const lenient = CASES.flatMap(({ requires }, at) => (/^\(nowhere or \(b and|^\(nowhere if b else/.test(requires) ? [`case${at}`] : []));
  t.deepEqual(named(verified.stdout), [...named(closed.stdout), ...lenient].sort(), verified.stdout + closed.stdout);
});

/** `(a or b)` and its like over these packages, all ways to have some of them installed, as rpm evaluates it (lib/depends.cc). */
type Installed = Readonly<Record<'a' | 'b' | 'c' | 'd', boolean>>;

const FORMULAS: readonly (readonly [string, (has: Installed) => boolean])[] = [
  ['(a or b or c)', ({ a, b, c }) => a || b || c],
  ['(a and b and c)', ({ a, b, c }) => a && b && c],
  ['(a if b)', ({ a, b }) => a || !b],
  ['(a if b else c)', ({ a, b, c }) => (b ? a : c)],
  ['((a if b) and c)', ({ a, b, c }) => (a || !b) && c],
  ['(a if (b if c))', ({ a, b, c }) => a || !(b || !c)],
  ['(a if (b if c else d))', ({ a, b, c, d }) => a || !(c ? b : d)],
  ['((a or b) if (c and d))', ({ a, b, c, d }) => a || b || !(c && d)],
  ['((a and b) if (c or d))', ({ a, b, c, d }) => (a && b) || !(c || d)],
];

test('needs are the formula in another form, whatever is installed', (t) => {
  for (const [text, holds] of FORMULAS) {
    const needs = readRich(text);
    for (let bits = 0; bits < 16; bits += 1) {
      const has = { a: (bits & 1) !== 0, b: (bits & 2) !== 0, c: (bits & 4) !== 0, d: (bits & 8) !== 0 };
      t.is(isMet(needs, has), holds(has), `${text} with ${JSON.stringify(has)}`);
    }
  }
});

function isMet(needs: readonly Requirement[], has: Readonly<Record<string, boolean>>): boolean {
  return needs.every((need) => need.some(({ name, absent }) => (has[name] === true) !== (absent === true)));
}

test('what is no rich dependency, or has too many meanings, is a need of nothing, and is read in no time', (t) => {
  for (const text of ['(', '()', '(a', '(a or)', '(a or b and c)', '(a xor b)', '(a if b if c)', '(a else b)', 'a)', '(a if b else c else d)', `${'('.repeat(100)}a${')'.repeat(100)}`]) {
    t.deepEqual(readRich(text), [], text);
  }
  const pair = Array.from({ length: 40 }, (_, at) => `(a${at} and b${at})`).join(' or ');
  t.deepEqual(readRich(`(${pair})`), []);
  let deep = 'x';
  for (let at = 0; at < 30; at += 1) deep = `(a${at} if ${deep} else c${at})`;
  t.deepEqual(readRich(deep), [], 'conditions of conditions');
  const both = Array.from({ length: 30 }, (_, at) => `(a${at} or b${at})`).join(' with ');
  t.deepEqual(readRich(`(${both})`), [], 'one package that is thirty things in two ways');
  t.deepEqual(readRich(`(a or b${')'.repeat(100_000)}`), []);
});
