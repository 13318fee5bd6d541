/** Publications that follow a repository: one that is only declared, one that gets another name. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { tempDir } from '../rig/temp.ts';
import type { Site } from '../rig/site.ts';
import { repoSite, writeDeb } from './support.ts';

interface Failure {
  readonly error: { readonly code: string; readonly message: string };
}

interface Staged {
  readonly components: readonly { readonly component: string; readonly staged: string | null }[];
}

function names({ publicRoot }: Site, component: string): string[] {
  const index = gunzipSync(readFileSync(`${publicRoot}/apt-mirror/integrated/dists/rig/${component}/binary-amd64/Packages.gz`)).toString();
  return [...index.matchAll(/^Package: (.*)$/gm)].map(([, name = '']) => name);
}

test('a repository that vars/ only declares is published, staged and followed like any other', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir, { aptly_repos: [{ name: 'ours' }, { name: 'extras' }] });

  await site.json(['publish', 'repo', 'ours', '--distribution', 'rig']);
  t.deepEqual(names(site, 'main'), []);
  await site.json(['publish', 'source', 'add', 'rig', 'extras', '--component', 'extras']);
  await site.json(['publish', 'update', 'rig']);
  t.deepEqual(names(site, 'extras'), []);
  for (const repo of ['ours', 'extras']) {
    await writeDeb(dir.join(`${repo}.deb`), { name: `of-${repo}` });
    await site.json(['repo', 'add', repo, dir.join(`${repo}.deb`)]);
  }
  await site.json(['publish', 'update', 'rig']);

  t.deepEqual([names(site, 'main'), names(site, 'extras')], [['of-ours'], ['of-extras']]);
  t.is((await site.json<Failure>(['publish', 'repo', 'other', '--distribution', 'new'], 10)).error.code, 'E_NOT_FOUND');
});

test('a repository that gets another name stays published and staged; one that is followed is not dropped', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  for (const repo of ['a', 'b']) await site.json(['repo', 'create', repo]);
  await site.json(['publish', 'repo', 'a', '--distribution', 'rig']);
  await site.json(['publish', 'source', 'add', 'rig', 'b', '--component', 'extras']);

  await site.json(['repo', 'rename', 'a', 'a2']);
  await site.json(['repo', 'rename', 'b', 'b2']);

  const staged = await site.json<Staged>(['publish', 'source', 'list', 'rig']);
  t.deepEqual(staged.components.map(({ component, staged: name }) => `${component} ${name}`), ['extras b2 (local repository)', 'main a2 (local repository)']);
  for (const repo of ['a2', 'b2']) t.is((await site.json<Failure>(['repo', 'drop', repo], 13)).error.code, 'E_IN_USE', repo);
  for (const repo of ['a2', 'b2']) {
    await writeDeb(dir.join(`${repo}.deb`), { name: `of-${repo}` });
    await site.json(['repo', 'add', repo, dir.join(`${repo}.deb`)]);
    await site.json(['repo', 'edit', repo, '--comment', 'still followed']);
  }
  await site.json(['publish', 'update', 'rig']);
  t.deepEqual([names(site, 'main'), names(site, 'extras')], [['of-a2'], ['of-b2']]);
  t.is((await site.json<Failure>(['repo', 'rename', 'a2', 'b2'], 13)).error.code, 'E_EXISTS');
});
