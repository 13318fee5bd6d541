import { checkFilter, keysOf, unique } from './build-mirror.ts';
import { check, refuse } from './check.ts';
import type { CheckContext } from './check.ts';
import type { Mirror } from './config.ts';
import { formatPath } from './problem.ts';
import type { Path } from './problem.ts';
import { rpmMirrorSchema, type WrittenRpmMirror } from './mirror-schema.ts';
import { absoluteUrl } from './values.ts';

/** All metadata of a repository besides its packages: updateinfo, comps, modules… */
const ALL_METADATA = ['*'];

/** One entry of rpm_mirrors; undefined when it is wrong, with every problem reported. */
export function buildRpmMirror(
  value: unknown,
  { path, context, root }: { readonly path: Path; readonly context: CheckContext; readonly root: string },
): Mirror | undefined {
  const written = check(rpmMirrorSchema, value, { path, context });
  if (written === undefined) return undefined;
  if (written.filter !== undefined) checkFilter(written.filter, path, context);
  const keys = written.gpg?.key ?? [];
  const given = (['archive_url', 'metalink', 'mirrorlist'] as const).filter((name) => written[name] !== undefined);
  const [kind, ...others] = given;
  const url = kind === undefined ? undefined : absoluteUrl(written[kind] ?? '', root);
  if (kind === undefined || url === undefined || others.length > 0) {
    refuse(context, path, `${formatPath(path)}: name one of archive_url, metalink and mirrorlist`);
    return undefined;
  }
  if (kind === 'metalink' && !url.startsWith('https:') && keys.length === 0) {
    refuse(context, [...path, 'metalink'], `${formatPath(path)}.metalink: without TLS it vouches for nothing; write https or pin a key`);
  }
  const isSafe = kind === 'archive_url' && [url, ...(written.fallback_urls ?? [])].every((one) => one.startsWith('https:'));
  for (const [name, file] of UNSIGNED) {
    if (written[name] !== true || isSafe) continue;
    refuse(context, [...path, name], `${formatPath([...path, name])}: nothing signs ${file}; write its SHA-256, or name https addresses alone`);
  }
  if (written.extra_files !== undefined && written.extra_files !== false && written.exact !== true) {
    refuse(context, [...path, 'extra_files'], `${formatPath([...path, 'extra_files'])}: the files it lists have a place in an exact copy alone; add exact: yes`);
  }
  if (written.exact === true) checkExact(written, path, context);
  checkHabits(written, path, context);
  return {
    name: written.name,
    format: 'rpm',
    upstream: { kind: 'url', url },
    archiveUrl: url,
    list: kind === 'archive_url' ? undefined : kind,
    distribution: '',
    components: [],
    architectures: unique(written.architectures ?? []),
    filter: written.filter,
    filterWithDeps: written.filter_with_deps ?? false,
    newest: written.newest,
    ...(written.duplicates === 'newest' ? { duplicates: 'newest' } : {}),
    kinds: kindsOf(written),
    files: unique(written.metadata ?? ALL_METADATA),
    ...keysOf(written.gpg, root),
    packageFingerprints: unique(written.gpg?.package_key ?? []),
    present: written.state === 'present',
    update: written.do_update ?? true,
    fallbackUrls: unique(written.fallback_urls ?? []).map((one) => absoluteUrl(one, root)),
    maxAge: written.max_age,
    checkValidUntil: undefined,
    place: context.variables.locate(path),
  };
}

/** Lists of files that nothing signs, by the keys that ask for them. */
const UNSIGNED = [
  ['treeinfo', '.treeinfo'],
  ['extra_files', 'extra_files.json'],
] as const;

function kindsOf(written: WrittenRpmMirror): string[] {
  const { with_sources: sources, weak_checksums: weak, exact } = written;
  const lists = UNSIGNED.flatMap(([name]) => {
    const wish = written[name];
    return typeof wish === 'string' ? [`${name}:${wish}`] : wish === true ? [name] : [];
  });
  return [...(sources === true ? ['source'] : []), ...(weak === true ? ['sha1'] : []), ...(exact === true ? ['exact'] : []), ...lists];
}

/** What dnf's and Debian's users write by habit, and no upstream would answer to. */
function checkHabits(written: WrittenRpmMirror, path: Path, context: CheckContext): void {
  for (const name of ['archive_url', 'metalink', 'mirrorlist', 'fallback_urls'] as const) {
    const variable = [written[name] ?? []].flat().flatMap((url) => DNF_VARIABLE.exec(url) ?? [])[0];
    if (variable !== undefined) refuse(context, [...path, name], `${formatPath([...path, name])}: write the value of ${variable}; dnf's variables are not known here`);
  }
  for (const architecture of written.architectures ?? []) {
    const rpms = DEBIAN_ARCHITECTURES[architecture];
    if (rpms !== undefined) refuse(context, [...path, 'architectures'], `${formatPath([...path, 'architectures'])}: rpm calls ${architecture} ${rpms}`);
  }
}

/** dnf.conf(5), "Variables". */
const DNF_VARIABLE = /\$(?:\w+|\{\w+\})/;

const DEBIAN_ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64', armhf: 'armv7hl', ppc64el: 'ppc64le', all: 'noarch' };

/** What is published as it was signed cannot be a part of it. */
function checkExact(written: WrittenRpmMirror, path: Path, context: CheckContext): void {
  for (const name of ['filter', 'newest', 'architectures', 'metadata', 'duplicates'] as const) {
    if (written[name] === undefined) continue;
    refuse(context, [...path, name], `${formatPath([...path, name])}: with exact the upstream is kept as it is; leave one of the two out`);
  }
  if (written.metalink !== undefined && (written.gpg?.key ?? []).length === 0) {
    refuse(context, [...path, 'exact'], `${formatPath([...path, 'exact'])}: clients check the signature of repomd.xml; pin its key as gpg.key`);
  }
}
