import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

/** The bundle begins with its own digest, in a comment. */
const MARK = '// sha256 ';
const DIGEST_LENGTH = 64;

/**
 * Runs the bundle and returns what it exports, with the script. The code cache beside it, `main.cache`, spares compiling:
 * what V8 made of the same text when the program was built, after the digest of that text, since V8 itself only compares
 * lengths. V8 refuses what another version of it made; then, as without a cache, the text is compiled.
 */
export function loadBundle(file) {
  const text = readFileSync(file, 'latin1'); // esbuild writes nothing but ASCII
  const cachedData = readCache(`${file.slice(0, -'.cjs'.length)}.cache`, bundleDigest(text));
  const { href } = pathToFileURL(file);
  const script = new Script(text, { filename: href, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(createRequire(file), module, href);
  return { program: module.exports, script, digest: bundleDigest(text) };
}

function bundleDigest(text) {
  return text.slice(MARK.length, MARK.length + DIGEST_LENGTH);
}

function readCache(file, digest) {
  let bytes;
  try {
    bytes = readFileSync(file);
  } catch {
    return undefined;
  }
  return bytes.toString('latin1', 0, DIGEST_LENGTH) === digest ? bytes.subarray(DIGEST_LENGTH) : undefined;
}
