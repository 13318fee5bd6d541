import test from 'ava';
import { mergeComps } from '../../../src/formats/rpm/merge-comps.ts';
import { mergeModules } from '../../../src/formats/rpm/merge-modules.ts';
import { mergeUpdateinfo } from '../../../src/formats/rpm/merge-updateinfo.ts';

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

test('groups: packages united, the strongest wish counts, words of the first source', (t) => {
  const group = (name: string, requests: string): Buffer => Buffer.from(`<comps><group><id>g</id><name>${name}</name><packagelist>${requests}</packagelist></group></comps>`);
  const one = group('One', '<packagereq type="optional">a</packagereq><packagereq type="mandatory">b</packagereq>');
  const two = group('Two', '<packagereq type="mandatory">a</packagereq><packagereq type="default">c</packagereq>');

  const merged = mergeComps([one, two], () => {}).toString();

  t.is(merged.match(/<group>/g)?.length, 1);
  t.regex(merged, /<name>One<\/name>/);
  t.deepEqual([...merged.matchAll(/type="(\w+)">(\w)/g)].map(([, type, name]) => `${name} ${type}`), ['a mandatory', 'b mandatory', 'c default']);
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
