import test from 'ava';
import { load, mirror, mirrors, problemsIn } from './support.ts';

test('a key that stands twice is refused at its second place', async (t) => {
  t.deepEqual(await problemsIn('aptly_architectures: [amd64]\naptly_architectures: [i386]\n'), [
    '2:1: this key stands twice in one mapping',
  ]);
});

test('a tab as indentation is refused', async (t) => {
  t.deepEqual(await problemsIn('aptly_mirrors:\n\t- name: x\n'), ['2:1: a tab indents this line; YAML wants spaces']);
});

test('broken syntax is refused with line and column', async (t) => {
  const [first = ''] = await problemsIn('aptly_architectures: [amd64\naptly_mirrors: []\n');

  t.regex(first, /^[12]:\d+: /);
});

test('a bomb of aliases is refused', async (t) => {
  const levels = Array.from({ length: 12 }, (_, index) => {
    const before = index === 0 ? '"boom"' : `*a${index - 1}`;
    return `v${index}: &a${index} [${Array.from({ length: 10 }, () => before).join(', ')}]`;
  });

  t.deepEqual(await problemsIn(`${levels.join('\n')}\n`), ['1:1: more than 100 uses of aliases, or a bad alias']);
});

test('a value that holds itself is refused', async (t) => {
  const problems = await problemsIn('aptly_mirrors: &all\n  - *all\n');

  t.true(problems.length > 0);
  t.regex(problems.join('\n'), /holds itself|aliases/);
});

test('endless nesting is refused', async (t) => {
  const problems = await problemsIn(`aptly_mirrors: ${'['.repeat(50_000)}`);

  t.true(problems.length > 0);
});

test('tags are refused', async (t) => {
  t.regex((await problemsIn('aptly_user: !!js/function "x"\n')).join(), /^1:13: .*tags are not used here/);
});

test('binary files, other encodings and several documents are refused', async (t) => {
  t.deepEqual(await problemsIn(Buffer.from([0x61, 0x3a, 0x00, 0x01])), [' is no UTF-8 text']);
  t.deepEqual(await problemsIn(Buffer.from('aptly_user: caf\u00e9', 'latin1')), [' is no UTF-8 text']);
  t.deepEqual(await problemsIn(Buffer.from('\ufeffaptly_user: x', 'utf16le')), [' is no UTF-8 text']);
  t.regex((await problemsIn('aptly_user: a\n---\naptly_user: b\n')).join(), /several documents/);
  t.regex((await problemsIn('- a\n- b\n')).join(), /^1:1: the file must hold variables/);
});

test('a byte order mark and CRLF do no harm', async (t) => {
  const text = `\ufeff${mirrors(mirror('one'))}`.replaceAll('\n', '\r\n');

  const config = await load({ 'vars/a.yml': Buffer.from(text, 'utf8') });

  t.is(config.mirrors[0]?.name, 'one');
  t.is(config.mirrors[0]?.place.line, 2);
});

test('a fingerprint of digits only stays what it is', async (t) => {
  const digits = '0123456789012345678901234567890123456789';
  const entry = mirror('one').replace(/key: \[\w+\]/, `key: [${digits}, 1234567890123456789012345678901234567890]`);

  const config = await load({ 'vars/a.yml': mirrors(entry) });

  t.deepEqual(config.mirrors[0]?.fingerprints, [digits, '1234567890123456789012345678901234567890']);
});

test('a release that looks like a number keeps its name', async (t) => {
  const config = await load({
    'vars/a.yml': `${mirrors(mirror('one'))}releases: {1.10: {codenames: [bookworm]}}\naptly_miko_mapping: {1: {bookworm: [one]}}\n`,
  });

  t.like(config.releases[0], { name: '1.10', series: '1' });
});

test('anchors and merge keys work, and problems in them have a place', async (t) => {
  const shared = `distribution: bookworm, components: [main], gpg: {key: [${'A'.repeat(40)}], keyring: k.asc}`;
  const text = `my_common: &common {${shared}}\naptly_user: "{{ my_common }}"\naptly_mirrors:\n  - {name: a, archive_url: "http://a.example.org/", <<: *common}\n  - {name: b, archive_url: "ftp://b.example.org/", <<: *common}\n`;

  t.deepEqual(await problemsIn(text), [
    '5:28: aptly_mirrors[1].archive_url: must be an URL that begins with http:// or https:// or be system:<suite>',
  ]);
  const config = await load({ 'vars/a.yml': text.replace('ftp:', 'http:') });
  t.deepEqual(config.mirrors.map(({ distribution }) => distribution), ['bookworm', 'bookworm']);
});
