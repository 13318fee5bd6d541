import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Packing } from './packing.ts';
import { startCommand } from './run-command.ts';

/** zlib's default pieces of 16 KiB cost more than they save. */
const PIECE = 256 * 1024;

/** Forms that a tool unpacks; gz is done in process. */
export type ToolPacking = Exclude<Packing, 'none' | 'gz'>;

/** A tool and its arguments, the files left out. */
export type Tool = readonly [string, ...string[]];

/** They write to standard output. What archives use needs 65 MiB of memory; a file may ask for 4 GiB. */
export const UNPACKERS: Readonly<Record<ToolPacking, Tool>> = {
  xz: ['xz', '-dcq', '-T1', '--memlimit-decompress=256MiB'],
  bz2: ['bzip2', '-dcq'],
  zst: ['zstd', '-dcq', '--memory=256MB'],
};

/**
 * The plain bytes of a file. What is cut or damaged ends in an error: E_TOOL of the tool, or zlib's own. Leaving the
 * iteration early stops the tool.
 */
export async function* unpackFile(file: string, packing: Packing, signal: AbortSignal): AsyncGenerator<Buffer> {
  if (packing === 'none') return yield* chunks(createReadStream(file, { highWaterMark: PIECE }));
  if (packing === 'gz') {
    const source = createReadStream(file, { highWaterMark: PIECE });
    // Unlike pipe, it closes the file when the reader leaves early.
    return yield* chunks(pipeline(source, createGunzip({ chunkSize: PIECE }), () => {}));
  }
  const [command, ...args] = UNPACKERS[packing];
  const running = startCommand(command, [...args, file], { signal });
  running.stdin.end();
  let complete = false;
  try {
    yield* chunks(running.stdout);
    complete = true;
  } finally {
    if (!complete) running.kill();
  }
  await running.ended;
}

async function* chunks(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream) yield chunk as Buffer;
}
