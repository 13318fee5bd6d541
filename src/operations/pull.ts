import { resolve } from 'node:path';
import type { Context } from '../core/context.ts';
import type { Pulled } from '../release/pull.ts';
import type { Staged } from '../release/stage.ts';
import type { App } from './app.ts';
import { defineOperation } from './operation.ts';
import { keyOptions, pinnedKeys, type KeyInput } from './release-access.ts';
import { targetsOf } from './target-access.ts';
import { bytes, counted } from './text.ts';

export const pull = defineOperation({
  name: 'pull',
  summary: 'Bring a release back from a target',
  description: `Without --to, the files of the release come to the pool of this builder: a new or emptied builder then fetches
from upstreams only what changed since. Nothing else of the state is touched; what no build uses, "db cleanup"
removes. With --to, a verified, servable copy of the release is made in that folder, as "stage" does from a
server.`,
  example: `$ artifacts pull --release r1.0.0 --from east
Release r1.0.0 20261121T031500Z from east: 38 files, 11.2 MB are new in the pool.`,
  arguments: {},
  options: {
    release: { kind: 'text', value: 'NAME', summary: 'the release', required: true },
    from: { kind: 'text', value: 'TARGET', summary: 'the target (default: the first)' },
    to: { kind: 'text', value: 'DIR', summary: 'a folder, instead of the pool' },
    ...keyOptions,
  },
  run: async (app, input, ctx) => runPull(app, input, ctx),
  render: (result) =>
    'from' in result
      ? `Release ${result.release} ${result.build} from ${result.from}: ${counted(result.files, 'file')}, ${bytes(result.bytes)} are new in the pool.`
      : `Release ${result.release} ${result.build}: ${counted(result.fetched, 'file')}, ${bytes(result.bytes)} fetched.`,
});

interface PullInput extends KeyInput {
  readonly release: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

async function runPull(app: App, input: PullInput, ctx: Context): Promise<Pulled | Staged> {
  const { targetSource } = await import('../release/release-source.ts');
  const { release, from, to } = input;
  const [target] = await targetsOf(app, from === undefined ? undefined : [from]);
  if (target === undefined) throw new Error('A target that was found is gone');
  const pinned = await pinnedKeys(app, { key: input.key ?? (await ownKeys(app)), keyring: input.keyring });
  await using source = targetSource(await target.open(ctx), target.where);
  if (to === undefined) {
    const { pullIntoPool } = await import('../release/pull.ts');
    await app.catalog(); // a pool without one passes for one that lost it
    return { ...(await pullIntoPool({ release, pinned, temporary: app.temporary }, { source, pool: await app.pool() }, ctx)), from: target.name };
  }
  const { stageRelease } = await import('../release/stage.ts');
  const { artifactKinds } = await import('../artifacts/index.ts');
  return await stageRelease({ release, to: resolve(to), only: undefined, pinned, allowOlder: false, kinds: artifactKinds }, source, ctx);
}

/** A builder trusts what it signed itself, unless vars/ says whom to trust. */
async function ownKeys(app: App): Promise<readonly string[] | undefined> {
  const { consumers } = await app.config();
  return consumers.keys.length > 0 ? undefined : (await app.signer()).fingerprints;
}
