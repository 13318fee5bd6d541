/** Who may upload what: rules in the form of aptly's uploaders.json, judged by full fingerprints. */
import { parse } from 'yaml';
import { z } from 'zod';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { QuerySubject } from '../core/relation.ts';
import { matcher, type Matcher, type QueryRules } from '../query/match.ts';
import { parseQuery } from '../query/parse.ts';
import { parseFingerprint } from '../sign/key-check.ts';

const listSchema = z.array(z.string()).default([]);
const fileSchema = z.strictObject({
  groups: z.record(z.string(), z.array(z.string())).default({}),
  rules: z.array(z.strictObject({ condition: z.string(), allow: listSchema, deny: listSchema })),
});

export interface Uploaders {
  readonly rules: readonly UploadRule[];
}

interface UploadRule {
  readonly condition: string;
  readonly matches: Matcher;
  readonly allow: ReadonlySet<string>;
  readonly deny: ReadonlySet<string>;
}

/** Whoever it is, also without any signature. */
const ANYBODY = '*';

/**
 * Reads JSON or YAML: `groups` of fingerprints and of other groups, and `rules` of a query on the upload and whom it
 * allows or denies. Throws E_CONFIG.
 */
export function readUploaders(text: string, name: string, format: QueryRules): Uploaders {
  const { groups, rules } = parseFile(text, name);
  return {
    rules: rules.map(({ condition, allow, deny }) => ({
      condition,
      matches: matcher(parseCondition(condition, name), format),
      allow: expand(allow, { groups, name, within: [] }),
      deny: expand(deny, { groups, name, within: [] }),
    })),
  };
}

/**
 * The first rule that means the upload and names one of its signers decides, a denial before a permission. Throws
 * E_SIGNATURE when it denies, or when no rule names any of them.
 */
export function checkUploader({ rules }: Uploaders, upload: QuerySubject, { name, fingerprints }: { readonly name: string; readonly fingerprints: readonly string[] }): void {
  const signers = [ANYBODY, ...fingerprints];
  const who = fingerprints.length === 0 ? 'nobody known' : fingerprints.join(', ');
  for (const { condition, matches, allow, deny } of rules) {
    if (!matches(upload)) continue;
    if (signers.some((signer) => deny.has(signer))) throw denied(`${name}, signed by ${who}, is denied by the rule "${condition}"`);
    if (signers.some((signer) => allow.has(signer))) return;
  }
  throw denied(`${name}, signed by ${who}, is allowed by no rule`);
}

function denied(message: string): ArtifactsError {
  return new ArtifactsError('E_SIGNATURE', message, { hint: 'The file of --uploaders says who may upload what.' });
}

function parseFile(text: string, name: string): z.infer<typeof fileSchema> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new ArtifactsError('E_CONFIG', `${name}: ${error instanceof Error ? error.message.split('\n', 1)[0] : 'unreadable'}`, { cause: error });
  }
  const result = fileSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ArtifactsError('E_CONFIG', `${name}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}`);
}

function parseCondition(condition: string, name: string): ReturnType<typeof parseQuery> {
  try {
    return parseQuery(condition);
  } catch (error) {
    if (!isArtifactsError(error)) throw error;
    throw new ArtifactsError('E_CONFIG', `${name}: in the condition ${JSON.stringify(condition)}: ${error.message}`, { cause: error });
  }
}

interface Expanding {
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly name: string;
  readonly within: readonly string[];
}

function expand(items: readonly string[], { groups, name, within }: Expanding): ReadonlySet<string> {
  const found = new Set<string>();
  for (const item of items) {
    const group = Object.entries(groups).find(([title]) => title === item)?.[1];
    if (group === undefined) {
      found.add(item === ANYBODY ? item : fingerprint(item, name));
      continue;
    }
    if (within.includes(item)) throw new ArtifactsError('E_CONFIG', `${name}: the group "${item}" holds itself`);
    for (const member of expand(group, { groups, name, within: [...within, item] })) found.add(member);
  }
  return found;
}

function fingerprint(text: string, name: string): string {
  const digits = parseFingerprint(text);
  if (digits !== undefined) return digits;
  throw new ArtifactsError('E_CONFIG', `${name}: "${text}" is neither a group nor a full fingerprint`, {
    hint: 'Key ids can be forged: give the 40 hex digits that `gpg --show-keys --with-fingerprint FILE` prints.',
  });
}
