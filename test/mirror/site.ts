/** A configured installation whose mirror is an upstream of the rig, for the program itself. */
import { mkdir, writeFile } from 'node:fs/promises';
import { runArtifacts, type RunOptions, type RunResult } from '../rig/run.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { aptUpstream, type AptUpstream, type UpstreamOptions } from '../rig/upstream.ts';

export interface Site extends AsyncDisposable {
  readonly dir: TempDir;
  readonly upstream: AptUpstream;
  readonly server: RigServer;
  /** Runs the program with this site's configuration and state. */
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs `mirror update m`. */
  update(args?: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Declares the mirror `m` anew, with further fields as JSON. */
  configure(fields?: Readonly<Record<string, unknown>>): Promise<void>;
}

export async function openSite(options: UpstreamOptions): Promise<Site> {
  const dir = await tempDir();
  const upstream = await aptUpstream(options);
  const server = await serve(upstream.files);
  for (const folder of ['vars', 'mappings', 'keys']) await mkdir(dir.join('root', folder), { recursive: true });
  await writeFile(dir.join('root/keys/upstream.asc'), upstream.keyring);
  const run: Site['run'] = (args, runOptions = {}) =>
    runArtifacts(args, { root: dir.join('root'), state: dir.join('state'), ...runOptions });
  const configure: Site['configure'] = async (fields = {}) => {
    const mirror = {
      name: 'm',
      archive_url: server.url,
      distribution: 'rig',
      components: ['main'],
      gpg: { key: upstream.fingerprints, keyring: 'keys/upstream.asc' },
      ...fields,
    };
    // JSON is YAML.
    await writeFile(dir.join('root/vars/aptly.yml'), JSON.stringify({ aptly_architectures: ['amd64'], aptly_mirrors: [mirror] }));
    await writeFile(dir.join('root/vars/releases.yml'), JSON.stringify({ releases: { 'r1.0.0': { codenames: ['rig'], state: 'draft' } } }));
    await writeFile(dir.join('root/mappings/miko.yml'), JSON.stringify({ aptly_miko_mapping: { r1: { rig: ['m'] } } }));
    await writeFile(dir.join('root/mappings/n.yml'), JSON.stringify({ aptly_n_mapping: { r1: { rig: [] } } }));
  };
  await configure();
  return {
    dir,
    upstream,
    server,
    run,
    configure,
    update: (args = [], runOptions = {}) => run(['mirror', 'update', 'm', ...args], runOptions),
    async [Symbol.asyncDispose]() {
      await server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}
