import test from 'ava';
import { makeUpstream } from '../artifacts/git/support.ts';
import { buildDeb } from '../rig/deb.ts';
import { serve } from '../rig/server.ts';
import { makeSite } from '../rig/site.ts';
import { tempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';
import { killEverywhere } from './kill.ts';

const BUILD = ['build', '--release', 'r1.0.0'];

test.serial('RPC-O D6 W01 X01 a build killed at any step is completed by the next', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({
    components: { main: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2', architecture: 'all' }), buildDeb({ name: 'px3' })] },
  });
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { up: { upstream, url: server.url } } });

  const kills = await killEverywhere(t, { dir, site, command: BUILD, distribution: 'r1.0.0-rig' });

  t.log(`${kills} kills`);
  t.true(kills >= 25);
});

test.serial('RPC-O D6 W01 X01 a replacement killed at any step is completed by the next', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2' })] } });
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, {
    mirrors: { up: { upstream, url: server.url } },
    vars: { publish: { keep_generations: 1, keep_for: '1s' } },
  });
  await site.json(BUILD);
  await upstream.republish({ components: { main: [buildDeb({ name: 'px1', version: '2' }), buildDeb({ name: 'px3' })] } });

  // The clock stands: the replacement does not wait for it, and every run has the same.
  const kills = await killEverywhere(t, { dir, site, command: [...BUILD, '--replace'], distribution: 'r1.0.0-rig' });

  t.log(`${kills} kills`);
  t.true(kills >= 20);
});

test.serial('W01 X01 a folder of archives whose replacement is killed at any step is whole, before and after the next run', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'px1' })] } });
  await using server = await serve(upstream.files);
  const repository = await makeUpstream(dir.join('repository'));
  await repository.commit({ file: 'one\n' });
  const site = await makeSite(dir, {
    mirrors: { up: { upstream, url: server.url } },
    vars: { git_repos: [{ name: 'one', repo: repository.path, version: 'main' }], git_mapping: { r1: 'all' }, publish: { keep_generations: 1, keep_for: '1s' } },
  });
  await site.json(BUILD);
  await repository.commit({ file: 'two\n' });

  const kills = await killEverywhere(t, { dir, site, command: [...BUILD, '--only', 'git', '--replace'], distribution: 'r1.0.0-rig' });

  t.log(`${kills} kills`);
  t.true(kills >= 15);
});
