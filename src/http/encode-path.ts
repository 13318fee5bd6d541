import { ArtifactsError } from '../core/errors.ts';

/** What RFC 3986 allows in a path as it stands, without `%`; nor `+`, which object stores take for a blank: apt and dnf encode it as well. */
const PLAIN = /^[A-Za-z0-9\-._~!$&'()*,;=:@/]*$/;
const ALLOWED_BUT_ENCODED = /%(?:24|26|2C|3A|3B|3D|40)/g;

/**
 * A path of file names as the path of an URL: `1%3a2 b+c` becomes `1%253a2%20b%2Bc`. A leading `./` is dropped.
 * Throws E_PATH for what would be another path: `..`, an absolute path, an empty part, a control character.
 */
export function encodePath(path: string): string {
  const relative = path.startsWith('./') ? path.slice(2) : path;
  if (PLAIN.test(relative) && !/(?:^|\/)(?:\.{0,2})(?:\/|$)/.test(relative)) return relative;
  return relative.split('/').map(encodePart(path)).join('/');
}

function encodePart(path: string): (part: string) => string {
  return (part) => {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (part === '' || part === '.' || part === '..' || /[\u0000-\u001f\u007f\\]/.test(part)) {
      throw new ArtifactsError('E_PATH', `Refused to request the path ${JSON.stringify(path)}`);
    }
    return encodeURIComponent(part).replace(ALLOWED_BUT_ENCODED, decodeURIComponent);
  };
}
