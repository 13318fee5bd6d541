import { createServer, request as forward, type Server } from 'node:http';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import test from 'ava';
import { isInternalAddress } from '../../src/http/address.ts';
import { encodePath } from '../../src/http/encode-path.ts';
import { proxyFor } from '../../src/http/proxy.ts';
import { redact } from '../../src/http/redact.ts';
import { openUpstream } from '../../src/http/upstream.ts';
import { serve } from '../rig/server.ts';
import { testContext } from '../rig/temp.ts';

interface Proxy extends AsyncDisposable {
  readonly url: string;
  readonly log: string[];
}

/** A forward proxy that knows absolute URLs and CONNECT. */
async function startProxy(): Promise<Proxy> {
  const log: string[] = [];
  const server: Server = createServer((incoming, outgoing) => {
    log.push(`${incoming.method} ${incoming.url} ${incoming.headers['proxy-authorization'] ?? '-'}`);
    const { 'proxy-authorization': _secret, ...headers } = incoming.headers;
    forward(incoming.url ?? '', { headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    }).end();
  });
  server.on('connect', (incoming, socket) => {
    log.push(`CONNECT ${incoming.url}`);
    const [host = '', port] = (incoming.url ?? '').split(':');
    const goal = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      goal.pipe(socket).pipe(goal);
    });
    goal.on('error', () => socket.destroy());
    socket.on('error', () => goal.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, log, [Symbol.asyncDispose]: close };
}

test('plain http goes through a proxy in absolute form, with the password of the proxy', async (t) => {
  await using proxy = await startProxy();
  await using server = await serve(new Map([['a b', Buffer.from('content')]]));
  const upstream = openUpstream({ urls: [server.url], proxy: { http: proxy.url.replace('//', '//u:p@') } });

  const answer = await upstream.fetchSmall('a b', { limit: 100 }, testContext());

  t.is(answer.status === 'ok' && answer.bytes.toString(), 'content');
  t.deepEqual(proxy.log, [`GET ${server.url}/a%20b Basic ${Buffer.from('u:p').toString('base64')}`]);
  t.is(server.requests[0]?.headers.host, `127.0.0.1:${server.port}`);
  await upstream.close();
});

test('https goes through a tunnel', async (t) => {
  await using proxy = await startProxy();
  await using server = await serve(new Map());
  const url = server.url.replace('http:', 'https:');
  const upstream = openUpstream({ urls: [url], proxy: { https: proxy.url }, retries: 0 });

  await t.throwsAsync(upstream.fetchSmall('a', { limit: 100 }, testContext()), { message: /Cannot fetch a: https:/ });

  t.deepEqual(proxy.log, [`CONNECT 127.0.0.1:${server.port}`]);
  await upstream.close();
});

test('a proxy that is down or wants a password is named as the reason', async (t) => {
  await using proxy = await serve(new Map());
  proxy.fault(/./, { kind: 'status', status: 407 });
  const upstream = openUpstream({ urls: ['http://upstream.test/'], proxy: { http: proxy.url } });

  await t.throwsAsync(upstream.fetchSmall('a', { limit: 100 }, testContext()), { message: /407 Proxy Authentication Required/ });
  await proxy.close();
  const again = openUpstream({ urls: ['http://upstream.test/'], proxy: { http: proxy.url }, retries: 0 });
  await t.throwsAsync(again.fetchSmall('a', { limit: 100 }, testContext()), { message: /connection refused/ });

  await Promise.all([upstream.close(), again.close()]);
});

test('which proxy serves which URL', (t) => {
  const environment = { http_proxy: 'proxy.test:3128', HTTPS_PROXY: 'http://secure.test', no_proxy: 'example.org, .a.test:81 10.0.0.1' };
  const chosen = (url: string, options = {}): string | undefined => proxyFor(new URL(url), options, environment)?.host;

  t.is(chosen('http://b.test/'), 'proxy.test:3128');
  t.is(chosen('https://b.test/'), 'secure.test');
  t.is(chosen('http://example.org/'), undefined);
  t.is(chosen('http://sub.example.org/'), undefined);
  t.is(chosen('http://notexample.org/'), 'proxy.test:3128');
  t.is(chosen('http://x.a.test:81/'), undefined);
  t.is(chosen('http://x.a.test/'), 'proxy.test:3128');
  t.is(chosen('http://10.0.0.1/'), undefined);
  t.is(chosen('http://127.0.0.5:80/'), undefined);
  t.is(chosen('http://[::1]/'), undefined);
  t.is(chosen('http://b.test/', { http: 'http://own.test' }), 'own.test');
  t.is(chosen('http://b.test/', { http: '' }), undefined);
  t.is(proxyFor(new URL('http://b.test'), {}, { http_proxy: 'p', no_proxy: '*' }), undefined);
});

test('which addresses are internal', (t) => {
  for (const host of ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '0.0.0.0', '[::1]', '[fd00::1]', '[fe80::1]', '[::ffff:10.0.0.1]', '255.255.255.255']) {
    t.true(isInternalAddress(host), host);
  }
  for (const host of ['8.8.8.8', '172.32.0.1', '[2001:db8::1]', 'localhost', 'example.org']) t.false(isInternalAddress(host), host);
});

test('URLs are shown without secrets, and paths are encoded by part', (t) => {
  t.is(redact('https://user:pass@example.org:8443/a/b?token=1'), 'https://***@example.org:8443/a/b?***');
  t.is(redact('not a url //user:pass@x'), 'not a url //***@x');
  t.is(encodePath('./pool/a+b_1%3a2~x y_é.deb'), 'pool/a%2Bb_1%253a2~x%20y_%C3%A9.deb');
  t.is(encodePath('a?b#c[d]'), 'a%3Fb%23c%5Bd%5D');
});
