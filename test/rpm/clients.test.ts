/** What is published for kinds of clients: each form read by dnf, and what yum and zypper need where no dnf can tell. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { rigKey } from '../rig/key.ts';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { makeSite } from '../rig/site.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools && hasCommand('zstd'), `${NO_RPM_TOOLS}, or zstd`);

const COMPS = '<?xml version="1.0" encoding="UTF-8"?>\n<comps><group><id>tools</id><name>tools</name><description>d</description><default>false</default><uservisible>true</uservisible><packagelist><packagereq type="mandatory">alpha</packagereq></packagelist></group></comps>\n';

/** Upstreams pack what they add in ways that yum does not know. */
const PACKED = ['--xz'];

witnessed('el7, el8 and suse get what they read, and dnf reads all of it', async (t) => {
  await using dir = await tempDir();
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`/usr/share/big/a-rather-long-name-of-a-file-${at}`, '']));
  const rpms = await buildRpms(dir, [{ name: 'alpha' }, { name: 'big', files: many }, { name: 'zeta' }]);
  const upstream = await rpmUpstream(dir, { rpms, args: PACKED, metadata: { 'group.xml': COMPS } });
  const codenames = ['el7', 'el9', 'leap', 'other'];
  await using scene = await makeRpmScene(dir, { up: { upstream } }, {
    releases: { 'r1.0.0': { codenames } },
    vars: {
      rpm_miko_mapping: { r1: Object.fromEntries(codenames.map((codename) => [codename, ['up']])) },
      rpm_client_profiles: { el7: 'el7', el9: 'el8', leap: 'suse' },
    },
  });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);
  t.regex((await scene.site.run(['build', '--release', 'r1.0.0'])).stdout, /unchanged/i);

  const folder = (codename: string): string => `${scene.site.publicRoot}/rpm-mirror/integrated/r1.0.0-${codename}/noarch/repodata`.replace('noarch', arch(scene.site.publicRoot, codename));
  const names = (codename: string): string[] => readdirSync(folder(codename)).map((name) => name.replace(/^[0-9a-f]{64}-/, '')).sort();
  t.deepEqual(names('el7'), ['filelists.xml.gz', 'group.xml', 'group_gz.xml.gz', 'other.xml.gz', 'primary.xml.gz', 'repomd.xml', 'repomd.xml.asc']);
  t.deepEqual(names('el9').filter((name) => !name.startsWith('group')), ['filelists.xml.zst', 'other.xml.zst', 'primary.xml.zst', 'repomd.xml', 'repomd.xml.asc']);
  t.deepEqual(names('leap').filter((name) => !name.startsWith('group')), ['filelists.xml.gz', 'other.xml.gz', 'primary.xml.gz', 'repomd.xml', 'repomd.xml.asc', 'repomd.xml.key']);
  t.deepEqual(readFileSync(`${folder('leap')}/repomd.xml.key`), Buffer.from((await rigKey('site')).publicKey));
  const packed = readdirSync(folder('el7')).find((name) => name.endsWith('-group_gz.xml.gz')) ?? '';
  t.is(gunzipSync(readFileSync(`${folder('el7')}/${packed}`)).toString(), COMPS);

  for (const codename of codenames) {
    const client = await scene.client(codename, `rpm-mirror/integrated/r1.0.0-${codename}/${arch(scene.site.publicRoot, codename)}`);
    t.deepEqual((await client.ok(['repoquery', '-q', '--all', '--qf', '%{name}'])).trim().split('\n'), ['alpha', 'big', 'zeta'], codename);
    t.is((await client.ok(['repoquery', '-q', '-l', 'big'])).trim().split('\n').length, 200);
    t.regex(await client.ok(['group', 'info', '-q', 'tools']), /alpha/);
    await client.ok(['install', 'alpha']);
    const verified = await scene.site.run(['publish', 'verify', `r1.0.0-${codename}`, 'rpm-mirror/integrated']);
    t.is(verified.status, 0, verified.stdout);
  }
  const primary = readdirSync(folder('el9')).find((name) => name.endsWith('-filelists.xml.zst')) ?? '';
  const frames = execFileSync('zstd', ['-lv', `${folder('el9')}/${primary}`], { stdio: 'pipe' }).toString();
  t.true(Number(/(?:Number of Frames|# Zstandard Frames): (\d+)/.exec(frames)?.[1])  >= 3, 'head, leaves and tail are frames of their own');
  t.is((await scene.site.run(['db', 'check', '--deep'])).status, 0);
});

/** The one architecture there is: packages for none in particular stand under the machine's. */
function arch(publicRoot: string, codename: string): string {
  return readdirSync(`${publicRoot}/rpm-mirror/integrated/r1.0.0-${codename}`).find((name) => name !== 'pool') ?? '';
}

witnessed('without zstd nothing is published, and the message says what is missing', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  await using scene = await makeRpmScene(dir, { up: { upstream } }, { vars: { rpm_client_profiles: { el9: 'el8' } } });
  await mkdir(dir.join('bin'));
  for (const tool of ['node', 'sync', 'gpg', 'xz', 'dpkg']) if (hasCommand(tool)) await symlink(execFileSync('sh', ['-c', `command -v ${tool}`]).toString().trim(), dir.join('bin', tool));

  const { run } = await makeSite(dir, { mirrors: {}, miko: {} }, 'unused');
  const failed = await run(['--root', scene.site.root, '--state', scene.site.state, 'build', '--release', 'r1.0.0', '--json'], { env: { PATH: dir.join('bin') } });
  t.not(failed.status, 0);
  t.regex(failed.stdout, /The tool \\"zstd\\" is not installed/);
  t.is((await scene.site.run(['publish', 'list'])).stdout.includes('el9'), false);

  t.is((await scene.site.run(['build', '--release', 'r1.0.0'])).status, 0);
});

witnessed('a kind of clients that nobody knows is refused, and --clients changes what is published', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const { site } = scene;
  t.is((await site.run(['mirror', 'update', 'up'])).status, 0);
  t.is((await site.run(['snapshot', 'create', 'one', '--from-mirror', 'up'])).status, 0);
  const unknown = await site.run(['publish', 'snapshot', 'one', 'rpm-mirror/by-hand', '--distribution', 'el', '--clients', 'windows', '--json']);
  t.is(JSON.parse(unknown.stdout).error.code, 'E_USAGE');
  t.regex(JSON.parse(unknown.stdout).error.hint, /el7, el8, suse/);

  t.is((await site.run(['publish', 'snapshot', 'one', 'rpm-mirror/by-hand', '--distribution', 'el', '--clients', 'el8'])).status, 0);
  const folder = `${site.publicRoot}/rpm-mirror/by-hand/el/x86_64/repodata`;
  t.true(readdirSync(folder).some((name) => name.endsWith('primary.xml.zst')));
  t.is((await site.run(['publish', 'update', 'el', 'rpm-mirror/by-hand', '--clients', 'any'])).status, 0);
  t.true(readdirSync(folder).some((name) => name.endsWith('primary.xml.gz')));
});
