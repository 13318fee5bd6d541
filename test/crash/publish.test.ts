import test from 'ava';
import { inProcess } from '../operations/in-process.ts';
import { buildDeb } from '../rig/deb.ts';
import { serve } from '../rig/server.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';
import { killEverywhere } from './kill.ts';

const IN_TEN_DAYS = { SOURCE_DATE_EPOCH: String(Math.floor(Date.now() / 1000) + 10 * 24 * 3600) };

/** Two snapshots, `one` and `two`; `one` is published as `rig`. */
async function twoSnapshots(dir: TempDir): Promise<{ readonly site: Site; close(): Promise<void> }> {
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2' })] } });
  const server = await serve(upstream.files);
  const site = inProcess(
    await makeSite(dir, {
      mirrors: { up: { upstream, url: server.url } },
      vars: { publish: { keep_generations: 1, keep_for: '1s' } },
    }),
  );
  await site.json(['mirror', 'update', 'up']);
  await site.json(['snapshot', 'create', 'one', '--from-mirror', 'up']);
  await upstream.republish({ components: { main: [buildDeb({ name: 'px1', version: '2' }), buildDeb({ name: 'px3' })] } });
  await site.json(['mirror', 'update', 'up']);
  await site.json(['snapshot', 'create', 'two', '--from-mirror', 'up']);
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  return { site, close: () => server.close() };
}

test.serial('RPC-O D5 W01 S12 a switch killed at any step is completed by the next', async (t) => {
  await using dir = await tempDir();
  const { site, close } = await twoSnapshots(dir);
  await close();

  const kills = await killEverywhere(t, { dir, site, command: ['publish', 'switch', 'rig', 'two'], distribution: 'rig' });

  t.log(`${kills} kills`);
  t.true(kills >= 12);
});

test.serial('W10 dropping a publication, killed at any step, is completed by the next', async (t) => {
  await using dir = await tempDir();
  const { site, close } = await twoSnapshots(dir);
  await close();

  const scenario = { dir, site, command: ['publish', 'drop', 'rig'], distribution: 'rig', publishes: false, doneStatuses: [10] };
  const kills = await killEverywhere(t, scenario);

  t.true(kills >= 2);
});

test.serial('dropping a snapshot, killed at any step, is completed by the next', async (t) => {
  await using dir = await tempDir();
  const { site, close } = await twoSnapshots(dir);
  await close();

  const kills = await killEverywhere(t, { dir, site, command: ['snapshot', 'drop', 'two'], distribution: 'rig', doneStatuses: [10] });

  t.true(kills >= 1);
});

test.serial('T03 a clean-up killed at any step is completed by the next', async (t) => {
  await using dir = await tempDir();
  const { site, close } = await twoSnapshots(dir);
  await close();
  await site.json(['publish', 'switch', 'rig', 'two']);
  await site.json(['snapshot', 'drop', 'one']);

  const scenario = { dir, site, command: ['db', 'cleanup'], env: IN_TEN_DAYS, distribution: 'rig' };
  const kills = await killEverywhere(t, scenario);

  t.log(`${kills} kills`);
  t.true(kills >= 5);
  const { records, poolFiles, publishedFiles } = await site.json<Record<string, number>>(['db', 'cleanup'], 0, { env: IN_TEN_DAYS });
  t.deepEqual({ records, poolFiles, publishedFiles }, { records: 2, poolFiles: 2, publishedFiles: 2 });
});
