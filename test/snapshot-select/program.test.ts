import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import test from 'ava';
import { buildDeb, type Deb } from '../rig/deb.ts';
import { serve } from '../rig/server.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';

const STABLE = [
  buildDeb({ name: 'px-app', version: '1', fields: { Depends: 'px-lib (>= 1)', Section: 'web' } }),
  buildDeb({ name: 'px-lib', version: '1' }),
  buildDeb({ name: 'px-mail', version: '1', architecture: 'all', fields: { Provides: 'px-mta' } }),
  buildDeb({ name: 'px-needy', version: '1', fields: { Depends: 'px-nowhere (>= 2) | px-never, px-mta' } }),
];
const TESTING = [
  buildDeb({ name: 'px-app', version: '2', fields: { Depends: 'px-lib (>= 2)', Section: 'web' } }),
  buildDeb({ name: 'px-lib', version: '2' }),
  buildDeb({ name: 'px-nowhere', version: '2' }),
];

/** A site with the mirrors `stable` and `testing` and a snapshot of each, `s0` and `t0`. */
async function loadedSite(dir: TempDir, vars: Readonly<Record<string, unknown>> = {}): Promise<Site> {
  const [stable, testing] = await Promise.all([STABLE, TESTING].map((main: readonly Deb[]) => aptUpstream({ components: { main } })));
  await using servers = await serve(stable!.files);
  await using others = await serve(testing!.files);
  const mirrors = { stable: { upstream: stable!, url: servers.url }, testing: { upstream: testing!, url: others.url } };
  const site = await makeSite(dir, { mirrors, miko: { r1: { rig: ['stable'] } }, vars });
  for (const [mirror, snapshot] of [['stable', 's0'], ['testing', 't0']] as const) {
    await site.json(['mirror', 'update', mirror]);
    await site.json(['snapshot', 'create', snapshot, '--from-mirror', mirror]);
  }
  return site;
}

interface Named {
  readonly name: string;
  readonly version: string;
}

const versions = (list: readonly Named[]): string[] => list.map(({ name, version }) => `${name} ${version}`);

async function members(site: Site, snapshot: string): Promise<string[]> {
  return versions((await site.json<{ packages: Named[] }>(['snapshot', 'show', snapshot, '--packages'])).packages).sort();
}

test('filter, search, pull, verify and rename do what they say, in the order of arguments that aptly has', async (t) => {
  await using dir = await tempDir();
  const site = await loadedSite(dir);

  // filter
  await writeFile(dir.join('queries.txt'), '# what the web needs\n\nSection (= web)\n px-mta \n');
  const filtered = await site.json<{ packages: number; missing: unknown[] }>(['snapshot', 'filter', 's0', 'web', `@${dir.join('queries.txt')}`, '--with-deps']);
  t.is(filtered.packages, 3);
  t.deepEqual(await members(site, 'web'), ['px-app 1', 'px-lib 1', 'px-mail 1']);
  const needy = await site.json<{ missing: { name: string; requirement: string }[] }>(['snapshot', 'filter', 's0', 'needy', 'px-needy', '--with-deps']);
  t.deepEqual(needy.missing.map(({ name, requirement }) => [name, requirement]), [['px-needy', 'px-nowhere (>= 2) | px-never']]);

  // search
  const found = await site.run(['snapshot', 'search', 's0', 'Name (% px-[al]*)']);
  t.is(found.stdout, 'px-app_1_amd64\npx-lib_1_amd64\n');
  t.deepEqual(versions(await site.json(['snapshot', 'search', 's0', 'px-app', '--with-deps'])), ['px-app 1', 'px-lib 1']);
  t.is((await site.json<unknown[]>(['snapshot', 'search', 's0'])).length, 4);
  t.deepEqual(versions(await site.json(['mirror', 'search', 'testing', '$Version (>= 2), !Section (= web)'])), ['px-lib 2', 'px-nowhere 2']);
  t.deepEqual(versions(await site.json(['package', 'search', 'px-app'])), ['px-app 1', 'px-app 2']);
  t.is((await site.run(['snapshot', 'search', 's0', 'Name (% ((']).then(({ status }) => status)), 2);

  // pull
  const plan = await site.json<{ added: Named[]; removed: Named[]; snapshot: null }>(['snapshot', 'pull', 's0', 't0', 's1', 'px-app', '--dry-run']);
  t.deepEqual([versions(plan.added), versions(plan.removed), plan.snapshot], [['px-app 2', 'px-lib 2'], ['px-app 1', 'px-lib 1'], null]);
  t.is((await site.run(['snapshot', 'show', 's1'])).status, 10, 'a dry run makes nothing');
  await site.json(['snapshot', 'pull', 's0', 't0', 's1', 'px-app']);
  t.deepEqual(await members(site, 's1'), ['px-app 2', 'px-lib 2', 'px-mail 1', 'px-needy 1']);
  await site.json(['snapshot', 'pull', 's0', 't0', 's2', 'px-app', '--no-deps', '--no-remove']);
  t.deepEqual(await members(site, 's2'), ['px-app 1', 'px-app 2', 'px-lib 1', 'px-mail 1', 'px-needy 1']);
  t.is((await site.run(['snapshot', 'pull', 's0', 't0', 's2', 'px-app'])).status, 13);

  // verify
  const verdict = await site.json<{ complete: boolean; missing: { package: string; requirement: string }[] }>(['snapshot', 'verify', 's0'], 3);
  t.false(verdict.complete);
  t.deepEqual(verdict.missing.map((one) => [one.package, one.requirement]), [['px-needy 1 amd64', 'px-nowhere (>= 2) | px-never']]);
  t.true((await site.json<{ complete: boolean }>(['snapshot', 'verify', 's0', 't0'])).complete);
  t.regex((await site.run(['snapshot', 'verify', 's2'])).stdout, /px-app 2 amd64 needs px-lib \(>= 2\)\n {2}px-needy/);

  // rename
  await site.json(['snapshot', 'rename', 's2', 'renamed']);
  t.is((await site.run(['snapshot', 'show', 's2'])).status, 10);
  t.is((await members(site, 'renamed')).length, 5);
  t.is((await site.run(['snapshot', 'rename', 'renamed', 's0'])).status, 13);
  t.is((await site.run(['snapshot', 'rename', 'renamed', '../x'])).status, 2);
});

