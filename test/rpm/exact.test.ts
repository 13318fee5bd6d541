/** Repositories kept and published as their upstream made and signed them, and what becomes of them when they are merged. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { chmod, readFile } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { dnfClient, type DnfClient } from '../rig/dnf.ts';
import { rigKey } from '../rig/key.ts';
import { buildRpms, type Rpm } from '../rig/rpm.ts';
import { rpmUpstream, type RpmUpstream } from '../rig/rpm-upstream.ts';
import { runCommand } from '../rig/run.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS, type RpmScene } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

const REPOSITORY = 'rpm-mirror/integrated/r1.0.0-el9/x86_64';
const METADATA = { productid: '-----BEGIN CERTIFICATE-----\nodd\n-----END CERTIFICATE-----\n', 'susedata.xml': '<susedata/>\n', 'prestodelta.xml': '<prestodelta/>\n' };

let built: Promise<readonly Rpm[]> | undefined;
let builtIn: TempDir | undefined;

async function packages(): Promise<readonly Rpm[]> {
  builtIn ??= await tempDir();
  return (built ??= buildRpms(builtIn, [{ name: 'alpha', source: true }, { name: 'beta', arch: 'x86_64' }, { name: 'gamma' }]));
}

function client(dir: TempDir, scene: RpmScene, name: string, upstream: RpmUpstream): Promise<DnfClient> {
  return dnfClient(dir, name, [{ id: 'release', url: `${scene.published.url}/${REPOSITORY}`, keyring: upstream.keyring }]);
}

/** The rig leaves what it made its metadata from beside it. */
function served({ files }: RpmUpstream): Map<string, Buffer> {
  return new Map([...files].filter(([path]) => path.includes('/')));
}

/** Every byte that the upstream serves, ours added only as the key and the pool of other generations. */
function sameBytes(t: ExecutionContext, upstream: RpmUpstream, folder: string): void {
  for (const [path, bytes] of served(upstream)) t.true(readFileSync(`${folder}/${path}`).equals(bytes), path);
}

for (const [what, args] of [['SHA-256', []], ['SHA-512, plain names and zchunk', ['--checksum', 'sha512', '--simple-md-filenames', '--zck']]] as const) {
  witnessed(`an exact mirror with ${what} is published byte for byte, and dnf trusts it with the upstream's key`, async (t) => {
    await using dir = await tempDir();
    const upstream = await rpmUpstream(dir, { rpms: await packages(), args, metadata: METADATA });
    await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact: true } } });
    const made = await scene.site.run(['build', '--release', 'r1.0.0']);
    t.is(made.status, 0, made.stderr);
    t.regex((await scene.site.run(['build', '--release', 'r1.0.0'])).stdout, /unchanged/i);

    const folder = `${scene.site.publicRoot}/${REPOSITORY}`;
    sameBytes(t, upstream, folder);
    const dnf = await client(dir, scene, 'client', upstream);
    await dnf.ok(['install', 'alpha', 'beta']);
    const stranger = await dnfClient(dir, 'stranger', [{ id: 'release', url: `${scene.published.url}/${REPOSITORY}`, keyring: (await rigKey('site')).publicKey }]);
    t.not((await stranger.run(['makecache'])).status, 0, 'our own key did not sign it');

    t.is((await scene.site.run(['publish', 'verify', 'r1.0.0-el9', 'rpm-mirror/integrated'])).status, 0);
    t.is((await scene.site.run(['db', 'check', '--deep'])).status, 0);
    t.regex((await scene.site.run(['publish', 'show', 'r1.0.0-el9', 'rpm-mirror/integrated'])).stdout, /Exact: +main/);
    const manifest = JSON.parse(await readFile(`${scene.site.publicRoot}/releases/r1.0.0/latest/manifest.json`, 'utf8')) as { files: readonly { path: string; size: number }[] };
    const paths = manifest.files.map(({ path }) => path);
    t.is(new Set(paths).size, paths.length);
    for (const { path, size } of manifest.files.filter((file) => file.path.startsWith('rpm-mirror/'))) t.is(statSync(`${scene.site.publicRoot}/${path}`).size, size, path);
    for (const path of served(upstream).keys()) t.true(paths.includes(`${REPOSITORY}/${path}`), path);

    const victim = `${folder}/Packages/${(await packages())[0]?.fileName}`;
    await chmod(victim, 0o644);
    writeFileSync(victim, 'damaged');
    const damaged = await scene.site.run(['publish', 'verify', 'r1.0.0-el9', 'rpm-mirror/integrated']);
    t.is(damaged.status, 3);
    t.regex(damaged.stdout, /Packages\//);
  });
}

witnessed('the overrides point dnf to the key of the upstream', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await packages() });
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact: true } } });
  addVariables(scene, { consumers: { base_url: scene.published.url } });
  t.is((await scene.site.run(['build', '--release', 'r1.0.0'])).status, 0);
  const overrides = `${scene.site.publicRoot}/releases/r1.0.0/latest/overrides/strict/dnf`;
  const repo = readFileSync(`${overrides}/el9/x86_64/rpco.repo`, 'utf8');
  const key = /\[rpco-integrated-r1\.0\.0-el9-x86_64\][^[]*gpgkey=file:\/\/\/etc\/pki\/rpm-gpg\/(.*)/.exec(repo)?.[1] ?? '';
  t.not(key, 'rpco.asc', repo);
  const dnf = await dnfClient(dir, 'overrides', [{ id: 'release', url: `${scene.published.url}/${REPOSITORY}`, keyring: readFileSync(`${overrides}/${key}`) }]);
  await dnf.ok(['makecache']);
  t.regex((await scene.site.run(['overrides', '--release', 'r1.0.0', '--mode', 'strict'])).stdout, new RegExp(`# dnf/${key}`));
});

