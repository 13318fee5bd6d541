import test from 'ava';
import { inProcess } from '../operations/in-process.ts';
import { buildDeb } from '../rig/deb.ts';
import { serve } from '../rig/server.ts';
import { makeSite } from '../rig/site.ts';
import { tempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';
import { writeDeb } from './support.ts';

interface Node {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
}

interface Built {
  readonly result: string;
  readonly nodes: readonly Node[];
}

const REPO = 'downloaded-{{ rpc_release }}-ALL';

test('F9 a release merges a repository of its own and publishes it apart; it is frozen until it is replaced', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'base' })] } });
  await using server = await serve(upstream.files);
  const site = inProcess(
    await makeSite(dir, {
      mirrors: { up: { upstream, url: server.url } },
      miko: { r1: { rig: ['up', REPO] } },
      independent: { r1: { rig: [{ src: REPO, dest: 'apart' }] } },
      vars: { aptly_repos: [{ name: REPO, state: 'present' }] },
    }),
  );
  const repo = 'downloaded-r1.0.0-ALL';
  const slushie = `slushie-r1.0.0-${repo}`;
  const count = async (name: string): Promise<number> => (await site.json<{ count: number }>(['snapshot', 'show', name])).count;
  const plan = async (...flags: string[]): Promise<readonly Node[]> => (await site.json<{ nodes: readonly Node[] }>(['plan', '--release', 'r1.0.0', ...flags])).nodes;

  t.false((await plan()).some(({ id }) => id === `mirror ${repo}`));
  t.is((await site.json<Built>(['build', '--release', 'r1.0.0'])).result, 'done');
  t.deepEqual([await count(slushie), await count('miko-r1.0.0-rig')], [0, 1]);
  t.is((await site.json<unknown[]>(['publish', 'list'])).length, 2);

  await writeDeb(dir.join('a.deb'), { name: 'rabbit' });
  await site.json(['repo', 'add', repo, dir.join('a.deb')]);
  t.is((await site.json<Built>(['build', '--release', 'r1.0.0'])).result, 'unchanged');
  t.is((await plan()).find(({ id }) => id.endsWith(slushie))?.state, 'fresh');
  const again = (await plan('--replace')).find(({ id }) => id.endsWith(slushie));
  t.deepEqual([again?.state, again?.reason], ['build', 'the repository changed']);

  t.is((await site.json<Built>(['build', '--release', 'r1.0.0', '--replace'])).result, 'done');
  t.deepEqual([await count(slushie), await count('miko-r1.0.0-rig')], [1, 2]);
  t.is((await plan('--replace')).find(({ id }) => id.endsWith(slushie))?.state, 'fresh');
  t.deepEqual(await site.json<{ problems: string[] }>(['db', 'check', '--deep']).then(({ problems }) => problems), []);

  const tried = await site.json<Built>(['build', '--release', 'r1.0.0', '--replace', '--read-only']);
  t.is(tried.result, 'done');
});
