import { execFileSync } from 'node:child_process';
import { zstdStored } from '../../src/util/zstd-stream.ts';
import { hasCommand, testWith } from '../rig/skip.ts';

testWith(hasCommand('zstd'), 'zstd is not installed')('zstd reads stored frames of any length, alone and between others', (t) => {
  const unpack = (input: Buffer): Buffer => execFileSync('zstd', ['-dcq'], { input, maxBuffer: 1 << 24 });
  for (const length of [0, 1, 255, 256, 257, 65_536, 128 * 1024]) {
    const bytes = Buffer.alloc(length, 'some text');
    t.true(unpack(zstdStored(bytes)).equals(bytes), `${length} bytes`);
  }
  const packed = execFileSync('zstd', ['-qc'], { input: 'in the middle', stdio: 'pipe' });
  t.is(unpack(Buffer.concat([zstdStored(Buffer.from('<')), packed, zstdStored(Buffer.from('>'))])).toString(), '<in the middle>');
  t.throws(() => zstdStored(Buffer.alloc(128 * 1024 + 1)));
});
