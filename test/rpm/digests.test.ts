/** Upstreams that list other digests than SHA-256: taken and checked by them, published with SHA-256, read by dnf. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

const UPDATES = '<?xml version="1.0" encoding="UTF-8"?>\n<updates/>\n';

for (const [checksum, extra] of [['sha512', {}], ['sha384', {}], ['sha', { weak_checksums: true }]] as const) {
  witnessed(`packages and metadata listed by ${checksum} alone are mirrored, and published by SHA-256`, async (t) => {
    await using dir = await tempDir();
    const rpms = await buildRpms(dir, [{ name: 'alpha', files: { '/usr/share/alpha/data': 'a' } }, { name: 'beta', lines: ['Requires: alpha'] }]);
    const upstream = await rpmUpstream(dir, { rpms, args: ['--checksum', checksum], metadata: { 'updateinfo.xml': UPDATES } });
    t.notRegex(upstream.files.get('repodata/repomd.xml')?.toString().replace(/<data type="updateinfo">.*?<\/data>/s, '') ?? '', /sha256/);
    await using scene = await makeRpmScene(dir, { up: { upstream, extra: { newest: 1, ...extra } } });
    const built = await scene.site.run(['build', '--release', 'r1.0.0']);
    t.is(built.status, 0, built.stderr);

    const repodata = `${scene.site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9/x86_64/repodata`;
    const primary = readdirSync(repodata).find((name) => name.endsWith('-primary.xml.gz')) ?? '';
    const text = gunzipSync(readFileSync(`${repodata}/${primary}`)).toString();
    for (const { bytes } of rpms) t.true(text.includes(`<checksum type="sha256" pkgid="YES">${createHash('sha256').update(bytes).digest('hex')}</checksum>`));
    const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
    t.regex(await client.ok(['repoquery', '-q', '-l', 'alpha']), /\/usr\/share\/alpha\/data/);
    await client.ok(['install', 'beta']);
    t.is((await scene.site.run(['publish', 'verify', 'r1.0.0-el9', 'rpm-mirror/integrated'])).status, 0);
    t.is((await scene.site.run(['db', 'check', '--deep'])).status, 0);

    // What is known by the other digest is not fetched again.
    await upstream.republish({ rpms: [...rpms, ...(await buildRpms(dir, [{ name: 'gamma' }]))], date: new Date(Date.now() + 5000) });
    const server = scene.servers.get('up');
    if (server !== undefined) server.requests.length = 0;
    t.is((await scene.site.run(['mirror', 'update', 'up'])).status, 0);
    t.deepEqual(server?.paths().filter((path) => path.endsWith('.rpm')), ['Packages/gamma-1.0-1.noarch.rpm']);
  });
}

witnessed('R04 a package or metadata of other bytes than SHA-512 says is refused', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }]);
  const upstream = await rpmUpstream(dir, { rpms, args: ['--checksum', 'sha512'], metadata: { 'updateinfo.xml': UPDATES } });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const path = `Packages/${rpms[0]?.fileName}`;
  const good = upstream.files.get(path) ?? Buffer.alloc(0);
  upstream.files.set(path, Buffer.concat([good.subarray(0, -1), Buffer.from([~(good.at(-1) ?? 0) & 0xff])]));

  const update = async (): Promise<{ code: string; message: string }> => JSON.parse((await scene.site.run(['mirror', 'update', 'up', '--json'])).stdout).error;
  t.like(await update(), { code: 'E_HASH' });
  t.regex((await update()).message, /SHA512 is/);
  upstream.files.set(path, good);

  await upstream.sign(upstream.files.get('repodata/repomd.xml')?.toString().replace(/(<data type="filelists">.*?<checksum type="sha512">)[0-9a-f]{4}/s, '$1dead'));
  t.like(await update(), { code: 'E_HASH' });
  await upstream.republish();
  await upstream.sign(upstream.files.get('repodata/repomd.xml')?.toString().replace(/(<open-checksum type="sha512">)[0-9a-f]{4}/s, '$1dead'));
  t.like(await update(), { code: 'E_HASH' });
  await upstream.republish();
  t.is((await scene.site.run(['mirror', 'update', 'up'])).status, 0);
});

witnessed('R04 an open-checksum of further metadata that is not that of its bytes is refused', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }]);
  const upstream = await rpmUpstream(dir, { rpms, metadata: { 'updateinfo.xml': UPDATES } });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const repomd = upstream.files.get('repodata/repomd.xml')?.toString() ?? '';
  const lies: readonly (readonly [string, RegExp, string])[] = [
    ['E_HASH', /(<data type="updateinfo">.*?<open-checksum type="sha256">)[0-9a-f]{4}/s, '$1dead'],
    ['E_SIZE', /(<data type="updateinfo">.*?<open-size>)\d+/s, '$17'],
  ];
  for (const [code, pattern, by] of lies) {
    await upstream.sign(repomd.replace(pattern, by));
    const { stdout } = await scene.site.run(['mirror', 'update', 'up', '--json']);
    t.is(JSON.parse(stdout).error.code, code, stdout);
  }
  await upstream.sign(repomd);
  t.is((await scene.site.run(['mirror', 'update', 'up'])).status, 0);
});
