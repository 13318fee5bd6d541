import fc from 'fast-check';
import test from 'ava';
import type { ErrorCode } from '../../src/core/errors.ts';
import { sha256 } from '../../src/core/digest.ts';
import type { PackageRecord } from '../../src/core/package.ts';
import { apt } from '../../src/formats/apt/index.ts';
import { buildDeb } from '../rig/deb.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { HELLO, openBench, pathOf, publishPackages, refused, stanzaOf, wrongInPool } from './support.ts';

interface Case {
  readonly id: string;
  readonly code: ErrorCode;
  readonly message: RegExp;
  readonly index: string;
}

const FRESH = buildDeb({ name: 'fresh' });
const good = stanzaOf(HELLO);
const PLACE = /main\/binary-amd64\/Packages, line 8: /;
const after = (stanza: string): string => `${good}\n${stanza}`;
const of = (fields: Readonly<Record<string, string | undefined>>): string => after(stanzaOf(HELLO, { Package: 'odd', ...fields }));
const placed = (text: string): RegExp => new RegExp(`${PLACE.source}.*${text}`);

const CASES: readonly Case[] = [
  ...['Package', 'Version', 'Architecture', 'Filename', 'Size'].map(
    (name): Case => ({ id: `A22 no ${name}`, index: of({ [name]: undefined }), code: 'E_FORMAT', message: placed(`no ${name}`) }),
  ),
  { id: 'A22 an empty Package', index: of({ Package: '' }), code: 'E_FORMAT', message: placed('no Package') },
  { id: 'A10 no SHA256', index: of({ SHA256: undefined, MD5sum: '0'.repeat(32) }), code: 'E_WEAK_HASH', message: placed('no SHA256') },
  { id: 'A17 a SHA256 that is none', index: of({ SHA256: 'e3b0' }), code: 'E_FORMAT', message: placed('no digest') },
  ...['Version', 'X-Odd', 'SHA256'].map(
    (name): Case => ({
      id: `A22 ${name} twice`,
      index: after(`${stanzaOf(HELLO, { 'X-Odd': '1' })}${name.toUpperCase()}: 2\n`),
      code: 'E_FORMAT',
      message: placed(`the field ${name.toUpperCase()} appears twice`),
    }),
  ),
  { id: 'A22 a continuation line first', index: after(` odd\n${good}`), code: 'E_FORMAT', message: placed('continuation line without a field') },
  { id: 'A22 a field name with a blank', index: after(`${good}X Odd: 1\n`), code: 'E_FORMAT', message: placed('field name with a blank') },
  { id: 'A22 a line that is no field', index: after(`${good}<html>\n`), code: 'E_FORMAT', message: placed('line without a field name') },
  { id: 'A22 a line that begins with a colon', index: after(`${good}: odd\n`), code: 'E_FORMAT', message: placed('line without a field name') },
  ...['-1', '1e9', '9223372036854775808', '0x10', 'big'].map(
    (size): Case => ({ id: `A17 the Size "${size}"`, index: of({ Size: size }), code: 'E_FORMAT', message: placed('the Size ".*" is not allowed') }),
  ),
  ...[
    '../../../../etc/x',
    'pool/../../x',
    '/etc/passwd',
    '//host/x.deb',
    'http://host/x.deb',
    'pool/a\\b.deb',
    'pool/a\u0007b.deb',
    'pool//x.deb',
    'pool/.',
    'pool/',
    `pool/${'x'.repeat(4096)}`,
    `pool/${'x'.repeat(240)}.deb`,
  ].map(
    (path): Case => ({ id: `A24 the Filename ${JSON.stringify(path.slice(0, 30))} of ${path.length} characters`, index: of({ Filename: path }), code: 'E_PATH', message: placed('the Filename') }),
  ),
  ...['../evil', 'a b', 'a/b', '-a', 'a\u0000b', 'a\u001b[31m', '\u00e4'].map(
    (name): Case => ({ id: `A25 the Package ${JSON.stringify(name)}`, index: of({ Package: name }), code: 'E_FORMAT', message: placed('the Package ".*" is not allowed') }),
  ),
  ...['amd64/../x', 'AMD64', 'amd 64', '../x'].map(
    (name): Case => ({ id: `A25 the Architecture ${JSON.stringify(name)}`, index: of({ Architecture: name }), code: 'E_FORMAT', message: placed('the Architecture') }),
  ),
  ...['1 2', '1\u0000', '1\u001b[2J'].map(
    (version): Case => ({ id: `A26 the Version ${JSON.stringify(version)}`, index: of({ Version: version }), code: 'E_FORMAT', message: placed('the Version') }),
  ),
  {
    id: 'A22 a stanza of 17 MiB',
    index: after(`${good}X-Long: ${'x'.repeat(17 * 1024 * 1024)}\n`),
    code: 'E_FORMAT',
    message: placed('a stanza without end'),
  },
  {
    id: 'A24 the size of a package is not as listed',
    index: of({ Size: String(HELLO.bytes.length + 1), SHA256: '1'.repeat(64) }),
    code: 'E_SIZE',
    message: /hello_1\.0-1_amd64\.deb.*listed/,
  },
  {
    id: 'H02 the digest of a package is not as listed',
    index: of({ SHA256: '1'.repeat(64) }),
    code: 'E_HASH',
    message: /hello_1\.0-1_amd64\.deb.*SHA256/,
  },
  {
    id: 'H02 a package that the pool holds already is listed with another size',
    index: good.replace(/^Size: .*$/m, 'Size: 7'),
    code: 'E_SIZE',
    message: /hello_1\.0-1_amd64\.deb.*7/,
  },
  {
    id: 'H02 two packages of one digest and two sizes',
    index: `${stanzaOf(FRESH)}\n${stanzaOf(FRESH, { Package: 'odd', Size: '7' })}`,
    code: 'E_SIZE',
    message: new RegExp(`is listed with ${FRESH.bytes.length} bytes as .* and 7 bytes as`),
  },
  { id: 'A24 a Filename that is not UTF-8', index: of({ Filename: 'pool/\u00e4.deb' }), code: 'E_PATH', message: placed('is not UTF-8') },
  {
    id: 'A12 one package with two contents in one index',
    index: after(stanzaOf(HELLO, { SHA256: '1'.repeat(64) })),
    code: 'E_CONFLICT',
    message: /hello 1\.0-1 amd64 is [0-9a-f]{12} in main\/binary-amd64\/Packages as pool\/\S+ and 1{12} in main\/binary-amd64\/Packages as pool\//,
  },
];

