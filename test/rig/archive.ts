/** Writers for the two container formats of a .deb, just enough for small deterministic test packages. */

export interface TarEntry {
  readonly path: string;
  readonly bytes?: Uint8Array;
  readonly mode?: number;
  /** ustar type flag; default is a folder for a path that ends with a slash, else a file. */
  readonly type?: string;
  readonly linkName?: string;
}

/** A ustar archive with owner root and time 0. Paths longer than 100 bytes are not supported. */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap((entry) => [tarHeader(entry), padded(entry.bytes)]), Buffer.alloc(1024)]);
}

/** A common (System V) ar archive as deb(5) wants it. */
export function ar(members: readonly (readonly [name: string, bytes: Uint8Array])[]): Buffer {
  const parts = members.flatMap(([name, bytes]) => {
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}`;
    const end = bytes.length % 2 === 1 ? '\n' : '';
    return [Buffer.from(`${header}${String(bytes.length).padEnd(10)}\`\n`), bytes, Buffer.from(end)];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}

function tarHeader(entry: TarEntry): Buffer {
  const header = Buffer.alloc(512);
  const type = entry.type ?? (entry.path.endsWith('/') ? '5' : '0');
  if (Buffer.byteLength(entry.path) > 100) throw new Error(`path too long for this writer: ${entry.path}`);
  header.write(entry.path, 0, 100, 'utf8');
  header.write(octal(entry.mode ?? (type === '5' ? 0o755 : 0o644), 8), 100, 'latin1');
  header.write(octal(0, 8), 108, 'latin1');
  header.write(octal(0, 8), 116, 'latin1');
  header.write(octal(entry.bytes?.length ?? 0, 12), 124, 'latin1');
  header.write(octal(0, 12), 136, 'latin1');
  header.fill(' ', 148, 156);
  header.write(type, 156, 'latin1');
  header.write(entry.linkName ?? '', 157, 100, 'utf8');
  header.write('ustar\x0000root', 257, 'latin1');
  header.write('root', 297, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

function padded(bytes: Uint8Array = new Uint8Array()): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
