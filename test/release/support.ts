import { inProcess } from '../operations/in-process.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { makeSite, type Site, type SiteMirror, type SiteOptions } from '../rig/site.ts';
import type { TempDir } from '../rig/temp.ts';
import { aptUpstream, type AptUpstream } from '../rig/upstream.ts';
import type { Deb } from '../rig/deb.ts';

export interface Source {
  readonly upstream: AptUpstream;
  readonly server: RigServer;
}

export interface ReleaseScene<Names extends string> extends AsyncDisposable {
  readonly site: Site;
  /** The same site, each command in a process of its own: SQLite's logs are gone when one ends, not some time later. */
  readonly program: Site;
  readonly sources: Readonly<Record<Names, Source>>;
}

/** A site with a mirror for each list of packages. Its commands run in this process. */
export async function makeRelease<Names extends string>(
  dir: TempDir,
  packages: Readonly<Record<Names, readonly Deb[]>>,
  options: Partial<SiteOptions> & { readonly extra?: Partial<Readonly<Record<Names, Readonly<Record<string, unknown>>>>> } = {},
): Promise<ReleaseScene<Names>> {
  const sources = {} as Record<Names, Source>;
  const mirrors: Record<string, SiteMirror> = {};
  const { extra = {}, ...siteOptions } = options;
  for (const name of Object.keys(packages) as Names[]) {
    const upstream = await aptUpstream({ components: { main: packages[name] } });
    const server = await serve(upstream.files);
    sources[name] = { upstream, server };
    mirrors[name] = { upstream, url: server.url, extra: (extra as Record<string, Record<string, unknown>>)[name] ?? {} };
  }
  const program = await makeSite(dir, { mirrors, ...siteOptions });
  return {
    site: inProcess(program),
    program,
    sources,
    [Symbol.asyncDispose]: async () => {
      for (const { server } of Object.values<Source>(sources)) await server.close();
    },
  };
}

export interface Built {
  readonly result: 'unchanged' | 'done' | 'partial';
  readonly build?: string;
  readonly nodes: readonly { readonly id: string; readonly kind: string; readonly state: string; readonly detail: string; readonly reason?: string }[];
}

export interface Planned {
  readonly nodes: readonly { readonly id: string; readonly state: string; readonly reason: string }[];
}

/** The states of a build's nodes by id. */
export function statesOf(built: { readonly nodes: readonly { readonly id: string; readonly state: string }[] }): Readonly<Record<string, string>> {
  return Object.fromEntries(built.nodes.map(({ id, state }) => [id, state]));
}

/** `name version` of a snapshot's packages. */
export async function packagesOf(site: Site, snapshot: string): Promise<readonly string[]> {
  const { packages } = await site.json<{ packages: { name: string; version: string }[] }>(['snapshot', 'show', snapshot, '--packages']);
  return packages.map(({ name, version }) => `${name} ${version}`);
}

export async function snapshotNames(site: Site): Promise<readonly string[]> {
  return (await site.json<{ name: string }[]>(['snapshot', 'list'])).map(({ name }) => name);
}
