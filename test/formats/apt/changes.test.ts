import test from 'ava';
import { readChanges } from '../../../src/formats/apt/changes.ts';

const SUM = 'a'.repeat(64);

test('an upload names its files and can be asked for its fields', (t) => {
  const { files, subject } = read(changesOf({}));

  t.deepEqual(files.map(({ name, size }) => [name, size]), [['hello_1.0-1_amd64.deb', 10], ['hello_1.0-1.dsc', 20]]);
  t.is(subject.name, 'hello');
  t.is(subject.version, '1:1.0-1');
  t.is(subject.field('Distribution'), 'unstable');
  t.is(subject.field('distribution'), 'unstable');
});

test('the version of the source is no part of its name', (t) => {
  t.is(read(changesOf({ source: 'hello (1.0-1)' })).subject.name, 'hello');
});

test('what cannot be trusted or found is refused', (t) => {
  const code = (text: string): string => (t.throws(() => read(text)) as { code?: string } | undefined)?.code ?? '';

  t.is(code(changesOf({ sums: ` ${SUM} 10 ../../etc/passwd\n` })), 'E_FORMAT');
  t.is(code(changesOf({ sums: ` ${SUM} 10 a.deb\n ${SUM} 10 a.deb\n` })), 'E_FORMAT');
  t.is(code(changesOf({ sums: '' })), 'E_FORMAT');
  t.is(code(changesOf({ sums: ` ${SUM} -1 a.deb\n` })), 'E_FORMAT');
  t.is(code(changesOf({ source: '' })), 'E_FORMAT');
  t.is(code('Source: hello\nVersion: 1\nArchitecture: all\nFiles:\n d41d8cd98f00b204e9800998ecf8427e 0 misc optional a.deb\n'), 'E_WEAK_HASH');
});

function read(text: string): ReturnType<typeof readChanges> {
  return readChanges({ fileName: 'hello.changes', bytes: Buffer.from(text), text: Buffer.from(text) });
}

function changesOf({ source = 'hello', sums }: { source?: string; sums?: string }): string {
  const listed = sums ?? ` ${SUM} 10 hello_1.0-1_amd64.deb\n ${SUM} 20 hello_1.0-1.dsc\n`;
  return `Format: 1.8\nSource: ${source}\nArchitecture: source amd64\nVersion: 1:1.0-1\nDistribution: unstable\nChecksums-Sha256:\n${listed}`;
}
