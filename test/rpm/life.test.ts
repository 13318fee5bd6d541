/** Nights of a release of rpms, as who runs it and who installs from it live through them: changes, a switch, a way back, another key. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dnfClient, type DnfClient } from '../rig/dnf.ts';
import { rigKey } from '../rig/key.ts';
import { buildRpms, type Rpm } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS, type RpmScene } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

const DISTRIBUTION = 'r1.0.0-el9';
const REPOSITORY = `rpm-mirror/integrated/${DISTRIBUTION}/x86_64`;
const BUILD = ['build', '--release', 'r1.0.0'];
const MERGED = 'miko-r1.0.0-el9';

interface Built {
  readonly nodes: readonly { readonly id: string; readonly state: string; readonly detail: string }[];
}

const DAY = 24 * 60 * 60 * 1000;

const COMPS = '<?xml version="1.0" encoding="UTF-8"?>\n<comps><group><id>tools</id><name>tools</name><description>d</description><default>false</default><uservisible>true</uservisible><packagelist><packagereq type="mandatory">alpha</packagereq></packagelist></group></comps>\n';

witnessed('S09 nights of a release: changes, none, a way back under a looping client, another key', async (t) => {
  await using dir = await tempDir();
  const nights = await buildNights(dir);
  const upstream = await rpmUpstream(dir, { rpms: nights.first, metadata: { 'group.xml': COMPS }, date: new Date(Date.now() - DAY) });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const { site } = scene;

  const first = await site.json<Built>(BUILD);
  t.is(detailOf(first, 'mirror up'), '4 packages, 5 files fetched', 'comps are no package');
  const client = await scene.client('client', REPOSITORY);
  await client.ok(['install', 'alpha']);

  await upstream.republish({ rpms: nights.second, metadata: { 'group.xml': COMPS.replace('>d<', '>changed<') }, date: new Date() });
  await site.json(BUILD);
  t.is(aboutAlpha(client), 'alpha 1.0-1', 'what is frozen stays');
  const replaced = await site.run([...BUILD, '--replace']);
  t.regex(replaced.stdout, /^snapshot slushie-r1\.0\.0-up +done +4 packages: 1 added, 1 removed, 1 changed, 2 described anew$/m);
  t.regex(replaced.stderr, /^warning: up: beta 1\.0-1 x86_64: the same version has other bytes than before$/m);
  await client.ok(['upgrade', '--refresh']); // dnf asks again after a second at the earliest
  t.is(aboutAlpha(client), 'alpha 1.1-1');
  const before = (await site.json<readonly { name: string }[]>(['snapshot', 'list'])).find(({ name }) => name.startsWith(`${MERGED}@`))?.name ?? '';
  t.deepEqual((await site.run(['snapshot', 'diff', before, MERGED])).stdout.trim().replaceAll(/(?<=group ).*/g, '…').split('\n').sort(), [
    '! alpha 1.0-1 -> 1.1-1 noarch',
    '+ delta 1.0-1 noarch',
    '- gamma 1.0-1 x86_64',
    '! metadata group …',
    '~ beta 1.0-1 x86_64 (different files)',
    '~ epsilon 1.0-1 noarch (same files)', // only the time of its file changed
  ].sort());

  const third = await site.json<Built>([...BUILD, '--replace']);
  t.deepEqual(third.nodes.filter(({ state }) => state !== 'fresh').map(({ id }) => id), ['manifest']);

  const looping = followInALoop(client, 3);
  for (const name of [before, MERGED, before]) await site.json(['publish', 'switch', DISTRIBUTION, name]);
  for (const seen of await looping) t.true(['alpha 1.0-1', 'alpha 1.1-1'].includes(seen), seen);
  await client.ok(['distro-sync', '--refresh']);
  t.is(aboutAlpha(client), 'alpha 1.0-1', 'the way back');

  await site.json(BUILD);
  const [old, young] = [client, await clientOf('young', dir, scene)];
  t.not((await young.run(['makecache'])).status, 0);
  await signWith(scene, ['site', 'young']);
  await site.json(['publish', 'update', DISTRIBUTION]);
  for (const either of [old, young]) await either.ok(['makecache']);
  await signWith(scene, ['young']);
  await site.json(['publish', 'update', DISTRIBUTION]);
  await young.ok(['install', 'alpha']);
  t.regex((await old.run(['makecache'])).stderr, /GPG signature verification error/);
  await site.json(BUILD);
  const { fingerprint } = await rigKey('young');
  t.is((await site.run(['stage', '--release', 'r1.0.0', '--from', site.publicRoot, '--to', dir.join('staged'), '--key', fingerprint])).status, 0);
  t.is((await site.run(['db', 'check', '--deep'])).status, 0);
});

