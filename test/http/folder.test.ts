/** Folders of this machine as upstreams: `file:` URLs. */
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { isArtifactsError } from '../../src/core/errors.ts';
import { openUpstream } from '../../src/http/upstream.ts';
import { serve } from '../rig/server.ts';
import { tempDir, testContext } from '../rig/temp.ts';

const BODY = Buffer.alloc(700_000, 'some text of a package');
const SHA256 = createHash('sha256').update(BODY).digest('hex');

test('a folder is an upstream: files, what is absent, what is no file, and what another base has', async (t) => {
  await using dir = await tempDir();
  await mkdir(dir.join('a folder', 'sub'), { recursive: true });
  await writeFile(dir.join('a folder', 'sub', 'x%20+y'), BODY);
  spawnSync('mkfifo', [dir.join('a folder', 'pipe')]);
  await using server = await serve(new Map([['other', Buffer.from('there')]]));
  const upstream = openUpstream({ urls: [pathToFileURL(dir.join('a folder')).href, server.url], delay: 1 });

  const result = await upstream.download({ path: 'sub/x%20+y', file: dir.join('got'), size: BODY.length, sha256: SHA256 }, testContext());
  const small = await upstream.fetchSmall('other', { limit: 100 }, testContext());
  const absent = await Promise.all(['nothing', 'sub', 'pipe', 'sub/x%20+y/deeper'].map((path) => upstream.fetchSmall(path, { limit: 100 }, testContext())));
  const large = await t.throwsAsync(upstream.fetchSmall('sub/x%20+y', { limit: 100 }, testContext()));

  t.true(BODY.equals(await readFile(dir.join('got'))));
  t.is(result.received, BODY.length);
  t.is(small.status, 'ok');
  t.deepEqual(absent.map(({ status }) => status), ['absent', 'absent', 'absent', 'absent']);
  t.true(isArtifactsError(large, 'E_TOO_LARGE'));
  await upstream.close();
});

test('any number of files may be asked for at once, and what differs from its digest is refused', async (t) => {
  await using dir = await tempDir();
  const names = Array.from({ length: 300 }, (_, number) => `f${number}`);
  for (const name of names) await writeFile(dir.join(name), name);
  const upstream = openUpstream({ urls: [pathToFileURL(dir.path).href], parallel: 4, retries: 0 });
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

  await Promise.all(names.map((name) => upstream.download({ path: name, file: dir.join(`${name}.got`), size: name.length, sha256: digest(name) }, testContext())));
  const error = await t.throwsAsync(upstream.download({ path: 'f1', file: dir.join('bad'), size: 2, sha256: digest('other') }, testContext()));

  t.is(await readFile(dir.join('f299.got'), 'utf8'), 'f299');
  t.true(isArtifactsError(error, 'E_HASH'));
  await upstream.close();
});

test('an abort ends what is under way and what waits', async (t) => {
  await using dir = await tempDir();
  await writeFile(dir.join('a'), BODY);
  const upstream = openUpstream({ urls: [pathToFileURL(dir.path).href], parallel: 1 });
  const controller = new AbortController();
  const ctx = { ...testContext(), signal: controller.signal };

  const all = Promise.allSettled(Array.from({ length: 20 }, (_, number) => upstream.download({ path: 'a', file: dir.join(`out${number}`), sha256: SHA256 }, ctx)));
  controller.abort(new Error('enough'));

  t.deepEqual((await all).map((one) => (one.status === 'rejected' ? String(one.reason.message) : one.status)), Array.from({ length: 20 }, () => 'enough'));
  await upstream.close();
});

test('only the user names folders: no list of mirrors does, and no redirect leads to one', async (t) => {
  await using dir = await tempDir();
  await writeFile(dir.join('secret'), 'secret');
  const folder = pathToFileURL(dir.path).href;
  await using server = await serve(new Map());
  server.fault('secret', { kind: 'redirect', to: `${folder}/secret` });
  const upstream = openUpstream({ urls: [server.url], delay: 1 });

  t.throws(() => openUpstream({ urls: [folder], foreign: true }), { message: /no http or https URL/ });
  t.throws(() => openUpstream({ urls: ['file://elsewhere/srv'] }), { message: /no http or https URL/ });
  const error = await t.throwsAsync(upstream.fetchSmall('secret', { limit: 100 }, testContext()));

  t.regex(error?.message ?? '', /redirect to file: refused/);
  await upstream.close();
});
