/** Small rpm packages, built by rpmbuild itself, the same bytes every time. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, type RunOptions, type RunResult } from './run.ts';
import { hasCommand } from './skip.ts';
import type { TempDir } from './temp.ts';

export interface RpmSpec {
  readonly name: string;
  /** Default `1.0`. */
  readonly version?: string;
  /** Default `1`. */
  readonly release?: string;
  /** Default `noarch`; anything else is built by cross-building, so it may hold no programs. */
  readonly arch?: string;
  /** Further lines of the preamble: `Requires: beta`. */
  readonly lines?: readonly string[];
  /** Path and text of what it installs; default one file below /usr/share. A path that ends in `/` is a folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Further sections: `%post`, `%changelog`; lines below `%files`. */
  readonly sections?: string;
  readonly fileLines?: readonly string[];
  /** Build the source package too. */
  readonly source?: boolean;
}

export interface Rpm {
  readonly fileName: string;
  readonly bytes: Buffer;
}

/** Whether the rpms of the tests can be built, and why not. */
export const hasRpmBuild = hasCommand('rpmbuild');
export const NO_RPMBUILD = 'rpmbuild is not installed';

export interface Builder {
  /** Default: the installed tools. */
  readonly run?: (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** Further macros of rpmbuild: `_rpmformat 6`. */
  readonly defines?: readonly string[];
}

/** Builds the packages one after another; each gives one, or two with its source. In the order of their file names. */
export async function buildRpms(dir: TempDir, specs: readonly RpmSpec[], builder: Builder = {}): Promise<readonly Rpm[]> {
  const top = dir.join(`rpmbuild-${specs.map(({ name }) => name).join('-').slice(0, 60)}`);
  await mkdir(join(top, 'SPECS'), { recursive: true });
  for (const [at, spec] of specs.entries()) await build(top, { ...spec, id: `${spec.name}-${at}` }, builder);
  const found = ['RPMS', 'SRPMS'].flatMap((folder) => filesBelow(join(top, folder)));
  return found
    .map((path) => ({ fileName: path.slice(path.lastIndexOf('/') + 1), bytes: readFileSync(path) }))
    .toSorted((a, b) => (a.fileName < b.fileName ? -1 : 1));
}

async function build(top: string, spec: RpmSpec & { readonly id: string }, { run = runCommand, defines: further = [] }: Builder): Promise<void> {
  const path = join(top, 'SPECS', `${spec.id}.spec`);
  await writeFile(path, specText(spec));
  const defines = [
    `_topdir ${top}`,
    '_buildhost reproducible',
    'use_source_date_epoch_as_buildtime 1',
    'clamp_mtime_to_source_date_epoch 1',
    '_build_id_links none',
    'debug_package %{nil}',
    ...further,
  ].flatMap((define) => ['--define', define]);
  const { arch = 'noarch' } = spec;
  const target = arch === 'noarch' ? [] : ['--target', arch];
  const { status, stderr } = await run('rpmbuild', [spec.source === true ? '-ba' : '-bb', '--nodeps', ...target, ...defines, path], {
    env: { SOURCE_DATE_EPOCH: '1700000000', HOME: top },
  });
  if (status !== 0) throw new Error(`rpmbuild of ${spec.name}: ${stderr}`);
}

function specText({ name, version = '1.0', release = '1', arch = 'noarch', lines = [], files, sections = '', fileLines = [] }: RpmSpec): string {
  const installed = files ?? { [`/usr/share/${name}/about`]: `${name} ${version}-${release}\n` };
  const paths = Object.keys(installed);
  const install = Object.entries(installed).flatMap(([path, text]) =>
    path.endsWith('/')
      ? [`mkdir -p "%{buildroot}${path}"`]
      : [`mkdir -p "%{buildroot}$(dirname "${path}")"`, `printf '%%s' '${text}' > "%{buildroot}${path}"`],
  );
  return [
    `Name: ${name}`,
    `Version: ${version}`,
    `Release: ${release}`,
    ...(lines.some((line) => line.startsWith('Summary:')) ? [] : [`Summary: the package ${name}`]),
    'License: MIT',
    ...(arch === 'noarch' ? ['BuildArch: noarch'] : []),
    ...lines,
    '%description',
    `What ${name} is.`,
    '%install',
    'true',
    ...install,
    '%files',
    ...paths.filter((path) => !path.endsWith('/')).map((path) => `"${path}"`),
    ...paths.filter((path) => path.endsWith('/')).map((path) => `%dir "${path.slice(0, -1)}"`),
    ...fileLines,
    sections,
    '',
  ].join('\n');
}

function filesBelow(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return []; // nothing of that kind was built
  }
}
