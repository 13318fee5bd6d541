/** Rules of local repositories that hold for every format: packages as files, their signatures, and metadata beside them. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { sha256 } from '../../src/core/digest.ts';
import { addFiles, type Added, type AddRequest } from '../../src/repo/add.ts';
import { includeUploads } from '../../src/repo/include.ts';
import { addMetadata, listMetadata, removeMetadata } from '../../src/repo/metadata.ts';
import { createRepo, findRepo } from '../../src/repo/repos.ts';
import type { Content } from '../../src/core/snapshot.ts';
import { rigKey } from '../rig/key.ts';
import { serve } from '../rig/server.ts';
import { testContext } from '../rig/temp.ts';
import { PACKAGES, refused, type FormatCase } from './format-case.ts';
import type { RigFile } from './format-rig.ts';
import type { World } from './format-world.ts';

export function testRepos<File extends RigFile>({ rig, test, files, named }: FormatCase<File>): void {
  const { format } = rig;
  const { local } = format;
  const write = async (world: World<File>, folder: string, list: readonly RigFile[]): Promise<string> => {
    await mkdir(world.dir.join(folder), { recursive: true });
    for (const { fileName, bytes } of list) await writeFile(world.dir.join(folder, fileName), bytes);
    return world.dir.join(folder);
  };
  const add = (world: World<File>, path: string, wish: Partial<AddRequest> = {}): Promise<Added> =>
    addFiles({ repo: 'own', paths: [path], replace: false, removeFiles: false, ...wish }, world.repoTools, testContext());
  const contentOf = (world: World<File>): Content => findRepo(world.catalog, 'own', world.repoTools.declared).content ?? world.catalog.contents.storeMembers([]);

  test('files become the packages that an upstream has of them; the same again changes nothing, other bytes are a conflict', async (t, world) => {
    const folder = await write(world, 'in', [...(await files('app', 'lib', 'helper')), { fileName: 'README.txt', bytes: Buffer.from('read me') }]);
    const added = await add(world, folder);
    t.is(added.packages, 3);
    t.deepEqual(world.packages(contentOf(world)), named('app', 'lib', 'helper'));
    const mirrored = await world.frozen('mirrored', { packages: await files('app', 'lib', 'helper') });
    const bytes = (content: Content): readonly string[] => world.records(content).flatMap((record) => record.files.map((file) => file.sha256)).sort();
    t.deepEqual(bytes(contentOf(world)), bytes(mirrored.content));

    const before = contentOf(world);
    t.is((await add(world, folder)).packages, 3);
    t.deepEqual(contentOf(world), before);
    const other = await write(world, 'other', await files('otherApp'));
    t.regex(await refused(t, 'E_CONFLICT', () => add(world, other)), /app/);
    t.deepEqual(contentOf(world), before);
    await add(world, other, { replace: true });
    t.deepEqual(world.packages(contentOf(world)), named('app', 'lib', 'helper'));
    t.notDeepEqual(contentOf(world), before);
  });

  test('what is no package, and one that is cut, is refused and nothing of the call is kept', async (t, world) => {
    const [app, lib] = await files('app', 'lib');
    for (const bytes of [Buffer.from('nothing of the kind'), Buffer.alloc(0), app?.bytes.subarray(0, 12) ?? Buffer.alloc(0)]) {
      const folder = await write(world, 'in', [{ fileName: app?.fileName ?? '', bytes }, lib ?? { fileName: '', bytes }]);
      await refused(t, 'E_FORMAT', () => add(world, folder));
    }
    t.is(contentOf(world).count, 0);
    t.deepEqual([...world.pool.list()], []);
    t.deepEqual([local.kindOf('README.txt'), local.kindOf(''), local.kindOf(app?.fileName ?? '')], [undefined, undefined, 'package']);
  });

  test('packages are signed and their signatures wanted, where packages carry such; a mirror may want them too', async (t, world) => {
    const folder = await write(world, 'in', await files('app', 'helper'));
    const site = await rigKey('site');
    await writeFile(world.dir.join('site.asc'), site.publicKey);
    await writeFile(world.dir.join('stranger.asc'), (await rigKey('stranger')).publicKey);
    const sign = { signer: world.signer, temporary: world.dir.join('tmp') };
    const signedBy = { keyrings: [world.dir.join('site.asc')], fingerprints: [site.fingerprint] };
    const { signing } = local;
    if (signing === undefined) {
      await refused(t, 'E_USAGE', () => add(world, folder, { sign }));
      await refused(t, 'E_USAGE', () => add(world, folder, { signedBy }));
      return;
    }
    await refused(t, 'E_UNSIGNED', () => add(world, folder, { signedBy }));
    await add(world, folder, { sign });
    t.deepEqual(world.packages(contentOf(world)), named('app', 'helper'));
    const before = contentOf(world);
    await add(world, folder, { sign });
    t.deepEqual(contentOf(world), before, 'signing anew gives the same bytes');

    const signed = world.records(contentOf(world)).flatMap((record) => record.files.map((file) => ({ fileName: file.name, path: world.pool.path(file.sha256) })));
    const copies = signed.map(({ fileName, path }) => ({ fileName, bytes: readFileSync(path) }));
    for (const { bytes } of copies) {
      const scan = local.scan('signed');
      scan.push(bytes);
      const head = scan.end().bytes;
      t.is(signing.signatures(head).length, 1);
      t.true(signing.builtAt(head) <= world.now());
      t.deepEqual(await world.signer.signedBy(signing.signatures(head)), [site.fingerprint]);
      const original = (await files('app', 'helper')).some((file) => sha256(file.bytes) === sha256(bytes));
      t.false(original);
    }
    const again = await write(world, 'signed', copies);
    await add(world, again, { signedBy });
    await refused(t, 'E_SIGNATURE', () => add(world, again, { signedBy: { keyrings: [world.dir.join('stranger.asc')], fingerprints: [] } }));
    const damaged = await write(world, 'damaged', copies.map(({ fileName, bytes }) => ({ fileName, bytes: Buffer.concat([bytes.subarray(0, -3), Buffer.from('xyz')]) })));
    await refused(t, ['E_HASH', 'E_SIGNATURE', 'E_FORMAT', 'E_CONFLICT'], () => add(world, damaged, { signedBy }));

    await using server = await serve(await world.upstream({ packages: await files('app', 'helper') }));
    await refused(t, 'E_UNSIGNED', () => world.mirror('m', server, { definition: { packageTrust: { keyrings: [site.publicKey], fingerprints: [site.fingerprint] } } }));
    t.is(world.catalog.mirrors.get('m'), undefined);
  });

  test('an upload is taken in with all it lists, where the format has such', async (t, world) => {
    const include = (paths: readonly string[], changes: { readonly acceptUnsigned: boolean }): Promise<Added> =>
      includeUploads({ repo: 'own', paths, keyrings: [], fingerprints: [], uploaders: undefined, replace: false, removeFiles: false, ...changes }, world.repoTools, testContext());
    if (rig.upload === undefined) {
      await refused(t, 'E_USAGE', () => include([world.dir.path], { acceptUnsigned: true }));
      return;
    }
    const { files: all, list } = rig.upload([...(await files('app')), ...((await rig.sources?.(world.dir, ['app'])) ?? [])]);
    const path = `${await write(world, 'upload', all)}/${list}`;
    t.is(local.kindOf(list), 'upload');
    await refused(t, ['E_UNSIGNED', 'E_SIGNATURE'], () => include([path], { acceptUnsigned: false }));
    const { packages } = await include([path], { acceptUnsigned: true });
    t.is(packages, rig.sources === undefined ? 1 : 2);
    const [first] = all;
    await writeFile(world.dir.join('upload', first?.fileName ?? ''), Buffer.concat([first?.bytes.subarray(0, -1) ?? Buffer.alloc(0), Buffer.from('x')]));
    await refused(t, 'E_HASH', () => include([path], { acceptUnsigned: true }));
  });

  test('metadata is put in and frozen with the packages, where repositories of the format have such', async (t, world) => {
    await write(world, 'in', await files('app'));
    const folder = await write(world, 'beside', [{ fileName: rig.notes.name.replace(/.*\//, ''), bytes: Buffer.from(rig.notes.write([PACKAGES.app])) }]);
    const path = `${folder}/${rig.notes.name.replace(/.*\//, '')}`;
    const request = { repo: 'own', paths: [path], type: undefined, dryRun: false };
    if (local.metadata === undefined) {
      await refused(t, 'E_USAGE', () => addMetadata(request, world.repoTools, testContext()));
      return;
    }
    await add(world, world.dir.join('in'));
    const outcome = await addMetadata(request, world.repoTools, testContext());
    t.is(outcome.added.length, 1);
    t.is((await addMetadata(request, world.repoTools, testContext())).same.length, 1);
    const [type = ''] = outcome.added.map((one) => one.type);
    await removeMetadata({ repo: 'own', types: [type], dryRun: false }, world.repoTools, testContext());
    t.is((await addMetadata({ ...request, type }, world.repoTools, testContext())).added.length, 1);
    await refused(t, 'E_NOT_FOUND', () => removeMetadata({ repo: 'own', types: ['nothing'], dryRun: true }, world.repoTools, testContext()));
    await refused(t, 'E_USAGE', () => addMetadata({ ...request, type: 'primary' }, world.repoTools, testContext()));
    const repo = findRepo(world.catalog, 'own', world.repoTools.declared);
    t.is(listMetadata(world.catalog, repo).length, 1);
    const mirrored = await world.frozen('mirrored', { packages: await files('app'), metadata: { [rig.notes.name]: rig.notes.write([PACKAGES.app]) } });
    const listed = (content: Content): readonly string[] => world.records(content).filter(({ partition }) => partition === format.publishing.listed.partition).map(({ name }) => name);
    t.deepEqual(listed(contentOf(world)), listed(mirrored.content), 'it is what a mirror would have of it');
  });

  test('an empty repository is a content like any other', (t, world) => {
    createRepo(world.catalog, { name: 'none', comment: '', format: format.id, content: world.catalog.contents.storeMembers([]), now: world.now() });
    t.is(findRepo(world.catalog, 'none', []).content?.count, 0);
    return Promise.resolve();
  });
}
