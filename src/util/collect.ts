/** Between streams and what is looked at as a whole. */

export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

export async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
