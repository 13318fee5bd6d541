/** What may stand in vars/ and mappings/, variable by variable. Types are inferred; rules across variables are in rules.ts. */
import { z } from 'zod';
import { MERGE_POLICIES } from '../core/snapshot.ts';
import { RPM_CLIENTS } from '../formats/rpm/clients.ts';
import { GIT_VARIABLES } from './git-schema.ts';
import { PACKAGE_VARIABLES } from './mappings.ts';
import { architecture } from './mirror-schema.ts';
import { RELEASE_PLACEHOLDER, SERIES_PLACEHOLDER } from './templates.ts';
import { duration, flag, fullFingerprint, httpUrl, line, nameProblem, oneOrMore, path, quote, safeName, strict, textAs, words } from './values.ts';
import type { Parsed } from './values.ts';

/** A name in which the release may stand as a template. */
const perReleaseName = textAs(parsePerRelease);

/** A mapping's source. RPC-O names the snapshot (`slushie-<release>-<name>`); we name the mirror or repository. */
const sourceName = textAs((text) => {
  const prefix = `slushie-${RELEASE_PLACEHOLDER}-`;
  return parsePerRelease(text.startsWith(prefix) ? text.slice(prefix.length) : text);
});

/** `debian-12`: what paths call it. */
const distributionName = textAs((text) =>
  /^[a-z][a-z0-9]*-[0-9a-z.]+$/.test(text) ? { value: text } : { problem: `${quote(text)} is no distribution; write one like debian-12` },
);

export const repoSchema = strict({
  name: perReleaseName,
  comment: line.optional(),
  state: z.enum(['present', 'absent']).default('present'),
  create_flags: oneOrMore(z.string()).optional(),
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
  agent: fullFingerprint.optional(),
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
  host_key: oneOrMore(line).optional(),
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
  consumers: strict({ base_url: httpUrl.optional(), keys: z.array(fullFingerprint).optional(), keyring: path.optional() }),
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
  ...Object.values(PACKAGE_VARIABLES).flatMap((variables) => Object.values(variables)),
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
