/** What must hold across variables: one function per rule. Pure; each reports everything it finds. */
import { refuse, warn } from './check.ts';
import type { CheckContext } from './check.ts';
import { isSystem, SYSTEM } from './config.ts';
import type { Config, Mapping, PackageFormat } from './config.ts';
import { groupBy } from './group-by.ts';
import { mappingsOf, noCodename } from './mappings.ts';
import { suggestion } from './nearest.ts';
import { formatPath, formatPlace } from './problem.ts';
import type { Path, Place } from './problem.ts';
import { fillRelease } from './templates.ts';

interface RuleInput {
  readonly config: Config;
  readonly context: CheckContext;
  /** Names of mirrors and repositories, those with other mistakes included. */
  readonly names: ReadonlySet<string>;
  /** Series of each mapping, those with mistakes included. */
  readonly series: readonly string[];
}

type Rule = (input: RuleInput) => void;

const RULES: readonly Rule[] = [
  namesAreUnique,
  sameUpstreamTwice,
  keysArePinned,
  mappedSourcesExist,
  mappedOnce,
  destinationsDiffer,
  skippedSourcesExist,
  releasesAreMapped,
  usedMirrorsArePresent,
  publicationsDiffer,
  pinnedKeysExpire,
  pythonSetsExist,
  containerImagesExist,
];

/** Reports every broken rule. `names` are those written, so that a mirror with a mistake is not also called unknown. */
export function applyRules(config: Config, context: CheckContext, names: ReadonlySet<string>): void {
  const input = { config, context, names, series: mappingsOf(config).flatMap(({ miko }) => [...miko.keys()]) };
  for (const rule of RULES) rule(input);
}

function namesAreUnique({ config, context }: RuleInput): void {
  const places = new Map<string, Place>();
  for (const { name, place } of [...config.mirrors, ...config.repos]) {
    const first = places.get(name);
    if (first === undefined) places.set(name, place);
    else problemAt(context, place, `the name ${name} is taken by the mirror or repository at ${formatPlace(first)}`);
  }
}

function sameUpstreamTwice({ config, context }: RuleInput): void {
  const groups = groupBy(config.mirrors.filter((mirror) => mirror.present), (mirror) =>
    JSON.stringify([mirror.archiveUrl, mirror.distribution, mirror.components.toSorted(), mirror.filter]),
  );
  for (const [first, ...others] of groups.values()) {
    if (first === undefined || others.length === 0) continue;
    const names = others.map((mirror) => mirror.name).join(', ');
    warningAt(context, first.place, `mirror ${first.name} has the same upstream as ${names}: one mirror would do`);
  }
}

function keysArePinned({ config, context }: RuleInput): void {
  for (const mirror of config.mirrors) {
    if (mirror.shortKeyIds.length > 0) {
      const ids = mirror.shortKeyIds.join(', ');
      const message = `mirror ${mirror.name}: short key id ${ids}: pin the full fingerprint before this mirror is updated`;
      warningAt(context, mirror.place, message);
    } else if (mirror.fingerprints.length === 0 && !isSystem(mirror) && mirror.list !== 'metalink' && mirror.present) {
      problemAt(context, mirror.place, `mirror ${mirror.name}: gpg.key is missing; pin the full fingerprint of its key`);
    }
  }
}

function mappedSourcesExist({ config, context, names }: RuleInput): void {
  const formats = new Map<string, PackageFormat>([...config.mirrors, ...config.repos].map(({ name, format }) => [name, format]));
  for (const { source, path, format } of mappedSources(config)) {
    const own = formats.get(source);
    if (!names.has(source)) {
      refuse(context, path, `${formatPath(path)}: no mirror or repository is called "${source}"${suggestion(source, names)}`);
    } else if (own !== undefined && own !== format) {
      refuse(context, path, `${formatPath(path)}: ${source} holds packages of ${own}, not of ${format}`);
    }
  }
}

function mappedOnce({ config, context }: RuleInput): void {
  for (const { miko, names } of mappingsOf(config)) {
    eachList(miko, names.miko, (sources, path) => {
      for (const [index, source] of sources.entries()) {
        if (sources.indexOf(source) < index) {
          warn(context, [...path, index], `${formatPath(path)}: ${source} stands here twice; the first counts`);
        }
      }
    });
  }
}

function destinationsDiffer({ config, context }: RuleInput): void {
  for (const { independent, names } of mappingsOf(config)) {
    eachList(independent, names.independent, (entries, path) => {
      const seen = new Set<string>();
      for (const [index, { dest }] of entries.entries()) {
        if (seen.has(dest)) refuse(context, [...path, index, 'dest'], `${formatPath(path)}: the dest ${dest} is taken`);
        seen.add(dest);
      }
    });
  }
}

function skippedSourcesExist({ config, context, names }: RuleInput): void {
  const skipped = new Set(config.dontSnapshot);
  for (const [index, name] of config.dontSnapshot.entries()) {
    const path = ['aptly_dont_snapshot_list', index];
    if (!names.has(name)) {
      refuse(context, path, `${formatPath(path)}: no mirror or repository is called "${name}"${suggestion(name, names)}`);
    }
  }
  for (const { source, path } of mappedSources(config)) {
    if (!skipped.has(source)) continue;
    warn(context, path, `${formatPath(path)}: ${source} is left out, it is in aptly_dont_snapshot_list`);
  }
}

