import type { z } from 'zod';
import { isArtifactsError } from '../core/errors.ts';
import { parseQuery } from '../query/parse.ts';
import { readMirrorFlag } from './aptly-flags.ts';
import type { FlagMeaning } from './aptly-flags.ts';
import { check, refuse, warn } from './check.ts';
import type { CheckContext } from './check.ts';
import type { Mirror, Upstream } from './config.ts';
import { formatPath } from './problem.ts';
import type { Path } from './problem.ts';
import { mirrorSchema } from './mirror-schema.ts';
import type { WrittenMirror } from './mirror-schema.ts';
import { absoluteUrl, fromRoot } from './values.ts';

export interface MirrorDefaults {
  readonly root: string;
  readonly architectures: readonly string[];
}

/** One entry of aptly_mirrors; undefined when it is wrong, with every problem reported. */
export function buildMirror(
  value: unknown,
  { path, context, defaults }: { readonly path: Path; readonly context: CheckContext; readonly defaults: MirrorDefaults },
): Mirror | undefined {
  const written = check(mirrorSchema, value, { path, context });
  if (written === undefined) return undefined;
  const merged = withFlags(written, path, context);
  const archiveUrl = absoluteUrl(merged.archive_url, defaults.root);
  const upstream = readUpstream(archiveUrl);
  const distribution = checkDistribution(merged, upstream, { path, context });
  if (merged.components !== undefined && merged.component1 !== undefined) {
    refuse(context, [...path, 'component1'], `${formatPath(path)}: components and component1 mean the same; keep one`);
  }
  if (merged.filter !== undefined) checkFilter(merged.filter, path, context);
  if (merged.gpg?.server !== undefined) warnServer(path, context);
  return {
    name: merged.name,
    format: 'apt',
    upstream,
    archiveUrl,
    list: undefined,
    distribution,
    components: unique(merged.components ?? merged.component1 ?? []),
    architectures: unique(merged.architectures ?? defaults.architectures),
    filter: merged.filter,
    filterWithDeps: merged.filter_with_deps ?? false,
    newest: merged.newest,
    kinds: wantedKinds(merged),
    files: listedFiles(merged),
    ...keysOf(merged.gpg, defaults.root),
    present: merged.state === 'present',
    update: merged.do_update ?? true,
    fallbackUrls: unique(merged.fallback_urls ?? []).map((url) => absoluteUrl(url, defaults.root)),
    maxAge: merged.max_age,
    checkValidUntil: merged.check_valid_until,
    place: context.variables.locate(path),
  };
}

/** The keys that are pinned, and where they lie. */
export function keysOf(gpg: { readonly key?: string[] | undefined; readonly keyring?: string[] | undefined } | undefined, root: string): Pick<Mirror, 'fingerprints' | 'shortKeyIds' | 'keyrings'> {
  const keys = unique(gpg?.key ?? []);
  return {
    fingerprints: keys.filter((key) => key.length >= 40),
    shortKeyIds: keys.filter((key) => key.length < 40),
    keyrings: unique(gpg?.keyring ?? []).map((file) => fromRoot(root, file)),
  };
}

function wantedKinds(merged: WrittenMirror): readonly string[] {
  return [
    ...(merged.with_sources === true ? ['source'] : []),
    ...(merged.with_udebs === true ? ['udeb'] : []),
    ...(merged.with_installer === true ? ['installer'] : []),
  ];
}

/** The shorthands and the globs for files that are mirrored besides the packages. */
function listedFiles(merged: WrittenMirror): readonly string[] {
  return unique([
    ...(merged.with_translations ?? []).map((language) => `i18n/Translation-${language}`),
    ...(merged.with_contents === true ? ['Contents-*'] : []),
    ...(merged.with_appstream === true ? ['dep11/*'] : []),
    ...(merged.files ?? []),
  ]);
}

function readUpstream(url: string): Upstream {
  const match = /^system(?::(.*))?$/.exec(url);
  if (match === null) return { kind: 'url', url };
  const suite = match[1] ?? '';
  return { kind: 'system', suite: suite === '' ? undefined : suite };
}

function checkDistribution(
  written: WrittenMirror,
  upstream: Upstream,
  { path, context }: { readonly path: Path; readonly context: CheckContext },
): string | undefined {
  const { distribution } = written;
  if (upstream.kind === 'url') {
    if (distribution === undefined) refuse(context, [...path, 'distribution'], `${formatPath(path)}.distribution: is missing`);
    return distribution;
  }
  if (upstream.suite !== undefined && distribution !== undefined && distribution !== upstream.suite) {
    const message = `${formatPath(path)}: distribution ${distribution} is not the suite of ${written.archive_url}`;
    refuse(context, [...path, 'distribution'], message);
  }
  return distribution ?? upstream.suite;
}

export function checkFilter(filter: string, path: Path, context: CheckContext): void {
  try {
    parseQuery(filter);
  } catch (error) {
    if (!isArtifactsError(error, 'E_USAGE')) throw error;
    refuse(context, [...path, 'filter'], `${formatPath(path)}.filter: ${error.message}`);
  }
}

function warnServer(path: Path, context: CheckContext): void {
  // Once is enough: RPC-O's file names a server for each of its mirrors.
  if (context.findings.warnings.some((warning) => warning.message.startsWith('gpg.server'))) return;
  warn(context, [...path, 'gpg', 'server'], 'gpg.server has no effect: keys are never fetched, put them into the keyring', 'key');
}

/** The entry with its create_flags and update_flags turned into the fields they stand for. */
function withFlags(written: WrittenMirror, path: Path, context: CheckContext): WrittenMirror {
  let merged = written;
  for (const list of ['create_flags', 'update_flags'] as const) {
    for (const [index, text] of (written[list] ?? []).entries()) {
      const at = [...path, list, index];
      const result = readMirrorFlag(text);
      if ('problem' in result) refuse(context, at, `${formatPath(at)}: ${result.problem}`);
      else if ('ignored' in result.value) warn(context, at, `${text} has no effect: ${result.value.ignored}`);
      else merged = withField(merged, result.value, { at, context });
    }
  }
  return merged;
}

function withField(
  merged: WrittenMirror,
  meaning: Exclude<FlagMeaning, { readonly ignored: string } | { readonly field: 'comment' }>,
  { at, context }: { readonly at: Path; readonly context: CheckContext },
): WrittenMirror {
  if (meaning.field === 'keyring') {
    const given = check(mirrorSchema.shape.gpg, { keyring: meaning.value }, { path: at, context })?.keyring ?? [];
    return { ...merged, gpg: { ...merged.gpg, keyring: [...(merged.gpg?.keyring ?? []), ...given] } };
  }
  const before = merged[meaning.field as 'filter'];
  if (before !== undefined && JSON.stringify(before) !== JSON.stringify(meaning.value)) {
    refuse(context, at, `${formatPath(at)}: -${meaning.field.replaceAll('_', '-')} contradicts the field ${meaning.field}`);
    return merged;
  }
  const { [meaning.field]: schema } = mirrorSchema.shape;
  const checked = check<z.ZodType>(schema, meaning.value, { path: at, context });
  return checked === undefined ? merged : { ...merged, [meaning.field]: checked };
}

export function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}
