import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import test from 'ava';
import { readDsc } from '../../../src/formats/apt/dsc.ts';
import { fieldValue } from '../../../src/formats/apt/stanza.ts';
import { runCommand } from '../../rig/run.ts';
import { buildSource } from '../../rig/source.ts';
import { tempDir } from '../../rig/temp.ts';
import { hasCommand, testWith } from '../../rig/skip.ts';

testWith(hasCommand('dpkg-scansources'), 'dpkg-scansources is not installed')(
  'the entry says what dpkg-scansources says, but for the place',
  async (t) => {
    await using dir = await tempDir();
    const source = buildSource('hello', '1.0');
    await mkdir(dir.join('s'));
    for (const [name, bytes] of source.files) await writeFile(dir.join('s', name), bytes);
    const { stdout } = await runCommand('dpkg-scansources', ['s'], { cwd: dir.path });

    const { text, files } = read(source.files.get('hello_1.0.dsc') ?? Buffer.alloc(0));

    for (const field of ['Package', 'Binary', 'Version', 'Maintainer', 'Architecture', 'Format']) {
      t.is(fieldValue(text, field), fieldValue(Buffer.from(stdout), field), field);
    }
    for (const field of ['Files', 'Checksums-Sha256']) {
      t.deepEqual(lines(fieldValue(text, field)), lines(fieldValue(Buffer.from(stdout), field)), field);
    }
    t.is(fieldValue(text, 'Source'), undefined);
    t.regex(fieldValue(text, 'Directory') ?? '', /^pool\/[0-9a-f]{2}\/[0-9a-f]{64}$/);
    t.deepEqual(files.map(({ name }) => name), ['hello_1.0.dsc', 'hello_1.0.tar.gz']);
  },
);

test('fields keep their bytes and their order; the package comes first', (t) => {
  const { text } = read(dscOf({ more: 'X-Odd:  two  blanks\nPackage-List:\n hello deb misc optional arch=all\n' }));

  t.regex(text.toString(), /^Package: hello\nFormat: /);
  t.true(text.includes('X-Odd:  two  blanks\nPackage-List:\n hello deb misc optional arch=all\n'));
});

test('A29: parts that lead elsewhere, have no strong digest or come twice are refused', (t) => {
  const codes = (bytes: Buffer): string => {
    const error = t.throws(() => read(bytes)) as { code?: string } | undefined;
    return error?.code ?? '';
  };
  const line = (name: string): string => ` ${'a'.repeat(64)} 3 ${name}\n`;

  t.is(codes(dscOf({ sums: line('a/../../b') })), 'E_FORMAT');
  t.is(codes(dscOf({ sums: line('..') })), 'E_PATH');
  t.is(codes(dscOf({ sums: line('hello.tar.gz') + line('hello.tar.gz') })), 'E_FORMAT');
  t.is(codes(dscOf({ sums: line('other.dsc') })), 'E_FORMAT');
  t.is(codes(dscOf({ sums: ` ${'a'.repeat(40)} 3 hello.tar.gz\n` })), 'E_FORMAT');
  t.is(codes(Buffer.from('Format: 1.0\nSource: hello\nVersion: 1.0\nFiles:\n 00 3 hello.tar.gz\n')), 'E_WEAK_HASH');
  t.is(codes(dscOf({ source: '../x' })), 'E_FORMAT');
  t.is(codes(dscOf({ version: 'x y' })), 'E_FORMAT');
  t.is(codes(Buffer.concat([dscOf({}), Buffer.from('\nSource: second\n')])), 'E_FORMAT');
});

function read(bytes: Buffer): ReturnType<typeof readDsc> {
  return readDsc({ fileName: 'hello_1.0.dsc', bytes, text: bytes });
}

function dscOf({ source = 'hello', version = '1.0', sums, more = '' }: { source?: string; version?: string; sums?: string; more?: string }): Buffer {
  const digest = createHash('sha256').update('x').digest('hex');
  return Buffer.from(`Format: 1.0\nSource: ${source}\nVersion: ${version}\n${more}Checksums-Sha256:\n${sums ?? ` ${digest} 1 hello_1.0.tar.gz\n`}`);
}

function lines(value: string | undefined): string[] {
  return (value ?? '').split('\n').map((line) => line.trim()).filter((line) => line !== '').sort();
}
