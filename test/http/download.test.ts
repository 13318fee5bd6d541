import { createHash } from 'node:crypto';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import test from 'ava';
import { isArtifactsError, type ErrorCode } from '../../src/core/errors.ts';
import { isAbsentError, openUpstream } from '../../src/http/upstream.ts';
import type { Fault } from '../rig/fault.ts';
import { serve } from '../rig/server.ts';
import { tempDir, testContext } from '../rig/temp.ts';

const BODY = Buffer.alloc(300_000).map((_, index) => (index * 7 + (index >> 8)) & 0xff) as Buffer;
const SHA256 = createHash('sha256').update(BODY).digest('hex');
const LISTED = { size: BODY.length, sha256: SHA256 };
const FAST = { delay: 1, longestDelay: 20 };
const exists = (path: string): Promise<boolean> => stat(path).then(() => true, () => false);

test('writes a file, verified, and says where it came from', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['pool/a+b~1%3a2 c.deb', BODY]]));
  const upstream = openUpstream({ urls: [`${server.url}/`], ...FAST });
  let progress = 0;

  const result = await upstream.download(
    { path: 'pool/a+b~1%3a2 c.deb', file: dir.join('f'), ...LISTED, onBytes: (count) => (progress += count) },
    testContext(),
  );

  t.true(BODY.equals(await readFile(dir.join('f'))));
  t.is(server.requests[0]?.path, '/pool/a%2Bb~1%253a2%20c.deb');
  t.deepEqual({ ...result, url: result.url() }, {
    size: BODY.length,
    sha256: SHA256 as typeof result.sha256,
    url: `${server.url}/pool/a%2Bb~1%253a2%20c.deb`,
    received: BODY.length,
  });
  t.is(progress, BODY.length);
  await upstream.close();
});

test('without anything listed it still tells size and digest', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['a', BODY], ['empty', Buffer.alloc(0)]]));
  const upstream = openUpstream({ urls: [server.url], ...FAST });

  const result = await upstream.download({ path: 'a', file: dir.join('f') }, testContext());
  const empty = await upstream.download({ path: 'empty', file: dir.join('e'), size: 0 }, testContext());

  t.like(result, LISTED);
  t.is(empty.sha256 as string, createHash('sha256').digest('hex'));
  t.is((await stat(dir.join('e'))).size, 0);
  await upstream.close();
});

for (const kind of ['truncate', 'truncate-chunked'] as const) {
  test(`goes on where a connection was cut (${kind})`, async (t) => {
    await using dir = await tempDir();
    await using server = await serve(new Map([['a', BODY]]));
    server.fault('a', { kind, after: 100_000 }, 2);
    const upstream = openUpstream({ urls: [server.url], ...FAST });

    const result = await upstream.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext());

    t.true(BODY.equals(await readFile(dir.join('f'))));
    t.is(result.received, BODY.length);
    t.deepEqual(server.requests.map(({ headers }) => headers.range), [undefined, 'bytes=100000-', 'bytes=200000-']);
    t.truthy(server.requests[1]?.headers['if-range']);
    await upstream.close();
  });
}

test('a file that changes between two parts is fetched anew', async (t) => {
  await using dir = await tempDir();
  const files = new Map<string, Buffer>([['a', Buffer.alloc(300_000, 'old')]]);
  await using server = await serve(files);
  server.fault('a', { kind: 'truncate', after: 100_000 }, 1);
  const upstream = openUpstream({ urls: [server.url], delay: 200 });

  const run = upstream.download({ path: 'a', file: dir.join('f'), limit: 1e6 }, testContext());
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  files.set('a', BODY);
  await run;

  t.true(BODY.equals(await readFile(dir.join('f'))));
  await upstream.close();
});

test('resumes what an earlier run left, and does not ask at all for what is complete', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['a', BODY]]));
  const upstream = openUpstream({ urls: [server.url], ...FAST });
  await writeFile(dir.join('f'), BODY.subarray(0, 250_000));

  const resumed = await upstream.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext());
  const complete = await upstream.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext());

  t.true(BODY.equals(await readFile(dir.join('f'))));
  t.deepEqual([resumed.received, complete.received], [50_000, 0]);
  t.is(server.requests.length, 1);
  await upstream.close();
});

for (const [name, left] of Object.entries({
  'garbage of the right length': Buffer.alloc(BODY.length, 'x'),
  'a wrong beginning': Buffer.alloc(1000, 'x'),
  'more than the file': Buffer.alloc(BODY.length + 1, 'x'),
  nothing: Buffer.alloc(0),
})) {
  test(`an earlier run left ${name}: the file is right in the end`, async (t) => {
    await using dir = await tempDir();
    await using server = await serve(new Map([['a', BODY]]));
    const upstream = openUpstream({ urls: [server.url], ...FAST });
    await writeFile(dir.join('f'), left);

    await upstream.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext());

    t.true(BODY.equals(await readFile(dir.join('f'))));
    await upstream.close();
  });
}

