/**
 * What points deployers at a release: variables for RPC-O's and OpenStack-Ansible's roles, and settings for apt, dnf, pip and
 * lxc themselves. Derived from what was published, so that only what the release has is pointed to. Pure.
 */
import { aptSettings, aptVariables, maasVariables } from './apt.ts';
import { dnfSettings } from './dnf.ts';
import { lxcGroupVariables, lxcSettings, lxcVariables } from './lxc.ts';
import { pipSettings, pythonVariables } from './python.ts';
import { yamlFile } from './yaml-file.ts';

/** `strict`: the base system and the release, nothing else. `loose`: the release besides what is there. `off`: as if it were not. */
export type OverrideMode = 'strict' | 'loose' | 'off';
export const OVERRIDE_MODES: readonly OverrideMode[] = ['strict', 'loose', 'off'];

export interface OverrideInput {
  readonly release: string;
  readonly mode: OverrideMode;
  /** Where the published tree is served, without a slash at the end. */
  readonly baseUrl: string;
  /** Full fingerprints of the keys that sign; the first is what roles are told. */
  readonly fingerprints: readonly string[];
  /** Those keys, armored. */
  readonly publicKey: string;
  readonly publications: readonly OverridePublication[];
  /** Every published path of the release, below the public folder. */
  readonly paths: readonly string[];
}

export interface OverridePublication {
  readonly prefix: string;
  readonly distribution: string;
  /** Repositories that their upstream signed, by their folders below the distribution -> the keys, armored. */
  readonly keys?: Readonly<Record<string, string>>;
}

export interface OverrideFile {
  /** Below the folder they are written to. */
  readonly path: string;
  readonly text: string;
}

/** The files of one mode, sorted by path. A kind that the release does not have gets none. */
export function overrideFiles(input: OverrideInput): OverrideFile[] {
  const files = [
    ...variables('group_vars/all/apt.yml', aptVariables(input), input),
    ...variables('group_vars/all/python.yml', pythonVariables(input), input),
    ...variables('group_vars/all/lxc.yml', lxcVariables(input), input),
    ...variables('extra_vars/maas.yml', maasVariables(input), input),
    ...lxcGroupVariables(input).map(({ path, values }) => ({ path, text: yamlFile(values, input) })),
    ...(input.mode === 'off' ? [] : [...aptSettings(input), ...dnfSettings(input), ...pipSettings(input), ...lxcSettings(input)]),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The files of all modes, a folder each: what is published with the release. */
export function publishedOverrides(input: Omit<OverrideInput, 'mode'>): OverrideFile[] {
  return OVERRIDE_MODES.flatMap((mode) => overrideFiles({ ...input, mode }).map(({ path, text }) => ({ path: `${mode}/${path}`, text })));
}

function variables(path: string, values: Readonly<Record<string, unknown>> | undefined, input: OverrideInput): OverrideFile[] {
  return values === undefined ? [] : [{ path, text: yamlFile(values, input) }];
}