test('package show gives the stanza as published, its files and who holds it', async (t) => {
  await using dir = await tempDir();
  const site = await loadedSite(dir);
  await site.json(['publish', 'snapshot', 's0', '--distribution', 'rig']).catch(() => site.json(['publish', 'snapshot', 's0', 'rig']));

  const shown = await site.json<{ stanza: string; version: string; files: { sha256: string }[]; references: { kind: string; name: string }[] }[]>(
    ['package', 'show', 'px-app', '1', 'amd64', '--references'],
  );
  const text = (await site.run(['package', 'show', 'px-app', '1'])).stdout;

  t.is(shown.length, 1);
  t.deepEqual(shown[0]?.files.map(({ sha256 }) => sha256), [STABLE[0]!.sha256]);
  t.regex(shown[0]?.stanza ?? '', new RegExp(`^Package: px-app\n[^]*Filename: pool/../${STABLE[0]!.sha256}_px-app_1_amd64.deb\n`));
  t.deepEqual(shown[0]?.references.filter(({ kind }) => kind !== 'publication'), [
    { kind: 'mirror', name: 'stable' },
    { kind: 'snapshot', name: 's0' },
  ]);
  t.is(shown[0]?.references.filter(({ kind }) => kind === 'publication').length, 1);
  t.true(text.startsWith('Package: px-app\nVersion: 1\n'));
  t.deepEqual(versions(await site.json(['package', 'show', 'px-app'])), ['px-app 1', 'px-app 2']);
  t.deepEqual(versions(await site.json(['package', 'show', 'px-app', '--snapshot', 't0'])), ['px-app 2']);
  t.deepEqual(versions(await site.json(['package', 'show', 'Section (= web), $Version (>= 2)'])), ['px-app 2']);
  t.is((await site.run(['package', 'show', 'px-mta'])).status, 10, 'a name is a name, not what is provided');
});

test('the graph names everything and its origins, and is the same every time', async (t) => {
  await using dir = await tempDir();
  const site = await loadedSite(dir);
  await site.json(['snapshot', 'merge', 'both', 's0', 't0', '--policy', 'latest']);
  await site.json(['snapshot', 'filter', 'both', 'web', 'Section (= web)']);

  const { nodes, edges } = await site.json<{ nodes: { id: string }[]; edges: { from: string; to: string; label: string }[] }>(['graph']);
  const mermaid = (await site.run(['graph'])).stdout;
  const dot = (await site.run(['graph', '--format', 'dot'])).stdout;

  t.deepEqual(nodes.map(({ id }) => id), ['mirror stable', 'mirror testing', 'snapshot both', 'snapshot s0', 'snapshot t0', 'snapshot web']);
  t.deepEqual(edges.map(({ from, to, label }) => `${from} > ${to}: ${label}`), [
    'mirror stable > snapshot s0: frozen',
    'mirror testing > snapshot t0: frozen',
    'snapshot both > snapshot web: filter',
    'snapshot s0 > snapshot both: merge latest',
    'snapshot t0 > snapshot both: merge latest',
  ]);
  t.true(mermaid.startsWith('flowchart LR\n'));
  t.regex(mermaid, /n4 -->\|"merge latest"\| n3\n/);
  t.regex(dot, /^digraph artifacts \{\n[^]*"snapshot s0" -> "snapshot both" \[label="merge latest"\];\n[^]*\}\n$/);
  t.is((await site.run(['graph', '--format', 'dot'])).stdout, dot);
});

