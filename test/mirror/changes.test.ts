import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import type { Sha256 } from '../../src/core/digest.ts';
import type { Event } from '../../src/core/event.ts';
import { buildDeb } from '../rig/deb.ts';
import { testContext, type TestContext } from '../rig/temp.ts';
import { asked, HELLO, openBench, refused, WORLD, wrongInPool, type Bench } from './support.ts';

const later = (seconds: number): Date => new Date((Math.floor(Date.now() / 1000) + seconds) * 1000);
const NEWER = buildDeb({ name: 'hello', version: '1.0-2' });
const NEWEST = buildDeb({ name: 'hello', version: '1.0-3' });

test('nothing changed: one request, and the state is only looked at', async (t) => {
  for (const filter of [undefined, { query: 'Name (= hello)', withDependencies: true, follow: {} }]) {
    await using bench = await openBench();
    const definition = filter === undefined ? {} : { filter };
    await bench.update({ definition });
    const before = bench.catalog.mirrors.get('m');
    bench.server.requests.length = 0;

    const result = await bench.update({ definition, now: later(60) });

    t.like(result, { changed: false, files: 0, bytes: 0 });
    t.deepEqual(bench.server.requests.map(({ path, status }) => [path, status]), [['/dists/rig/InRelease', 304]]);
    const { checkedAt, ...rest } = bench.catalog.mirrors.get('m') ?? { checkedAt: '' };
    t.like(before, rest);
    t.not(checkedAt, before?.checkedAt);
  }
});

