import test from 'ava';
import { ArtifactsError } from '../../../src/core/errors.ts';
import { fields, fieldValue, parseControl, valueOf } from '../../../src/formats/apt/stanza.ts';

const STANZA = Buffer.from(
  `Package: hello
version:  2.10-3
Depends: libc6 (>= 2.34),
 libfoo,
\tlibbar
Description: says hello
 First line.
 .
  Indented. \nXB-Odd:
Files:
 abc 1 a
 def 2 b
Last: end
`,
);

test('the first field of a name is found in any case', (t) => {
  t.is(fieldValue(STANZA, 'Package'), 'hello');
  t.is(fieldValue(STANZA, 'pACKAGE'), 'hello');
  t.is(fieldValue(STANZA, 'Version'), '2.10-3');
  t.is(fieldValue(STANZA, 'Last'), 'end');
});

test('a name is not found within values, other names, or not at all', (t) => {
  const text = Buffer.from('XPackage: no\nNote: Package: no\n Package: no\n');

  t.is(fieldValue(text, 'Package'), undefined);
  t.is(fieldValue(text, 'Not'), undefined);
  t.is(fieldValue(Buffer.alloc(0), 'Package'), undefined);
});

test('folded lines lose their leading blank only', (t) => {
  t.is(fieldValue(STANZA, 'Depends'), 'libc6 (>= 2.34),\nlibfoo,\nlibbar');
  t.is(fieldValue(STANZA, 'Description'), 'says hello\nFirst line.\n.\n Indented. ');
  t.is(fieldValue(STANZA, 'Files'), '\nabc 1 a\ndef 2 b');
  t.is(fieldValue(STANZA, 'XB-Odd'), '');
});

test('values end at line ends of either kind and at the end of the text', (t) => {
  const text = Buffer.from('A: 1\r\nB: 2\r\n more\r\nC: 3');

  t.is(fieldValue(text, 'A'), '1');
  t.is(fieldValue(text, 'B'), '2\nmore');
  t.is(fieldValue(text, 'C'), '3');
});

test('values are UTF-8, and bytes that are not become U+FFFD', (t) => {
  t.is(fieldValue(Buffer.from('Maintainer: Zoë\n'), 'Maintainer'), 'Zoë');
  t.is(fieldValue(Buffer.from('Maintainer: Zo\xeb\n', 'latin1'), 'Maintainer'), 'Zo\ufffd');
});

test('fields keep order, spelling and place', (t) => {
  const found = fields(STANZA);

  t.deepEqual(
    found.map((field) => [field.name, field.line]),
    [['Package', 1], ['version', 2], ['Depends', 3], ['Description', 6], ['XB-Odd', 10], ['Files', 11], ['Last', 14]],
  );
  t.is(found.map((field) => STANZA.toString('utf8', field.start, field.end)).join(''), STANZA.toString());
  t.deepEqual(found.map((field) => valueOf(STANZA, field)), found.map((field) => fieldValue(STANZA, field.name)));
});

test('a line longer than any scanner buffer is one line', (t) => {
  const long = 'x'.repeat(300_000);

  t.is(fieldValue(Buffer.from(`A: b\nProvides: ${long}\nC: d\n`), 'Provides'), long);
});

test('paragraphs are separated by empty lines and by lines of white space', (t) => {
  const text = Buffer.from('\n\nA: 1\n\n \t\nB: 2\n more\n \nC: 3\r\n\r\nD: 4');

  const found = parseControl(text);

  t.deepEqual(
    found.map((one) => [one.line, text.toString('utf8', one.start, one.end)]),
    [[3, 'A: 1\n'], [6, 'B: 2\n more\n'], [9, 'C: 3\r\n'], [11, 'D: 4']],
  );
  t.deepEqual(found.map((one) => one.fields.map((field) => valueOf(text, field))), [['1'], ['2\nmore'], ['3'], ['4']]);
});

test('comments are passed over where they are allowed', (t) => {
  const text = Buffer.from('# head\nA: 1,\n# within\n 2\n#between\nB: 3\n');

  const [paragraph] = parseControl(text, { comments: true });

  t.deepEqual(paragraph?.fields.map((field) => valueOf(text, field)), ['1,\n2', '3']);
  t.throws(() => parseControl(text), { instanceOf: ArtifactsError });
});

const WRONG: readonly (readonly [string, string])[] = [
  [' starts folded\n', 'line 1: a continuation line before any field'],
  ['A: 1\n\n folded\n', 'line 3: a continuation line before any field'],
  ['A: 1\nno colon here\n', 'line 2: a line without a colon'],
  ['A: 1\nB C: 2\n', 'line 2: "B C" is no field name'],
  ['-A: 1\n', 'line 1: "-A" is no field name'],
  [': 1\n', 'line 1: "" is no field name'],
  ['A: 1\nB: 2\na: 3\n', 'line 3: the field a stands twice in one paragraph'],
];

test('what is no control data is refused with its line', (t) => {
  for (const [text, message] of WRONG) {
    t.throws(() => parseControl(Buffer.from(text), { label: 'debian/control' }), {
      message: `debian/control, ${message}`,
      code: 'E_FORMAT',
    });
  }
  t.throws(() => fields(Buffer.from('A: 1\nA: 2\n')), { code: 'E_FORMAT' });
});

test('the same name in two paragraphs is no duplicate', (t) => {
  t.is(parseControl(Buffer.from('A: 1\n\nA: 2\n')).length, 2);
});