for (const fault of [{ kind: 'ignore-range' }, { kind: 'wrong-range' }, { kind: 'status', status: 416 }] as const) {
  test(`H04 a server with trouble with ranges (${fault.kind}) still gives the file`, async (t) => {
    await using dir = await tempDir();
    await using server = await serve(new Map([['a', BODY]]));
    server.fault('a', { kind: 'truncate', after: 1000 }, 1);
    server.fault('a', fault, 1);
    const upstream = openUpstream({ urls: [server.url], ...FAST });

    await upstream.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext());

    t.true(BODY.equals(await readFile(dir.join('f'))));
    await upstream.close();
  });
}

const wrong: readonly (readonly [name: string, fault: Fault, code: ErrorCode])[] = [
  ['other bytes', { kind: 'corrupt' }, 'E_HASH'],
  ['garbage behind', { kind: 'extra', bytes: 10 }, 'E_SIZE'],
  ['half of it', { kind: 'short', length: 1000 }, 'E_SIZE'],
  ['no end', { kind: 'endless' }, 'E_SIZE'],
  ['gzip around it', { kind: 'content-encoding' }, 'E_SIZE'],
  ['a login page', { kind: 'replace', bytes: Buffer.from('<html>please log in</html>') }, 'E_SIZE'],
];
for (const [name, fault, code] of wrong) {
  test(`refuses ${name}, leaves nothing, and takes the right file from another base`, async (t) => {
    await using dir = await tempDir();
    await using bad = await serve(new Map([['a', BODY]]));
    await using good = await serve(new Map([['a', BODY]]));
    bad.fault('a', fault);
    const alone = openUpstream({ urls: [bad.url], ...FAST });
    const both = openUpstream({ urls: [bad.url, good.url], ...FAST });

    const error = await t.throwsAsync(alone.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext()));
    const left = await exists(dir.join('f'));
    await both.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext());

    t.true(isArtifactsError(error, code), String(error));
    t.false(left);
    t.is(bad.requests.length, 2);
    t.true(BODY.equals(await readFile(dir.join('f'))));
    await Promise.all([alone.close(), both.close()]);
  });
}

test('the limit holds when no size is listed', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['a', BODY]]));
  server.fault('a', { kind: 'endless' }, 1);
  const upstream = openUpstream({ urls: [server.url], ...FAST });

  const endless = await t.throwsAsync(upstream.download({ path: 'a', file: dir.join('f'), limit: 1000 }, testContext()));
  const announced = await t.throwsAsync(upstream.download({ path: 'a', file: dir.join('f'), limit: 1000 }, testContext()));

  t.true(isArtifactsError(endless, 'E_TOO_LARGE') && isArtifactsError(announced, 'E_TOO_LARGE'));
  t.false(await exists(dir.join('f')));
  await upstream.close();
});

test('what was cut stays for the next run when all tries fail', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['a', BODY]]));
  server.fault('a', { kind: 'truncate', after: 1000 });
  const upstream = openUpstream({ urls: [server.url], retries: 1, ...FAST });

  const error = await t.throwsAsync(upstream.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext()));

  t.true(isArtifactsError(error, 'E_FETCH'));
  t.true(BODY.subarray(0, 2000).equals(await readFile(dir.join('f'))));
  await upstream.close();
});

test('a part from one base is continued from another', async (t) => {
  await using dir = await tempDir();
  await using one = await serve(new Map([['a', BODY]]));
  await using two = await serve(new Map([['a', BODY]]));
  one.fault('a', { kind: 'truncate', after: 1000 });
  const upstream = openUpstream({ urls: [one.url, two.url], retries: 0, ...FAST });

  const result = await upstream.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext());

  t.is(two.requests[0]?.headers.range, 'bytes=1000-');
  t.is(result.received, BODY.length);
  t.true(BODY.equals(await readFile(dir.join('f'))));
  await upstream.close();
});

test('a missing file is told apart from a failure', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map());
  const upstream = openUpstream({ urls: [server.url], ...FAST });

  const absent = await t.throwsAsync(upstream.download({ path: 'a', file: dir.join('f') }, testContext()));
  server.fault('b', { kind: 'status', status: 400 });
  const failed = await t.throwsAsync(upstream.download({ path: 'b', file: dir.join('f') }, testContext()));

  t.deepEqual([isAbsentError(absent), isAbsentError(failed)], [true, false]);
  t.false(await exists(dir.join('f')));
  await upstream.close();
});

test('trouble with the disk is not tried again and not blamed on the upstream', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['a', BODY]]));
  const upstream = openUpstream({ urls: [server.url], ...FAST });

  const file = dir.join('no/folder/f');
  const error = await t.throwsAsync(upstream.download({ path: 'a', file, ...LISTED }, testContext()));

  t.true(isArtifactsError(error, 'E_IO'));
  t.is(server.requests.length, 1);
  await upstream.close();
});

