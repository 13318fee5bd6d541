import { spawnSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import { splitXz, xzHeader, xzTrailer, type XzBlock } from '../../src/util/xz-stream.ts';
import { hasCommand, testWith } from '../rig/skip.ts';

const withXz = testWith(hasCommand('xz'), 'needs xz');

/** Texts as one stream with a block each. */
function compress(texts: readonly Buffer[]): Buffer {
  const sizes = texts.map(({ length }) => length);
  const args = ['-T2', '-C', 'crc64', `--block-size=${Math.max(...sizes)}`, `--block-list=${sizes.join(',')}`, '-c'];
  return spawnSync('xz', args, { input: Buffer.concat(texts), maxBuffer: 1 << 28 }).stdout;
}

function join(blocks: readonly XzBlock[]): Buffer {
  return Buffer.concat([xzHeader(), ...blocks.map(({ bytes }) => bytes), xzTrailer(blocks)]);
}

/** What xz says of a file: it is sound, holds one stream and as many blocks, and these bytes. */
function read(file: Buffer): { readonly sound: boolean; readonly list: string; readonly plain: Buffer } {
  const sound = spawnSync('xz', ['-t', '-v'], { input: file });
  const { stdout } = spawnSync('xz', ['-dc'], { input: file, maxBuffer: 1 << 28 });
  return { sound: sound.status === 0, list: sound.stderr.toString(), plain: stdout };
}

withXz('blocks of several streams, joined in any order, are one sound stream with all their bytes', (t) => {
  const text = fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(fc.array(text, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }), (streams) => {
      const parts = streams.flatMap((texts) => {
        const blocks = splitXz(compress(texts));
        t.deepEqual(blocks.map(({ plainSize }) => plainSize), texts.map(({ length }) => length));
        return blocks.map((block, index) => ({ block, text: texts[index] ?? Buffer.alloc(0) }));
      });
      const mixed = parts.toReversed();

      const { sound, plain } = read(join(mixed.map(({ block }) => block)));

      t.true(sound);
      t.deepEqual(plain, Buffer.concat(mixed.map((part) => part.text)));
    }),
    { numRuns: 15 },
  );
});

withXz('an index of more than 127 blocks, and sizes beyond two bytes, are sound too', (t) => {
  const texts = Array.from({ length: 300 }, (_, n) => Buffer.alloc(n === 7 ? 3_000_000 : 20 + n, `${n} `));
  const blocks = splitXz(compress(texts));

  const { sound, plain } = read(join(blocks));

  t.is(blocks.length, 300);
  t.true(sound);
  t.true(plain.equals(Buffer.concat(texts)));
});

withXz('no blocks at all are an empty file', (t) => {
  const { sound, plain } = read(join([]));

  t.true(sound);
  t.is(plain.length, 0);
});

test('what is no stream with CRC64 is refused', (t) => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('no xz at all, but long enough to be looked into'), spawnSync('xz', ['-C', 'crc32', '-c'], { input: 'x' }).stdout]) {
    t.throws(() => splitXz(bytes), { code: 'E_TOOL' });
  }
});