for (const validators of [{ etag: '"one"' }, { etag: 'W/"one"' }, { 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }, {}]) {
  const name = Object.keys(validators)[0] ?? 'nothing';
  test(`nothing changed, and the upstream knows ${name} (${Object.values(validators)[0] ?? ''}): one request`, async (t) => {
    await using bench = await openBench();
    const answers: number[] = [];
    const server = createServer((request, response) => {
      const bytes = bench.upstream.files.get(request.url?.slice(1) ?? '');
      const { 'if-none-match': etag, 'if-modified-since': since } = request.headers;
      const same = bytes !== undefined && name !== 'nothing' && (etag ?? since) === Object.values(validators)[0];
      answers.push(bytes === undefined ? 404 : same ? 304 : 200);
      response.writeHead(answers.at(-1) ?? 500, validators).end(same ? undefined : bytes);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const definition = { urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`] };
    await bench.update({ definition });
    answers.length = 0;

    const result = await bench.update({ definition });

    t.false(result.changed);
    t.deepEqual(answers, [name === 'nothing' ? 200 : 304]);
    server.closeAllConnections();
    server.close();
  });
}

test('a file of a package the mirror holds already is fetched again when an update finds it gone', async (t) => {
  await using bench = await openBench();
  await bench.update();
  rmSync(bench.pool.path(WORLD.sha256 as Sha256), { force: true });
  await bench.upstream.republish({ components: { main: [NEWER, WORLD] }, date: later(60) });

  const result = await bench.update({ now: later(120) });

  t.is(result.files, 2);
  t.true(bench.pool.has(WORLD.sha256 as Sha256));
});

test('what is found missing while an update is on its way is looked for by the next', async (t) => {
  await using bench = await openBench();
  await bench.update();
  await bench.upstream.republish({ components: { main: [NEWER, WORLD] }, date: later(60) });
  const ctx = testContext();
  const lose = (event: Event): void => {
    if (event.type === 'progress') bench.catalog.mirrors.distrust('m'); // as db check does
    ctx.report(event);
  };
  await bench.update({ now: later(120), ctx: { ...ctx, report: lose } });
  writeFileSync(bench.pool.path(WORLD.sha256 as Sha256), 'half of it');

  const result = await bench.update({ now: later(180) });

  t.is(result.files, 1);
  t.deepEqual(wrongInPool(bench), []);
});

test('force reads everything again though nothing changed, and fetches no package twice', async (t) => {
  await using bench = await openBench();
  await bench.update();
  bench.server.requests.length = 0;

  t.like(await bench.update({ options: { force: true } }), { changed: true, packages: 2, files: 0 });
  t.is(bench.server.requests.length, 2);
});

test('a newer Release with the same packages fetches nothing but itself', async (t) => {
  await using bench = await openBench();
  await bench.update();
  const before = bench.catalog.mirrors.get('m');
  const date = later(60);
  await bench.upstream.republish({ date });
  bench.server.requests.length = 0;

  const result = await bench.update({ now: later(5) });

  t.is(bench.server.requests.length, 1);
  t.is(result.date, date.toISOString());
  const after = bench.catalog.mirrors.get('m');
  t.is(after?.content.id, before?.content.id);
  t.is(after?.changedAt, before?.changedAt);
});

test('another filter takes effect at the next update although the upstream did not change', async (t) => {
  await using bench = await openBench();
  const filtered = (query: string) => ({ definition: { filter: { query, withDependencies: false, follow: {} } } });
  await bench.update(filtered('Name (= hello)'));
  t.deepEqual(bench.packages(), ['hello 1.0-1']);
  bench.server.requests.length = 0;

  t.like(await bench.update(filtered('Name (= world)')), { changed: true, packages: 1, files: 1 });
  t.deepEqual(bench.packages(), ['world 2.0-1']);
  t.is(asked(bench.server, '.deb'), 1);
  t.like(await bench.update(), { changed: true, packages: 2, files: 0 });
});

test('another distribution may be older than the one before', async (t) => {
  await using bench = await openBench();
  await bench.update();
  await bench.upstream.republish({ date: later(-86_400) });
  await refused(t, bench, { code: 'E_ROLLBACK' });
  const request = { distribution: 'stable', components: ['main'], architectures: ['amd64'] };
  for (const [path, bytes] of bench.upstream.files) bench.upstream.files.set(path.replace('dists/rig', 'dists/stable'), bytes);

  t.true((await bench.update({ definition: { request } })).changed);
});

test('a package that went away leaves the content and stays in the pool', async (t) => {
  await using bench = await openBench();
  await bench.update();
  await bench.upstream.republish({ components: { main: [WORLD] }, date: later(60) });
  await bench.update();
  t.deepEqual(bench.packages(), ['world 2.0-1']);
  t.is([...bench.pool.list()].length, 2);
});

test('a changed description of the same file is another record, and fetches no file', async (t) => {
  await using bench = await openBench({ components: { main: [HELLO] } });
  await bench.update();
  const [before] = bench.records();
  const other = { ...HELLO, indexFields: { 'Phased-Update-Percentage': '10' } };
  await bench.upstream.republish({ components: { main: [other] }, date: later(60) });

  t.like(await bench.update(), { changed: true, packages: 1, files: 0 });
  const [after] = bench.records();
  t.regex(after?.text.toString() ?? '', /Phased-Update-Percentage: 10/);
  t.deepEqual(after?.files, before?.files);
});

test('a lost and a cut file of the pool are fetched again when the upstream is read again', async (t) => {
  await using bench = await openBench();
  await bench.update();
  const [lost = '', cut = ''] = [...bench.pool.list()].map(({ sha256 }) => bench.pool.path(sha256));
  rmSync(lost);
  rmSync(cut);
  writeFileSync(cut, 'cut');

  t.like(await bench.update({ options: { force: true } }), { packages: 2, files: 2 });
  t.deepEqual(wrongInPool(bench), []);
});

/** Does the work as soon as the update begins to read an index. */
function whileReading(work: () => void, times = 1): TestContext {
  const ctx = testContext();
  let left = times;
  const report = (event: Event): void => {
    ctx.report(event);
    if (event.type !== 'phase' || !event.text.startsWith('reading') || left === 0) return;
    left -= 1;
    work();
  };
  return Object.assign(Object.create(ctx) as TestContext, { report });
}

/** What the upstream serves after it published these, ready to be put in place at once. */
async function nextGeneration(bench: Bench, changes: Parameters<Bench['upstream']['republish']>[0]): Promise<() => void> {
  const { files } = bench.upstream;
  const before = new Map(files);
  await bench.upstream.republish(changes);
  const after = new Map(files);
  const put = (all: ReadonlyMap<string, Buffer>): void => {
    files.clear();
    for (const [path, bytes] of all) files.set(path, bytes);
  };
  put(before);
  return () => put(after);
}

test('the upstream publishes while its indexes are read: the update starts over once and ends with the new state', async (t) => {
  await using bench = await openBench({ byHash: false, components: { main: [HELLO] } });
  const publish = await nextGeneration(bench, { components: { main: [NEWER] }, date: later(60) });

  const result = await bench.update({ ctx: whileReading(publish) });

  t.is(result.packages, 1);
  t.deepEqual(bench.packages(), ['hello 1.0-2']);
  t.true(bench.ctx().events.some((event) => event.type === 'note' && event.message.includes('starting over')));
  t.is(asked(bench.server, 'InRelease'), 2);
});

test('the upstream publishes and removes a package while it is read: by-hash still serves the index, the package starts it over', async (t) => {
  await using bench = await openBench({ components: { main: [HELLO] } });
  const publish = await nextGeneration(bench, { components: { main: [NEWER] }, date: later(60) });

  await bench.update({
    ctx: whileReading(() => {
      publish();
      for (const path of bench.upstream.files.keys()) if (path.endsWith(HELLO.fileName)) bench.upstream.files.delete(path);
    }),
  });

  t.deepEqual(bench.packages(), ['hello 1.0-2']);
});

test('an upstream that never stands still is refused, and the state before stays', async (t) => {
  await using bench = await openBench({ byHash: false, components: { main: [HELLO] } });
  await bench.update();
  await bench.upstream.republish({ components: { main: [NEWER] }, date: later(60) });
  const publishes = [
    await nextGeneration(bench, { components: { main: [NEWEST] }, date: later(120) }),
    await nextGeneration(bench, { components: { main: [HELLO, NEWEST] }, date: later(180) }),
  ];

  await refused(t, bench, { code: 'E_SIZE', ctx: whileReading(() => publishes.shift()?.(), 2) });
  t.deepEqual(bench.packages(), ['hello 1.0-1']);
});

test('what the upstream publishes meanwhile is judged as strictly: an older or unsigned state is refused', async (t) => {
  for (const [changes, code] of [
    [{ date: later(-86_400) }, 'E_ROLLBACK'],
    [{ signatures: 'none', date: later(120) }, 'E_UNSIGNED'],
  ] as const) {
    await using bench = await openBench({ byHash: false, components: { main: [HELLO] } });
    await bench.update();
    await bench.upstream.republish({ components: { main: [NEWER] }, date: later(60) });
    const publish = await nextGeneration(bench, { components: { main: [NEWEST] }, ...changes });

    await refused(t, bench, { code, ctx: whileReading(publish) });
    t.deepEqual(bench.packages(), ['hello 1.0-1']);
  }
});

test('cancelled while it reads: the reason comes back, and nothing is recorded', async (t) => {
  await using bench = await openBench();
  const ctx = whileReading(() => ctx.abort(new Error('enough')));

  await t.throwsAsync(bench.update({ ctx }), { message: 'enough' });
  t.deepEqual(bench.packages(), []);
  t.true((await bench.update()).changed);
});
