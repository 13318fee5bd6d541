import test from 'ava';
import { isArtifactsError } from '../../src/core/errors.ts';
import { openUpstream } from '../../src/http/upstream.ts';
import { serve } from '../rig/server.ts';
import { testContext } from '../rig/temp.ts';

const BODY = Buffer.from('hello world, this is a small file\n');
const FAST = { delay: 1, longestDelay: 40 };

test('fetches a file with its validators, and learns that it is unchanged', async (t) => {
  await using server = await serve(new Map([['dists/x/InRelease', BODY]]));
  const upstream = openUpstream({ urls: [server.url], ...FAST });

  const first = await upstream.fetchSmall('dists/x/InRelease', { limit: 1000 }, testContext());
  if (first.status !== 'ok') return t.fail(first.status);
  const byTag = await upstream.fetchSmall('dists/x/InRelease', { limit: 1000, etag: first.etag ?? '' }, testContext());
  const byTime = await upstream.fetchSmall(
    'dists/x/InRelease',
    { limit: 1000, lastModified: first.lastModified ?? '' },
    testContext(),
  );

  t.deepEqual(first.bytes, BODY);
  t.is(first.url, `${server.url}/dists/x/InRelease`);
  t.deepEqual([byTag, byTime], [{ status: 'unchanged' }, { status: 'unchanged' }]);
  t.is(server.requests[0]?.headers['accept-encoding'], 'identity');
  await upstream.close();
});

for (const status of [404, 410, 403]) {
  test(`${status} means absent at once, and only when every base says so`, async (t) => {
    await using one = await serve(new Map());
    await using two = await serve(new Map([['there', BODY]]));
    one.fault(/./, { kind: 'status', status });
    const upstream = openUpstream({ urls: [one.url, two.url], ...FAST });

    const there = await upstream.fetchSmall('there', { limit: 1000 }, testContext());
    const nowhere = await upstream.fetchSmall('nowhere', { limit: 1000 }, testContext());

    t.is(there.status, 'ok');
    t.deepEqual(nowhere, { status: 'absent', url: `${one.url}/nowhere` });
    t.deepEqual(one.paths(), ['there', 'nowhere']);
    await upstream.close();
  });
}

test('a base that does not answer is no proof of absence', async (t) => {
  await using one = await serve(new Map());
  const gone = await serve(new Map());
  await gone.close();
  const upstream = openUpstream({ urls: [one.url, gone.url], ...FAST });

  const error = await t.throwsAsync(upstream.fetchSmall('a', { limit: 10 }, testContext()));

  t.true(isArtifactsError(error, 'E_FETCH'));
  t.is(
    error?.message,
    `Cannot fetch a: ${one.url}/: 404 Not Found; ${gone.url}/: connection refused (5 tries)`,
  );
  await upstream.close();
});

for (const fault of [
  { kind: 'status', status: 503, headers: { 'retry-after': '0' } },
  { kind: 'status', status: 500, body: 'x'.repeat(200_000) },
  { kind: 'status', status: 429 },
  { kind: 'status', status: 408 },
  { kind: 'close' },
  { kind: 'truncate', after: 5 },
  { kind: 'truncate-chunked', after: 5 },
  { kind: 'not-modified' },
] as const) {
  test(`recovers after two answers of kind ${JSON.stringify(fault).slice(0, 60)}`, async (t) => {
    await using server = await serve(new Map([['a', BODY]]));
    server.fault('a', fault, 2);
    const upstream = openUpstream({ urls: [server.url], ...FAST });

    const answer = await upstream.fetchSmall('a', { limit: 1000 }, testContext());

    t.is(answer.status === 'ok' && answer.bytes.toString(), BODY.toString());
    t.is(server.requests.length, 3);
    await upstream.close();
  });
}

test('F7 gives up after the retries, and not before', async (t) => {
  await using server = await serve(new Map([['a', BODY]]));
  server.fault('a', { kind: 'status', status: 503 });
  const upstream = openUpstream({ urls: [server.url], retries: 2, ...FAST });

  await t.throwsAsync(upstream.fetchSmall('a', { limit: 1000 }, testContext()), { message: /503 Service Unavailable \(3 tries\)$/ });

  t.is(server.requests.length, 3);
  await upstream.close();
});

test('Retry-After is honoured up to the longest delay', async (t) => {
  await using server = await serve(new Map([['a', BODY]]));
  server.fault('a', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }, 1);
  server.fault('a', { kind: 'status', status: 503, headers: { 'retry-after': '3600' } }, 1);
  const upstream = openUpstream({ urls: [server.url], delay: 1, longestDelay: 300 });
  const start = performance.now();

  await upstream.fetchSmall('a', { limit: 1000 }, testContext());

  const elapsed = performance.now() - start;
  t.true(elapsed >= 590 && elapsed < 3000, `${elapsed}`);
  await upstream.close();
});

test('other client errors are not tried again', async (t) => {
  await using server = await serve(new Map([['a', BODY]]));
  server.fault('a', { kind: 'status', status: 401 });
  const upstream = openUpstream({ urls: [server.url], ...FAST });

  await t.throwsAsync(upstream.fetchSmall('a', { limit: 1000 }, testContext()), { message: /401 Unauthorized$/ });

  t.is(server.requests.length, 1);
  await upstream.close();
});

