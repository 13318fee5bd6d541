/** A switch of an rpm publication, killed at its steps: clients see the old repositories or the new ones, whole. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { rigKey } from '../rig/key.ts';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { runArtifacts } from '../rig/run.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { gpgv } from '../rig/witness.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from '../rpm/support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

/** Every this many steps: what happens in between changes nothing. */
const STRIDE = 3;

witnessed('W01 an rpm switch killed at its steps is completed by the next', async (t) => {
  t.timeout(300_000);
  await using dir = await tempDir();
  const [one, two] = await buildRpms(dir, [{ name: 'one' }, { name: 'two', arch: 'x86_64' }]);
  const upstream = await rpmUpstream(dir, { rpms: [one].flatMap((rpm) => rpm ?? []) });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const { site } = scene;
  const freeze = async (name: string): Promise<void> => {
    await site.json(['mirror', 'update', 'up']);
    await site.json(['snapshot', 'create', name, '--from-mirror', 'up']);
  };
  await freeze('one');
  await upstream.republish({ rpms: [one, two].flatMap((rpm) => rpm ?? []), metadata: { productid: 'a certificate, longer than a byte' } });
  await freeze('two');
  await site.json(['publish', 'snapshot', 'one', 'rpm-mirror/p', '--distribution', 'd']);
  const keyring = (await rigKey('site')).publicKey;

  let kills = 0;
  for (let step = 1; ; step += STRIDE) {
    const state = dir.join(`state-${step}`);
    cpSync(site.state, state, { recursive: true, verbatimSymlinks: true });
    const command = ['publish', 'switch', 'd', 'rpm-mirror/p', 'two'];
    const killed = await runArtifacts(command, { root: site.root, state, env: { ARTIFACTS_KILL_AT: String(step) } });
    if (killed.signal !== 'SIGKILL') break;
    kills += 1;
    const repository = `${state}/public/rpm-mirror/p/d/x86_64`;
    const names = packagesOf(repository);
    t.true([['one'], ['one', 'two']].some((whole) => JSON.stringify(whole) === JSON.stringify(names)), `step ${step}: ${names.join()}`);
    t.true(await gpgv(keyring, [`${repository}/repodata/repomd.xml.asc`, `${repository}/repodata/repomd.xml`]), `step ${step}`);

    const again = await runArtifacts(command, { root: site.root, state });
    t.is(again.status, 0, again.stderr);
    t.deepEqual(packagesOf(repository), ['one', 'two']);
    const checked = await runArtifacts(['db', 'check'], { root: site.root, state });
    t.is(checked.status, 0, checked.stdout);
  }
  t.log(`${kills} kills`);
  t.true(kills >= 5);
});

/** Names of the packages a client finds, after every file was compared with what vouches for it. */
function packagesOf(repository: string): readonly string[] {
  const repomd = readFileSync(`${repository}/repodata/repomd.xml`, 'utf8');
  let primary = '';
  for (const [, type, sha256, href] of repomd.matchAll(/<data type="([^"]*)">\s*<checksum type="sha256">([^<]*)<.*?<location href="([^"]*)"/gs)) {
    const bytes = readFileSync(`${repository}/${href}`);
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw new Error(`${href} is not what repomd.xml lists`);
    if (type === 'primary') primary = gunzipSync(bytes).toString();
  }
  for (const [, href] of primary.matchAll(/<location href="([^"]*)"/g)) {
    if (!existsSync(`${repository}/${href}`)) throw new Error(`${href} is missing`);
  }
  return [...primary.matchAll(/<name>([^<]*)/g)].map(([, name]) => name ?? '').sort();
}
