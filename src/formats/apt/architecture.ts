/** Debian's architecture names and wildcards (Debian Policy 11.1, dpkg-architecture(1)). */

/**
 * True when an architecture is the one named, or one that the wildcard stands for: `any`, `linux-any`, `any-amd64`,
 * `gnu-any-any`. What is no wildcard is compared as text; `linux-amd64` is amd64 written in full.
 */
export function architectureMatches(architecture: string, pattern: string): boolean {
  if (pattern === architecture || pattern === `linux-${architecture}`) return true;
  const parts = pattern.split('-');
  if (!parts.includes('any')) return false;
  const wanted = [...Array<string>(Math.max(0, 4 - parts.length)).fill('any'), ...parts];
  const tuple = tupleOf(architecture);
  return wanted.length === tuple.length && wanted.every((part, i) => part === 'any' || part === tuple[i]);
}

/** What an architecture's name means: ABI, C library, kernel, processor. */
type Tuple = readonly [string, string, string, string];

/** Names whose processor is called otherwise, or whose ABI is not the processor's usual one. */
const SPECIAL: ReadonlyMap<string, readonly [abi: string, processor: string]> = new Map([
  ['armel', ['eabi', 'arm']],
  ['armhf', ['eabihf', 'arm']],
  ['arm64ilp32', ['ilp32', 'arm64']],
  ['x32', ['x32', 'amd64']],
  ['powerpcspe', ['spe', 'powerpc']],
  ['mipsn32', ['abin32', 'mips64']],
  ['mipsn32el', ['abin32', 'mips64el']],
  ['mips64', ['abi64', 'mips64']],
  ['mips64el', ['abi64', 'mips64el']],
  ['mipsn32r6', ['abin32', 'mips64r6']],
  ['mipsn32r6el', ['abin32', 'mips64r6el']],
  ['mips64r6', ['abi64', 'mips64r6']],
  ['mips64r6el', ['abi64', 'mips64r6el']],
]);

/** `amd64` is base-gnu-linux-amd64, `musl-linux-armhf` eabihf-musl-linux-arm, `hurd-i386` base-gnu-hurd-i386. */
function tupleOf(architecture: string): Tuple {
  const parts = architecture.split('-');
  const name = parts.at(-1) ?? '';
  const [abi, processor] = SPECIAL.get(name) ?? ['base', name];
  const kernel = parts.length > 1 ? (parts.at(-2) ?? '') : 'linux';
  const library = parts.length > 2 ? (parts.at(-3) ?? '') : 'gnu';
  return [abi, library, kernel, processor];
}
