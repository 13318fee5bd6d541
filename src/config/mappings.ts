/** What each format of packages has of its own in the configuration: the names of its variables, and its mappings. */
import type { MergePolicy } from '../core/snapshot.ts';
import { SYSTEM } from './config.ts';
import type { Config, Independent, Mapping, PackageFormat } from './config.ts';

interface PackageVariables {
  readonly mirrors: string;
  readonly repos: string;
  readonly miko: string;
  readonly independent: string;
}

/** What the variables of each format are called. */
export const PACKAGE_VARIABLES = {
  apt: { mirrors: 'aptly_mirrors', repos: 'aptly_repos', miko: 'aptly_miko_mapping', independent: 'aptly_n_mapping' },
  rpm: { mirrors: 'rpm_mirrors', repos: 'rpm_repos', miko: 'rpm_miko_mapping', independent: 'rpm_n_mapping' },
} as const satisfies Readonly<Record<PackageFormat, PackageVariables>>;

/** What is merged and published apart of one format, and what the variables are called. */
export interface FormatMappings {
  readonly format: PackageFormat;
  readonly mergePolicy: MergePolicy;
  readonly miko: Mapping<string>;
  readonly independent: Mapping<Independent>;
  /** Codename -> the kind of clients it is for. */
  readonly clients: ReadonlyMap<string, string>;
  readonly names: PackageVariables;
}

export function mappingsOf({ miko, independent, mergePolicy, rpm }: Config): readonly FormatMappings[] {
  return [
    { format: 'apt', mergePolicy, miko, independent, clients: new Map(), names: PACKAGE_VARIABLES.apt },
    { format: 'rpm', ...rpm, names: PACKAGE_VARIABLES.rpm },
  ];
}

/** What a series has for a codename; `own` is the machine's, for which `system` stands. */
export function ofCodename<T>(codenames: ReadonlyMap<string, T> | undefined, codename: string, own: string | undefined): T | undefined {
  return codenames?.get(codename) ?? (codename === own ? codenames?.get(SYSTEM) : undefined);
}

/** `aptly_miko_mapping.r1 has no codename "bookworm"`, of each mapping that has the series. */
export function noCodename(config: Config, series: string, codename: string): string {
  const having = mappingsOf(config).filter(({ miko }) => miko.has(series));
  const names = having.map(({ names: { miko } }) => `${miko}.${series}`);
  return `${names.join(' and ')} ${names.length > 1 ? 'have' : 'has'} no codename "${codename}"`;
}
