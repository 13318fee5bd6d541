/** aptly's command line flags, as RPC-O's variables carry them, in our fields. What has no field is refused with a hint. */
import type { MergePolicy } from '../core/snapshot.ts';
import { suggestion } from './nearest.ts';
import { quote } from './values.ts';
import type { Parsed } from './values.ts';

/** What a flag says. `ignored` tells why it has no effect here, and need not have one. */
export type FlagMeaning =
  | { readonly field: 'filter'; readonly value: string }
  | { readonly field: 'filter_with_deps' | 'with_sources' | 'with_udebs' | 'with_appstream' | 'with_installer'; readonly value: boolean }
  | { readonly field: 'keyring' | 'architectures'; readonly value: readonly string[] }
  | { readonly ignored: string };

/** The same for a local repository. */
export type RepoFlagMeaning = { readonly field: 'comment'; readonly value: string } | { readonly ignored: string };

type Reader<T> = (value: string | undefined) => Parsed<T>;

const text =
  <F extends string>(field: F): Reader<{ readonly field: F; readonly value: string }> =>
  (value) =>
    value === undefined || value === '' ? { problem: 'needs a value' } : { value: { field, value } };

const list =
  (field: 'keyring' | 'architectures'): Reader<FlagMeaning> =>
  (value) =>
    value === undefined || value === ''
      ? { problem: 'needs a value' }
      : { value: { field, value: value.split(',').filter((part) => part !== '') } };

const ignored =
  (why: string): Reader<{ readonly ignored: string }> =>
  () => ({ value: { ignored: why } });

const refused =
  (hint: string): Reader<never> =>
  () => ({ problem: `is refused: ${hint}` });

const onOff =
  (field: 'filter_with_deps' | 'with_sources' | 'with_udebs' | 'with_appstream' | 'with_installer'): Reader<FlagMeaning> =>
  (value) => {
    const given = booleanOf(value);
    return given === undefined ? { problem: 'takes true or false' } : { value: { field, value: given } };
  };

const alwaysVerified = refused('nothing unverified is mirrored; pin the full fingerprint under gpg.key');

const MIRROR_FLAGS: Readonly<Record<string, Reader<FlagMeaning>>> = {
  architectures: list('architectures'),
  filter: text('filter'),
  'filter-with-deps': onOff('filter_with_deps'),
  keyring: list('keyring'),
  'force-components': ignored('components are taken as they are written'),
  'force-architectures': ignored('architectures are taken as they are written'),
  'skip-existing-packages': ignored('a package that is there is never downloaded again'),
  'max-tries': ignored('downloads are retried where that can help'),
  'ignore-signatures': alwaysVerified,
  'ignore-checksums': refused('every file is checked against its digest; remove the flag'),
  'with-sources': onOff('with_sources'),
  'with-udebs': onOff('with_udebs'),
  'with-appstream': onOff('with_appstream'),
  'with-installer': onOff('with_installer'),
  'download-limit': refused('set downloads.parallel instead'),
  downloader: refused('there is one downloader; remove the flag'),
  force: refused('a lock is freed when its holder ends; remove the flag'),
};

const REPO_FLAGS: Readonly<Record<string, Reader<RepoFlagMeaning>>> = {
  comment: text('comment'),
  distribution: ignored('the release names the distribution'),
  component: ignored('everything is published as main'),
};

/** A flag of `aptly mirror create` or `aptly mirror update`. */
export function readMirrorFlag(written: string): Parsed<FlagMeaning> {
  return readFlag(written, MIRROR_FLAGS);
}

/** A flag of `aptly repo create`. */
export function readRepoFlag(written: string): Parsed<RepoFlagMeaning> {
  return readFlag(written, REPO_FLAGS);
}

/**
 * `aptly_snapshot_merge_flags`, a text or a list. `-no-remove` and `-latest` exclude each other, as in aptly; none at
 * all is aptly's default, in which the last source wins. A policy's plain name is taken too.
 */
export function readMergeFlags(written: unknown): Parsed<MergePolicy> {
  const parts = typeof written === 'string' ? written.split(/\s+/).filter((part) => part !== '') : written;
  if (!Array.isArray(parts)) return { problem: 'expected flags like -no-remove=true' };
  const chosen = new Set<MergePolicy>();
  for (const part of parts as readonly unknown[]) {
    const match = typeof part === 'string' ? /^(?:--?)?(no-remove|latest|replace)(?:=(.*))?$/.exec(part) : null;
    const on = match === null ? undefined : booleanOf(match[2]);
    if (match === null || on === undefined) {
      return { problem: `${quote(String(part))} is unknown; -no-remove=true and -latest=true are known` };
    }
    if (on) chosen.add(match[1] as MergePolicy);
  }
  const [policy = 'replace'] = chosen;
  return chosen.size > 1 ? { problem: `${[...chosen].join(' and ')} exclude each other` } : { value: policy };
}

function readFlag<T>(written: string, readers: Readonly<Record<string, Reader<T>>>): Parsed<T> {
  const match = /^--?([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(written.trim());
  if (match === null) return { problem: `${quote(written)} is no flag; write it like -filter-with-deps` };
  const [, name = '', value] = match;
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (reader === undefined) {
    const known = Object.keys(readers);
    return { problem: `-${name} has no counterpart here${suggestion(name, known) || '; remove the flag'}` };
  }
  const result = reader(value === undefined ? undefined : unquote(value));
  return 'value' in result ? result : { problem: `-${name} ${result.problem}` };
}

/** RPC-O's flags go through a shell, so their values stand in quotes. */
function unquote(value: string): string {
  const match = /^(["'])(.*)\1$/s.exec(value.trim());
  return match?.[2] ?? value.trim();
}

function booleanOf(value: string | undefined): boolean | undefined {
  if (value === undefined || /^(?:true|1)$/i.test(value)) return true;
  return /^(?:false|0)$/i.test(value) ? false : undefined;
}
