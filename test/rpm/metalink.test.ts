/** Upstreams found by lists of mirrors: what a metalink vouches for needs no key, and nothing else does. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { runArtifacts, runCommand } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { makeSite } from '../rig/site.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { hasRpmTools, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools && hasCommand('openssl'), `${NO_RPM_TOOLS}, or openssl`);

interface ListServer extends AsyncDisposable {
  readonly url: string;
  readonly certificate: string;
  /** What it answers to any path. */
  text: string;
}

async function listServer(dir: TempDir): Promise<ListServer> {
  const [key, certificate] = [dir.join('key.pem'), dir.join('cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await runCommand('openssl', ['req', '-x509', ...kind, '-subj', '/CN=rig', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate]);
  const state = { text: '' };
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (request, response) => {
    if (request.url === '/metalink?repo=rig&arch=x86_64') response.end(state.text);
    else response.writeHead(404).end();
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/metalink?repo=rig&arch=x86_64`,
    certificate,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  });
}

function metalink(bases: readonly string[], roots: readonly Buffer[]): string {
  const [first = Buffer.alloc(0), ...older] = roots;
  const hash = (bytes: Buffer): string => `<verification><hash type="md5">x</hash><hash type="sha256">${createHash('sha256').update(bytes).digest('hex')}</hash></verification>`;
  const alternates = older.map((bytes) => `<mm0:alternate>${hash(bytes)}</mm0:alternate>`).join('');
  const urls = bases.map((base, at) => `<url protocol="http" preference="${100 - at}">${base}/repodata/repomd.xml</url>`).join('');
  return `<?xml version="1.0"?>\n<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager"><files><file name="repomd.xml">${hash(first)}<mm0:alternates>${alternates}</mm0:alternates><resources><url protocol="rsync">rsync://127.0.0.1/x/repodata/repomd.xml</url>${urls}</resources></file></files></metalink>`;
}

witnessed('a metalink over TLS takes the place of a key; mirrors that are out of date or dead are passed over', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }]);
  const old = await rpmUpstream(dir, { rpms: [], date: new Date(Date.now() - 86_400_000) }, 'old');
  const fresh = await rpmUpstream(dir, { rpms }, 'fresh');
  for (const { files } of [old, fresh]) files.delete('repodata/repomd.xml.asc');
  const root = (upstream: typeof old): Buffer => upstream.files.get('repodata/repomd.xml') ?? Buffer.alloc(0);
  await using stale = await serve(old.files);
  await using good = await serve(fresh.files);
  await using list = await listServer(dir);
  const site = await makeSite(dir, { mirrors: {}, miko: {}, releases: {}, vars: { rpm_mirrors: [{ name: 'm', metalink: list.url }] } });
  const update = (): ReturnType<typeof runArtifacts> =>
    runArtifacts(['mirror', 'update', 'm', '--json'], { root: site.root, state: site.state, env: { NODE_EXTRA_CA_CERTS: list.certificate } });

  list.text = metalink([stale.url], [root(fresh)]);
  const refused = await update();
  t.regex(refused.stdout, /"E_STALE"/);

  list.text = metalink(['http://127.0.0.1:9', stale.url, good.url], [root(fresh)]);
  const updated = await update();
  t.is(updated.status, 0, updated.stdout + updated.stderr);
  t.is(JSON.parse(updated.stdout)[0]?.packages ?? JSON.parse(updated.stdout).packages ?? JSON.parse(updated.stdout).mirrors?.[0]?.packages, 1);

  // An older repomd.xml counts while the list names it as an alternate.
  await old.republish({ rpms, date: new Date(Date.now() + 5000) });
  old.files.delete('repodata/repomd.xml.asc');
  list.text = metalink([stale.url], [Buffer.from('what only the master has'), root(old)]);
  t.is((await update()).status, 0);

  const again = await runArtifacts(['mirror', 'update', 'm', '--json'], { root: site.root, state: site.state });
  t.not(again.status, 0, 'the certificate is vouched for by nobody');
});

witnessed('a metalink without TLS and a plain list need a key', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  await using server = await serve(upstream.files);
  upstream.files.set('mirrors', Buffer.from(`# mirrors\n${server.url}\n`));
  const site = await makeSite(dir, { mirrors: {}, miko: {}, releases: {}, vars: { rpm_mirrors: [{ name: 'm', metalink: `${server.url}/x` }] } });
  t.regex((await site.run(['config', 'check'])).stderr, /without TLS it vouches for nothing/);

  await site.configure({ vars: { rpm_mirrors: [{ name: 'm', mirrorlist: `${server.url}/mirrors` }] } });
  t.regex((await site.run(['config', 'check'])).stderr, /gpg\.key is missing/);

  const { writeFile } = await import('node:fs/promises');
  await writeFile(`${site.root}/keys/up.asc`, upstream.keyring);
  await site.configure({ vars: { rpm_mirrors: [{ name: 'm', mirrorlist: `${server.url}/mirrors`, gpg: { key: upstream.fingerprints, keyring: 'keys/up.asc' } }] } });
  const updated = await site.run(['mirror', 'update', 'm']);
  t.is(updated.status, 0, updated.stderr);
});
