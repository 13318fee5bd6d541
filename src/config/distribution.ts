/** What RPC-O's paths call a distribution: `debian-12`, and with the machine's architecture `debian-12-x86_64`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactsError } from '../core/errors.ts';
import type { Config } from './config.ts';
import type { Machine } from './machine.ts';

/** Debian's package distro-info-data: every release of Debian and Ubuntu there is. */
const KNOWN = '/usr/share/distro-info';

/** `uname -m` of dpkg's architectures. */
const MACHINES = new Map(Object.entries({
  amd64: 'x86_64',
  arm64: 'aarch64',
  armhf: 'armv7l',
  i386: 'i686',
  ppc64el: 'ppc64le',
  riscv64: 'riscv64',
  s390x: 's390x',
}));

/** `<id>-<version>` of a codename: what `distributions` says, else this machine's own, else one everybody knows. E_CONFIG. */
export async function distributionOf(config: Config, codename: string, machine: Machine): Promise<string> {
  const said = config.distributions.get(codename) ?? (await ownDistribution(codename, machine)) ?? (await knownDistribution(codename));
  if (said !== undefined) return said;
  throw new ArtifactsError('E_CONFIG', `Which distribution "${codename}" is, is not known`, {
    hint: `Say it in vars/, \`distributions: {${codename}: debian-12}\`, or install distro-info-data.`,
  });
}

/** As the kernel names the architecture. */
export function kernelArchitecture(architecture: string): string {
  return MACHINES.get(architecture) ?? architecture;
}

async function ownDistribution(codename: string, machine: Machine): Promise<string | undefined> {
  const [id, version] = [await machine.distributor(), await machine.version()];
  if (id === undefined || version === undefined) return undefined;
  return (await machine.codename()) === codename ? `${id}-${version}` : undefined;
}

async function knownDistribution(codename: string): Promise<string | undefined> {
  for (const id of ['debian', 'ubuntu']) {
    const text = await readFile(join(KNOWN, `${id}.csv`), 'utf8').catch(() => '');
    const row = text.split('\n').map((line) => line.split(',')).find((fields) => fields[2] === codename);
    const version = /^[0-9.]+/.exec(row?.[0] ?? '')?.[0];
    if (version !== undefined) return `${id}-${version}`;
  }
  return undefined;
}