test('a full disk is told as such, and leaves nothing', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['a', BODY]]));
  const upstream = openUpstream({ urls: [server.url], ...FAST });
  await symlink('/dev/full', dir.join('f'));

  const error = await t.throwsAsync(upstream.download({ path: 'a', file: dir.join('f'), ...LISTED }, testContext()));

  t.true(isArtifactsError(error, 'E_NO_SPACE'), String(error));
  t.deepEqual(await readdir(dir.path), []);
  t.is(server.requests.length, 1);
  await upstream.close();
});

test('an abort in the middle of a body keeps what came', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['a', BODY]]));
  server.fault('a', { kind: 'stall', after: 50_000 }, 1);
  const upstream = openUpstream({ urls: [server.url], ...FAST });
  const ctx = testContext();
  let received = 0;
  const onBytes = (count: number): void => {
    received += count;
    if (received === 50_000) ctx.abort(new Error('enough'));
  };

  const run = upstream.download({ path: 'a', file: dir.join('f'), ...LISTED, onBytes }, ctx);

  await t.throwsAsync(run, { message: 'enough' });
  t.true(BODY.subarray(0, 50_000).equals(await readFile(dir.join('f'))));
  await upstream.close();
});

test('a path that leaves its folder is never requested', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map());
  const upstream = openUpstream({ urls: [`${server.url}/deep/`], ...FAST });

  for (const path of ['../a', 'a/../../b', '/etc/passwd', 'a//b', 'a\0b', 'a\nb', '..\\a', '']) {
    const error = await t.throwsAsync(upstream.download({ path, file: dir.join('f') }, testContext()));
    t.true(isArtifactsError(error, 'E_PATH'), path);
  }

  t.is(server.requests.length, 0);
  await upstream.close();
});

test('many files at once use no more connections than allowed and come out right', async (t) => {
  await using dir = await tempDir();
  const names = Array.from({ length: 300 }, (_, index) => `f${index}`);
  await using server = await serve(new Map(names.map((name) => [name, Buffer.from(name.repeat(50))])));
  server.fault(/7$/, { kind: 'truncate', after: 9 }, 20);
  const upstream = openUpstream({ urls: [server.url], parallel: 4, ...FAST });

  const ctx = testContext();
  await Promise.all(
    names.map((name) => upstream.download({ path: name, file: dir.join(name), size: name.length * 50 }, ctx)),
  );

  for (const name of names) t.is(await readFile(dir.join(name), 'utf8'), name.repeat(50));
  await upstream.close();
});

test('bytes listed with another digest are judged by it, also when the beginning is there already', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['f', BODY]]));
  const upstream = openUpstream({ urls: [server.url], ...FAST });
  const other = { algorithm: 'sha512', hex: createHash('sha512').update(BODY).digest('hex') } as const;
  await writeFile(dir.join('rest'), BODY.subarray(0, 100_000));
  await writeFile(dir.join('wrong'), Buffer.alloc(100_000));

  for (const name of ['new', 'rest', 'wrong']) {
    const result = await upstream.download({ path: 'f', file: dir.join(name), size: BODY.length, other }, testContext());
    t.is(result.sha256 as string, SHA256, name);
    t.true(BODY.equals(await readFile(dir.join(name))));
  }
  t.is(server.requests[1]?.headers.range, 'bytes=100000-');
  const lie = upstream.download({ path: 'f', file: dir.join('lie'), size: BODY.length, other: { ...other, hex: '0'.repeat(128) } }, testContext());
  await t.throwsAsync(lie, { code: 'E_HASH', message: /SHA512 is/ });
  t.false(await exists(dir.join('lie')));
  await upstream.close();
});

test('elsewhere has the same settings, no credentials, and stays out of internal networks', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map([['sub/f', BODY]]));
  const upstream = openUpstream({ urls: [`http://user:secret@127.0.0.1:${server.port}`], ...FAST });

  await upstream.elsewhere(`${server.url}/sub/`).download({ path: 'f', file: dir.join('f'), ...LISTED }, testContext());
  t.is(server.requests[0]?.headers.authorization, undefined);
  t.is(upstream.elsewhere(`${server.url}/sub/`), upstream.elsewhere(`${server.url}/sub/`));
  for (const base of ['http://127.0.0.3/', 'http://[::1]/', 'http://192.168.1.1/']) {
    t.throws(() => upstream.elsewhere(base), { code: 'E_FETCH', message: /internal address/ });
  }
  t.throws(() => upstream.elsewhere('file:///etc/'), { code: 'E_CONFIG' });
  for (let n = 0; n < 63; n += 1) upstream.elsewhere(`http://mirror-${n}.example.org/`);
  t.throws(() => upstream.elsewhere('http://one-more.example.org/'), { code: 'E_TOO_LARGE' });
  await upstream.close();
});
