/** What packages may be called: their architectures become folders, and their versions parts of names. */
import { malformed } from './malformed.ts';

export interface WrittenKey {
  readonly name: string;
  readonly arch: string;
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
}

/** What rpmbuild lets through and a little more; no blanks, slashes or control characters. */
const PATTERNS: Readonly<Record<keyof WrittenKey, RegExp>> = {
  name: /^[A-Za-z0-9_][\w.+^~@:-]*$/,
  arch: /^[A-Za-z0-9_]+$/,
  // oxlint-disable-next-line no-control-regex
  version: /^[^\u0000-\u0020\u007f/-]+$/,
  // oxlint-disable-next-line no-control-regex
  release: /^[^\u0000-\u0020\u007f/-]+$/,
  epoch: /^\d{1,10}$/,
};

/** Throws E_FORMAT. */
export function checkKey(key: WrittenKey, place: string): void {
  for (const field of ['name', 'arch', 'version', 'release', 'epoch'] as const) {
    if (!PATTERNS[field].test(key[field])) throw malformed(place, `the ${field} ${JSON.stringify(key[field].slice(0, 60))} is not allowed`);
  }
}
