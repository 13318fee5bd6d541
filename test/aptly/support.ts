/** aptly and this program beside each other on one upstream: what the one gets wrong the other must get right. */
import { writeFile } from 'node:fs/promises';
import { runCommand, type RunResult } from '../rig/run.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { aptUpstream, type AptUpstream, type UpstreamOptions } from '../rig/upstream.ts';

export interface Pair extends AsyncDisposable {
  readonly dir: TempDir;
  readonly upstream: AptUpstream;
  readonly server: RigServer;
  readonly site: Site;
  /** The folder that aptly publishes to. */
  readonly aptlyPublic: string;
  /** Runs aptly; throws unless it ends well. */
  aptly(...args: readonly string[]): Promise<RunResult>;
  /** Runs aptly, however it ends. */
  tryAptly(...args: readonly string[]): Promise<RunResult>;
  /** Runs this program; throws unless it ends with 0. */
  ours(...args: readonly string[]): Promise<RunResult>;
  /** Both update their mirror `m` and freeze it under this name. */
  freeze(name: string): Promise<void>;
}

export async function openPair(options: UpstreamOptions): Promise<Pair> {
  const dir = await tempDir();
  const upstream = await aptUpstream(options);
  const server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { m: { upstream, url: server.url } } });
  const config = { rootDir: dir.join('aptly'), architectures: ['amd64'], gpgDisableSign: true, gpgDisableVerify: true };
  await writeFile(dir.join('aptly.conf'), JSON.stringify(config));
  const tryAptly: Pair['tryAptly'] = (...args) => runCommand('aptly', [`-config=${dir.join('aptly.conf')}`, ...args]);
  const aptly: Pair['aptly'] = async (...args) => expectStatus('aptly', args, await tryAptly(...args));
  const ours: Pair['ours'] = async (...args) => expectStatus('artifacts', args, await site.run(args));
  let made = false;
  return {
    dir,
    upstream,
    server,
    site,
    aptlyPublic: dir.join('aptly/public'),
    aptly,
    tryAptly,
    ours,
    freeze: async (name) => {
      if (!made) await aptly('mirror', 'create', 'm', server.url, 'rig', ...Object.keys(options.components));
      made = true;
      await aptly('mirror', 'update', 'm');
      await aptly('snapshot', 'create', name, 'from', 'mirror', 'm');
      await ours('mirror', 'update', 'm');
      await ours('snapshot', 'create', name, '--from-mirror', 'm');
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

function expectStatus(program: string, args: readonly string[], result: RunResult): RunResult {
  if (result.status === 0) return result;
  throw new Error(`${program} ${args.join(' ')} ended with ${result.status}:\n${result.stdout}${result.stderr}`);
}
