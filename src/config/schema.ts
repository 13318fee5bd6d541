/** What may stand in vars/ and mappings/, variable by variable. Types are inferred; rules across variables are in rules.ts. */
import { z } from 'zod';
import { parseFingerprint } from '../sign/key-check.ts';
import { MERGE_POLICIES } from '../core/snapshot.ts';
import { RPM_CLIENTS } from '../formats/rpm/clients.ts';
import { GIT_VARIABLES } from './git-schema.ts';
import { RELEASE_PLACEHOLDER, SERIES_PLACEHOLDER } from './templates.ts';
import {
  baseUrl,
  documentUrl,
  duration,
  flag,
  httpUrl,
  line,
  nameProblem,
  parseBaseUrl,
  path,
  quote,
  safeName,
  strict,
  textAs,
  words,
} from './values.ts';
import type { Parsed } from './values.ts';

/** A name in which the release may stand as a template. */
const perReleaseName = textAs(parsePerRelease);

/** A mapping's source. RPC-O names the snapshot (`slushie-<release>-<name>`); we name the mirror or repository. */
const sourceName = textAs((text) => {
  const prefix = `slushie-${RELEASE_PLACEHOLDER}-`;
  return parsePerRelease(text.startsWith(prefix) ? text.slice(prefix.length) : text);
});

const architecture = textAs((text) =>
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

/** `debian-12`: what paths call it. */
const distributionName = textAs((text) =>
  /^[a-z][a-z0-9]*-[0-9a-z.]+$/.test(text) ? { value: text } : { problem: `${quote(text)} is no distribution; write one like debian-12` },
);

const flags = z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(z.string()));

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
    keyring: z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(path)).optional(),
    server: z.unknown().optional(),
  }).optional(),
  state: z.enum(['present', 'absent']).default('present'),
  do_update: flag.optional(),
  create_flags: flags.optional(),
  update_flags: flags.optional(),
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
    package_key: z.preprocess(splitKeys, z.array(textAs(parseFullFingerprint))).optional(),
    keyring: z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(path)).optional(),
  }).optional(),
  state: z.enum(['present', 'absent']).default('present'),
  do_update: flag.optional(),
  fallback_urls: z.array(baseUrl).optional(),
  max_age: duration.optional(),
});

export type WrittenRpmMirror = z.output<typeof rpmMirrorSchema>;

export const repoSchema = strict({
  name: perReleaseName,
  comment: line.optional(),
  state: z.enum(['present', 'absent']).default('present'),
  create_flags: flags.optional(),
});

export const releaseSchema = strict({
  codenames: words(safeName).pipe(z.array(z.string()).min(1)),
  state: z.enum(['draft', 'candidate', 'locked']).default('draft'),
  series: safeName.optional(),
});

export const mikoSchema = z.array(sourceName);
export const independentSchema = z.array(strict({ src: sourceName, dest: safeName }));

const signingKey = strict({
  file: path.optional(),
  passphrase_file: path.optional(),
  agent: textAs(parseFullFingerprint).optional(),
  home: path.optional(),
});
export type WrittenSigningKey = z.output<typeof signingKey>;

const retentionRule = strict({
  pattern: line,
  keep: z.int().min(0).max(1_000_000).optional(),
  older_than: duration.optional(),
}).refine(({ keep, older_than: olderThan }) => keep !== undefined || olderThan !== undefined, 'say keep, or older_than, or both');
export type WrittenRetentionRule = z.output<typeof retentionRule>;

const hostName = textAs((text) =>
  /^(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+)$/.test(text) ? { value: text } : { problem: `${quote(text)} is no host` },
);

