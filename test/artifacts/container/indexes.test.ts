import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { containerKind } from '../../../src/artifacts/container/container-kind.ts';
import { imageFacts } from '../../../src/artifacts/container/facts.ts';
import type { Artifact } from '../../../src/core/artifact.ts';
import { hasCommand, testWith } from '../../rig/skip.ts';
import { tempDir } from '../../rig/temp.ts';
import { tinySystem } from '../../rig/tiny-system.ts';
import { leftBehind, sandboxReason } from '../../sandbox/support.ts';
import { make, publishSite } from './support.ts';

const imaged = testWith(sandboxReason === undefined, sandboxReason ?? '');

/** What `lxc-create -t download` does with an index: lines by their fields, a compatibility level first, the first that fits. */
const DOWNLOAD = `while IFS=';' read -r dist release arch variant build path extra; do
  if [ "$dist" = "$1" ] && [ "$release" = "$2" ] && [ "$arch" = "$3" ] && [ "$variant" = "$4" ] && [ -n "$build" ] && [ -n "$path" ] && [ -z "$extra" ]; then
    printf '%s %s' "$build" "$path"; exit 0
  fi
done; exit 1`;

imaged('F24 F25 an image is found by the indexes of LXC and Incus, unpacked by busybox, and read by skopeo and umoci', async (t) => {
  await using dir = await tempDir();
  const site = await publishSite(dir, { release: [], base: await tinySystem() });
  const { made, artifact } = await make(site, { ...site.image, consumerUrl: undefined });
  const www = dir.join('www');
  for (const { path, from } of made.files) place(www, path, readFileSync(from));
  for (const { path, bytes } of containerKind.shared?.([artifact]) ?? []) place(www, path, bytes);

  const index = readFileSync(join(www, 'meta/1.0/index-system'));
  const [build, path = ''] = sh(DOWNLOAD, ['tinyos', 'tiny', 'amd64', 'app-r1.0.0'], index).split(' ');
  t.is(build, '20261121_03:15');
  t.true(path.endsWith('/'));
  const folder = join(www, path);
  t.is(spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder }).status, 0);
  for (const name of ['rootfs.tar.xz', 'meta.tar.xz', 'incus.tar.xz']) {
    t.regex(sh('xz --robot --list "$1"', [join(folder, name)]), /^file\t1\t/m, 'a single stream');
  }
  mkdirSync(dir.join('rootfs'));
  sh('busybox xzcat "$1" | tar -x --numeric-owner -C "$2"', [join(folder, 'rootfs.tar.xz'), dir.join('rootfs')]);
  t.is(sh('tar -tJf "$1"', [join(folder, 'meta.tar.xz')]), 'config\nconfig-user\ncreate-message\nexcludes-user\nexpiry\ntemplates\n');
  t.regex(sh('tar -xOJf "$1" config', [join(folder, 'meta.tar.xz')]), /^lxc\.arch = x86_64$/m);

  const streams = JSON.parse(readFileSync(join(www, 'streams/v1/index.json'), 'utf8')) as Streams;
  t.deepEqual(streams.index.images.products, ['tinyos:tiny:amd64:app-r1.0.0']);
  const images = JSON.parse(readFileSync(join(www, streams.index.images.path), 'utf8')) as Products;
  const items = images.products['tinyos:tiny:amd64:app-r1.0.0']?.versions['20261121_03:15']?.items ?? {};
  for (const item of Object.values(items)) t.is(hash(readFileSync(join(www, item.path))), item.sha256);
  t.deepEqual(Object.keys(items), ['incus.tar.xz', 'lxd.tar.xz', 'root.tar.xz']);
  const both = Buffer.concat(['incus.tar.xz', 'rootfs.tar.xz'].map((name) => readFileSync(join(folder, name))));
  t.is(items['incus.tar.xz']?.combined_rootxz_sha256, hash(both));

  if (hasCommand('skopeo')) {
    const layout = `oci:${join(www, 'oci/r1.0.0/app-tiny-amd64')}:app-r1.0.0`;
    t.like(JSON.parse(sh('skopeo inspect "$1"', [layout])), { Architecture: 'amd64', Os: 'linux' });
    t.is(spawnSync('skopeo', ['copy', '--insecure-policy', layout, `oci:${dir.join('copy')}:x`]).status, 0, 'every blob is as its digest says');
  }
  if (hasCommand('umoci') && process.getuid?.() === 0) {
    sh('umoci unpack --image "$1" "$2"', [`${join(www, 'oci/r1.0.0/app-tiny-amd64')}:app-r1.0.0`, dir.join('bundle')]);
    t.true(existsSync(dir.join('bundle', 'rootfs', 'usr', 'bin', 'dpkg')));
  }
  t.deepEqual(leftBehind(dir.path), []);
});

test('RPC-O D2 the indexes hold every release, the one made last first, exactly by name', (t) => {
  const listings = containerKind.shared?.([image('r1.0.0-beta.1'), image('r1.0.0'), other()]) ?? [];

  const text = (path: string): string => String(listings.find((listing) => listing.path === path)?.bytes);
  t.is(text('meta/1.0/index-system'), `debian;bookworm;amd64;nova-r1.0.0-beta.1;20261121_03:15;/x/r1.0.0-beta.1/
debian;bookworm;amd64;nova-r1.0.0;20261121_03:15;/x/r1.0.0/
`);
  t.deepEqual((JSON.parse(text('streams/v1/index.json')) as Streams).index.images.products, ['debian:bookworm:amd64:nova-r1.0.0', 'debian:bookworm:amd64:nova-r1.0.0-beta.1']);
  t.true(listings.every(({ signed }) => signed));
  t.is(String(containerKind.shared?.([])[0]?.bytes), '');
  t.is(imageFacts(other()), undefined);
});

interface Streams {
  readonly index: { readonly images: { readonly path: string; readonly products: readonly string[] } };
}

interface Products {
  readonly products: Readonly<Record<string, { readonly versions: Readonly<Record<string, { readonly items: Readonly<Record<string, Item>> }>> }>>;
}

interface Item {
  readonly path: string;
  readonly sha256: string;
  readonly combined_rootxz_sha256?: string;
}

function image(release: string): Artifact {
  const facts = { role: 'nova', variant: `nova-${release}`, os: 'debian', codename: 'bookworm', architecture: 'amd64', build: '20261121_03:15', folder: `x/${release}`, rootfs: '0', fingerprint: '1' };
  return { release, id: 'image nova-bookworm-amd64', kind: 'container', files: [], facts, madeAt: '2026-11-21T03:15:00.000Z' };
}

function other(): Artifact {
  return { ...image('r2'), facts: {} };
}

function place(root: string, path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), bytes);
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function sh(script: string, words: readonly string[], input?: Buffer): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', script, 'sh', ...words], { encoding: 'utf8', maxBuffer: 1 << 28, ...(input === undefined ? {} : { input }) });
  if (status !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}
