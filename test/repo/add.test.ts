import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import test from 'ava';
import { buildSource } from '../rig/source.ts';
import { tempDir } from '../rig/temp.ts';
import { brokenDeb, namesIn, otherBytes, repoSite, writeDeb, writeSource, type RepoShown } from './support.ts';

interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly details?: { readonly problems?: readonly string[]; readonly conflicts?: readonly string[] } };
}

interface Added {
  readonly packages: number;
  readonly added: readonly { readonly name: string }[];
  readonly same: readonly { readonly name: string }[];
  readonly replaced: readonly { readonly name: string }[];
}

test('files and folders are added; what is there already is said to be, and the files stay', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await writeDeb(dir.join('in/deep/er/odd name.deb'), { name: 'hello' });
  await writeDeb(dir.join('in/inst.udeb'), { name: 'inst-udeb' });
  await writeDeb(dir.join('in/dbg.ddeb'), { name: 'hello-dbgsym' });
  await writeFile(dir.join('in/notes.txt'), 'no package\n');
  await writeDeb(dir.join('jq.deb'), { name: 'jq', version: '2:1.6' });
  await site.json(['repo', 'create', 'ours', '--comment', 'our own']);

  const first = await site.json<Added>(['repo', 'add', 'ours', dir.join('in'), dir.join('jq.deb')]);
  const again = await site.json<Added>(['repo', 'add', 'ours', dir.join('jq.deb'), dir.join('jq.deb')]);

  t.is(first.packages, 4);
  t.deepEqual(again, { ...again, packages: 4, added: [], replaced: [] });
  t.deepEqual(again.same.map(({ name }) => name), ['jq']);
  t.deepEqual(await namesIn(site, 'ours'), ['hello_1.0-1_amd64', 'hello-dbgsym_1.0-1_amd64', 'jq_2:1.6_amd64', 'inst-udeb_1.0-1_amd64']);
  t.true(existsSync(dir.join('in/deep/er/odd name.deb')));
  t.is((await site.run(['db', 'check', '--deep'])).status, 0);
});

test('one bad file refuses the call: all that are bad are listed, and nothing is kept', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await site.json(['repo', 'create', 'ours']);
  await writeDeb(dir.join('in/good.deb'), { name: 'good' });
  await writeFile(dir.join('in/none.deb'), '<html>Not Found</html>');
  await writeFile(dir.join('in/empty.deb'), '');
  await writeFile(dir.join('in/broken.deb'), brokenDeb());

  const { error } = await site.json<Failure>(['repo', 'add', 'ours', dir.join('in')], 1);

  t.is(error.code, 'E_FORMAT');
  t.deepEqual(error.details?.problems?.map((text) => text.replace(dir.path, '').split(':')[0]), ['/in/broken.deb', '/in/empty.deb', '/in/none.deb']);
  t.deepEqual(await namesIn(site, 'ours'), []);
  t.deepEqual(poolFiles(site.state), []);

  const single = await site.json<Failure>(['repo', 'add', 'ours', dir.join('in/none.deb')], 1);
  t.regex(single.error.message, /none\.deb: this is no Debian package/);
});

test('D12: the same version with other bytes is refused naming both, or replaces on request', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await site.json(['repo', 'create', 'ours']);
  await writeDeb(dir.join('a.deb'), { name: 'hello' });
  await writeDeb(dir.join('b.deb'), otherBytes('hello'));
  await writeDeb(dir.join('new.deb'), { name: 'new' });
  await site.json(['repo', 'add', 'ours', dir.join('a.deb')]);
  const before = await site.json<RepoShown>(['repo', 'show', 'ours', '--packages']);

  const { error } = await site.json<Failure>(['repo', 'add', 'ours', dir.join('new.deb'), dir.join('b.deb')], 13);

  t.is(error.code, 'E_CONFLICT');
  t.regex(error.message, /hello 1\.0-1 amd64 is [0-9a-f]{12} in repository "ours" and [0-9a-f]{12} in .*b\.deb/);
  t.deepEqual(await site.json<RepoShown>(['repo', 'show', 'ours', '--packages']), before);
  t.is(poolFiles(site.state).length, 1);

  const forced = await site.json<Added>(['repo', 'add', 'ours', dir.join('b.deb'), '--force-replace']);
  t.deepEqual(forced.replaced.map(({ name }) => name), ['hello']);
  t.is(forced.packages, 1);
  t.not((await site.json<RepoShown>(['repo', 'show', 'ours', '--packages'])).packages[0]?.digest, before.packages[0]?.digest);

  const both = await site.json<Failure>(['repo', 'add', 'ours', dir.join('a.deb'), dir.join('b.deb'), '--force-replace'], 13);
  t.is(both.error.code, 'E_CONFLICT');
});