for (const { id, code, message, index } of CASES) {
  test(`${id}: refused with ${code}`, async (t) => {
    await using bench = await openBench({ compress: ['gz'], components: { main: [HELLO, FRESH] } });
    await publishPlainly(bench, good);
    await bench.update();
    await publishPlainly(bench, index);

    await refused(t, bench, { code, message });
  });
}

/** With a plain digest, which the rig lists only for forms it offers. */
async function publishPlainly(bench: Awaited<ReturnType<typeof openBench>>, text: string): Promise<void> {
  await bench.upstream.republish({ compress: ['plain'], byHash: false });
  await publishPackages(bench, Buffer.from(text, 'latin1'));
}

test('one package with two contents in two components: both are named', async (t) => {
  const other = buildDeb({ name: 'hello', version: '1.0-1', files: { other: 'bytes' } });
  await using bench = await openBench({ components: { main: [HELLO], extra: [other] } });
  const request = { distribution: 'rig', components: ['main', 'extra'], architectures: ['amd64'] };

  const error = await refused(t, bench, { definition: { request }, code: 'E_CONFLICT' });
  t.true(error.message.includes(`${HELLO.sha256.slice(0, 12)} in main/binary-amd64/Packages`), error.message);
  t.true(error.message.includes(`${other.sha256.slice(0, 12)} in extra/binary-amd64/Packages`), error.message);
});

test('one content under two paths, in two components, is one package', async (t) => {
  await using bench = await openBench({ components: { main: [HELLO], extra: [HELLO] } });
  const request = { distribution: 'rig', components: ['main', 'extra'], architectures: ['amd64'] };

  t.like(await bench.update({ definition: { request } }), { packages: 1, files: 1 });
});