for (const kind of ['endless', 'extra', 'no-length'] as const) {
  test(`stops at the limit when the body is ${kind}`, async (t) => {
    await using server = await serve(new Map([['a', BODY]]));
    server.fault('a', kind === 'extra' ? { kind, bytes: 500_000 } : { kind });
    const upstream = openUpstream({ urls: [server.url], ...FAST });

    const error = await t.throwsAsync(upstream.fetchSmall('a', { limit: 20 }, testContext()));

    t.true(isArtifactsError(error, 'E_TOO_LARGE'));
    t.is(server.requests.length, 1);
    await upstream.close();
  });
}

test('nothing is decoded on the way', async (t) => {
  await using server = await serve(new Map([['a', BODY]]));
  server.fault('a', { kind: 'content-encoding' });
  const upstream = openUpstream({ urls: [server.url], ...FAST });

  const answer = await upstream.fetchSmall('a', { limit: 1000 }, testContext());

  t.true(answer.status === 'ok' && answer.bytes.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b])));
  await upstream.close();
});

for (const [name, raw] of Object.entries({
  'HTTP/0.9': 'just text',
  'huge headers': `HTTP/1.1 200 OK\r\n${'X-Filler: 0123456789\r\n'.repeat(20_000)}\r\n`,
  'length and chunked': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'bad chunk size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n',
  'NUL in a header': 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 1\r\n\r\na',
})) {
  test(`refuses broken HTTP: ${name}`, async (t) => {
    await using server = await serve(new Map());
    server.fault('a', { kind: 'raw', bytes: raw });
    const upstream = openUpstream({ urls: [server.url], ...FAST });

    const error = await t.throwsAsync(upstream.fetchSmall('a', { limit: 1000 }, testContext()));

    t.true(isArtifactsError(error, 'E_FETCH'), String(error));
    t.notRegex(error?.message ?? '', /[\r\n\0]/);
    await upstream.close();
  });
}

for (const [name, fault, expected] of [
  ['no headers', { kind: 'hang' }, /no answer in time \(2 tries\)/],
  ['a body that stops', { kind: 'stall', after: 3 }, /the answer stopped \(2 tries\)/],
  ['a body that drips', { kind: 'drip', bytes: 1, every: 20 }, /slower than 1024 bytes per second/],
] as const) {
  test(`TH7 does not wait for ever: ${name}`, async (t) => {
    await using server = await serve(new Map([['a', Buffer.alloc(5000)]]));
    server.fault('a', fault);
    const timeouts = { headers: 200, idle: 200, rateWindow: 200 };
    const upstream = openUpstream({ urls: [server.url], timeouts, ...FAST });

    await t.throwsAsync(upstream.fetchSmall('a', { limit: 10_000 }, testContext()), { message: expected });

    await upstream.close();
  });
}

test('an abort ends a request, a wait and a queued request with the reason', async (t) => {
  await using server = await serve(new Map([['a', BODY]]));
  server.fault('hang', { kind: 'hang' });
  server.fault('a', { kind: 'status', status: 503 });
  server.requests.length = 0;
  const upstream = openUpstream({ urls: [server.url], parallel: 1, delay: 60_000, longestDelay: 60_000 });
  const waiting = openUpstream({ urls: [server.url], delay: 60_000, longestDelay: 60_000 });
  const ctx = testContext();
  const reason = new Error('enough');

  const runs = [
    upstream.fetchSmall('hang', { limit: 10 }, ctx),
    upstream.fetchSmall('queued', { limit: 10 }, ctx),
    waiting.fetchSmall('a', { limit: 10 }, ctx),
  ];
  while (server.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  ctx.abort(reason);
  const results = await Promise.allSettled(runs);

  t.deepEqual(results.map((result) => result.status === 'rejected' && result.reason), [reason, reason, reason]);
  await Promise.all([upstream.close(), waiting.close()]);
  await t.throwsAsync(upstream.fetchSmall('a', { limit: 10 }, ctx), { is: reason });
});

test('a base that failed is not asked first again, and a warning says so once', async (t) => {
  // Nobody serves on port 1; a port that was just closed might be somebody else's a moment later.
  const gone = { url: 'http://127.0.0.1:1' };
  await using server = await serve(new Map([['a', BODY]]));
  const upstream = openUpstream({ urls: [gone.url, server.url], ...FAST });
  const ctx = testContext();

  await upstream.fetchSmall('a', { limit: 1000 }, ctx);
  await upstream.fetchSmall('a', { limit: 1000 }, ctx);

  t.deepEqual(ctx.warnings(), [`${gone.url}/ failed: connection refused (5 tries); going on with ${server.url}/`]);
  await upstream.close();
});

test('passwords reach the server and nobody else', async (t) => {
  await using server = await serve(new Map());
  const upstream = openUpstream({ urls: [server.url.replace('//', '//me:p%40ss@')], ...FAST });
  server.fault('a', { kind: 'status', status: 500 });

  const error = await t.throwsAsync(upstream.fetchSmall('a', { limit: 10 }, testContext()));

  t.is(server.requests[0]?.headers.authorization, `Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  t.notRegex(error?.message ?? '', /p%40ss|p@ss/);
  await upstream.close();
});

test('only http and https are upstreams', (t) => {
  const error = t.throws(() => openUpstream({ urls: ['ftp://me:secret@example.org/x'] }));

  t.true(isArtifactsError(error, 'E_CONFIG'));
  t.notRegex(error?.message ?? '', /secret/);
});