witnessed('with a package more or less it is ours: made anew, signed by us; clients in the middle keep what they had', async (t) => {
  await using dir = await tempDir();
  const rpms = await packages();
  const upstream = await rpmUpstream(dir, { rpms: rpms.slice(0, 3), metadata: METADATA });
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact: true } } });
  const { site } = scene;
  t.is((await site.run(['mirror', 'update', 'up'])).status, 0);
  t.is((await site.run(['snapshot', 'create', 'all', '--from-mirror', 'up'])).status, 0);
  t.is((await site.run(['publish', 'snapshot', 'all', 'rpm-mirror/by-hand', '--distribution', 'el'])).status, 0);
  const folder = `${site.publicRoot}/rpm-mirror/by-hand/el/source`;
  sameBytes(t, upstream, folder);

  t.is((await site.run(['snapshot', 'filter', 'all', 'some', 'Name (= alpha)'])).status, 0);
  t.is((await site.run(['publish', 'switch', 'el', 'rpm-mirror/by-hand', 'some'])).status, 0);
  const repomd = readFileSync(`${folder}/repodata/repomd.xml`);
  t.false(repomd.equals(upstream.files.get('repodata/repomd.xml') ?? Buffer.alloc(0)));
  t.false(existsSync(`${folder}/repodata/repomd.xml.key`));
  t.true(existsSync(`${folder}/Packages/${rpms[2]?.fileName}`), 'a client in the middle of the exact one still finds it');
  t.is((await site.run(['publish', 'verify', 'el', 'rpm-mirror/by-hand'])).status, 0);

  t.is((await site.run(['publish', 'switch', 'el', 'rpm-mirror/by-hand', 'all'])).status, 0);
  sameBytes(t, upstream, folder);
  t.true(existsSync(`${folder}/pool`), 'and one in the middle of ours too');
  t.is((await site.run(['db', 'check', '--deep'])).status, 0);
});

witnessed('a new state of the upstream replaces the old one, whose files stay for a while', async (t) => {
  await using dir = await tempDir();
  const rpms = await packages();
  const upstream = await rpmUpstream(dir, { rpms: rpms.slice(0, 3) });
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact: true } } });
  t.is((await scene.site.run(['build', '--release', 'r1.0.0'])).status, 0);
  const before = served(upstream);

  await upstream.republish({ rpms: rpms.slice(2), date: new Date(Date.now() + 5000) });
  t.is((await scene.site.run(['build', '--release', 'r1.0.0', '--replace'])).status, 0);
  const folder = `${scene.site.publicRoot}/${REPOSITORY}`;
  sameBytes(t, upstream, folder);
  for (const path of before.keys()) t.true(existsSync(`${folder}/${path}`), path);
});

type Lie = (upstream: RpmUpstream) => Promise<void> | void;
const REFUSED: readonly { readonly id: string; readonly code: string; readonly lie: Lie }[] = [
  { id: 'a package at another address', code: 'E_PATH', lie: (u) => u.rewrite('primary', (text) => text.replace('<location ', '<location xml:base="http://127.0.0.1:1/" ')) },
  { id: 'a package where repomd.xml lies', code: 'E_CONFLICT', lie: (u) => u.rewrite('primary', (text) => text.replace(/href="Packages\/alpha[^"]*"/, 'href="repodata/repomd.xml"')) },
  { id: 'a package below another', code: 'E_PATH', lie: (u) => u.rewrite('primary', (text) => text.replace(/href="Packages\/beta[^"]*"/, 'href="Packages/gamma-1.0-1.noarch.rpm/beta.rpm"')) },
  { id: 'R04 a record of other bytes', code: 'E_HASH', lie: async (u) => {
    const path = [...u.files.keys()].find((name) => name.startsWith('repodata/') && name.includes('prestodelta')) ?? '';
    const bytes = Buffer.from(u.files.get(path) ?? '');
    bytes[bytes.length - 1] = ~(bytes.at(-1) ?? 0) & 0xff;
    u.files.set(path, bytes);
  } },
  { id: 'R05 no signature', code: 'E_UNSIGNED', lie: (u) => void u.files.delete('repodata/repomd.xml.asc') },
];

for (const { id, code, lie } of REFUSED) {
  witnessed(`refused as an exact mirror: ${id}`, async (t) => {
    await using dir = await tempDir();
    const upstream = await rpmUpstream(dir, { rpms: await packages(), metadata: METADATA });
    await lie(upstream);
    await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact: true } } });

    const { stdout } = await scene.site.run(['mirror', 'update', 'up', '--json']);
    t.is(JSON.parse(stdout).error?.code, code, stdout);
    t.not((await runCommand('test', ['-e', `${scene.site.publicRoot}/rpm-mirror`])).status, 0);
  });
}

/** The address of the server shows only when it is up. */
function addVariables({ site }: RpmScene, more: Readonly<Record<string, unknown>>): void {
  const file = `${site.root}/vars/all.yml`;
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>), ...more }));
}
