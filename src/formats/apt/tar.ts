/** Looking into a tar archive in memory. Nothing is ever extracted. */
import { isExtension, paddedSize, readExtension, readTarHeader, TAR_BLOCK, type TarExtension } from '../../util/tar-header.ts';
import { malformed } from './stanza-stream.ts';

export interface TarEntry {
  /** As it stands in the archive: `./control`. */
  readonly name: string;
  readonly kind: 'file' | 'other';
  readonly bytes: Buffer;
}

/** POSIX: a regular file; NUL is the same from before POSIX, 7 a contiguous file. */
const FILES = new Set(['0', '\0', '7']);

/** The entries in their order. Throws E_FORMAT where tar itself would give up: a bad checksum, a cut entry. */
export function* tarEntries(archive: Buffer, label: string): Generator<TarEntry> {
  const wrong = (problem: string): Error => malformed(label, `the archive ${problem}`);
  let next: TarExtension = {};
  for (let at = 0; at < archive.length; ) {
    const block = archive.subarray(at, at + TAR_BLOCK);
    if (block.length < TAR_BLOCK) throw wrong('breaks off within a header');
    const header = readTarHeader(block, wrong);
    if (header === undefined) return;
    const size = isExtension(header) ? header.size : (next.size ?? header.size);
    const bytes = archive.subarray(at + TAR_BLOCK, at + TAR_BLOCK + size);
    if (bytes.length < size) throw wrong('breaks off within a file');
    at += TAR_BLOCK + paddedSize(size);
    if (isExtension(header)) {
      next = { ...next, ...readExtension(header, bytes, wrong) };
      continue;
    }
    yield { name: next.name ?? header.name, kind: FILES.has(header.type) ? 'file' : 'other', bytes };
    next = {};
  }
}
