import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { rigKey } from '../rig/key.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { makeSite, type Site, type SiteOptions } from '../rig/site.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { aptUpstream, type AptUpstream, type UpstreamOptions } from '../rig/upstream.ts';

export const PREFIX = 'apt-mirror/integrated';

/** A site with mirrors of upstreams in memory, each updated and frozen as a snapshot of its name. */
export interface PublishingSite extends AsyncDisposable {
  readonly dir: TempDir;
  readonly site: Site;
  readonly upstreams: Readonly<Record<string, AptUpstream>>;
  /** Updates a mirror and freezes it under that name. */
  freeze(mirror: string, snapshot: string): Promise<void>;
  /** The field of the served Release; undefined when it has none. */
  field(distribution: string, name: string, prefix?: string): string | undefined;
  /** Runs the program and throws unless it ends with this status (default 0). */
  run(args: readonly string[], options?: { readonly status?: number; readonly env?: Readonly<Record<string, string>> }): Promise<{ readonly stdout: string; readonly stderr: string }>;
  readonly server: RigServer;
}

export async function publishingSite(
  upstreams: Readonly<Record<string, UpstreamOptions>>,
  options: Omit<Partial<SiteOptions>, 'mirrors'> & { readonly extra?: Readonly<Record<string, unknown>> } = {},
): Promise<PublishingSite> {
  const dir = await tempDir();
  const made: Record<string, AptUpstream> = {};
  const files = new Map<string, Uint8Array>();
  const server = await serve(files);
  const copy = (name: string): void => {
    for (const [path, bytes] of made[name]?.files ?? []) files.set(`${name}/${path}`, bytes);
  };
  for (const [name, upstream] of Object.entries(upstreams)) {
    made[name] = await aptUpstream(upstream);
    copy(name);
  }
  const mirrors = Object.fromEntries(
    Object.entries(made).map(([name, upstream]) => [name, { upstream, url: `${server.url}/${name}`, extra: options.extra ?? {} }]),
  );
  const site = await makeSite(dir, { ...options, mirrors });
  const run: PublishingSite['run'] = async (args, { status = 0, env = {} } = {}) => {
    const result = await site.run(args, { env });
    if (result.status === status) return result;
    throw new Error(`artifacts ${args.join(' ')} ended with ${result.status}, not ${status}:\n${result.stdout}\n${result.stderr}`);
  };
  const freeze = async (mirror: string, snapshot: string): Promise<void> => {
    copy(mirror);
    await run(['mirror', 'update', mirror]);
    await run(['snapshot', 'create', snapshot, '--from-mirror', mirror]);
  };
  for (const name of Object.keys(made)) await freeze(name, name);
  return {
    dir,
    site,
    server,
    upstreams: made,
    run,
    freeze,
    field: (distribution, name, prefix = PREFIX) =>
      new RegExp(`^${name}: (.*)$`, 'm').exec(readFileSync(`${site.publicRoot}/${prefix}/dists/${distribution}/Release`, 'utf8'))?.[1],
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Writes keys for signing into the site and names them in its configuration. */
export async function signWith(site: Site, names: readonly string[], vars: Readonly<Record<string, unknown>> = {}): Promise<void> {
  for (const name of names) await writeFile(`${site.root}/keys/${name}.asc`, (await rigKey(name)).secretKey, { mode: 0o600 });
  await site.configure({ vars: { ...vars, signing: { keys: names.map((name) => ({ file: `keys/${name}.asc` })) } } });
}
