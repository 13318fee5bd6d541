import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import test from 'ava';
import { mergeComps } from '../../../src/formats/rpm/merge-comps.ts';
import { extractModules, mergeModules } from '../../../src/formats/rpm/merge-modules.ts';
import { artifactKey, readArtifacts } from '../../../src/formats/rpm/module-artifacts.ts';
import { extractUpdateinfo, mergeUpdateinfo, pruneUpdateinfo } from '../../../src/formats/rpm/merge-updateinfo.ts';
import { runCommand } from '../../rig/run.ts';
import { testWith } from '../../rig/skip.ts';
import { tempDir } from '../../rig/temp.ts';

interface Row {
  readonly id: string;
  readonly dates: readonly [string, string];
  readonly versions: readonly [number, number];
  readonly packages: readonly [readonly string[], readonly string[]];
  /** Packages of the result. */
  readonly expected: readonly string[];
  readonly notes: number;
}

/** `name-version`. */
const ROWS: readonly Row[] = [
  { id: 'equal sets', dates: ['2023-01-01', '2023-01-01'], versions: [1, 1], packages: [['a-1'], ['a-1']], expected: ['a-1'], notes: 0 },
  { id: 'a subset', dates: ['2023-01-01', '2023-01-01'], versions: [1, 1], packages: [['a-1'], ['a-1', 'b-1']], expected: ['a-1', 'b-1'], notes: 0 },
  { id: 'overlap', dates: ['2023-01-01', '2023-01-01'], versions: [1, 1], packages: [['a-1', 'c-1'], ['a-1', 'b-1']], expected: ['a-1', 'a-1', 'b-1', 'c-1'], notes: 1 },
  { id: 'disjoint', dates: ['2023-01-01', '2023-01-01'], versions: [1, 1], packages: [['a-1'], ['b-1']], expected: ['a-1', 'b-1'], notes: 0 },
  { id: 'newer by date', dates: ['2023-01-01 10:00:00', '1700000000'], versions: [1, 1], packages: [['a-1', 'b-1'], ['a-1']], expected: ['a-1'], notes: 0 },
  { id: 'newer by version', dates: ['2023-01-01', '2023-01-01'], versions: [2, 1], packages: [['a-1'], ['a-1', 'b-1']], expected: ['a-1'], notes: 0 },
  { id: 'other versions of a package', dates: ['2023-01-01', '2023-01-02'], versions: [1, 1], packages: [['a-1'], ['a-2']], expected: ['a-2'], notes: 0 },
  { id: 'about something else', dates: ['2023-01-01', '2023-01-02'], versions: [1, 1], packages: [['a-1'], ['b-1']], expected: ['a-1', 'b-1'], notes: 1 },
];

for (const row of ROWS) {
  test(`advisories of one id: ${row.id}`, (t) => {
    const notes: string[] = [];
    const sources = [0, 1].map((at) => updateinfo(row.dates[at] ?? '', row.versions[at] ?? 0, row.packages[at] ?? []));

    const merged = mergeUpdateinfo(sources, (note) => notes.push(note)).toString();

    t.is(merged.match(/<update /g)?.length, 1);
    t.deepEqual([...merged.matchAll(/<package name="([^"]*)" version="([^"]*)"/g)].map(([, name, version]) => `${name}-${version}`).sort(), row.expected);
    t.is(notes.length, row.notes, notes.join());
  });
}

function updateinfo(date: string, version: number, packages: readonly string[]): Buffer {
  const list = packages.map((one) => `<package name="${one.split('-')[0]}" version="${one.split('-')[1]}" release="1" epoch="0" arch="noarch"/>`);
  return Buffer.from(`<updates><update version="${version}"><id>X</id><updated date="${date}"/><pkglist><collection>${list.join('')}</collection></pkglist></update></updates>`);
}

test('R12 a document that cannot be read is left out and told; the rest is unaffected', (t) => {
  const notes: string[] = [];
  const good = updateinfo('2023-01-01', 1, ['a-1']);
  const merged = mergeUpdateinfo([Buffer.from('<updates><update>'), good], (note) => notes.push(note)).toString();
  t.regex(merged, /<id>X<\/id>/);
  t.is(notes.length, 1);

  const bomb = Buffer.from('---\na: &a [x, x]\nb: &b [*a, *a]\ndata: [*b, *b]\n');
  const modules = mergeModules([bomb, Buffer.from('---\ndocument: modulemd\ndata: {name: m, stream: "1"}\n')], (note) => notes.push(note)).toString();
  t.regex(modules, /name: m/);
  t.notRegex(modules, /&a/);
  t.is(notes.length, 2);
});