witnessed('what goes wrong with rpm is told in its own words, and what is published by hand is found without a prefix', async (t) => {
  await using dir = await tempDir();
  const [alpha] = await buildRpms(dir, [{ name: 'alpha' }]);
  const [other] = await buildRpms(within(dir, 'other'), [{ name: 'alpha', files: { '/usr/share/alpha/about': 'other' } }]);
  const [one, two] = [await rpmUpstream(dir, { rpms: [alpha as Rpm], date: new Date(Date.now() - DAY) }, 'one'), await rpmUpstream(dir, { rpms: [other as Rpm] }, 'two')];
  await using scene = await makeRpmScene(dir, { one: { upstream: one }, two: { upstream: two } });
  const { site } = scene;

  const built = await site.run(BUILD);
  t.is(built.status, 3);
  t.regex(built.stdout, /alpha 1\.0-1 noarch is [0-9a-f]{12} in slushie-r1\.0\.0-one and [0-9a-f]{12} in slushie-r1\.0\.0-two/);
  t.regex(built.stdout, /rpm_n_mapping/);

  await two.republish({ rpms: [alpha as Rpm] });
  two.files.set('repodata/repomd.xml.asc', one.files.get('repodata/repomd.xml.asc') ?? Buffer.alloc(0));
  t.regex((await site.run(['mirror', 'update', 'two'])).stderr, /E_SIGNATURE: Mirror "two": repodata\/repomd\.xml has no good signature/);

  await site.json(['publish', 'snapshot', 'slushie-r1.0.0-one', '--distribution', 'el9']);
  t.regex((await site.run(['publish', 'show', 'el9'])).stdout, /^Prefix: +rpm-mirror\/integrated$/m);
  await site.json(['publish', 'snapshot', 'slushie-r1.0.0-one', 'rpm-mirror/elsewhere', '--distribution', 'apart']);
  const unknown = await site.run(['publish', 'drop', 'apart']);
  t.is(unknown.status, 10);
  t.regex(unknown.stderr, /Which apart is meant .* published below rpm-mirror\/elsewhere\. Name the prefix/);
  await site.json(['repo', 'create', 'debs']);
  writeFileSync(dir.join('alpha.rpm'), (alpha as Rpm).bytes);
  t.regex((await site.run(['repo', 'add', 'debs', dir.join('alpha.rpm')])).stderr, /none of the packages of apt/);
});

/** Alpha gets a new version, beta other bytes under its version; gamma goes, delta comes. */
async function buildNights(dir: TempDir): Promise<{ readonly first: readonly Rpm[]; readonly second: readonly Rpm[] }> {
  const stays = { name: 'epsilon' };
  const first = await buildRpms(within(dir, 'night-1'), [{ name: 'alpha' }, { name: 'beta', arch: 'x86_64' }, { name: 'gamma', arch: 'x86_64' }, stays]);
  const second = await buildRpms(within(dir, 'night-2'), [{ name: 'alpha', version: '1.1' }, { name: 'beta', arch: 'x86_64', files: { '/usr/share/beta/about': 'rebuilt' } }, { name: 'delta' }, stays]);
  return { first, second };
}

/** Packages of one name and version are built in folders of their own. */
function within(dir: TempDir, name: string): TempDir {
  return { ...dir, join: (...parts) => dir.join(name, ...parts) };
}

function detailOf({ nodes }: Built, wanted: string): string | undefined {
  return nodes.find(({ id }) => id === wanted)?.detail;
}

function aboutAlpha({ root }: DnfClient): string {
  return readFileSync(`${root}/usr/share/alpha/about`, 'utf8').trim();
}

/** What alpha says of itself after each round. Throws when dnf fails at any. */
async function followInALoop(client: DnfClient, rounds: number): Promise<string[]> {
  const seen: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await client.ok(['makecache']);
    await client.ok(['distro-sync', '--refresh']);
    seen.push(aboutAlpha(client));
  }
  return seen;
}

async function clientOf(key: string, dir: TempDir, { published }: RpmScene): Promise<DnfClient> {
  return dnfClient(dir, key, [{ id: 'release', url: `${published.url}/${REPOSITORY}`, keyring: (await rigKey(key)).publicKey }]);
}

async function signWith({ site }: RpmScene, names: readonly string[]): Promise<void> {
  for (const name of names) writeFileSync(`${site.root}/keys/${name}.asc`, (await rigKey(name)).secretKey, { mode: 0o600 });
  const vars = JSON.parse(readFileSync(`${site.root}/vars/all.yml`, 'utf8')) as Record<string, unknown>;
  writeFileSync(`${site.root}/vars/all.yml`, JSON.stringify({ ...vars, signing: { keys: names.map((name) => ({ file: `keys/${name}.asc` })) } }));
}