/** One kind of target, or the other: which keys belong to which is checked in build-targets.ts. */
const targetSchema = strict({
  name: safeName,
  type: z.enum(['local', 'rsync']),
  path,
  host: hostName.optional(),
  port: z.int().min(1).max(65_535).optional(),
  user: textAs((text) => (/^[a-z_][a-z0-9_-]*$/i.test(text) ? { value: text } : { problem: `${quote(text)} is no user` })).optional(),
  key: path.optional(),
  host_key: z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(line)).optional(),
  owner: textAs((text) => (/^[a-z_][a-z0-9_-]*:[a-z_][a-z0-9_-]*$/i.test(text) ? { value: text } : { problem: `${quote(text)} is not like user:group` })).optional(),
});
export type WrittenTarget = z.output<typeof targetSchema>;

/** The variables that are one value each; lists and mappings are checked entry by entry in build-config.ts. */
export const single = {
  aptly_architectures: words(architecture).pipe(z.array(z.string()).min(1)),
  aptly_snapshot_merge_flags: z.unknown(),
  rpm_merge_policy: z.enum(MERGE_POLICIES),
  rpm_client_profiles: z.record(z.string(), z.enum(RPM_CLIENTS)),
  aptly_dont_snapshot_list: words(perReleaseName),
  aptly_dependency_follow_suggests: flag,
  signing: strict({ keys: z.array(signingKey).default([]), public_key: path.optional() }),
  publish: strict({
    origin: line.optional(),
    label: line.optional(),
    keep_generations: z.int().min(1).max(1000).optional(),
    keep_for: duration.optional(),
    valid_for: duration.optional(),
    signed_by: flag.optional(),
    contents: flag.optional(),
  }),
  downloads: strict({ parallel: z.int().min(1).max(256).optional(), proxy: httpUrl.optional() }),
  retention: z.array(retentionRule),
  distributions: z.record(z.string(), distributionName),
  targets: z.array(targetSchema),
  consumers: strict({ base_url: httpUrl.optional(), keys: z.array(textAs(parseFullFingerprint)).optional(), keyring: path.optional() }),
  completeness: strict({
    wanted: words(path).default([]),
    roles: words(path).default([]),
    ignore: words(line).default([]),
    base: words(path).default([]),
  }),
} as const;

/** Every variable that means something here. */
export const KNOWN_VARIABLES: readonly string[] = [
  ...Object.keys(single),
  'aptly_mirrors',
  'aptly_repos',
  'aptly_miko_mapping',
  'aptly_n_mapping',
  'rpm_mirrors',
  'rpm_repos',
  'rpm_miko_mapping',
  'rpm_n_mapping',
  'python_sets',
  'python_mapping',
  'base_repositories',
  'container_images',
  'container_mapping',
  'releases',
  ...GIT_VARIABLES,
];

/** RPC-O's other variables: about Ansible, its web server and aptly's own user, all of which have no counterpart. */
export const IGNORED_VARIABLES: readonly string[] = [
  'ansible_roles_folder',
  'aptly_clone_this_first',
  'aptly_custom_gpg_key_file',
  'aptly_custom_gpg_key_id',
  'aptly_custom_gpg_pubkey_file',
  'aptly_mirror_do_updates',
  'aptly_system_archive_gpg_keys_import',
  'aptly_user',
  'aptly_user_home',
  'artifact_extradownloads_dest_folder',
  'artifacts_aptrepos_dest_folder',
  'artifacts_root_folder',
  'rpc_release',
  'rpc_series',
  'webservice_owner',
];

function parsePerRelease(text: string): Parsed<string> {
  const filled = text.replaceAll(RELEASE_PLACEHOLDER, 'r0').replaceAll(SERIES_PLACEHOLDER, 'r0');
  const problem = nameProblem(filled);
  return problem === undefined ? { value: text } : { problem: problem.replace(quote(filled), quote(text)) };
}

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

function parseFullFingerprint(text: string): Parsed<string> {
  const value = parseFingerprint(text);
  if (value !== undefined) return { value };
  return { problem: `${quote(text)} is no full key fingerprint: 40 hex digits (64 for a version 6 key)` };
}