test('one content as two packages is fetched once', async (t) => {
  await using bench = await openBench({ components: { main: [HELLO] } });
  await publishPackages(bench, `${good}\n${stanzaOf(HELLO, { Package: 'alias', Filename: `./${pathOf(HELLO)}` })}`);

  t.like(await bench.update(), { packages: 2, files: 1 });
});

const NASTY = [
  'PACKAGE: hello',
  'version:1.0-1',
  'Architecture:\tamd64   ',
  'XB-Odd-Case: \u00e9t\u00e9 in Latin-1, and \u00c3\u00a9 in UTF-8',
  `Depends: ${Array.from({ length: 5000 }, (_, index) => `lib${index} (>= ${index})`).join(', ')}`,
  'Tag: a,',
  ' b,',
  '  c   ',
  ' .',
  'fileName:   ./pool/main/h/hello/hello_1.0-1_amd64.deb\t',
  'Description: short',
  ' .',
  '\ttab, and blanks at the end  ',
  ' last',
  'Unknown-Empty:',
  `sIZE: ${HELLO.bytes.length}`,
  `Sha256: ${HELLO.sha256.toUpperCase()}`,
  'MD5sum: d41d8cd98f00b204e9800998ecf8427e',
];
const PUBLISHED = `pool/${HELLO.sha256.slice(0, 2)}/${HELLO.sha256}_${HELLO.fileName}`;
const withoutFilename = (text: string): string => text.replace(/^(filename:)[^\r\n]*/im, '$1');

for (const [name, end, last] of [
  ['as it is', '\n', '\n'],
  ['with CRLF', '\r\n', '\r\n'],
  ['without a newline at the end', '\n', ''],
  ['with many empty lines at the end', '\n', '\n\n\n\n'],
  ['with empty lines in front', '\n', '\n'],
] as const) {
  test(`A22 a stanza comes through byte for byte except Filename: ${name}`, async (t) => {
    await using bench = await openBench({ components: { main: [HELLO] } });
    const text = `${name.endsWith('front') ? '\n\n' : ''}${NASTY.join(end)}${last}`;
    t.true(text.length > 64 * 1024);
    await publishPackages(bench, Buffer.from(text, 'latin1'));

    await bench.update();

    const [record] = bench.records();
    const stored = record?.text.toString('latin1') ?? '';
    t.is(withoutFilename(stored), withoutFilename(`${text.replace(/^\n+/, '').replace(/[\r\n]+$/, '')}${end}`));
    t.regex(stored, new RegExp(`^fileName: ${PUBLISHED}\r?$`, 'm'));
    t.like(record, { name: 'hello', version: '1.0-1', architecture: 'amd64', partition: 'binary-amd64' });
    t.deepEqual(wrongInPool(bench), []);
  });
}

test('where the pieces of an index are cut makes no difference', async (t) => {
  const stanzas = ['', '\n', '\r\n'].flatMap((gap, index) => {
    const end = index === 2 ? '\r\n' : '\n';
    return `${stanzaOf(HELLO, { Version: String(index), Description: `d${gap === '' ? '' : '\n .'}` }).replaceAll('\n', end)}${end}`;
  });
  const bytes = Buffer.from(stanzas.join(''));
  const read = async (cuts: readonly number[]): Promise<readonly PackageRecord[]> => {
    const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
    const pieces = async function* (): AsyncGenerator<Buffer> {
      for (const [index, end] of places.entries()) yield Buffer.from(bytes.subarray(places[index - 1] ?? 0, end));
    };
    const index = { name: 'Packages', kind: 'packages', offers: [], plain: { size: 0, sha256: sha256('') } };
    const found: PackageRecord[] = [];
    for await (const batch of apt.upstream.readIndex(index, pieces())) found.push(...batch.map(({ record }) => record));
    return found;
  };
  const whole = await read([]);

  t.is(whole.length, 3);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
      t.deepEqual(await read(cuts), whole);
    }),
    { numRuns: 150 },
  );
});

