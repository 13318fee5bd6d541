/** One stanza of another tool's as a record, read as if it came from an index. */
import type { PackageRecord } from '../core/package.ts';
import { EMPTY_SHA256 } from '../core/digest.ts';
import type { RepoFormat } from '../formats/format.ts';

/**
 * Reads a stanza as `aptly package show` prints it: as it was, but sources have no Directory, which their index needs.
 * Throws E_FORMAT, E_WEAK_HASH or E_PATH, naming the package.
 */
export async function readStanza(text: string, format: RepoFormat): Promise<PackageRecord> {
  const kind = kindOf(text);
  const whole = kind === 'sources' ? `${text}\nDirectory: .\n` : `${text}\n`;
  const name = /^Package: (\S+)/m.exec(text)?.[1] ?? 'a stanza';
  const index = { name, kind, offers: [], plain: { size: 0, sha256: EMPTY_SHA256 } };
  const bytes = Buffer.from(whole, 'latin1');
  const chunks = async function* (): AsyncGenerator<Buffer> {
    yield bytes;
  };
  for await (const batch of format.upstream.readIndex(index, chunks())) {
    const record = batch[0]?.record;
    if (record !== undefined) return record;
  }
  throw new Error(`${name} was read and is not there`);
}

function kindOf(text: string): string {
  const file = /^Filename: (.*)$/m.exec(text)?.[1];
  if (file === undefined) return 'sources';
  return file.trimEnd().endsWith('.udeb') ? 'udebs' : 'packages';
}
