import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testWith } from '../../rig/skip.ts';
import { rigKey } from '../../rig/key.ts';
import { tempDir } from '../../rig/temp.ts';
import { folderDeb, tinySystem } from '../../rig/tiny-system.ts';
import { fingerprint, gpgv } from '../../rig/witness.ts';
import { makeRelease, statesOf, type Built } from '../../release/support.ts';
import { leftBehind, sandboxReason } from '../../sandbox/support.ts';

const imaged = testWith(sandboxReason === undefined, sandboxReason ?? '');

imaged('F2 F4 a release build makes its images from what it published, and again only when that changed, also in a read-only run', async (t) => {
  await using dir = await tempDir();
  const app = await folderDeb({ name: 'app' });
  await using scene = await makeRelease(
    dir,
    { all: [...(await tinySystem()), app] },
    {
      vars: {
        distributions: { rig: 'tinyos-1' },
        container_images: [{ name: 'web', packages: ['app'], commands: ['echo hello > /hello'] }],
        container_mapping: { r1: { rig: ['web'] } },
        consumers: { base_url: 'http://artifacts.example.org' },
      },
    },
  );
  const { site, sources } = scene;

  const first = await site.json<Built>(['build', '--release', 'r1.0.0']);
  const second = await site.json<Built>(['build', '--release', 'r1.0.0']);

  t.is(statesOf(first)['image web-rig-amd64'], 'done');
  t.is(second.result, 'unchanged');
  const index = join(site.publicRoot, 'meta/1.0/index-system');
  const [line = '', ...others] = readFileSync(index, 'utf8').trim().split('\n');
  t.deepEqual(others, []);
  t.regex(line, /^tinyos;rig;amd64;web-r1\.0\.0;\d{8}_\d\d:\d\d;\/lxc-images\/tinyos\/rig\/amd64\/web-r1\.0\.0\/\d{8}_\d\d:\d\d\/$/);
  t.true(await gpgv((await rigKey('site')).publicKey, [`${index}.asc`, index]));
  const folder = join(site.publicRoot, line.split(';')[5] ?? '');
  for (const name of ['rootfs.tar.xz', 'meta.tar.xz', 'SHA256SUMS']) {
    t.true(await gpgv((await rigKey('site')).publicKey, [join(folder, `${name}.asc`), join(folder, name)]), name);
  }
  t.true(existsSync(join(site.publicRoot, 'oci/r1.0.0/web-rig-amd64/oci-layout')));

  const signed = fingerprint(folder);
  const same = await site.json<Built>(['build', '--release', 'r1.0.0', '--replace']);
  t.is(statesOf(same)['image web-rig-amd64'], 'fresh', 'signatures are not made anew either');
  t.deepEqual(fingerprint(folder), signed);

  await sources.all.upstream.republish({ components: { main: [...(await tinySystem()), await folderDeb({ name: 'app', version: '2.0-1' })] }, date: new Date(Date.now() + 5000) });
  const before = fingerprint(join(site.state, 'public'));
  const tried = await site.json<Built>(['build', '--release', 'r1.0.0', '--replace', '--read-only']);
  t.is(statesOf(tried)['image web-rig-amd64'], 'done', JSON.stringify(tried.nodes));
  t.deepEqual(fingerprint(join(site.state, 'public')), before);
  const third = await site.json<Built>(['build', '--release', 'r1.0.0', '--replace']);

  t.is(statesOf(third)['image web-rig-amd64'], 'done');
  t.not(readFileSync(index, 'utf8').trim(), line, 'other bytes, another build');
  t.deepEqual(leftBehind(dir.path), []);
});
