import { createCipheriv } from 'node:crypto';
import test from 'ava';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { Fault } from '../rig/fault.ts';
import { buildDeb } from '../rig/deb.ts';
import { serve } from '../rig/server.ts';
import { asked, HELLO, openBench, partials, refused, WORLD, type Bench } from './support.ts';

const THIRD = buildDeb({ name: 'third', files: { big: noise(300_000) } });
const NEXT = { components: { main: [HELLO, WORLD, THIRD] }, date: new Date(Date.now() + 60_000) };

/** What is asked for in one update, and how the request for it looks. */
const TARGETS = { root: /InRelease$/, index: /by-hash/, deb: /third_.*\.deb$/ } as const;
type Target = keyof typeof TARGETS;
type Outcome = Partial<Readonly<Record<Target, ErrorCode | 'fine'>>>;

const everywhere = (outcome: ErrorCode | 'fine'): Outcome => ({ root: outcome, index: outcome, deb: outcome });
const LOGIN = Buffer.from('<html>Welcome to this hotel</html>');

const FAULTS: readonly (readonly [title: string, fault: Fault, outcome: Outcome, times?: number])[] = [
  ['H01 a body that is cut, twice', { kind: 'truncate', after: 20 }, everywhere('fine'), 2],
  ['H01 a body that is always cut at its beginning', { kind: 'truncate', after: 0 }, everywhere('E_FETCH')],
  ['H01 chunks that break off, twice', { kind: 'truncate-chunked', after: 20 }, everywhere('fine'), 2],
  ['H01 no length at all', { kind: 'no-length' }, everywhere('fine')],
  ['H01 a shorter answer that calls itself whole', { kind: 'short', length: 50 }, { root: 'E_SIGNATURE', index: 'E_SIZE', deb: 'E_SIZE' }],
  ['H01 a connection that is closed, twice', { kind: 'close' }, everywhere('fine'), 2],
  ['H01 a connection that is always closed', { kind: 'close' }, everywhere('E_FETCH')],
  ['H02 the right length with a wrong byte', { kind: 'corrupt', at: 100 }, { root: 'E_SIGNATURE', index: 'E_HASH', deb: 'E_HASH' }],
  ['H02 the right bytes, then garbage', { kind: 'extra', bytes: 10 }, { root: 'E_SIGNATURE', index: 'E_SIZE', deb: 'E_SIZE' }],
  ['H02 an answer without end', { kind: 'endless' }, { root: 'E_TOO_LARGE', index: 'E_SIZE', deb: 'E_SIZE' }],
  ['H04 ranges are ignored after a cut', { kind: 'truncate', after: 20 }, { deb: 'fine' }, 1],
  ['H05 503 twice', { kind: 'status', status: 503 }, everywhere('fine'), 2],
  ['H05 503 with Retry-After', { kind: 'status', status: 503, headers: { 'retry-after': '0' } }, everywhere('fine'), 1],
  ['H05 429 twice', { kind: 'status', status: 429 }, everywhere('fine'), 2],
  ['H05 503 for ever', { kind: 'status', status: 503 }, everywhere('E_FETCH')],
  ['H05 404', { kind: 'status', status: 404 }, { deb: 'E_FETCH' }],
  ['H05 403', { kind: 'status', status: 403 }, { deb: 'E_FETCH' }],
  ['H05 401', { kind: 'status', status: 401 }, everywhere('E_FETCH')],
  ['H06 a redirect to itself', { kind: 'redirect', to: '?again' }, everywhere('E_FETCH')],
  ['H06 a redirect to a file', { kind: 'redirect', to: 'file:///etc/passwd' }, everywhere('E_FETCH')],
  ['H06 a redirect to ftp', { kind: 'redirect', to: 'ftp://127.0.0.1/x' }, everywhere('E_FETCH')],
  ['H06 a redirect to an internal address', { kind: 'redirect', to: 'http://127.0.0.3:9/x' }, everywhere('E_FETCH')],
  ['H06 a redirect with a password', { kind: 'redirect', to: 'http://user:s3cret@127.0.0.1:9/x' }, everywhere('E_FETCH')],
  ['H08 something that is not HTTP', { kind: 'raw', bytes: 'HELO\r\n\r\n' }, everywhere('E_FETCH')],
  ['H08 two contradicting lengths', { kind: 'raw', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd' }, everywhere('E_FETCH')],
  ['H08 headers without end', { kind: 'raw', bytes: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}\r\n\r\n` }, everywhere('E_FETCH')],
  ['H09 the bytes gzipped once more', { kind: 'content-encoding' }, { root: 'E_UNSIGNED', index: 'E_SIZE', deb: 'E_SIZE' }],
  ['H12 a login page', { kind: 'replace', bytes: LOGIN }, { root: 'E_UNSIGNED', index: 'E_SIZE', deb: 'E_SIZE' }],
  ['H13 304 to an unconditional request', { kind: 'not-modified' }, { index: 'E_FETCH', deb: 'E_FETCH' }],
];

for (const [title, fault, outcomes, times] of FAULTS) {
  for (const [target, outcome] of Object.entries(outcomes) as [Target, ErrorCode | 'fine'][]) {
    test(`${title} (${target}): ${outcome}`, async (t) => {
      await using bench = await openBench();
      await bench.update();
      await bench.upstream.republish(NEXT);
      bench.server.fault(TARGETS[target], fault, times);
      if (title.includes('ranges are ignored')) bench.server.fault(TARGETS[target], { kind: 'ignore-range' });

      if (outcome !== 'fine') {
        const { message } = await refused(t, bench, { code: outcome });
        t.regex(message, target === 'deb' ? /third_1\.0-1_amd64\.deb/ : target === 'index' ? /by-hash/ : /InRelease|Release\.gpg/);
        t.false(message.includes('s3cret'), message);
      }
      bench.server.heal();
      await bench.update();
      t.deepEqual(bench.packages(), ['hello 1.0-1', 'third 1.0-1', 'world 2.0-1']);
    });
  }
}

test('H05 what is not there is asked for once, what may come back five times', async (t) => {
  for (const [status, requests] of [[404, 1], [403, 1], [410, 1], [400, 1], [503, 5], [500, 5], [429, 5], [408, 5]] as const) {
    await using bench = await openBench({ components: { main: [HELLO] } });
    bench.server.fault('.deb', { kind: 'status', status });
    await refused(t, bench, { code: 'E_FETCH', message: new RegExp(String(status)) });
    t.is(asked(bench.server, '.deb'), requests, String(status));
  }
});

test('H05 when the root metadata is gone, both names are told', async (t) => {
  await using bench = await openBench();
  await bench.update();
  bench.server.fault(/Release$/, { kind: 'status', status: 404 });
  const error = await refused(t, bench, { code: 'E_FETCH', message: /no dists\/rig\/InRelease or dists\/rig\/Release/ });
  t.truthy(error.hint);
});

for (const [title, fault] of [
  ['no answer', { kind: 'hang' }],
  ['an answer that stops', { kind: 'stall', after: 10 }],
  ['a byte now and then', { kind: 'drip', bytes: 1, every: 20 }],
] as const) {
  test(`H08 ${title} is given up, and another base serves`, async (t) => {
    await using bench = await openBench({ components: { main: [HELLO] } });
    await using spare = await serve(bench.upstream.files);
    const http = { timeouts: { headers: 300, idle: 300, rate: 1000, rateWindow: 300 } };
    bench.server.fault('.deb', fault);

    await refused(t, bench, { http, code: 'E_FETCH' });
    await bench.update({ http, definition: { urls: [bench.server.url, spare.url] } });
    // With patience this short a busy machine may try the good base twice as well.
    t.true(asked(spare, '.deb') >= 1);
  });
}

const BROKEN: readonly (readonly [string, (bench: Bench) => void | Promise<void>])[] = [
  ['is down', ({ server }) => server.close()],
  ['answers 503', ({ server }) => server.fault(/./, { kind: 'status', status: 503 })],
  ['lacks the packages', ({ server }) => server.fault('.deb', { kind: 'status', status: 404 })],
  ['has damaged packages', ({ server }) => server.fault('.deb', { kind: 'corrupt' })],
  ['has damaged indexes', ({ server }) => server.fault(/by-hash|Packages/, { kind: 'corrupt' })],
  ['cuts every package', ({ server }) => server.fault('.deb', { kind: 'truncate', after: 0 })],
];

for (const [title, breakIt] of BROKEN) {
  test(`H02 fail-over: the first base ${title}, the second serves`, async (t) => {
    await using bench = await openBench();
    await using spare = await serve(bench.upstream.files);
    await breakIt(bench);

    t.like(await bench.update({ definition: { urls: [bench.server.url, spare.url] } }), { packages: 2, files: 2 });
    t.true(spare.requests.length > 0);
  });
}

test('H02 a base that failed is not tried first for each of the files after', async (t) => {
  const main = Array.from({ length: 30 }, (_, index) => buildDeb({ name: `p${index}` }));
  await using bench = await openBench({ components: { main } });
  await using spare = await serve(bench.upstream.files);
  bench.server.fault('.deb', { kind: 'status', status: 500 });

  await bench.update({ definition: { urls: [bench.server.url, spare.url] }, http: { parallel: 2 } });

  t.is(asked(spare, '.deb'), 30);
  t.is(bench.ctx().warnings().filter((warning) => warning.includes('going on with')).length, 1);
});

test('what came whole before a failure is not fetched again, and what was cut is resumed', async (t) => {
  await using bench = await openBench({ components: { main: [HELLO, WORLD, THIRD] } });
  bench.server.fault('third_1.0-1_amd64.deb', { kind: 'truncate', after: 100_000 }, 1);
  bench.server.fault('third_1.0-1_amd64.deb', { kind: 'status', status: 404 });
  await refused(t, bench, { code: 'E_FETCH', http: { parallel: 1 } });
  t.is(partials(bench).length, 1);
  bench.server.heal();
  bench.server.requests.length = 0;

  const result = await bench.update();

  t.is(result.packages, 3);
  const again = bench.server.requests.filter(({ path }) => path.includes('third'));
  t.deepEqual(again.map(({ status, headers }) => [status, headers.range]), [[206, 'bytes=100000-']]);
  t.deepEqual(partials(bench), []);
});

test('H12 a mirror goes through the proxy that is configured', async (t) => {
  await using bench = await openBench();
  await using proxy = await serve(bench.upstream.files);

  await bench.update({ definition: { urls: ['http://upstream.invalid/'] }, http: { proxy: { http: proxy.url } } });

  t.is(bench.server.requests.length, 0);
  t.true(proxy.requests.every(({ path, headers }) => path.startsWith('http://upstream.invalid/') && headers.host === 'upstream.invalid'));
  t.is(proxy.requests.length, 4);
});

for (const [title, fault, message] of [
  ['wants a password', { kind: 'status', status: 407 }, /407/],
  ['shows a login page', { kind: 'replace', bytes: LOGIN }, /InRelease is not signed/],
] as const) {
  test(`H12 a proxy that ${title} is told as such`, async (t) => {
    await using bench = await openBench();
    await using proxy = await serve(bench.upstream.files);
    proxy.fault(/./, fault);
    const code = title.includes('login') ? 'E_UNSIGNED' : 'E_FETCH';
    await refused(t, bench, { code, message, definition: { urls: ['http://upstream.invalid/'] }, http: { proxy: { http: proxy.url } } });
  });
}

/** Bytes that do not compress, the same every time. */
function noise(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(length));
}