function releasesAreMapped({ config, context, series }: RuleInput): void {
  for (const release of config.releases) {
    const mapped = mappingsOf(config).flatMap(({ miko }) => miko.get(release.series) ?? []);
    if (mapped.length === 0) {
      const message = `release ${release.name}: neither aptly_miko_mapping nor rpm_miko_mapping has the series "${release.series}"`;
      problemAt(context, release.place, `${message}${suggestion(release.series, series)}`);
      continue;
    }
    // Which codename `system` is, only the machine knows: resolve-release.ts checks again.
    const isOpen = mapped.some((codenames) => codenames.has(SYSTEM));
    for (const [index, codename] of release.codenames.entries()) {
      const path = ['releases', release.name, 'codenames', index];
      const count = mapped.filter((codenames) => codenames.has(codename)).length;
      if (count > 1) refuse(context, path, `release ${release.name}: the codename "${codename}" is mapped for apt and for rpm`);
      if (count > 0 || codename === SYSTEM || isOpen) continue;
      const message = `release ${release.name}: ${noCodename(config, release.series, codename)}`;
      refuse(context, path, `${message}${suggestion(codename, mapped.flatMap((codenames) => [...codenames.keys()]))}`);
    }
  }
}

function usedMirrorsArePresent({ config, context }: RuleInput): void {
  const absent = new Set([...config.mirrors, ...config.repos].filter(({ present }) => !present).map(({ name }) => name));
  const released = new Set(config.releases.map((release) => release.series));
  for (const { source, path } of mappedSources(config)) {
    if (!absent.has(source) || !released.has(String(path[1]))) continue;
    refuse(context, path, `${formatPath(path)}: ${source} is \`state: absent\``);
  }
}

/** `<release>-<codename>` and `slushie-<release>-<source>` must each have one meaning: hyphens may stand in all parts. */
function publicationsDiffer({ config, context }: RuleInput): void {
  const meanings = new Map<string, string>();
  for (const release of config.releases) {
    const uses = [
      ...release.codenames.map((codename) => [`${release.name}-${codename}`, `codename ${codename}`] as const),
      ...sourcesOf(config, release.series).map((source) => {
        const name = fillRelease(source, release);
        return [`slushie-${release.name}-${name}`, `source ${name}`] as const;
      }),
    ];
    for (const [name, what] of uses) {
      const meaning = `${what} of release ${release.name}`;
      const other = meanings.get(name);
      if (other === undefined) meanings.set(name, meaning);
      else if (other !== meaning) {
        problemAt(context, release.place, `"${name}" would be both ${other} and ${meaning}; rename one`);
      }
    }
  }
}

/** RepositoryFormat, "Signed-By": clients heed it only while the Valid-Until beside it lies in the future. */
function pinnedKeysExpire({ config, context }: RuleInput): void {
  if (!config.publish.signedBy || config.publish.validFor !== undefined) return;
  refuse(context, ['publish', 'signed_by'], 'publish.signed_by means nothing without publish.valid_for');
}

function pythonSetsExist({ config, context }: RuleInput): void {
  namedExist(config.python.mapping, config.python.sets, { mapping: 'python_mapping', list: 'python_sets', context });
}

function containerImagesExist({ config, context }: RuleInput): void {
  namedExist(config.containers.mapping, config.containers.images, { mapping: 'container_mapping', list: 'container_images', context });
}

interface NamedIn {
  readonly mapping: string;
  readonly list: string;
  readonly context: CheckContext;
}

function namedExist(mapping: Mapping<string>, entries: readonly { readonly name: string }[], written: NamedIn): void {
  const names = new Set(entries.map(({ name }) => name));
  eachList(mapping, written.mapping, (wanted, path) => {
    for (const [index, name] of wanted.entries()) {
      if (!names.has(name)) refuse(written.context, [...path, index], `${formatPath(path)}: no entry of ${written.list} is called "${name}"${suggestion(name, names)}`);
    }
  });
}

interface MappedSource {
  readonly source: string;
  readonly path: Path;
  readonly format: PackageFormat;
}

function mappedSources(config: Config): readonly MappedSource[] {
  const found: MappedSource[] = [];
  for (const { format, miko, independent, names } of mappingsOf(config)) {
    eachList(miko, names.miko, (sources, path) => {
      for (const [index, source] of sources.entries()) found.push({ source, format, path: [...path, index] });
    });
    eachList(independent, names.independent, (entries, path) => {
      for (const [index, { source }] of entries.entries()) found.push({ source, format, path: [...path, index, 'src'] });
    });
  }
  return found;
}

function sourcesOf(config: Config, series: string): readonly string[] {
  const sources = mappingsOf(config).flatMap(({ miko, independent }) => [
    ...[...(miko.get(series)?.values() ?? [])].flat(),
    ...[...(independent.get(series)?.values() ?? [])].flat().map(({ source }) => source),
  ]);
  return [...new Set(sources)];
}

function eachList<T>(mapping: Mapping<T>, name: string, visit: (entries: readonly T[], path: Path) => void): void {
  for (const [series, codenames] of mapping) {
    for (const [codename, entries] of codenames) visit(entries, [name, series, codename]);
  }
}

function problemAt(context: CheckContext, place: Place, message: string): void {
  context.findings.problems.push({ ...place, message });
}

function warningAt(context: CheckContext, place: Place, message: string): void {
  context.findings.warnings.push({ ...place, message });
}