test('R12 blanks, blank lines and tags without end cost no more than they are long', async (t) => {
  const rows = '<package name="a" version="1" release="1" arch="noarch"/>\n   <package name="b" version="1" release="1" arch="noarch"/>';
  for (const noise of [' '.repeat(500_000), `<!-- ${'<package '.repeat(100_000)} -->`]) {
    const document = `<updates><update><id>X</id><description>${noise}</description><pkglist><collection>${rows}</collection></pkglist></update></updates>`;
    const pruned = pruneUpdateinfo(Buffer.from(document), ({ name }) => name === 'a')?.toString() ?? '';
    t.regex(pruned, /name="a"/);
    t.notRegex(pruned, /name="b"/);
  }
  t.is(pruneUpdateinfo(Buffer.from(`<updates><!-- ${'<update >'.repeat(200_000)} --></updates>`), () => false), undefined);

  const modules = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from(`artifacts:\n${'\n'.repeat(500_000)}    - a-0:1-2.noarch\n`);
  };
  t.deepEqual([...(await readArtifacts(modules()))], [artifactKey({ name: 'a', version: '1-2', architecture: 'noarch' })]);
});

test('groups: packages united, the strongest wish counts, words of the first source', (t) => {
  const group = (name: string, requests: string): Buffer => Buffer.from(`<comps><group><id>g</id><name>${name}</name><packagelist>${requests}</packagelist></group></comps>`);
  const one = group('One', '<packagereq type="optional">a</packagereq><packagereq type="mandatory">b</packagereq>');
  const two = group('Two', '<packagereq type="mandatory">a</packagereq><packagereq type="default">c</packagereq>');

  const merged = mergeComps([one, two], () => {}).toString();

  t.is(merged.match(/<group>/g)?.length, 1);
  t.regex(merged, /<name>One<\/name>/);
  t.deepEqual([...merged.matchAll(/type="(\w+)">(\w)/g)].map(([, type, name]) => `${name} ${type}`), ['a mandatory', 'b mandatory', 'c default']);
});

const ENVIRONMENTS: readonly [string, string] = [
  `<comps>
    <group><id>g</id><name>Tools</name><name xml:lang="de">Werkzeuge</name><description>d &amp; e</description><default>false</default><uservisible>false</uservisible>
      <packagelist><packagereq type="conditional" requires="base">extra</packagereq><packagereq type="conditional" requires="other">weak</packagereq><packagereq type="default" basearchonly="true">tool</packagereq></packagelist></group>
    <category><id>c</id><name>Cat</name><grouplist><groupid>g</groupid></grouplist></category>
    <environment><id>e</id><name>Env</name><display_order>5</display_order><grouplist><groupid>g</groupid></grouplist><optionlist><groupid default="true">o</groupid></optionlist></environment>
    <langpacks><match name="app" install="app-%s"/><match name="both" install="first-%s"/></langpacks>
  </comps>`,
  `<comps>
    <group><id>g</id><name>Other</name><name xml:lang="fr">Outils</name><name xml:lang="de">Anders</name><uservisible>true</uservisible><langonly>cs</langonly>
      <packagelist><packagereq type="optional">weak</packagereq><packagereq type="conditional" requires="other">extra</packagereq></packagelist></group>
    <group><id>h</id><name>Hidden</name><uservisible>false</uservisible></group>
    <category><id>c</id><grouplist><groupid>g</groupid><groupid>h</groupid></grouplist></category>
    <environment><id>e</id><name xml:lang="de">Umgebung</name><display_order>9</display_order><grouplist><groupid>h</groupid></grouplist><optionlist><groupid>o</groupid><groupid>p</groupid></optionlist></environment>
    <langpacks><match name="both" install="second-%s"/><match name="own" install="own-%s"/></langpacks>
  </comps>`,
];

