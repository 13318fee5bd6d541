import { once } from 'node:events';
import { createServer } from 'node:https';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { openUpstream } from '../../src/http/upstream.ts';
import { runCommand, runNode } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, testContext, type TempDir } from '../rig/temp.ts';

const MODULE = resolve(import.meta.dirname, '../../src/http/upstream.js');

interface TlsServer extends AsyncDisposable {
  readonly url: string;
  readonly certificate: string;
}

/** Answers `ok`, and redirects `/down` to `target`. Its certificate is self-signed. */
async function tlsServer(dir: TempDir, target: string): Promise<TlsServer> {
  const [key, certificate] = [dir.join('key.pem'), dir.join('cert.pem')];
  const subject = ['-subj', '/CN=rig', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await runCommand('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate]);
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (request, response) => {
    if (request.url === '/down') response.writeHead(302, { location: target }).end();
    else response.end('ok');
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, certificate, [Symbol.asyncDispose]: close };
}

testWith(hasCommand('openssl'), 'needs openssl')('H10 a certificate that nobody vouches for is refused at once', async (t) => {
  await using dir = await tempDir();
  await using server = await tlsServer(dir, '');
  const upstream = openUpstream({ urls: [server.url] });

  await t.throwsAsync(upstream.fetchSmall('a', { limit: 10 }, testContext()), { message: /self-signed certificate$/ });

  await upstream.close();
});

testWith(hasCommand('openssl'), 'needs openssl')('https may not lead to http, http may lead to https', async (t) => {
  await using dir = await tempDir();
  await using plain = await serve(new Map([['a', Buffer.from('plain')]]));
  await using secure = await tlsServer(dir, `${plain.url}/a`);
  plain.fault('up', { kind: 'redirect', to: `${secure.url}/x` });
  const program = `
    const { openUpstream } = await import(${JSON.stringify(MODULE)});
    const ctx = { signal: new AbortController().signal, report() {} };
    for (const [url, path] of ${JSON.stringify([[secure.url, 'down'], [plain.url, 'up']])}) {
      const upstream = openUpstream({ urls: [url] });
      const told = await upstream.fetchSmall(path, { limit: 100 }, ctx).then((a) => a.bytes.toString(), (e) => e.message);
      console.log(told);
      await upstream.close();
    }`;

  const run = await runNode(['--input-type=module', '-e', program], { env: { NODE_EXTRA_CA_CERTS: secure.certificate } });

  const [down, up] = run.stdout.trim().split('\n');
  t.regex(down ?? run.stderr, /redirect from https to http:.* refused/);
  t.is(up, 'ok');
  t.false(plain.paths().includes('a'));
});
