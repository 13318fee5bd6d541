import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { runArtifacts } from '../rig/run.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { contentsOf } from '../rig/witness.ts';
import { serve } from '../rig/server.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { aptUpstream } from '../rig/upstream.ts';

interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** A site whose release is built. Its commands are processes of their own: nothing here has the catalog open. */
async function builtSite(dir: TempDir): Promise<{ readonly site: Site; close(): Promise<void> }> {
  const upstream = await aptUpstream({ components: { main: Array.from({ length: 30 }, (_, n) => buildDeb({ name: `px${n}` })) } });
  const server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { up: { upstream, url: server.url } } });
  await site.json(['build', '--release', 'r1.0.0']);
  return { site, close: () => server.close() };
}

function removeCatalog({ state }: Site): void {
  for (const name of ['catalog.db', 'catalog.db-wal', 'catalog.db-shm']) rmSync(join(state, name), { force: true });
}

test('K12 a lost catalog is told, nothing is guessed, and the pool stays', async (t) => {
  await using dir = await tempDir();
  const { site, close } = await builtSite(dir);
  const before = { pool: contentsOf(join(site.state, 'pool')), served: contentsOf(site.publicRoot) };

  for (const lose of [removeCatalog, ({ state }: Site) => writeFileSync(join(state, 'catalog.db'), '')]) {
    lose(site);
    for (const args of [['db', 'cleanup'], ['snapshot', 'list'], ['build', '--release', 'r1.0.0']]) {
      const { error } = await site.json<Failure>(args, 1);
      t.is(error.code, 'E_STATE', args.join(' '));
      t.regex(error.message, /catalog/);
      t.truthy(error.hint);
    }
  }

  t.deepEqual({ pool: contentsOf(join(site.state, 'pool')), served: contentsOf(site.publicRoot) }, before);
  await close();
});

test('K12 a damaged catalog is refused in one line with its code, whatever is asked', async (t) => {
  await using dir = await tempDir();
  const { site, close } = await builtSite(dir);
  const file = join(site.state, 'catalog.db');
  const bytes = readFileSync(file);
  const damages = [
    Buffer.alloc(bytes.length, 'x'),
    Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 0xff)]),
    Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0x5a)]),
  ];

  for (const [number, damaged] of damages.entries()) {
    removeCatalog(site);
    writeFileSync(file, damaged);
    const { error } = await site.json<Failure>(['snapshot', 'list'], 1);
    t.is(error.code, 'E_STATE', `damage ${number}: ${error.message}`);
    const check = await site.run(['db', 'check', '--json']);
    t.true([1, 3].includes(check.status), check.stdout);
    t.notRegex(check.stderr, /bug/i);
  }
  await close();
});

test('K12 half a catalog is refused or its damage is found', async (t) => {
  await using dir = await tempDir();
  const { site, close } = await builtSite(dir);
  truncateSync(join(site.state, 'catalog.db'), 40_960);

  const { status, stdout, stderr } = await site.run(['db', 'check', '--json']);

  t.true([1, 3].includes(status), stdout);
  t.notRegex(stderr, /bug/i);
  await close();
});

test('I3 the cache may be deleted at any time', async (t) => {
  await using dir = await tempDir();
  const { site, close } = await builtSite(dir);
  for (const name of ['cache.db', 'cache.db-wal', 'cache.db-shm']) rmSync(join(site.state, name), { force: true });

  await site.json(['publish', 'snapshot', 'miko-r1.0.0-rig', 'other', '--distribution', 'rig']);

  t.true(existsSync(join(site.state, 'cache.db')));
  t.deepEqual((await site.json<{ problems: string[] }>(['db', 'check', '--deep'])).problems, []);
  await close();
});

test('a file lost from the pool is found, and the next update of its mirror brings it back', async (t) => {
  await using dir = await tempDir();
  const { site, close } = await builtSite(dir);
  const [lost = ''] = Object.keys(contentsOf(join(site.state, 'pool')));
  rmSync(join(site.state, 'pool', lost), { force: true });

  const { problems } = await site.json<{ problems: string[] }>(['db', 'check'], 3);
  t.true(problems.some((problem) => problem.includes('is missing')), problems.join());
  await site.json(['mirror', 'update', 'up']);

  t.deepEqual((await site.json<{ problems: string[] }>(['db', 'check', '--deep'])).problems, []);
  await close();
});

test('looking at a state that is not there says so, and works without a configuration error', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({ components: { main: [] } });
  const site = await makeSite(dir, { mirrors: { up: { upstream, url: 'http://127.0.0.1:9' } } });

  const list = await runArtifacts(['snapshot', 'list', '--json'], { root: site.root, state: dir.join('elsewhere') });

  t.is(list.status, 0, list.stderr);
  t.is(list.stdout.trim(), '[]');
});
