import { mkdir, readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { aptClient } from '../rig/apt.ts';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { listedFiles } from '../rig/witness.ts';
import { publishingSite, PREFIX, type PublishingSite } from './support.ts';

const TRANSLATION = (name: string): string => `Package: ${name}\nDescription-md5: 0123456789abcdef0123456789abcdef\nDescription-en: ${name}\n text of ${name}\n`;
const upstream = (name: string) => ({
  components: { main: [buildDeb({ name })] },
  indices: { 'main/i18n/Translation-en': TRANSLATION(name), 'main/dep11/Components-amd64.yml': `---\nFile: DEP-11\n---\nID: ${name}\n` },
});
const LISTED = { extra: { files: ['i18n/*', 'dep11/*'] } };

async function names(all: PublishingSite, component: string, distribution = 'rig'): Promise<string[]> {
  const path = `${all.site.publicRoot}/${PREFIX}/dists/${distribution}/${component}/binary-amd64/Packages.gz`;
  return [...gunzipSync(await readFile(path)).toString().matchAll(/^Package: (.*)$/gm)].map(([, name = '']) => name);
}

test('0.12 each component has its own packages, translations and DEP-11, each written once', async (t) => {
  await using all = await publishingSite({ one: upstream('alpha'), two: upstream('beta') }, LISTED);
  const { run, site, dir } = all;

  await run(['publish', 'snapshot', 'one', 'two', '--component', 'main,contrib', '--distribution', 'rig']);

  t.deepEqual([await names(all, 'main'), await names(all, 'contrib')], [['alpha'], ['beta']]);
  const folder = `${site.publicRoot}/${PREFIX}/dists/rig`;
  const text = async (path: string): Promise<string> => {
    const packed = listedFiles(await readFile(`${folder}/Release`, 'utf8')).find((file) => file.path === `${path}.gz`);
    return packed === undefined ? readFile(`${folder}/${path}`, 'utf8').catch(() => 'not gz') : gunzipSync(await readFile(`${folder}/${path}.gz`)).toString();
  };
  const xz = async (path: string): Promise<string> => (await (await import('../rig/run.ts')).runCommand('xz', ['-dc', `${folder}/${path}.xz`])).stdout;
  const read = async (path: string): Promise<string> => ((await text(path)) === 'not gz' ? xz(path) : text(path));
  t.is(await read('main/i18n/Translation-en'), TRANSLATION('alpha'));
  t.is(await read('contrib/i18n/Translation-en'), TRANSLATION('beta'));
  t.is((await read('main/dep11/Components-amd64.yml')).match(/^ID: /gm)?.length, 1);
  const client = await aptClient(dir, 'client', {
    sources: [`deb [signed-by=%KEYRING%] file:${site.publicRoot}/${PREFIX} rig main contrib`],
    keyring: (await rigKey('site')).publicKey,
  });
  await client.update();
  await client.download(['alpha', 'beta']);
});

test('several components switch together, in one generation', async (t) => {
  await using all = await publishingSite({ one: upstream('alpha'), two: upstream('beta'), three: upstream('gamma'), four: upstream('delta') });
  const { run, site } = all;
  await run(['publish', 'snapshot', 'one', 'two', 'other/place', '--component', 'main,contrib', '--distribution', 'rig']);

  const result = await site.json<{ generation: number; components: unknown }>(['publish', 'switch', 'rig', 'other/place', 'three', 'four', '--component', 'main,contrib']);

  t.is(result.generation, 2);
  t.like(result.components, [{ component: 'contrib', snapshot: 'four' }, { component: 'main', snapshot: 'three' }]);
  t.regex((await run(['publish', 'switch', 'rig', 'other/place', 'one'], { status: 2 })).stderr, /has the components contrib, main/);
  t.regex((await run(['publish', 'switch', 'rig', 'other/place', 'one', '--component', 'extra'], { status: 10 })).stderr, /no "extra"/);
  t.regex((await run(['publish', 'snapshot', 'one', 'two', 'three', '--component', 'main', '--distribution', 'x'], { status: 2 })).stderr, /Expected one source/);
});

test('staged changes wait for the update, which makes all of them in one step', async (t) => {
  await using all = await publishingSite({ one: upstream('alpha'), two: upstream('beta'), three: upstream('gamma') });
  const { run, site } = all;
  await run(['publish', 'snapshot', 'one', 'two', '--component', 'main,contrib', '--distribution', 'rig']);
  const source = (...args: readonly string[]): Promise<{ components: { component: string; published: string | null; staged: string | null }[] }> => site.json(['publish', 'source', ...args]);

  await source('add', 'rig', 'three', '--component', 'extra');
  await source('update', 'rig', 'two', '--component', 'main');
  const staged = await source('remove', 'rig', '--component', 'contrib');

  t.deepEqual(staged.components.map(({ component, published, staged: next }) => [component, published, next]), [
    ['contrib', 'two', null],
    ['extra', null, 'three'],
    ['main', 'one', 'two'],
  ]);
  t.deepEqual(await names(all, 'main'), ['alpha']);
  t.regex((await run(['snapshot', 'drop', 'three'], { status: 13 })).stderr, /publication/);
  t.is((await site.run(['publish', 'source', 'add', 'rig', 'three', '--component', 'main'])).status, 13);
  t.is((await site.run(['publish', 'source', 'update', 'rig', 'three', '--component', 'none'])).status, 10);
  t.is((await site.run(['publish', 'source', 'update', 'rig', 'none'])).status, 10);

  const updated = await site.json<{ generation: number }>(['publish', 'update', 'rig']);
  t.is(updated.generation, 2);
  t.deepEqual([await names(all, 'main'), await names(all, 'extra')], [['beta'], ['gamma']]);
  await t.throwsAsync(names(all, 'contrib'));
  t.regex((await run(['publish', 'source', 'list', 'rig'])).stdout, /Nothing is staged/);

  await source('replace', 'rig', 'one');
  await source('drop', 'rig');
  t.regex((await run(['publish', 'source', 'list', 'rig'])).stdout, /Nothing is staged/);
  await source('replace', 'rig', 'one');
  await run(['publish', 'update', 'rig']);
  t.deepEqual(await names(all, 'main'), ['alpha']);
  await t.throwsAsync(names(all, 'extra'));
  await source('remove', 'rig', '--component', 'main');
  t.regex((await run(['publish', 'update', 'rig'], { status: 2 })).stderr, /no component left/);
});

test('a published local repository is frozen, and followed by update only', async (t) => {
  await using all = await publishingSite({ one: upstream('alpha'), two: upstream('beta') });
  const { run, site } = all;
  const putRepo = (snapshot: string): void => {
    const catalog = openCatalog(`${site.state}/catalog.db`);
    const content = catalog.snapshots.find(snapshot)?.content;
    if (content === undefined) throw new Error(`no ${snapshot}`);
    const now = new Date().toISOString();
    catalog.transaction(() => catalog.repos.put({ name: 'ours', format: 'apt', comment: '', content, createdAt: now, changedAt: now } as never));
    catalog.close();
  };
  await mkdir(site.state, { recursive: true });
  putRepo('one');

  const first = await site.json<{ components: { snapshot: string }[] }>(['publish', 'repo', 'ours', '--distribution', 'rig']);
  t.regex(first.components[0]?.snapshot ?? '', /^ours@\d{8}T\d{6}Z$/);
  putRepo('two');
  t.deepEqual(await names(all, 'main'), ['alpha']);
  await run(['publish', 'update', 'rig', '--label', 'New']);
  t.deepEqual(await names(all, 'main'), ['beta']);

  const shown = await site.json<{ repos: unknown }>(['publish', 'show', 'rig']);
  t.deepEqual(shown.repos, { main: 'ours' });
  const before = await site.json<unknown[]>(['snapshot', 'list']);
  await run(['publish', 'update', 'rig']);
  t.is((await site.json<unknown[]>(['snapshot', 'list'])).length, before.length);
  const catalog = openCatalog(`${site.state}/catalog.db`);
  catalog.transaction(() => catalog.repos.drop('ours'));
  catalog.close();
  t.regex((await run(['publish', 'update', 'rig'])).stderr, /no longer follows the local repository "ours"/);
  t.deepEqual(await names(all, 'main'), ['beta']);
  await run(['publish', 'switch', 'rig', 'one']);
  await run(['publish', 'update', 'rig']);
  t.deepEqual(await names(all, 'main'), ['alpha']);
  t.is((await site.run(['publish', 'repo', 'none', '--distribution', 'x'])).status, 10);
});