test('--remove-files removes what was taken in and only that', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await site.json(['repo', 'create', 'ours']);
  await writeDeb(dir.join('in/a.deb'), { name: 'a' });
  await writeSource(dir.join('in'), buildSource('src'));
  await writeFile(dir.join('in/readme'), 'stays\n');
  await writeFile(dir.join('in/z.deb'), 'bad');

  await site.json(['repo', 'add', 'ours', dir.join('in'), '--remove-files'], 1);
  t.is(readdirSync(dir.join('in')).length, 5);

  await rm(dir.join('in/z.deb'));
  await site.json(['repo', 'add', 'ours', dir.join('in'), '--remove-files']);
  t.deepEqual(readdirSync(dir.join('in')), ['readme']);
});

test('a source package needs all its parts, beside it or in the pool', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await site.json(['repo', 'create', 'ours']);
  await site.json(['repo', 'create', 'other']);
  await writeSource(dir.join('whole'), buildSource('src'));
  await writeSource(dir.join('alone'), buildSource('src'));
  await rm(dir.join('alone/src_1.0.tar.gz'));
  await writeSource(dir.join('lying'), buildSource('src'));
  await writeFile(dir.join('lying/src_1.0.tar.gz'), 'other bytes');

  const missing = await site.json<Failure>(['repo', 'add', 'ours', dir.join('alone')], 10);
  t.is(missing.error.code, 'E_NOT_FOUND');
  t.regex(missing.error.message, /src_1\.0\.dsc: src_1\.0\.tar\.gz is missing/);
  t.is((await site.json<Failure>(['repo', 'add', 'ours', dir.join('lying')], 12)).error.code, 'E_SIZE');
  t.deepEqual(poolFiles(site.state), []);

  await site.json(['repo', 'add', 'ours', dir.join('whole')]);
  await site.json(['repo', 'add', 'other', dir.join('alone')]);
  t.deepEqual(await namesIn(site, 'other'), ['src_1.0_source']);
});

test('what is named and is not there, or is something else, is told', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await site.json(['repo', 'create', 'ours']);
  await mkdir(dir.join('empty'));
  await writeFile(dir.join('x.rpm'), '');
  await symlink('/nowhere', dir.join('empty/dangling.deb'));

  const code = async (path: string, status: number): Promise<string> => (await site.json<Failure>(['repo', 'add', 'ours', dir.join(path)], status)).error.code;
  t.is(await code('nowhere.deb', 10), 'E_NOT_FOUND');
  t.is(await code('empty', 10), 'E_NOT_FOUND');
  t.is(await code('x.rpm', 2), 'E_USAGE');
  t.is((await site.json<Failure>(['repo', 'add', 'nobody', dir.join('x.rpm')], 10)).error.code, 'E_NOT_FOUND');
});

test('a large package goes to the pool in pieces, with the same result', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await site.json(['repo', 'create', 'ours']);
  const deb = await writeDeb(dir.join('big.deb'), { name: 'big', files: { 'usr/big': randomBytes(5 * 1024 * 1024) } });
  t.true(deb.bytes.length > 4 * 1024 * 1024);

  await site.json(['repo', 'add', 'ours', dir.join('big.deb')]);
  await copyFile(dir.join('big.deb'), dir.join('again.deb'));
  await site.json(['repo', 'add', 'ours', dir.join('again.deb')]);

  t.deepEqual(poolFiles(site.state), [deb.sha256]);
  t.true(readFileSync(`${site.state}/pool/${deb.sha256.slice(0, 2)}/${deb.sha256}`).equals(deb.bytes));
});

/** Every file of the pool, those on their way included. */
function poolFiles(state: string): string[] {
  const folder = `${state}/pool`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name);
}
