import test from 'ava';
import { isArtifactsError } from '../../src/core/errors.ts';
import { openUpstream } from '../../src/http/upstream.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { testContext } from '../rig/temp.ts';

const BODY = Buffer.from('content');
const LIMIT = { limit: 1000 };

test('follows redirects to other servers without taking the password along', async (t) => {
  await using goal = await serve(new Map([['real', BODY]]));
  await using server = await serve(new Map());
  server.fault('a', { kind: 'redirect', to: '/b', status: 301 });
  server.fault('b', { kind: 'redirect', to: `${goal.url}/real`, status: 307 });
  const upstream = openUpstream({ urls: [server.url.replace('//', '//me:secret@')] });

  const answer = await upstream.fetchSmall('a', LIMIT, testContext());

  t.is(answer.status === 'ok' && answer.url, `${goal.url}/real`);
  t.truthy(server.requests[1]?.headers.authorization);
  t.is(goal.requests[0]?.headers.authorization, undefined);
  await upstream.close();
});

test('five hops are followed, six are not, and a loop ends', async (t) => {
  await using server = await serve(new Map([['hop0', BODY]]));
  for (let hop = 1; hop <= 6; hop += 1) server.fault(`hop${hop}`, { kind: 'redirect', to: `/hop${hop - 1}` });
  server.fault('loop', { kind: 'redirect', to: '/loop' });
  const upstream = openUpstream({ urls: [server.url] });

  t.is((await upstream.fetchSmall('hop5', LIMIT, testContext())).status, 'ok');
  await t.throwsAsync(upstream.fetchSmall('hop6', LIMIT, testContext()), { message: /more than 5 redirects/ });
  await t.throwsAsync(upstream.fetchSmall('loop', LIMIT, testContext()), { message: /more than 5 redirects/ });
  await upstream.close();
});

const refusals: readonly (readonly [name: string, to: (server: RigServer) => string, message: RegExp])[] = [
  ['file', () => 'file:///etc/passwd', /redirect to file: refused/],
  ['ftp', () => 'ftp://example.org/x', /redirect to ftp: refused/],
  ['a password', ({ port }) => `http://me:secret@127.0.0.1:${port}/x`, /with a password refused/],
  ['another loopback address', ({ port }) => `http://127.0.0.3:${port}/x`, /internal address .* refused/],
  ['an address in disguise', ({ port }) => `http://0x7f000003:${port}/x`, /internal address .* refused/],
  ['a mapped address', ({ port }) => `http://[::ffff:127.0.0.3]:${port}/x`, /internal address .* refused/],
  ['cloud metadata', () => 'http://169.254.169.254/latest', /internal address .* refused/],
  ['a name of an internal address', ({ port }) => `http://localhost:${port}/x`, /localhost is the internal address/],
  ['no URL', () => 'http://[', /what is no URL/],
];
for (const [name, to, message] of refusals) {
  test(`refuses a redirect to ${name}`, async (t) => {
    await using server = await serve(new Map([['x', BODY]]));
    server.fault('a', { kind: 'redirect', to: to(server) });
    const upstream = openUpstream({ urls: [server.url] });

    const error = await t.throwsAsync(upstream.fetchSmall('a', LIMIT, testContext()), { message });

    t.true(isArtifactsError(error, 'E_FETCH'));
    t.notRegex(error?.message ?? '', /secret/);
    t.deepEqual(server.paths(), ['a']);
    await upstream.close();
  });
}

test('an internal host may be named as allowed', async (t) => {
  await using server = await serve(new Map([['x', BODY]]));
  server.fault('a', { kind: 'redirect', to: `http://localhost:${server.port}/x` });
  const upstream = openUpstream({ urls: [server.url], allowHosts: ['localhost'] });

  t.is((await upstream.fetchSmall('a', LIMIT, testContext())).status, 'ok');
  await upstream.close();
});

for (const location of ['', 'Location: /x\r\nLocation: /y\r\n']) {
  test(`refuses a redirect with ${location === '' ? 'no' : 'two'} Location`, async (t) => {
    await using server = await serve(new Map([['x', BODY]]));
    server.fault('a', { kind: 'raw', bytes: `HTTP/1.1 302 Found\r\n${location}Content-Length: 0\r\n\r\n` });
    const upstream = openUpstream({ urls: [server.url] });

    await t.throwsAsync(upstream.fetchSmall('a', LIMIT, testContext()), { message: /without a single Location/ });

    await upstream.close();
  });
}