test('a line of blanks does not end a stanza', async (t) => {
  await using bench = await openBench({ components: { main: [HELLO] } });
  await publishPackages(bench, `${good}Description: a\n \t\n b\n`);
  await bench.update();
  t.true(bench.records()[0]?.text.toString().endsWith('Description: a\n \t\n b\n'));
});

test('A24 odd but honest names of files are asked for as they are', async (t) => {
  const odd = ['pool/a b/x+y~1_1%3a2.deb', 'pool/\u00e4\u{1f4e6}.deb', 'pool/..x/...deb', 'pool/%2e%2e/x.deb', "pool/a'b\"c<d>?#&.deb"];
  await using bench = await openBench({ components: { main: [] } });
  const debs = odd.map((_, index) => buildDeb({ name: `p${index}` }));
  for (const [index, path] of odd.entries()) bench.upstream.files.set(path, debs[index]?.bytes ?? Buffer.alloc(0));
  await publishPackages(bench, debs.map((deb, index) => stanzaOf(deb, { Filename: odd[index] })).join('\n'));

  t.is((await bench.update()).files, odd.length);
  for (const path of odd) t.true(bench.server.paths().includes(path), path);
});

testWith(hasCommand('dpkg'), 'needs dpkg')('A26 odd versions are mirrored in the order dpkg puts them', async (t) => {
  const versions = ['~~', '0~', '0', '1:0', '1-2-1', '1-2.5', '4.3.5a', '4.3.5-rc1-1', '99999999999999999999', `2${'0'.repeat(300)}`, '2147483647:1'];
  await using bench = await openBench({ components: { main: [HELLO] } });
  await publishPackages(bench, versions.map((version) => stanzaOf(HELLO, { Version: version })).join('\n'));
  await bench.update();

  const mirrored = bench.records().map(({ version }) => version);
  t.deepEqual(mirrored.toSorted(), versions.toSorted());
  for (const [index, version] of mirrored.slice(1).entries()) {
    const { status } = await runCommand('dpkg', ['--compare-versions', mirrored[index] ?? '', 'lt', version]);
    t.is(status, 0, `${mirrored[index]} < ${version}`);
  }
});

test('A26 versions beyond any reason are kept without being understood', async (t) => {
  const versions = ['1:1:1', '-1', '4294967296:1', '9'.repeat(10_000), '../../x', '!'];
  await using bench = await openBench({ components: { main: [HELLO] } });
  await publishPackages(bench, versions.map((version) => stanzaOf(HELLO, { Version: version })).join('\n'));
  t.is((await bench.update()).packages, versions.length);
});

const filter = { query: 'Name (= hello)', withDependencies: true, follow: {} };

test('A28 thousands of alternatives and a circle of dependencies neither hang nor hide anything', async (t) => {
  const alternatives = Array.from({ length: 5000 }, (_, index) => `no${index} (>= ${index})`).join(' | ');
  await using bench = await openBench({ components: { main: [HELLO] } });
  await publishPackages(
    bench,
    [
      stanzaOf(HELLO, { Depends: `${alternatives} | ring1` }),
      ...[1, 2, 3].map((n) => stanzaOf(HELLO, { Package: `ring${n}`, Depends: `ring${(n % 3) + 1}, hello` })),
      stanzaOf(HELLO, { Package: 'other' }),
    ].join('\n'),
  );

  await bench.update({ definition: { filter } });

  t.deepEqual(bench.packages(), ['hello 1.0-1', 'ring1 1.0-1', 'ring2 1.0-1', 'ring3 1.0-1']);
});

test('A28 a Depends that cannot be read is refused by name where it is needed, and only there', async (t) => {
  await using bench = await openBench({ components: { main: [HELLO] } });
  const odd = stanzaOf(HELLO, { Package: 'odd', Depends: 'a (>> ' });
  await publishPackages(bench, `${good}\n${odd}`);
  t.is((await bench.update({ definition: { filter } })).packages, 1);

  await refused(t, bench, { definition: { filter: { ...filter, query: 'Name (= odd)' } }, code: 'E_FORMAT', message: /odd .*Depends/ });
  t.is((await bench.update()).packages, 2);
});
