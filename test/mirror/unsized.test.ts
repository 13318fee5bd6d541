import test from 'ava';
import { isArtifactsError } from '../../src/core/errors.ts';
import { checked } from '../../src/mirror/indexes.ts';

async function* pieces(count: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < count; at += 1) yield Buffer.alloc(10);
}

async function read(source: AsyncIterable<Buffer>): Promise<number> {
  let size = 0;
  for await (const chunk of source) size += chunk.length;
  return size;
}

test('R08 what unpacks without a listed size ends at the limit, not at the end of the bomb', async (t) => {
  t.is(await read(checked({ name: 'primary' }, pieces(10), 100)), 100);

  const error = await t.throwsAsync(read(checked({ name: 'primary' }, pieces(Infinity), 100)));
  t.true(isArtifactsError(error, 'E_TOO_LARGE'), String(error));
  t.is(error.message, 'primary: more than the limit of 100 bytes');
});
