/** Rules of mirrors that hold for every format. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { sha256 } from '../../src/core/digest.ts';
import { rigKey } from '../rig/key.ts';
import { serve } from '../rig/server.ts';
import { PACKAGES, refused, type FormatCase } from './format-case.ts';
import type { RigFile } from './format-rig.ts';

const HOUR = 3600_000;

export function testMirrors<File extends RigFile>({ rig, test, files, named }: FormatCase<File>): void {
  const { format } = rig;

  test('a mirror takes what is offered, once, and fetches only what is new', async (t, world) => {
    const upstream = await world.upstream({ packages: await files('app', 'lib', 'helper') });
    await using server = await serve(upstream);
    const first = await world.mirror('m', server);
    t.deepEqual([first.changed, first.files], [true, 3]);
    t.deepEqual(world.packages(world.content('m')), named('app', 'lib', 'helper'));
    for (const { files: parts } of world.records(world.content('m'))) for (const part of parts) t.is(sha256(readFileSync(world.pool.path(part.sha256))), part.sha256);

    server.requests.length = 0;
    const again = await world.mirror('m', server);
    t.deepEqual([again.changed, again.files], [false, 0]);
    t.is(server.requests.length, 1, 'an upstream that did not change is asked once');

    for (const [path, bytes] of await world.upstream({ packages: await files('app', 'newApp', 'lib', 'helper'), date: world.now() })) upstream.set(path, bytes);
    const next = await world.mirror('m', server);
    t.deepEqual([next.changed, next.files], [true, 1]);
    t.deepEqual(world.packages(world.content('m')), named('app', 'newApp', 'lib', 'helper'));
  });

  test('what is damaged, unsigned, by a stranger, older or too old is refused, and the last good state stays', async (t, world) => {
    const packages = await files('app', 'lib');
    const good = await world.upstream({ packages: await files('app') });
    const upstream = new Map(good);
    await using server = await serve(upstream);
    await world.mirror('m', server);
    const offer = async (options: Parameters<typeof world.upstream>[0], damage: (path: string, bytes: Buffer) => Buffer | undefined = (_, bytes) => bytes): Promise<void> => {
      upstream.clear();
      for (const [path, bytes] of await world.upstream({ packages, date: world.now(), ...options })) {
        const served = damage(path, bytes);
        if (served !== undefined) upstream.set(path, served);
      }
    };
    const entries = format.upstream.entries(rig.request);
    const signatures = new Set(entries.map((entry) => (entry.kind === 'detached' ? entry.signature : entry.path)));
    const packageBytes = new Set(packages.map(({ bytes }) => sha256(bytes)));
    const isPackage = (bytes: Buffer): boolean => packageBytes.has(sha256(bytes));

    await offer({}, (_, bytes) => (isPackage(bytes) ? Buffer.concat([bytes.subarray(0, -1), Buffer.from('x')]) : bytes));
    await refused(t, 'E_HASH', () => world.mirror('m', server));
    await offer({}, (_, bytes) => (isPackage(bytes) ? bytes.subarray(0, -9) : bytes));
    await refused(t, ['E_SIZE', 'E_FETCH'], () => world.mirror('m', server));
    await offer({}, (path, bytes) => (signatures.has(path) ? undefined : bytes));
    await refused(t, ['E_UNSIGNED', 'E_FETCH'], () => world.mirror('m', server));
    await offer({ key: await rigKey('stranger') });
    await refused(t, 'E_SIGNATURE', () => world.mirror('m', server));
    await offer({ date: new Date(world.now().getTime() - 48 * HOUR) });
    await refused(t, 'E_ROLLBACK', () => world.mirror('m', server));
    await refused(t, 'E_STALE', () => world.mirror('m', server, { definition: { maxAge: 24 * HOUR } }));
    t.deepEqual(world.packages(world.content('m')), named('app'));

    await offer({ date: new Date(world.now().getTime() - 48 * HOUR) });
    await world.mirror('m', server, { options: { allowRollback: true } });
    t.deepEqual(world.packages(world.content('m')), named('app', 'lib'));
  });

  test('an upstream that expired is refused where it tells when it does', async (t, world) => {
    const upstream = await world.upstream({ packages: await files('app'), validUntil: new Date(world.now().getTime() + HOUR) });
    await using server = await serve(upstream);
    await world.mirror('m', server);
    const { validUntil } = world.catalog.mirrors.get('m')?.root ?? {};
    world.pass(2);
    if (validUntil === undefined) t.false((await world.mirror('m', server)).changed);
    else await refused(t, 'E_STALE', () => world.mirror('m', server));
  });

  test('of an upstream the newest versions are taken, or what a query names with what it needs', async (t, world) => {
    await using server = await serve(await world.upstream({ packages: await files('app', 'newApp', 'lib', 'newLib', 'helper', 'lonely') }));
    const mirror = async (definition: NonNullable<Parameters<typeof world.mirror>[2]>['definition']): Promise<readonly string[]> => {
      await world.mirror('m', server, { definition: definition ?? {} });
      return world.packages(world.content('m'));
    };
    t.deepEqual(await mirror({ newest: 1 }), named('newApp', 'newLib', 'helper', 'lonely'));
    t.deepEqual(await mirror({ filter: { query: 'app', withDependencies: false, follow: {} } }), named('app', 'newApp'));
    t.deepEqual(await mirror({ newest: 1, filter: { query: 'app', withDependencies: true, follow: {} } }), named('newApp', 'newLib', 'helper'));
    t.deepEqual(await mirror({ filter: { query: `app (= ${rig.version(1)}) | lonely`, withDependencies: true, follow: {} } }), named('app', 'newLib', 'helper', 'lonely'));
    t.regex(world.told().warnings().join('\n'), /lonely needs nowhere/);
  });

  test('two packages of one version with other bytes are refused, and both are named', async (t, world) => {
    await using server = await serve(await world.upstream({ packages: (await files('app', 'otherApp')).map((file, at) => ({ ...file, fileName: `${at}-${file.fileName}` })) }));

    const message = await refused(t, 'E_CONFLICT', () => world.mirror('m', server));
    t.regex(message, /app/);
  });

  test('a list of mirrors is read where the format has such: a dead one is passed over', async (t, world) => {
    const { readMirrorList } = format.upstream;
    t.is(readMirrorList === undefined, rig.mirrorList === undefined);
    if (rig.mirrorList === undefined || readMirrorList === undefined) return;
    await using alive = await serve(await world.upstream({ packages: await files('app') }));
    const dead = await serve(new Map());
    await dead.close();
    const text = rig.mirrorList([dead.url, alive.url]);
    t.deepEqual(readMirrorList(Buffer.from(text)).urls.map((url) => url.replace(/\/$/, '')), [dead.url, alive.url]);
    await refused(t, 'E_FORMAT', () => readMirrorList(Buffer.from('\0\x01 nothing of the kind')));
    await using lists = await serve(new Map([['list', Buffer.from(text)]]));
    await world.mirror('m', lists, { definition: { listUrl: `${lists.url}/list`, urls: [] } });
    t.deepEqual(world.packages(world.content('m')), named('app'));
  });

  test('packages that are listed with other digests come to be known by their SHA-256, where the format reads such', async (t, world) => {
    const { others } = format.upstream;
    if (others === undefined) return;
    const packages = await files('app', 'helper');
    await using server = await serve(await world.upstream({ packages, digests: 'others', metadata: { [rig.notes.name]: rig.notes.write([PACKAGES.app]) } }));
    await world.mirror('m', server);
    const records = world.records(world.content('m'));
    const digests = new Map(packages.map(({ bytes }) => [sha256(bytes) as string, createHash('sha512').update(bytes).digest('hex')]));
    for (const record of records.filter(({ partition }) => partition !== format.publishing.listed.partition)) {
      const [file] = record.files;
      t.deepEqual(others.listed(record), { algorithm: 'sha512', hex: digests.get(file?.sha256 ?? '') });
    }
    t.deepEqual(world.packages(world.content('m')), named('app', 'helper'));
    for (const { files: parts } of records) for (const part of parts) t.is(sha256(readFileSync(world.pool.path(part.sha256))), part.sha256);
  });

  test('sources are taken when they are asked for, where the format has such', async (t, world) => {
    if (rig.sources === undefined) {
      t.is(format.local.kindOf('app_1.0.dsc') ?? format.local.kindOf('app-1.0-1.src.rpm'), undefined);
      return;
    }
    await using server = await serve(await world.upstream({ packages: await files('app'), sources: await rig.sources(world.dir, ['app']) }));
    await world.mirror('without', server);
    t.deepEqual(world.packages(world.content('without')), named('app'));
    await world.mirror('with', server, { definition: { request: { ...rig.request, kinds: ['source'] } } });
    const types = world.records(world.content('with')).map((record) => format.subject(record).type).sort();
    t.is(types.filter((type) => type === 'source').length, 1);
    t.is(types.length, 2);
  });
}
