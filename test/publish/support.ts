import { inProcess } from '../operations/in-process.ts';
import { rigKey } from '../rig/key.ts';
import { aptClient, type AptClient, type AptClientOptions } from '../rig/apt.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { makeSite, type Site, type SiteOptions } from '../rig/site.ts';
import type { TempDir } from '../rig/temp.ts';
import { aptUpstream, type AptUpstream, type UpstreamOptions } from '../rig/upstream.ts';

export const PREFIX = 'apt-mirror/integrated';

export interface Scene extends AsyncDisposable {
  readonly site: Site;
  readonly upstream: AptUpstream;
  readonly server: RigServer;
  /** Makes the upstream offer these, updates the mirror and freezes it under that name. */
  freeze(name: string, components: UpstreamOptions['components']): Promise<void>;
  /** A new apt that reads what is published, through a server of its own. */
  client(name: string, distribution: string, options?: Partial<AptClientOptions> & { readonly component?: string }): Promise<AptClient>;
  /** Serves the published tree. */
  readonly published: RigServer;
}

/** A site with one mirror, `up`, and a server of what it publishes. Its commands run in this process. */
export async function makeScene(
  dir: TempDir,
  upstreamOptions: Partial<UpstreamOptions> = {},
  siteOptions: Partial<SiteOptions> = {},
): Promise<Scene> {
  const upstream = await aptUpstream({ components: { main: [] }, ...upstreamOptions });
  const server = await serve(upstream.files);
  const site = inProcess(await makeSite(dir, { mirrors: { up: { upstream, url: server.url } }, ...siteOptions }));
  const published = await serve(site.publicRoot);
  return {
    site,
    upstream,
    server,
    published,
    freeze: async (name, components) => {
      await upstream.republish({ components });
      await site.json(['mirror', 'update', 'up']);
      await site.json(['snapshot', 'create', name, '--from-mirror', 'up']);
    },
    client: async (name, distribution, options = {}) =>
      aptClient(dir, name, {
        sources: [`deb [signed-by=%KEYRING%] ${published.url}/${PREFIX} ${distribution} ${options.component ?? 'main'}`],
        keyring: (await rigKey('site')).publicKey,
        ...options,
      }),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await published.close();
    },
  };
}
