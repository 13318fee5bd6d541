import { cp, readFile, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { rigKey } from '../rig/key.ts';
import { runCommand, type RunResult } from '../rig/run.ts';
import { aptUpstream, type UpstreamOptions } from '../rig/upstream.ts';
import { HELLO, stanzaOf, WORLD } from './support.ts';
import { openSite, type Site } from './site.ts';

const DAY = 86_400_000;
const soon = (): Date => new Date(Math.floor(Date.now() / 1000) * 1000 + 1000);
const packages = (text: string): Partial<UpstreamOptions> => ({ indices: { 'main/binary-amd64/Packages': text } });

interface Case {
  readonly id: string;
  readonly code: string;
  readonly status: number;
  /** Whether a snapshot of what is left is made and looked at as well. */
  readonly useful?: boolean;
  readonly republish?: () => Partial<UpstreamOptions> | Promise<Partial<UpstreamOptions>>;
  readonly spoil?: (site: Site) => void;
  readonly fields?: Readonly<Record<string, unknown>>;
}

const CASES: readonly Case[] = [
  { id: 'A01 unsigned', code: 'E_UNSIGNED', status: 12, useful: true, republish: () => ({ signatures: 'none' }) },
  { id: 'A02 signed by a stranger', code: 'E_SIGNATURE', status: 12, republish: async () => ({ keys: [await rigKey('stranger')] }) },
  {
    id: 'A02 tampered',
    code: 'E_SIGNATURE',
    status: 12,
    spoil: ({ upstream }) => {
      const text = upstream.files.get('dists/rig/InRelease')?.toString() ?? '';
      upstream.files.set('dists/rig/InRelease', Buffer.from(text.replace('Origin: Rig', 'Origin: Rog')));
    },
  },
  {
    id: 'A04 text outside the signed block',
    code: 'E_SIGNATURE',
    status: 12,
    spoil: ({ upstream }) => {
      const text = upstream.files.get('dists/rig/InRelease')?.toString() ?? '';
      upstream.files.set('dists/rig/InRelease', Buffer.from(`Origin: Evil\n${text}`));
    },
  },
  { id: 'A10 only MD5', code: 'E_WEAK_HASH', status: 12, republish: () => ({ digests: ['MD5Sum'] }) },
  { id: 'A14 expired', code: 'E_STALE', status: 12, republish: () => ({ validUntil: new Date(Date.now() - DAY) }) },
  { id: 'A14 rolled back', code: 'E_ROLLBACK', status: 12, republish: () => ({ date: new Date(Date.now() - DAY) }) },
  { id: 'A14 older than max_age', code: 'E_STALE', status: 12, republish: () => ({}), fields: { max_age: '1s' } },
  { id: 'A16 another codename', code: 'E_SUITE', status: 12, republish: () => ({ codename: 'gir', suite: 'gir', distribution: 'rig' }) },
  { id: 'A16 another origin', code: 'E_SUITE', status: 12, republish: () => ({ fields: { Origin: 'Changed' } }) },
  { id: 'A24 a Filename that leaves its folder', code: 'E_PATH', status: 1, republish: () => packages(stanzaOf(HELLO, { Filename: '../../x' })) },
  { id: 'A22 a stanza without a Version', code: 'E_FORMAT', status: 1, republish: () => packages(stanzaOf(HELLO, { Version: undefined })) },
  {
    id: 'A12 one package with two contents',
    code: 'E_CONFLICT',
    status: 13,
    republish: () => packages(`${stanzaOf(HELLO)}\n${stanzaOf(HELLO, { SHA256: '1'.repeat(64) })}`),
  },
  { id: 'A18 an InRelease without end', code: 'E_TOO_LARGE', status: 12, spoil: ({ server }) => server.fault('InRelease', { kind: 'endless' }) },
  { id: 'H02 an index of other bytes', code: 'E_HASH', status: 12, spoil: ({ server }) => server.fault(/by-hash/, { kind: 'corrupt' }) },
  { id: 'H02 a package of other bytes', code: 'E_HASH', status: 12, useful: true, spoil: ({ server }) => server.fault('.deb', { kind: 'corrupt' }) },
  { id: 'H02 a package that is too long', code: 'E_SIZE', status: 12, spoil: ({ server }) => server.fault('.deb', { kind: 'extra', bytes: 9 }) },
  { id: 'H05 a package that is not there', code: 'E_FETCH', status: 1, spoil: ({ server }) => server.fault('.deb', { kind: 'status', status: 404 }) },
];

const BASE: UpstreamOptions = { components: { main: [HELLO] }, date: new Date(Math.floor(Date.now() / 1000) * 1000 - 10_000) };
const shared: { site?: Site } = {};

test.before('a mirror in a good state, of which each case gets a copy', async (t) => {
  shared.site = await openSite(BASE);
  t.is((await shared.site.update()).status, 0);
});

test.after.always('the mirror goes', () => shared.site?.[Symbol.asyncDispose]());

for (const [index, { id, code, status, useful = false, republish, spoil, fields }] of CASES.entries()) {
  test.serial(`${id}: mirror update ends with ${status} and one line, and what was there before is served on`, async (t) => {
    const { site } = shared;
    if (site === undefined) throw new Error('there is no site');
    const state = site.dir.join(`state-${index}`);
    await cp(site.dir.join('state'), state, { recursive: true });
    const changed = { components: { main: [HELLO, WORLD] }, date: new Date(Date.now() - 5000), ...(await republish?.()) };
    const { files } = await aptUpstream({ ...BASE, ...changed });
    site.upstream.files.clear();
    for (const [path, bytes] of files) site.upstream.files.set(path, bytes);
    site.server.heal();
    spoil?.(site);
    await site.configure(fields);
    const run = (...args: string[]): Promise<RunResult> => site.run(args, { state });

    const update = await run('mirror', 'update', 'm', '--quiet');

    t.is(update.status, status, update.stderr);
    t.is(update.stdout, '');
    t.regex(update.stderr, new RegExp(`^artifacts: ${code}: [^\n]+\n$`));
    const check = await run('db', 'check', '--deep', '--json');
    t.like(JSON.parse(check.stdout), { ok: true, records: 1, files: 1 });
    if (!useful) return;
    t.is((await run('snapshot', 'create', 's', '--from-mirror', 'm')).status, 0);
    const { stdout } = await run('snapshot', 'show', 's', '--packages', '--json');
    const shown = JSON.parse(stdout) as { packages: { name: string; version: string }[] };
    t.deepEqual(shown.packages.map(({ name, version }) => `${name} ${version}`), ['hello 1.0-1']);
  });
}

test.serial('A16 a changed origin is told with the way out, which works', async (t) => {
  await using site = await openSite({ components: { main: [HELLO] }, date: new Date(Date.now() - 10_000) });
  await site.update();
  await site.upstream.republish({ fields: { Origin: 'Changed' }, date: soon() });
  const told = await site.update();
  t.regex(told.stderr, /--accept-change/);
  t.is((await site.update(['--accept-change'])).status, 0);
  t.is((await site.update()).status, 0);
});

test.serial('A14 a roll-back is told with the way out, which works', async (t) => {
  await using site = await openSite({ components: { main: [HELLO] } });
  await site.update();
  await site.upstream.republish({ date: new Date(Date.now() - DAY) });
  t.regex((await site.update()).stderr, /--allow-rollback/);
  t.is((await site.update(['--allow-rollback'])).status, 0);
});

test.serial('an error as JSON has its code, its hint and its status', async (t) => {
  await using site = await openSite({ components: { main: [HELLO] }, signatures: 'none' });
  const run = await site.update(['--json', '--quiet']);
  const { error } = JSON.parse(run.stdout) as { error: Record<string, unknown> };
  t.is(run.status, 12);
  t.like(error, { code: 'E_UNSIGNED', exitStatus: 12 });
  t.is(typeof error['hint'], 'string');
});

test.serial('nothing changed: one request, and the JSON says so; force and a changed filter say otherwise', async (t) => {
  await using site = await openSite({ components: { main: [HELLO, WORLD] } });
  const update = async (args: readonly string[] = []): Promise<Record<string, unknown>> =>
    JSON.parse((await site.update([...args, '--json'])).stdout) as Record<string, unknown>;
  t.like(await update(), { changed: true, packages: 2, files: 2 });
  site.server.requests.length = 0;

  t.like(await update(), { changed: false, packages: 2, files: 0 });
  t.is(site.server.requests.length, 1);
  t.like(await update(['--force']), { changed: true, files: 0 });
  await site.configure({ filter: 'Name (= world)' });
  t.like(await update(), { changed: true, packages: 1, files: 0 });
});

test.serial('fallback_urls serve when archive_url does not', async (t) => {
  await using site = await openSite({ components: { main: [HELLO] } });
  await site.configure({ archive_url: 'http://127.0.0.1:9/', fallback_urls: [site.server.url] });
  const run = await site.update();
  t.is(run.status, 0, run.stderr);
  t.regex(run.stderr, /connection refused .*; going on with/);
});

test.serial('H12 http_proxy of the environment is used for hosts it is not exempt for', async (t) => {
  await using site = await openSite({ components: { main: [HELLO] } });
  await site.configure({ archive_url: 'http://upstream.invalid/' });
  const env = { http_proxy: site.server.url, no_proxy: '' };
  const run = await site.update([], { env });
  t.is(run.status, 0, run.stderr);
  t.true(site.server.requests.every(({ path }) => path.startsWith('http://upstream.invalid/dists/rig/') || path.startsWith('http://upstream.invalid/pool/')));
});

test.serial('passwords of URLs reach the server and neither messages nor state', async (t) => {
  await using site = await openSite({ components: { main: [HELLO] } });
  const withPassword = site.server.url.replace('://', '://user:s3cret@');
  await site.configure({ archive_url: withPassword });
  const good = await site.update();
  t.is(good.status, 0, good.stderr);
  t.is(site.server.requests[0]?.headers.authorization, `Basic ${Buffer.from('user:s3cret').toString('base64')}`);
  site.server.fault(/./, { kind: 'status', status: 401 });
  const bad = await site.update();
  t.is(bad.status, 1);
  for (const text of [good.stdout, good.stderr, bad.stderr]) t.false(text.includes('s3cret'), text);
  const { stdout } = await runCommand('grep', ['-rla', 's3cret', site.dir.join('state')]);
  t.is(stdout, '');
});

test.serial('do_update: no keeps a release build from asking the upstream, an update by name still does', async (t) => {
  await using site = await openSite({ components: { main: [HELLO] } });
  await site.update();
  await site.configure({ do_update: false });
  await site.upstream.republish({ components: { main: [HELLO, WORLD] }, date: soon() });
  site.server.requests.length = 0;
  const key = site.dir.join('key.asc');
  const { secretKey } = await rigKey('signer');
  await writeFile(key, secretKey, { mode: 0o600 });

  const built = await site.run(['build', '--release', 'r1.0.0', '--only', 'apt'], { env: { GPG_PRIVATE: key } });

  t.is(built.status, 0, built.stderr);
  t.is(site.server.requests.length, 0);
  const index = gunzipSync(await readFile(site.dir.join('state/public/apt-mirror/integrated/dists/r1.0.0-rig/main/binary-amd64/Packages.gz')));
  t.deepEqual(index.toString().match(/^Package: .*$/gm), ['Package: hello']);
  t.is((await site.update()).status, 0);
  t.true(site.server.requests.length > 0);
});
