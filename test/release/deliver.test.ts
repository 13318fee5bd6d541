/** What all releases share is made from what the target holds, not from what the publisher knows. */
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ArtifactKind } from '../../src/artifacts/kind.ts';
import { sha256 } from '../../src/core/digest.ts';
import { COPIES, planCopy } from '../../src/release/copy-plan.ts';
import { prepare, readRecords, type Delivery } from '../../src/release/deliver.ts';
import { parseManifest } from '../../src/release/read-manifest.ts';
import { localTarget } from '../../src/targets/local.ts';
import { rigKey } from '../rig/key.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, testContext, type TempDir } from '../rig/temp.ts';

const withFlock = testWith(hasCommand('flock'), 'needs flock');

/** Images, listed for all releases in one signed file. */
const images: Pick<ArtifactKind, 'name' | 'shared'> = {
  name: 'image',
  shared: (artifacts) => [{ path: 'meta/1.0/index-system', bytes: artifacts.map(({ release, files }) => `${release};${files[0]?.path}\n`).join(''), signed: true }],
};

async function makeDelivery(dir: TempDir, release: string, build: string): Promise<Delivery> {
  const root = dir.join('builders', `${release}-${build}`);
  const image = { path: `lxc-images/rig/app-${release}/${build}/rootfs.tar.xz`, text: `image of ${release} ${build}` };
  const archive = { path: `git-archives/${release}/app.tgz`, text: `archive of ${release} ${build}` };
  const key = { path: `releases/${release}/${build}/release-signing-key.asc`, text: (await rigKey('site')).publicKey.toString() };
  const listed = [image, archive, key].map(({ path, text }) => {
    write(join(root, path), text);
    return { path, size: Buffer.byteLength(text), sha256: sha256(text) };
  });
  const manifest = JSON.stringify({
    schema: 1,
    release,
    build,
    publications: [],
    places: [`git-archives/${release}`],
    artifacts: [{ id: 'image app', kind: 'image', facts: {}, madeAt: build, paths: [image.path] }],
    nodes: [],
    files: listed,
  });
  const buildFolder = join(root, `releases/${release}/${build}`);
  write(join(buildFolder, 'manifest.json'), manifest);
  write(join(buildFolder, 'manifest.json.asc'), 'signature');
  const parsed = parseManifest(Buffer.from(manifest));
  const times = { clock: () => new Date(Number(build) * 1000), temporary: dir.join('tmp') };
  return { manifest: parsed, plan: planCopy(parsed), shared: root, placed: root, buildFolder, kinds: [images], sign: async (text) => Buffer.from(`signed ${sha256(text)}`), ...times };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

withFlock('RPC-O D14 a list that all releases share names those of the target, each in its latest build, and belongs to its signature', async (t) => {
  await using dir = await tempDir();
  const root = dir.join('target');
  const ctx = testContext();
  const index = (): string => readFileSync(join(root, 'meta/1.0/index-system'), 'utf8');
  const deliver = async (release: string, build: string): Promise<void> => {
    const session = await localTarget({ kind: 'local', name: 'near', path: root }, {}).open(ctx);
    const { pointers } = await prepare(session, await makeDelivery(dir, release, build), ctx);
    await session.commit(pointers, ctx);
    await session[Symbol.asyncDispose]();
    t.is(readFileSync(join(root, 'meta/1.0/index-system.asc'), 'utf8'), `signed ${sha256(index())}`);
  };

  // Publishers that know nothing of each other.
  await deliver('r1.0.0', '1');
  await deliver('r1.0.0-beta.1', '2');
  t.deepEqual(index().split('\n').filter(Boolean).sort(), ['r1.0.0-beta.1;lxc-images/rig/app-r1.0.0-beta.1/2/rootfs.tar.xz', 'r1.0.0;lxc-images/rig/app-r1.0.0/1/rootfs.tar.xz']);
  const before = readlinkSync(join(root, 'meta/1.0'));
  await deliver('r1.0.0', '1');
  t.is(readlinkSync(join(root, 'meta/1.0')), before); // nothing changed, nothing is signed anew
  await deliver('r1.0.0', '3');

  t.deepEqual(index().split('\n').filter(Boolean).sort(), ['r1.0.0-beta.1;lxc-images/rig/app-r1.0.0-beta.1/2/rootfs.tar.xz', 'r1.0.0;lxc-images/rig/app-r1.0.0/3/rootfs.tar.xz']);
  t.is(readFileSync(join(root, 'git-archives/r1.0.0/app.tgz'), 'utf8'), 'archive of r1.0.0 3');
  t.is(readFileSync(join(root, 'git-archives/r1.0.0-beta.1/app.tgz'), 'utf8'), 'archive of r1.0.0-beta.1 2');
  // Data of the old build stays for who is about to read it.
  t.true(existsSync(join(root, 'lxc-images/rig/app-r1.0.0/1/rootfs.tar.xz')));
});

withFlock('RPC-O D5 until the switch, no list names what is not there yet', async (t) => {
  await using dir = await tempDir();
  const root = dir.join('target');
  const ctx = testContext();
  const session = await localTarget({ kind: 'local', name: 'near', path: root }, {}).open(ctx);

  const { pointers } = await prepare(session, await makeDelivery(dir, 'r1.0.0', '1'), ctx);

  t.true(existsSync(join(root, 'lxc-images/rig/app-r1.0.0/1/rootfs.tar.xz')));
  for (const path of ['meta', 'git-archives', 'releases/index.json', 'releases/r1.0.0/latest']) t.false(existsSync(join(root, path)), path);
  t.deepEqual(pointers.map(({ path }) => path), ['git-archives/r1.0.0', 'meta/1.0', 'releases/r1.0.0/latest', 'releases/index.json']);
  await session[Symbol.asyncDispose]();
});

withFlock('a copy whose record is not one of ours is passed over', async (t) => {
  await using dir = await tempDir();
  const root = dir.join('target');
  const ctx = testContext();
  const known = { release: 'r1.0.0', build: '1', preparedAt: '2026-01-01', places: [], hashed: [], artifacts: [] };
  const records = [null, {}, { ...known, hashed: ['../../etc/passwd'] }, { ...known, places: 'git-archives' }, { ...known, build: '../1' }, { ...known, artifacts: {} }, { ...known, artifacts: [null] }];
  for (const [at, record] of records.entries()) write(join(root, COPIES, `r1.0.0/odd-${at}`, 'record.json'), JSON.stringify(record));
  write(join(root, COPIES, 'r1.0.0/odd-text/record.json'), '{');
  const session = await localTarget({ kind: 'local', name: 'near', path: root }, {}).open(ctx);

  const { pointers } = await prepare(session, await makeDelivery(dir, 'r1.0.0', '1'), ctx);

  t.deepEqual([...(await readRecords(session, ctx)).values()].flat().map(({ build }) => build), ['1']);
  await session.commit(pointers, ctx);
  t.true(existsSync(join(root, 'git-archives/r1.0.0/app.tgz')));
  await session[Symbol.asyncDispose]();
});