test('prune drops what the rules say, but nothing that is used', async (t) => {
  await using dir = await tempDir();
  const site = await loadedSite(dir, { retention: [{ pattern: 'old-*', keep: 1 }] });
  for (const name of ['old-1', 'old-2', 'old-3']) await site.json(['snapshot', 'create', name, '--from-mirror', 'stable']);
  await site.json(['snapshot', 'filter', 'old-1', 'made', 'px-app']);
  const verdicts = (result: { snapshots: { name: string; action: string; reason: string }[] }): string[] =>
    result.snapshots.map(({ name, action, reason }) => `${action} ${name}: ${reason}`);

  const planned = verdicts(await site.json(['snapshot', 'prune', '--dry-run']));
  const done = verdicts(await site.json(['snapshot', 'prune']));

  t.deepEqual(planned, [
    'keep made: no rule is about it',
    'keep old-1: source of made',
    'drop old-2: not one of the 1 newest of old-*',
    'keep old-3: one of the 1 newest of old-*',
    'keep s0: no rule is about it',
    'keep t0: no rule is about it',
  ]);
  t.deepEqual(done, planned);
  const left = await site.json<{ name: string }[]>(['snapshot', 'list']);
  t.deepEqual(left.map(({ name }) => name), ['made', 'old-1', 'old-3', 's0', 't0']);
  const young = verdicts(await site.json(['snapshot', 'prune', '--pattern', 'old-*', '--older-than', '1d']));
  t.true(young.every((line) => line.startsWith('keep ')), young.join('\n'));
  await site.json(['snapshot', 'drop', 'made']);
  await site.json(['snapshot', 'prune', '--pattern', 'old-*', '--keep', '0']);
  t.deepEqual((await site.json<{ name: string }[]>(['snapshot', 'list'])).map(({ name }) => name), ['s0', 't0']);
  t.is((await site.run(['snapshot', 'prune', '--older-than', 'soon'])).status, 2);
});

test('list --sizes tells what dropping a snapshot alone would free', async (t) => {
  await using dir = await tempDir();
  const site = await loadedSite(dir);
  await site.json(['mirror', 'drop', 'testing']);
  const size = (debs: readonly Deb[]): number => debs.reduce((sum, { bytes }) => sum + bytes.length, 0);

  const { snapshots, total } = await site.json<{ snapshots: { name: string; bytes: number; unique: number }[]; total: number }>(['snapshot', 'list', '--sizes']);
  const byName = Object.fromEntries(snapshots.map(({ name, bytes, unique }) => [name, [bytes, unique]]));

  t.deepEqual(byName, { s0: [size(STABLE), 0], t0: [size(TESTING), size(TESTING)] });
  t.is(total, size(STABLE) + size(TESTING));
  t.regex((await site.run(['snapshot', 'list', '--sizes'])).stdout, /SIZE +UNIQUE/);
});

test('the verbs refuse what is not there and what is no query', async (t) => {
  await using dir = await tempDir();
  const site = await loadedSite(dir);
  const status = async (...args: readonly string[]): Promise<number> => (await site.run(args)).status;

  t.is(await status('snapshot', 'filter', 'none', 'x', 'a'), 10);
  t.is(await status('snapshot', 'filter', 's0', 't0', 'a'), 13);
  t.is(await status('snapshot', 'filter', 's0', 'x', 'a (>= '), 2);
  t.is(await status('snapshot', 'filter', 's0', 'x', '@/nonexistent/file'), 10);
  t.is(await status('snapshot', 'verify', 's0', 'none'), 10);
  t.is(await status('mirror', 'search', 'none', 'a'), 10);
  t.is(await status('snapshot', 'prune'), 2, 'without a rule nothing can be pruned');
});

testWith(hasCommand('dot'), 'needs Graphviz')('Graphviz reads the graph', async (t) => {
  await using dir = await tempDir();
  const site = await loadedSite(dir);

  const { stdout } = await site.run(['graph', '--format', 'dot']);
  const drawn = spawnSync('dot', ['-Tsvg'], { input: stdout, encoding: 'utf8' });

  t.is(drawn.status, 0, drawn.stderr);
  t.regex(drawn.stdout, /snapshot/);
});
