/** Rules of publications that hold for every format: what is served, for how long, and what a check of it finds. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../src/core/digest.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import type { ServedRoot } from '../../src/formats/format.ts';
import { mergeSnapshots } from '../../src/snapshot/snapshots.ts';
import { unpackFile } from '../../src/util/unpack.ts';
import { rigKey } from '../rig/key.ts';
import { serve } from '../rig/server.ts';
import { testContext } from '../rig/temp.ts';
import { PACKAGES, refused, type FormatCase, type PackageName } from './format-case.ts';
import type { RigFile } from './format-rig.ts';
import { DISTRIBUTION, PREFIX, type World } from './format-world.ts';

const HOUR = 3600_000;
const NEVER = new AbortController().signal;

export function testPublications<File extends RigFile>({ rig, test, files, named }: FormatCase<File>): void {
  const { publishing, exact } = rig.format;
  const freeze = async (world: World<File>, name: string, ...packages: readonly PackageName[]): Promise<Snapshot> => world.frozen(name, { packages: await files(...packages) });
  const folderOf = (world: World<File>): string => join(world.publicRoot, PREFIX, publishing.folders.distributions, DISTRIBUTION);
  const [seat] = publishing.seats(['main'], publishing.architectures([], [rig.architectures.own]));
  if (seat === undefined) throw new Error('Clients are pointed to nothing');
  const served = (world: World<File>): ServedRoot => publishing.readServed(readFileSync(join(folderOf(world), seat.root, publishing.signedFiles.plain)), seat);
  /** The plain text of a listed file of that name. */
  const textOf = async (world: World<File>, name: string): Promise<string | undefined> => {
    const found = [...served(world).forms].find(([path]) => path.split('/').at(-1)?.startsWith(name.replace(/.*\//, '')) === true)?.[1];
    const form = found?.find(({ path }) => existsSync(join(folderOf(world), path)));
    if (form === undefined) return undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of unpackFile(join(folderOf(world), form.path), form.packing, NEVER)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };

  for (const clients of [undefined, ...rig.clients]) {
    test(`what is published for ${clients ?? 'clients of no certain kind'} is whole, and a mirror of it has the same packages and metadata`, async (t, world) => {
      const notes = rig.notes.write([PACKAGES.app, PACKAGES.helper]);
      const snapshot = await world.frozen('s', { packages: await files('app', 'newApp', 'lib', 'helper'), metadata: { [rig.notes.name]: notes } });
      const fields = clients === undefined ? {} : { fields: { clients } };
      const { publication, changed } = await world.publish(snapshot, fields);
      t.true(changed);
      const { problems, packages } = await world.verify(publication);
      t.deepEqual(problems, []);
      t.is(packages, 4);
      t.is(await textOf(world, rig.notes.name), notes);
      for (const { line } of publishing.clientLines({ prefix: PREFIX, distribution: DISTRIBUTION, components: ['main'], architectures: publication.spec.architectures })) t.true(line.includes(`URL/${PREFIX}`), line);

      const { path, request } = rig.served({ prefix: PREFIX, distribution: DISTRIBUTION });
      const key = await rigKey('site');
      const url = `${world.published.url}/${path}`;
      await world.mirror('again', world.published, { definition: { request, urls: [url], keyrings: [key.publicKey], fingerprints: [key.fingerprint] } });
      const digests = ({ content }: Pick<Snapshot, 'content'>): readonly string[] => world.catalog.members.heads(world.catalog.contents.allMembers(content.id)).map(({ partition, name, version, digest }) => (partition === publishing.listed.partition ? name : `${name} ${version} ${digest}`)).sort();
      t.deepEqual(digests({ content: world.content('again') }), digests(snapshot));
      t.deepEqual((await world.mirror('again', world.published, { definition: { request, urls: [url], keyrings: [key.publicKey], fingerprints: [key.fingerprint] } })).changed, false);
    });
  }

  test('an index is the pieces of all texts in their order within its frame, and root metadata tells its digest', async (t, world) => {
    const snapshot = await freeze(world, 's', 'newApp', 'app', 'lib', 'helper');
    const { publication } = await world.publish(snapshot);
    const records = world.records(snapshot.content);
    const plans = publishing.indexes({ component: 'main', partitions: new Set(records.map(({ partition }) => partition)) }, publication.spec.architectures);
    t.deepEqual([...new Set(plans.map(({ part }) => part))], [...publishing.parts]);
    for (const { path, part, partitions } of plans) {
      const own = partitions.flatMap((partition) => records.filter((record) => record.partition === partition));
      const { head, tail } = publishing.frame(part, own.length);
      const texts = own.flatMap(({ text }) => [publishing.textOf(text, part), Buffer.from(publishing.separator)]);
      t.is(served(world).files.get(path)?.sha256, sha256(Buffer.concat([head, ...texts, tail])), path);
    }
  });

  test('a listed file is a record that tells how it is packed and what it unpacks to', (t) => {
    const plain = { size: 7, sha256: sha256('plain') };
    const { record, locations } = publishing.listed.record('some/file.xml', { name: 'some/file.xml', kind: 'file', plain, offers: [{ size: 5, sha256: sha256('packed'), compression: 'gz', paths: ['there/file.xml.gz'] }] });
    t.is(record.partition, publishing.listed.partition);
    t.deepEqual(publishing.poolPaths(record), []);
    t.deepEqual(locations, ['there/file.xml.gz']);
    t.deepEqual(record.files.map(({ size, sha256: digest }) => [size, digest]), [[5, sha256('packed')]]);
    const { packing, plain: open } = publishing.listed.read(record);
    t.deepEqual([packing, open], ['gz', plain]);
    return Promise.resolve();
  });

  test('clients of a kind that nobody knows are refused', async (t, world) => {
    const snapshot = await freeze(world, 's', 'app');
    await refused(t, 'E_USAGE', () => world.publish(snapshot, { fields: { clients: 'nobody' } }));
    t.false(existsSync(folderOf(world)));
  });

  test('an empty content is published, and filled later; what is served already is left alone', async (t, world) => {
    const empty = await freeze(world, 'empty');
    t.deepEqual((await world.verify((await world.publish(empty)).publication)).problems, []);
    const snapshot = await freeze(world, 's', 'app', 'helper');
    const first = await world.publish(snapshot);
    t.deepEqual([first.changed, first.linked, (await world.verify(first.publication)).packages], [true, 2, 2]);
    const again = await world.publish(snapshot);
    t.deepEqual([again.changed, again.linked, again.publication.generation], [false, 0, first.publication.generation]);
    const before = served(world);
    world.pass(1);
    const renewed = await world.publish(snapshot, { refresh: true });
    t.true(renewed.changed);
    t.true(served(world).date > before.date, 'the date of root metadata goes up');
    t.deepEqual((await world.verify(renewed.publication)).problems, []);
  });

  test('what expires is renewed half way, and not before; what was old is told once it is', async (t, world) => {
    const snapshot = await freeze(world, 's', 'app');
    const fields = { validFor: 48 * HOUR };
    const { publication } = await world.publish(snapshot, { fields });
    const until = served(world).validUntil;
    world.pass(20);
    t.false((await world.publish(snapshot, { fields })).changed);
    world.pass(10);
    t.is((await world.publish(snapshot, { fields })).changed, !publishing.untold.includes('validFor'), 'where clients are told');
    if (until !== undefined) t.true((served(world).validUntil ?? until) > until);
    world.pass(100);
    const { problems } = await world.verify(world.catalog.publications.find(PREFIX, DISTRIBUTION) ?? publication);
    t.deepEqual(problems.map(({ problem }) => /no longer valid/.test(problem)), until === undefined ? [] : [true]);
  });

  test('clients in the middle of an older generation find its indexes by their digests', async (t, world) => {
    await world.publish(await freeze(world, 'one', 'app'));
    const before = served(world);
    await world.publish(await freeze(world, 'two', 'newApp', 'lib'));
    const packed = before.indexes.flatMap(({ offers }) => offers).filter(({ compression }) => compression !== 'none');
    t.true(packed.length > 0);
    for (const { paths: [path = ''], sha256: digest } of packed) t.is(sha256(readFileSync(join(folderOf(world), publishing.hashedPath(path, digest)))), digest);
    for (const [path, { sha256: digest }] of served(world).files) if (existsSync(join(folderOf(world), path))) t.is(sha256(readFileSync(join(folderOf(world), path))), digest, path);
  });

  test('a check finds every file that is damaged or missing', async (t, world) => {
    const { publication } = await world.publish(await world.frozen('s', { packages: await files('app', 'helper'), metadata: { [rig.notes.name]: rig.notes.write([PACKAGES.app]) } }));
    const { checked } = await world.verify(publication);
    t.true(checked.length > 5);
    for (const path of checked) {
      const file = join(world.publicRoot, path);
      if (!existsSync(file)) continue; // the plain form of a packed index
      const bytes = readFileSync(file);
      chmodSync(file, 0o644);
      const middle = Math.floor(bytes.length / 2);
      writeFileSync(file, Buffer.concat([bytes.subarray(0, middle), Buffer.from([(bytes[middle] ?? 0) ^ 0x02]), bytes.subarray(middle + 1)]));
      const { problems } = await world.verify(publication);
      writeFileSync(file, bytes);
      t.true(problems.length > 0, path);
    }
    t.deepEqual((await world.verify(publication)).problems, []);
  });

  test('metadata of several sources is one file where that can be, and says nothing of packages that are gone where it can be told', async (t, world) => {
    const one = await world.frozen('one', { packages: await files('app', 'lib'), metadata: { [rig.notes.name]: rig.notes.write([PACKAGES.app, PACKAGES.lib]) } });
    const two = await world.frozen('two', { packages: await files('helper'), metadata: { [rig.notes.name]: rig.notes.write([PACKAGES.helper, PACKAGES.lonely]) } });
    const { snapshot } = mergeSnapshots(world.catalog, { name: 'merged', sources: [one, two], policy: 'latest', isBound: undefined, now: world.now() });
    const record = world.records(one.content).find(({ partition }) => partition === publishing.listed.partition);
    if (record === undefined) throw new Error('Metadata did not travel');
    const { name } = publishing.listed.read(record);
    const ctx = testContext();
    const { publication } = await world.publish(snapshot, {}, ctx);
    const told = [...new Set(rig.notes.read((await textOf(world, rig.notes.name)) ?? ''))].sort();
    const isPruned = publishing.listed.prune?.(name) !== undefined;
    if (publishing.listed.combine(name) === undefined) t.is(ctx.warnings().length, 1);
    else t.deepEqual(told, isPruned ? ['app', 'helper', 'lib'] : ['app', 'helper', 'lib', 'lonely']);
    t.deepEqual((await world.verify(publication)).problems, []);
    t.is(publishing.listed.combine('of-no-known-kind'), undefined);
    t.is(publishing.listed.prune?.('of-no-known-kind'), undefined);
  });

  test('images that a list vouches for are mirrored, published and checked, where the format has such', async (t, world) => {
    if (rig.tree === undefined) return;
    const images = { 'one.iso': 'an image', 'boot/kernel': 'a kernel' };
    const { metadata, files: more, kinds } = rig.tree(images);
    await using server = await serve(new Map([...(await world.upstream({ packages: await files('app'), metadata })), ...more]));
    await world.mirror('m', server, { definition: { request: { ...rig.request, kinds } } });
    const { publication } = await world.publish(world.freeze('m'));
    const { bundles } = served(world);
    t.is(bundles.length, 1);
    const listed = bundles.flatMap((path) => publishing.readBundle?.(path, readFileSync(join(folderOf(world), path))) ?? []);
    t.deepEqual(listed.map(({ path, sha256: digest }) => sha256(readFileSync(join(folderOf(world), path))) === digest), [true, true]);
    t.deepEqual(listed.map(({ sha256: digest }) => digest).sort(), Object.values(images).map((text) => sha256(text)).sort());
    t.deepEqual((await world.verify(publication)).problems, []);
    const [victim] = listed;
    chmodSync(join(folderOf(world), victim?.path ?? ''), 0o644);
    writeFileSync(join(folderOf(world), victim?.path ?? ''), 'damaged');
    t.true((await world.verify(publication)).problems.some(({ path }) => path.endsWith(victim?.path ?? '')));
  });

  test('a repository that is kept exactly is published byte for byte, where the format can; with anything else it is one of ours', async (t, world) => {
    const upstream = await world.upstream({ packages: await files('app', 'helper'), metadata: { [rig.notes.name]: rig.notes.write([PACKAGES.app]) } });
    await using server = await serve(upstream);
    const request = { ...rig.request, kinds: ['exact'] };
    const entry = rig.format.upstream.entries(request).find(({ kind, path }) => kind === 'detached' && upstream.has(path));
    const root = entry?.kind === 'detached' ? rig.format.upstream.readRoot(upstream.get(entry.path) ?? Buffer.alloc(0), request) : undefined;
    t.is(root?.exact === undefined, exact === undefined);
    if (exact === undefined || root?.exact === undefined || entry?.kind !== 'detached') return;
    await world.mirror('m', server, { definition: { request } });
    const snapshot = world.freeze('m');
    t.is(world.records(snapshot.content).filter(exact.isExact).length, 1);
    const { publication } = await world.publish(snapshot);
    t.deepEqual(publication.spec.exact, ['main']);
    const base = join(folderOf(world), seat.base ?? '');
    const packages = (await files('app', 'helper')).flatMap(({ bytes }) => [...upstream].filter(([, other]) => other.equals(bytes)).map(([path]) => path));
    const paths = [entry.path, entry.signature, ...root.exact.files.flatMap(({ locations }) => locations), ...packages];
    t.true(packages.length >= 2);
    for (const path of paths) t.deepEqual(readFileSync(join(base, path)), upstream.get(path), path);
    t.true(existsSync(join(base, exact.keyPath)));
    t.deepEqual((await world.verify(publication)).problems, []);

    const { snapshot: merged } = mergeSnapshots(world.catalog, { name: 'merged', sources: [snapshot, await freeze(world, 'more', 'lib')], policy: 'latest', isBound: undefined, now: world.now() });
    const ours = await world.publish(merged);
    t.is(ours.publication.spec.exact, undefined);
    t.deepEqual((await world.verify(ours.publication)).problems, []);
    t.is((await world.verify(ours.publication)).packages, named('app', 'helper', 'lib').length);
  });

  test('lists of what packages install are made where the format has such', async (t, world) => {
    const { fileLists } = publishing;
    const { publication } = await world.publish(await freeze(world, 's', 'app', 'helper'), { fields: { contents: true } });
    t.deepEqual((await world.verify(publication)).problems, []);
    if (fileLists === undefined) return;
    const partitions = new Set(world.records(world.content('s')).map(({ partition }) => partition));
    for (const { name } of fileLists.plan(partitions, publication.spec.architectures)) {
      const lines = ((await textOf(world, name)) ?? '').split('\n').flatMap((line) => (line === '' ? [] : [fileLists.readLine(line)]));
      t.deepEqual([...new Set(lines.flatMap((line) => line?.packages.map((one) => fileLists.packageName(one)) ?? []))].sort(), ['app', 'helper']);
      for (const line of lines) if (line !== undefined) t.deepEqual(fileLists.readLine(fileLists.line(line.path, line.packages)), line);
    }
  });
}