test('comps: translations, conditions, visibility, categories, environments and langpacks of both sources', (t) => {
  const merged = mergeComps(ENVIRONMENTS.map((text) => Buffer.from(text)), () => {}).toString();
  const part = (name: string, id: string): string => merged.match(new RegExp(`<${name}>(?:(?!</${name}>)[^])*`, 'g'))?.find((text) => text.includes(`<id>${id}</id>`)) ?? '';
  const items = (text: string, name: string): string[] => [...text.matchAll(new RegExp(`<${name}\\b(.*?)(?:/>|</${name}>)`, 'g'))].map(([, rest = '']) => rest.trim());

  t.deepEqual(items(part('group', 'g'), 'name'), ['>Tools', 'xml:lang="de">Werkzeuge', 'xml:lang="fr">Outils']);
  t.regex(part('group', 'g'), /<description>d &amp; e</);
  t.deepEqual([...items(part('group', 'g'), 'uservisible'), ...items(part('group', 'g'), 'default'), ...items(part('group', 'g'), 'langonly')], ['>false', '>false', '>cs']);
  t.deepEqual(items(part('group', 'g'), 'packagereq'), ['type="conditional" requires="base">extra', 'type="optional">weak', 'type="default" basearchonly="true">tool']);
  t.deepEqual(items(part('group', 'h'), 'uservisible'), ['>false']);
  t.deepEqual(items(part('category', 'c'), 'groupid'), ['>g', '>h']);
  t.deepEqual(items(part('environment', 'e'), 'name'), ['>Env', 'xml:lang="de">Umgebung']);
  t.deepEqual(items(part('environment', 'e'), 'groupid'), ['>g', '>h', 'default="true">o', '>p']);
  t.deepEqual(items(part('environment', 'e'), 'display_order'), ['>5']);
  t.deepEqual(items(merged, 'match'), ['name="app" install="app-%s"', 'name="both" install="first-%s"', 'name="own" install="own-%s"']);
});

const READ_COMPS = `
import libcomps, sys, json
comps = libcomps.Comps()
assert comps.fromxml_f(sys.argv[1]) >= 0, comps.get_last_errors()
types = {libcomps.PACKAGE_TYPE_CONDITIONAL: 'conditional', libcomps.PACKAGE_TYPE_OPTIONAL: 'optional', libcomps.PACKAGE_TYPE_DEFAULT: 'default', libcomps.PACKAGE_TYPE_MANDATORY: 'mandatory'}
print(json.dumps({
  'groups': {g.id: [g.name, g.uservisible, sorted([p.name, types[p.type], p.requires] for p in g.packages)] for g in comps.groups},
  'french': comps.groups[0].name_by_lang['fr'],
  'categories': {c.id: [i.name for i in c.group_ids] for c in comps.categories},
  'environments': {e.id: [[i.name for i in e.group_ids], [[i.name, i.default] for i in e.option_ids]] for e in comps.environments},
  'langpacks': {k: comps.langpacks[k] for k in comps.langpacks.keys()},
}))
`;

testWith(spawnSync('/usr/bin/python3', ['-c', 'import libcomps']).status === 0, 'python3-libcomps is not installed')('comps: libcomps, which dnf reads groups with, finds all of it', async (t) => {
  await using dir = await tempDir();
  await writeFile(dir.join('comps.xml'), mergeComps(ENVIRONMENTS.map((text) => Buffer.from(text)), () => {}));

  const read = await runCommand('/usr/bin/python3', ['-c', READ_COMPS, dir.join('comps.xml')]);

  t.is(read.status, 0, read.stderr);
  t.deepEqual(JSON.parse(read.stdout), {
    groups: { g: ['Tools', false, [['extra', 'conditional', 'base'], ['tool', 'default', null], ['weak', 'optional', null]]], h: ['Hidden', false, []] },
    french: 'Outils',
    categories: { c: ['g', 'h'] },
    environments: { e: [['g', 'h'], [['o', true], ['p', false]]] },
    langpacks: { app: 'app-%s', both: 'first-%s', own: 'own-%s' },
  });
});

