import test from 'ava';
import type { PackageRecord } from '../../../src/core/package.ts';
import { aptSubject } from '../../../src/formats/apt/subject.ts';

function record(text: string, partition = 'binary-amd64'): PackageRecord {
  const value = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  return {
    format: 'apt',
    partition,
    name: value('Package'),
    version: value('Version'),
    architecture: partition === 'source' ? 'source' : value('Architecture'),
    files: [],
    text: Buffer.from(text),
  };
}

const VIM = `Package: vim
Source: vim-src (2:9.0-1)
Version: 2:9.0-1+b1
Architecture: amd64
Multi-Arch: Foreign
Provides: editor, vim-python3 (= 9)
Pre-Depends: dpkg (>= 1.15)
Depends: libc6 (>= 2.36) | libc, vim-common
Recommends: xxd
Suggests: ctags
`;

test('a binary package answers from its stanza', (t) => {
  const subject = aptSubject(record(VIM));

  t.is(subject.name, 'vim');
  t.is(subject.version, '2:9.0-1+b1');
  t.is(subject.architecture, 'amd64');
  t.is(subject.type, 'deb');
  t.is(subject.multiArch, 'foreign');
  t.deepEqual(subject.source, { name: 'vim-src', version: '2:9.0-1' });
  t.is(subject.field('recommends'), 'xxd');
  t.is(subject.field('Nothing'), undefined);
  t.deepEqual(subject.capabilities, [
    { name: 'vim', version: '2:9.0-1+b1' },
    { name: 'editor' },
    { name: 'vim-python3', version: '9' },
  ]);
});

test('needs come in order, the optional ones when asked for', (t) => {
  const subject = aptSubject(record(VIM));
  const names = (follow: Parameters<typeof subject.requirements>[0]): string[] =>
    subject.requirements(follow).map((one) => one.map(({ name }) => name).join('|'));

  t.deepEqual(names({}), ['dpkg', 'libc6|libc', 'vim-common']);
  t.deepEqual(names({ source: true }), ['dpkg', 'libc6|libc', 'vim-common']);
  t.deepEqual(names({ recommends: true, suggests: true }), ['dpkg', 'libc6|libc', 'vim-common', 'xxd', 'ctags']);
});

test('the source is the package itself unless it says otherwise', (t) => {
  const source = (field: string): unknown => aptSubject(record(`Package: a\n${field}Version: 1\nArchitecture: all\n`)).source;

  t.deepEqual(source(''), { name: 'a', version: '1' });
  t.deepEqual(source('Source: b\n'), { name: 'b', version: '1' });
  t.deepEqual(source('Source: b (2)\n'), { name: 'b', version: '2' });
  t.deepEqual(source('Source: lib(0.1)\n'), { name: 'lib', version: '0.1' });
  t.deepEqual(source('Source:\n'), { name: 'a', version: '1' });
});

test('the index a package stands in decides its type', (t) => {
  const text = 'Package: a\nVersion: 1\nArchitecture: amd64\n';

  t.is(aptSubject(record(text, 'debian-installer-amd64')).type, 'udeb');
  t.is(aptSubject(record(text, 'source')).type, 'source');
  t.is(aptSubject(record(text, 'binary-all')).type, 'deb');
  t.is(aptSubject(record(text)).multiArch, 'no');
});

test('a source package needs what its build needs, on the architecture asked for', (t) => {
  const text = `Package: a
Binary: a, a-doc
Version: 1
Build-Depends: gcc, libx [amd64],
 valgrind [!i386] <!nocheck>, early <stage1>
Build-Depends-Arch: arch-tool
Build-Depends-Indep: doc-tool
`;
  const subject = aptSubject(record(text, 'source'));
  const names = (architecture?: string): (string | undefined)[] =>
    subject
      .requirements({ source: true, ...(architecture === undefined ? {} : { architecture }) })
      .map(([one]) => one?.name);

  t.deepEqual(subject.requirements({}), []);
  t.deepEqual(names('i386'), ['gcc', 'arch-tool', 'doc-tool']);
  t.deepEqual(names('amd64'), ['gcc', 'libx', 'valgrind', 'arch-tool', 'doc-tool']);
  t.deepEqual(names(), ['gcc', 'libx', 'valgrind', 'arch-tool', 'doc-tool']);
  t.deepEqual(subject.source, { name: 'a', version: '1' });
});

test('a broken relation is reported with its package and field', (t) => {
  const subject = aptSubject(record('Package: a\nVersion: 1\nArchitecture: all\nDepends: b c\nProvides: (\n'));

  t.throws(() => subject.requirements({}), {
    code: 'E_FORMAT',
    message: 'a 1 all, Depends: "b c" is no relation to a package',
  });
  t.throws(() => subject.capabilities, { code: 'E_FORMAT', message: /^a 1 all, Provides: / });
});
