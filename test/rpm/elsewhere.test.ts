/** Packages that lie at another address than their repository (xml:base): fetched from there, published with ours. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { serve } from '../rig/server.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

witnessed('packages at a base of their own are fetched from there, and dnf gets them from us', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta' }]);
  const store = new Map(rpms.map(({ fileName, bytes }) => [`deep/store/Packages/${fileName}`, bytes]));
  await using elsewhere = await serve(store);
  const upstream = await rpmUpstream(dir, { rpms, args: ['--baseurl', `${elsewhere.url}/deep/store`] });
  for (const path of upstream.files.keys()) if (path.endsWith('.rpm')) upstream.files.delete(path);
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);

  t.is(elsewhere.paths().length, 2);
  t.true(elsewhere.requests.every(({ headers }) => headers.authorization === undefined));
  const repodata = `${scene.site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9/x86_64/repodata`;
  const primary = readdirSync(repodata).find((name) => name.endsWith('-primary.xml.gz')) ?? '';
  t.notRegex(gunzipSync(readFileSync(`${repodata}/${primary}`)).toString(), /xml:base/);
  const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  await client.ok(['install', 'alpha', 'beta']);
});

witnessed('bases that are no plain addresses, that lead inside, or have other bytes are refused', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }]);
  const store = new Map(rpms.map(({ fileName }) => [`Packages/${fileName}`, Buffer.from('something else')]));
  await using elsewhere = await serve(store);
  const upstream = await rpmUpstream(dir, { rpms });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const cases: readonly (readonly [string, string])[] = [
    ['file:///etc/', 'E_PATH'],
    ['ftp://127.0.0.1/', 'E_PATH'],
    ['../other/', 'E_PATH'],
    ['/other/', 'E_PATH'],
    [`http://user:secret@127.0.0.1:${elsewhere.port}/`, 'E_PATH'],
    [`${elsewhere.url}/?x=`, 'E_PATH'],
    ['http://127.0.0.3/', 'E_FETCH'],
    ['http://169.254.169.254/', 'E_FETCH'],
    [elsewhere.url, 'E_SIZE'],
  ];
  for (const [base, code] of cases) {
    await upstream.republish();
    await upstream.rewrite('primary', (text) => text.replace('<location ', `<location xml:base="${base}" `));
    const { stdout } = await scene.site.run(['mirror', 'update', 'up', '--json']);
    t.is(JSON.parse(stdout).error?.code, code, `${base}: ${stdout}`);
    t.false(stdout.includes('secret'), 'no password in a message');
  }
  await upstream.republish();
  await upstream.rewrite('primary', (text) => text.replace('<location href="', `<location xml:base="${elsewhere.url}" href="../`));
  t.is(JSON.parse((await scene.site.run(['mirror', 'update', 'up', '--json'])).stdout).error.code, 'E_PATH');
});

witnessed('metadata at a base of its own is fetched from there, and is not for exact mirrors', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]), metadata: { productid: 'certificate' } });
  const moved = new Map([...upstream.files].filter(([path]) => /-(?:primary|filelists)\.xml\.gz$|productid/.test(path)).map(([path, bytes]) => [`store/${path}`, bytes]));
  for (const path of moved.keys()) upstream.files.delete(path.slice('store/'.length));
  await using elsewhere = await serve(moved);
  const repomd = upstream.files.get('repodata/repomd.xml')?.toString() ?? '';
  await upstream.sign(repomd.replace(/<location (?=href="[^"]*(?:primary|filelists|productid))/g, `<location xml:base="${elsewhere.url}/store" `));
  await using scene = await makeRpmScene(dir, { up: { upstream }, exact: { upstream, extra: { exact: true } } }, { vars: { rpm_miko_mapping: { r1: { el9: ['up'] } } } });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);

  t.is(elsewhere.paths().length, 3);
  const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  await client.ok(['install', 'alpha']);
  const { stdout } = await scene.site.run(['mirror', 'update', 'exact', '--json']);
  t.like(JSON.parse(stdout).error, { code: 'E_PATH' });
  t.regex(stdout, /the metadata lies at another address/);
});