test('advisories: dates in every form tell the newer one, in either order of the sources', (t) => {
  const forms = ['<updated date=""/>', '<issued date="2021-05-01"/>', '<updated date="1630000000"/>', '<updated date="2021-10-01"/><issued date="2024-01-01"/>', '<updated date="2021-10-01 10:00:00 UTC"/>', '<updated date="2021-10-01T10:00:01Z"/>', '<updated date="1700000000"/>'];
  const advisory = (dates: string, title: string): Buffer => Buffer.from(`<updates><update version="1"><id>X</id><title>${title}</title>${dates}<pkglist><collection><package name="a" version="1" release="1" epoch="0" arch="noarch"/></collection></pkglist></update></updates>`);
  for (const [at, newer] of forms.entries()) {
    for (const older of forms.slice(0, at)) {
      const sources = [advisory(older, 'older'), advisory(newer, 'newer')];
      for (const order of [sources, sources.toReversed()]) t.regex(mergeUpdateinfo(order, () => {}).toString(), /<title>newer<\/title>/, `${older} ${newer}`);
    }
  }
});

const FLAGGED = (short: string, row: string): Buffer =>
  Buffer.from(`<updates><update from="security@example.com" status="stable" type="security" version="3"><id>X</id><severity>Important</severity><updated date="2023-01-01"/><references><reference href="https://example.com/1" id="CVE-1" type="cve"/></references><pkglist><collection short="${short}"><name>${short}</name><module name="m" stream="1.10" version="20230101" context="abc" arch="x86_64"/>${row}</collection></pkglist></update></updates>`);

test('advisories: origin, status, type, references, modules and flags of packages stay, and collections keep their names', (t) => {
  const one = FLAGGED('base', '<package name="a" version="1" release="1" epoch="0" arch="noarch" src="a-1-1.src.rpm"><filename>a-1-1.noarch.rpm</filename><sum type="sha256">00</sum><reboot_suggested>True</reboot_suggested></package>');
  const two = FLAGGED('extras', '<package name="b" version="1" release="1" epoch="0" arch="noarch"><filename>b-1-1.noarch.rpm</filename><relogin_suggested>True</relogin_suggested><restart_suggested>1</restart_suggested></package>');

  const merged = mergeUpdateinfo([one, two], () => {}).toString();

  t.is(merged.match(/<update /g)?.length, 1);
  t.regex(merged, /<update from="security@example.com" status="stable" type="security" version="3">/);
  t.regex(merged, /<severity>Important<.*<reference href="https:\/\/example.com\/1" id="CVE-1" type="cve"\/>/);
  t.deepEqual([...merged.matchAll(/<collection short="(\w+)">/g)].map(([, short]) => short), ['base', 'extras']);
  t.is(merged.match(/<module name="m" stream="1.10"/g)?.length, 2);
  t.regex(merged, /<sum type="sha256">00<\/sum><reboot_suggested>True<\/reboot_suggested>/);
  t.regex(merged, /<relogin_suggested>True<\/relogin_suggested><restart_suggested>1<\/restart_suggested>/);
});

test('advisories lose rows of packages that are not there, in whichever way each row is written', (t) => {
  const rows = '<package name="gone" version="1" release="1" epoch="0" arch="noarch"/><package name="a" version="1" release="1" epoch="0" arch="noarch"><reboot_suggested>True</reboot_suggested></package>';

  const pruned = pruneUpdateinfo(FLAGGED('base', rows), ({ name }) => name === 'a')?.toString() ?? '';

  t.notRegex(pruned, /gone/);
  t.regex(pruned, /name="a"[^>]*><reboot_suggested>True/);
});

test('defaults of a module: the newer word counts, and two of one time that disagree leave it without a default', (t) => {
  const defaults = (modified: string, stream: string): Buffer =>
    Buffer.from(`---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: m\n  modified: ${modified}\n  stream: "${stream}"\n  profiles:\n    "${stream}": [common]\n`);
  const notes: string[] = [];
  const merge = (...sources: readonly Buffer[]): string => mergeModules(sources, (note) => notes.push(note)).toString();

  t.regex(merge(defaults('202001010000', '1.10'), defaults('202101010000', '2')), /stream: "2"/);
  t.is(notes.length, 0);
  const torn = merge(defaults('202101010000', '1.10'), defaults('202101010000', '2'));
  t.notRegex(torn, /stream:/);
  t.regex(torn, /"?1\.10"?:/);
  t.is(notes.length, 1);
});

