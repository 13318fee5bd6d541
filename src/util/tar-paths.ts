/** The names of what a tar archive holds, read as its bytes arrive. */
import { ArtifactsError } from '../core/errors.ts';
import { isExtension, paddedSize, readExtension, readTarHeader, TAR_BLOCK, type TarExtension } from './tar-header.ts';

/** Long names and pax headers are read whole; nothing sensible is longer. */
const LONGEST_NAME = 1024 * 1024;

/**
 * Paths of everything but folders, without a leading `./` or `/`, a character per byte. Throws E_FORMAT for what is no
 * tar archive or ends early.
 */
export async function* tarPaths(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const source = blocks(chunks);
  let next: TarExtension = {};
  for (;;) {
    const block = await source.take(TAR_BLOCK);
    const header = block === undefined ? undefined : readTarHeader(block, malformed);
    if (header === undefined) return source.close();
    if (isExtension(header)) {
      if (header.size > LONGEST_NAME) throw malformed(`has a name of ${header.size} bytes`);
      const bytes = await source.need(paddedSize(header.size));
      next = { ...next, ...readExtension(header, bytes.subarray(0, header.size), malformed) };
      continue;
    }
    await source.skip(paddedSize(next.size ?? header.size));
    const path = (next.name ?? header.name).replace(/^(?:\.?\/)+/, '');
    next = {};
    if (header.type !== FOLDER && path !== '' && !path.endsWith('/')) yield path;
  }
}

/** POSIX's type flag of directories. */
const FOLDER = '5';

function malformed(what: string): ArtifactsError {
  return new ArtifactsError('E_FORMAT', `The tar archive ${what}`);
}

interface Blocks {
  /** That many bytes, or undefined at the end. */
  take(count: number): Promise<Buffer | undefined>;
  need(count: number): Promise<Buffer>;
  skip(count: number): Promise<void>;
  /** Reads what is left, so that whoever writes it ends well. */
  close(): Promise<void>;
}

function blocks(chunks: AsyncIterable<Buffer>): Blocks {
  const iterator = chunks[Symbol.asyncIterator]();
  let buffer: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const { value, done } = await iterator.next();
    if (done === true) return false;
    buffer = buffer.length === 0 ? value : Buffer.concat([buffer, value]);
    return true;
  };
  const take = async (count: number): Promise<Buffer | undefined> => {
    while (buffer.length < count && (await more()));
    if (buffer.length === 0 && count > 0) return undefined;
    if (buffer.length < count) throw malformed('ends early');
    const taken = buffer.subarray(0, count);
    buffer = buffer.subarray(count);
    return taken;
  };
  return {
    take,
    need: async (count) => {
      const taken = await take(count);
      if (taken === undefined) throw malformed('ends early');
      return taken;
    },
    skip: async (count) => {
      let left = count;
      for (;;) {
        const step = Math.min(left, buffer.length);
        buffer = buffer.subarray(step);
        left -= step;
        if (left === 0) return;
        if (!(await more())) throw malformed('ends early');
      }
    },
    close: async () => {
      do buffer = Buffer.alloc(0);
      while (await more());
    },
  };
}
