import { ArtifactsError } from '../core/errors.ts';

/** The parts of a clear-signed message (RFC 9580, 7). */
export interface Clearsigned {
  /** The signed lines: unescaped, without trailing blanks, joined by LF, no LF after the last. */
  readonly text: Buffer;
  /** The armored signature block. */
  readonly signature: string;
}

const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----';
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----';
const END = '-----END PGP SIGNATURE-----';

/**
 * Takes a clear-signed message apart. It must be one message and nothing else: whatever stands beside the signed text
 * was signed by nobody (CVE-2013-1051). Throws E_UNSIGNED when it is none, E_SIGNATURE when there is anything odd.
 */
export function parseClearsigned(bytes: Uint8Array, name: string): Clearsigned {
  // Latin-1 keeps every byte as it is, whatever the text is encoded in.
  const lines = Buffer.from(bytes).toString('latin1').split('\n').map(trimEnd);
  if (!lines.includes(BEGIN)) throw new ArtifactsError('E_UNSIGNED', `${name} is not signed`, UNSIGNED);
  if (lines[0] !== BEGIN) throw odd(name, 'has text before the signed text');
  const first = skipHeaders(lines, name);
  const border = lines.indexOf(SIGNATURE, first);
  const end = lines.indexOf(END, border);
  if (border < 0 || end < 0) throw odd(name, 'breaks off before the end of its signature');
  if (lines.slice(end + 1).some((line) => line !== '')) throw odd(name, 'has text after its signature');
  const text = lines.slice(first, border).map((line) => unescape(line, name));
  return { text: Buffer.from(text.join('\n'), 'latin1'), signature: `${lines.slice(border, end + 1).join('\n')}\n` };
}

/** Makes the text ready to be signed in the clear: trailing blanks of lines and the last newline are not signed. */
export function clearsignedText(text: string): string {
  return text.split('\n').map(trimEnd).join('\n').replace(/\n$/, '');
}

/** Puts a clear-signed message together of what `clearsignedText` gave, and its signatures. */
export function formatClearsigned(text: string, hashes: readonly string[], signature: string): string {
  const escaped = text.replace(/^-/gm, '- -');
  return `${BEGIN}\nHash: ${hashes.join(', ')}\n\n${escaped}\n${signature}`;
}

function skipHeaders(lines: readonly string[], name: string): number {
  const blank = lines.indexOf('', 1);
  const headers = lines.slice(1, Math.max(blank, 1));
  // Another header, such as NotDashEscaped of GnuPG, changes what the text means.
  const known = headers.every((line) => /^Hash: [A-Za-z0-9, -]+$/.test(line));
  if (blank < 0 || !known) throw odd(name, 'has an unknown header');
  return blank + 1;
}

function unescape(line: string, name: string): string {
  if (!line.startsWith('-')) return line;
  if (!line.startsWith('- ')) throw odd(name, 'holds a line that must be dash-escaped');
  return line.slice(2);
}

/** Blanks at the end of a line are not covered by the signature, nor is the kind of line end. */
function trimEnd(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\r'.includes(line.charAt(end - 1))) end -= 1;
  return line.slice(0, end);
}

function odd(name: string, what: string): ArtifactsError {
  return new ArtifactsError('E_SIGNATURE', `${name} ${what}`, {
    hint: 'Such a file is refused as a whole: it was damaged or tampered with. Check the upstream.',
  });
}

const UNSIGNED = { hint: 'Check the URL, and that nothing between here and the upstream replaces its answers.' };