test('default streams that two sources dispute stay undecided whatever a third one of that time says, in any order', (t) => {
  const defaults = (stream: string, profile: string): Buffer =>
    Buffer.from(`---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: m\n  modified: 202101010000\n  stream: "${stream}"\n  profiles:\n    "1": [${profile}]\n`);
  const [one, two, again] = [defaults('1', 'common'), defaults('2', 'common'), defaults('1', 'minimal')];

  for (const sources of [[one, two, again], [one, again, two], [two, one, again]]) {
    const notes: string[] = [];
    const merged = mergeModules(sources, (note) => notes.push(note)).toString();

    t.notRegex(merged, /stream:/);
    t.is(notes.filter((note) => note.includes('default streams of the module m')).length, 1, notes.join('; '));
    t.is(notes.filter((note) => note.includes('default profiles of the module m:1')).length, 1, notes.join('; '));
  }
});

test('a newer word settles what two older sources disputed', (t) => {
  const defaults = (modified: string, stream: string): Buffer => Buffer.from(`---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: m\n  modified: ${modified}\n  stream: "${stream}"\n`);

  const merged = mergeModules([defaults('1', 'a'), defaults('1', 'b'), defaults('2', 'c')], () => {}).toString();

  t.regex(merged, /stream: "c"/);
});

test('what is said of some packages: their streams with all that is said of these modules, their advisories whole', (t) => {
  const stream = (name: string, version: string, artifacts: string): string => `document: modulemd\nversion: 2\ndata:\n  name: ${name}\n  stream: ${version}\n  artifacts: ${artifacts}\n`;
  const about = (kind: string, data: string): string => `document: modulemd-${kind}\nversion: 1\ndata: ${data}\n`;
  const documents = [
    stream('m', '1.10', '{rpms: [a-0:1-1.noarch, "b-1:2-3.x86_64"]}'),
    stream('m', '2', '{rpms: [a-0:2-1.noarch]}'),
    stream('n', '1', '\n    rpms:\n    - c-0:1-1.noarch'),
    stream('o', '1', 'none'),
    about('defaults', '{module: m, stream: "2"}'),
    about('defaults', '{module: n}'),
    about('translations', '{module: m, stream: "1.10", translations: {}}'),
    about('obsoletes', '{module: m, stream: 2, reset: true}'),
    'document: modulemd-packager\ndata: {name: m}\n',
  ];
  const modules = Buffer.from(documents.map((text) => `---\n${text}...\n`).join(''));
  const only = (key: string) => ({ name, version, architecture }: { readonly name: string; readonly version: string; readonly architecture: string }): boolean => `${name} ${version} ${architecture}` === key;
  const notes: string[] = [];
  const note = (message: string): void => void notes.push(message);
  const kept = (key: string): readonly number[] => {
    const text = extractModules(modules, only(key), note)?.toString().split(/^(?:---|\.\.\.)\n/m).filter((one) => one !== '') ?? [];
    return text.map((one) => documents.indexOf(one));
  };

  t.deepEqual(kept('b 1:2-3 x86_64'), [0, 4, 6]);
  t.deepEqual(kept('a 2-1 noarch'), [1, 4, 7]);
  t.deepEqual(kept('c 1-1 noarch'), [2, 5]);
  t.deepEqual(kept('b 2-3 x86_64'), []);
  t.deepEqual(notes, []);
  t.is(extractModules(Buffer.from('a: ['), only('x'), note), undefined);
  t.is(extractUpdateinfo(Buffer.from('<updates>'), only('x'), note), undefined);
  t.is(notes.length, 2, 'what cannot be read is told');

  const advisories = ['a', 'b'].map((name) => `<update version="1"><id>${name}</id><pkglist><collection><package name="${name}" version="1" release="1" arch="noarch"/><package name="x" epoch="2" version="1" release="1" arch="src"/></collection></pkglist></update>`);
  const updates = Buffer.from(`<updates>${advisories.join('')}</updates>`);
  t.true(extractUpdateinfo(updates, only('a 1-1 noarch'), note)?.toString().includes(`<updates>\n${advisories[0]}\n</updates>`));
  t.true(extractUpdateinfo(updates, only('x 2:1-1 src'), note)?.toString().includes(`<updates>\n${advisories.join('\n')}\n</updates>`));
  t.is(extractUpdateinfo(updates, only('x 1-1 src'), note), undefined);
});
