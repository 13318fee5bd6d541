/** A site whose release is made of rpm mirrors, and clients of what it publishes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { inProcess } from '../operations/in-process.ts';
import { dnfClient, type DnfClient } from '../rig/dnf.ts';
import { rigKey } from '../rig/key.ts';
import { hasRpmUpstream } from '../rig/rpm-upstream.ts';
import type { RpmUpstream } from '../rig/rpm-upstream.ts';
import { hasDnf } from '../rig/dnf.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { makeSite, type Site, type SiteOptions } from '../rig/site.ts';
import type { TempDir } from '../rig/temp.ts';

export const hasRpmTools = hasRpmUpstream && hasDnf;
export const NO_RPM_TOOLS = 'rpmbuild, createrepo_c or dnf is not installed';

export interface RpmScene extends AsyncDisposable {
  readonly site: Site;
  readonly published: RigServer;
  /** Servers of the upstreams, by the names of the mirrors. */
  readonly servers: ReadonlyMap<string, RigServer>;
  client(name: string, path: string): Promise<DnfClient>;
}

export interface RpmSceneMirror {
  readonly upstream: RpmUpstream;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** One mirror for each upstream, merged in their order as `el9` of `r1.0.0`. */
export async function makeRpmScene(dir: TempDir, mirrors: Readonly<Record<string, RpmSceneMirror>>, options: Partial<SiteOptions> = {}): Promise<RpmScene> {
  const servers = new Map<string, RigServer>();
  for (const [name, { upstream }] of Object.entries(mirrors)) servers.set(name, await serve(upstream.files));
  const definitions = Object.entries(mirrors).map(([name, { upstream, extra }]) => ({
    name,
    archive_url: servers.get(name)?.url,
    gpg: { key: upstream.fingerprints, keyring: `keys/${name}.asc` },
    ...extra,
  }));
  const site = inProcess(
    await makeSite(dir, {
      mirrors: {},
      miko: {},
      releases: { 'r1.0.0': { codenames: ['el9'] } },
      ...options,
      vars: { rpm_mirrors: definitions, rpm_miko_mapping: { r1: { el9: Object.keys(mirrors) } }, ...options.vars },
    }),
  );
  await mkdir(`${site.root}/keys`, { recursive: true });
  for (const [name, { upstream }] of Object.entries(mirrors)) await writeFile(`${site.root}/keys/${name}.asc`, upstream.keyring);
  const published = await serve(site.publicRoot);
  return {
    site,
    servers,
    published,
    client: async (name, path) =>
      dnfClient(dir, name, [{ id: 'release', url: `${published.url}/${path}`, keyring: (await rigKey('site')).publicKey }]),
    [Symbol.asyncDispose]: async () => {
      for (const server of servers.values()) await server.close();
      await published.close();
    },
  };
}

/** modules.yaml of one module with one stream, of these packages. */
export function modulesYaml(name: string, artifacts: readonly string[]): string {
  return `---
document: modulemd
version: 2
data:
  name: ${name}
  stream: "1.10"
  version: 1
  context: abc
  arch: x86_64
  summary: s
  description: d
  license:
    module: [MIT]
  artifacts:
    rpms:
${artifacts.map((artifact) => `    - ${artifact}\n`).join('')}...
`;
}
