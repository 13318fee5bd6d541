/** What may stand in entries of `aptly_mirrors` and `rpm_mirrors`. */
import { z } from 'zod';
import { baseUrl, documentUrl, duration, flag, fullFingerprint, line, nameProblem, oneOrMore, parseBaseUrl, path, quote, safeName, strict, textAs, words } from './values.ts';
import type { Parsed } from './values.ts';

export const architecture = textAs((text) =>
  /^[a-z0-9][a-z0-9-]*$/.test(text) && text !== 'all' && text !== 'source'
    ? { value: text }
    : { problem: `${quote(text)} is no architecture; write one like amd64, or native for the machine's own` },
);

/** A suite as upstreams name it: `bookworm`, `trusty-updates/mitaka`, `stable/` or `./` for a flat repository. */
const distribution = textAs((text) => {
  if (text === './' || text === '/') return { value: text };
  const problem = text.replace(/\/$/, '').split('/').map(nameProblem).find((found) => found !== undefined);
  return problem === undefined ? { value: text } : { problem };
});

const component = textAs((text) => {
  const problem = text.split('/').map(nameProblem).find((found) => found !== undefined);
  return problem === undefined ? { value: text } : { problem };
});

const archiveUrl = textAs((text) => {
  const suite = /^system(?::(.*))?$/.exec(text);
  if (suite === null) {
    const result = parseBaseUrl(text);
    return 'value' in result ? result : { problem: `${result.problem} or be system:<suite>` };
  }
  const problem = (suite[1] ?? '') === '' ? undefined : nameProblem(suite[1] ?? '');
  return problem === undefined ? { value: text } : { problem };
});

/** `en`, `pt_BR`, or `*` for all there are. */
const language = textAs((text) => (/^(?:[a-z]{2,3}(?:_[A-Z]{2})?(?:@[a-z]+)?|\*)$/.test(text) ? { value: text } : { problem: `${quote(text)} is no language` }));

/** A path below a component, `*` for anything: `cnf/Commands-*`. */
const fileGlob = textAs((text) =>
  /^[A-Za-z0-9*][A-Za-z0-9*+._@/-]*$/.test(text) && !text.split('/').includes('..') ? { value: text } : { problem: `${quote(text)} is no path below a component` },
);

export const mirrorSchema = strict({
  name: safeName,
  archive_url: archiveUrl,
  distribution: distribution.optional(),
  components: words(component).optional(),
  component1: words(component).optional(),
  architectures: words(architecture).optional(),
  filter: line.optional(),
  filter_with_deps: flag.optional(),
  newest: z.int().min(1).max(10_000).optional(),
  with_sources: flag.optional(),
  with_udebs: flag.optional(),
  with_installer: flag.optional(),
  with_appstream: flag.optional(),
  with_translations: words(language).optional(),
  with_contents: flag.optional(),
  files: z.array(fileGlob).optional(),
  gpg: strict({
    key: z.preprocess(splitKeys, z.array(textAs(parseKeyId))).optional(),
    keyring: oneOrMore(path).optional(),
    server: z.unknown().optional(),
  }).optional(),
  state: z.enum(['present', 'absent']).default('present'),
  do_update: flag.optional(),
  create_flags: oneOrMore(z.string()).optional(),
  update_flags: oneOrMore(z.string()).optional(),
  fallback_urls: z.array(baseUrl).optional(),
  max_age: duration.optional(),
  check_valid_until: flag.optional(),
});
export type WrittenMirror = z.output<typeof mirrorSchema>;

const rpmArchitecture = textAs((text) =>
  /^[a-z0-9_]+$/.test(text) && text !== 'noarch' && text !== 'src'
    ? { value: text }
    : { problem: `${quote(text)} is no architecture of rpm; write one like x86_64` },
);

/** Whether a file is wanted that nothing signs, or which one. */
const flagOrSha256 = z.union([flag, textAs((text) => (/^[0-9a-f]{64}$/i.test(text) ? { value: text.toLowerCase() } : { problem: `${quote(text)} is neither yes nor a SHA-256` }))]);

/** A type of metadata as repomd.xml names it, `*` for anything. */
const metadataGlob = textAs((text) => (/^[A-Za-z0-9*_+-]+$/.test(text) ? { value: text } : { problem: `${quote(text)} is no type of metadata` }));

export const rpmMirrorSchema = strict({
  name: safeName,
  archive_url: baseUrl.optional(),
  metalink: documentUrl.optional(),
  mirrorlist: documentUrl.optional(),
  architectures: words(rpmArchitecture).optional(),
  filter: line.optional(),
  filter_with_deps: flag.optional(),
  newest: z.int().min(1).max(10_000).optional(),
  with_sources: flag.optional(),
  weak_checksums: flag.optional(),
  exact: flag.optional(),
  treeinfo: flagOrSha256.optional(),
  extra_files: flagOrSha256.optional(),
  duplicates: z.enum(['refuse', 'newest']).optional(),
  metadata: z.array(metadataGlob).optional(),
  gpg: strict({
    key: z.preprocess(splitKeys, z.array(textAs(parseKeyId))).optional(),
    package_key: z.preprocess(splitKeys, z.array(fullFingerprint)).optional(),
    keyring: oneOrMore(path).optional(),
  }).optional(),
  state: z.enum(['present', 'absent']).default('present'),
  do_update: flag.optional(),
  fallback_urls: z.array(baseUrl).optional(),
  max_age: duration.optional(),
});

export type WrittenRpmMirror = z.output<typeof rpmMirrorSchema>;

/** One text may hold several key ids, and one fingerprint may be printed in groups of four digits. */
function splitKeys(value: unknown): unknown {
  const texts = typeof value === 'string' || typeof value === 'number' ? [value] : value;
  if (!Array.isArray(texts)) return texts;
  return texts.flatMap((text: unknown) => {
    if (typeof text !== 'string') return [text];
    const parts = text.split(/[\s,]+/).filter((part) => part !== '');
    const grouped = parts.length >= 10 && parts.every((part) => /^[0-9a-f]{4}$/i.test(part));
    return grouped ? [parts.join('')] : parts;
  });
}

function parseKeyId(text: string): Parsed<string> {
  const digits = text.replace(/^0x/i, '').toUpperCase();
  if (/^[0-9A-F]+$/.test(digits) && [8, 16, 40, 64].includes(digits.length)) return { value: digits };
  return { problem: `${quote(text)} is no key fingerprint: 40 hex digits (64 for a version 6 key)` };
}
