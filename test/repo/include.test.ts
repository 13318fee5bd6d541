import { existsSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import type { Site } from '../rig/site.ts';
import { buildSource } from '../rig/source.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { namesIn, otherBytes, repoSite, writeUpload } from './support.ts';

interface Failure {
  readonly error: { readonly code: string; readonly message: string; readonly details?: { readonly problems?: readonly string[] } };
}

interface Included {
  readonly packages: number;
  readonly uploads: readonly { readonly signedBy: readonly string[] }[];
}

test('a signed upload is taken in with its source, and its files go', async (t) => {
  await using dir = await tempDir();
  const { site, keyring, fingerprint } = await prepare(dir);
  const buildinfo: [string, Buffer] = ['hello_1.0-1.buildinfo', Buffer.from('Format: 1.0\n')];
  await writeUpload(dir.join('in'), { files: new Map([...hello(), ...buildSource('hello').files, buildinfo]), key: await rigKey('builder') });
  await writeFile(dir.join('in/other'), 'stays\n');

  const kept = await site.json<Included>(['repo', 'include', 'ours', dir.join('in'), '--keyring', keyring, '--no-remove-files']);
  t.is(readdirSync(dir.join('in')).length, 6);
  const included = await site.json<Included>(['repo', 'include', 'ours', dir.join('in'), '--keyring', keyring]);

  t.deepEqual(kept.uploads.map(({ signedBy }) => signedBy), [[fingerprint]]);
  t.is(included.packages, 2);
  t.deepEqual(readdirSync(dir.join('in')), ['other']);
  t.deepEqual(await namesIn(site, 'ours'), ['hello_1.0-1_amd64', 'hello_1.0_source']);
});

test('unsigned, by a stranger, changed behind the signature: refused, and nothing is kept', async (t) => {
  await using dir = await tempDir();
  const { site, keyring } = await prepare(dir);
  const include = async (path: string, status: number, ...flags: readonly string[]): Promise<string> =>
    (await site.json<Failure>(['repo', 'include', 'ours', path, ...flags], status)).error.code;
  const unsigned = await writeUpload(dir.join('unsigned'), { files: hello() });
  const strange = await writeUpload(dir.join('strange'), { files: hello(), key: await rigKey('stranger') });
  const swapped = await writeUpload(dir.join('swapped'), { files: hello(), key: await rigKey('builder') });
  await writeFile(dir.join('swapped/hello_1.0-1_amd64.deb'), buildDeb(otherBytes('hello')).bytes);
  const missing = await writeUpload(dir.join('missing'), { files: hello(), key: await rigKey('builder') });
  await rm(dir.join('missing/hello_1.0-1_amd64.deb'));

  t.is(await include(unsigned, 2), 'E_USAGE');
  t.is(await include(unsigned, 12, '--keyring', keyring), 'E_UNSIGNED');
  t.is(await include(strange, 12, '--keyring', keyring), 'E_SIGNATURE');
  t.is(await include(strange, 12, '--keyring', keyring, '--accept-unsigned'), 'E_SIGNATURE');
  t.regex(await include(swapped, 12, '--keyring', keyring), /E_HASH|E_SIZE/);
  t.is(await include(missing, 10, '--keyring', keyring), 'E_NOT_FOUND');
  t.deepEqual(await namesIn(site, 'ours'), []);
  t.true(existsSync(dir.join('swapped/hello_1.0-1_amd64.deb')));

  t.is((await site.json<Included>(['repo', 'include', 'ours', unsigned, '--keyring', keyring, '--accept-unsigned'])).packages, 1);
  t.is((await site.json<Included>(['repo', 'include', 'ours', strange, '--accept-unsigned'])).packages, 1);
});

test('one upload that is refused refuses all of the call; a conflict names both', async (t) => {
  await using dir = await tempDir();
  const { site, keyring } = await prepare(dir);
  const key = await rigKey('builder');
  await writeUpload(dir.join('in/1'), { files: hello(), key });
  const other = buildDeb(otherBytes('hello'));
  await writeUpload(dir.join('in/2'), { source: 'other', files: new Map([[other.fileName, other.bytes]]), key });

  const { error } = await site.json<Failure>(['repo', 'include', 'ours', dir.join('in'), '--keyring', keyring], 13);

  t.is(error.code, 'E_CONFLICT');
  t.deepEqual(await namesIn(site, 'ours'), []);
  t.is(readdirSync(dir.join('in/1')).length, 2);
});

test('rules say who may upload what', async (t) => {
  await using dir = await tempDir();
  const { site, keyring, fingerprint } = await prepare(dir);
  const upload = await writeUpload(dir.join('in'), { files: hello(), key: await rigKey('builder') });
  const tryWith = async (rules: unknown, status: number): Promise<string> => {
    await writeFile(dir.join('rules.json'), typeof rules === 'string' ? rules : JSON.stringify(rules));
    const flags = ['--keyring', keyring, '--uploaders', dir.join('rules.json'), '--no-remove-files'];
    const result = await site.json<Partial<Failure>>(['repo', 'include', 'ours', upload, ...flags], status);
    return result.error?.code ?? 'included';
  };
  const groups = { builders: [fingerprint], all: ['builders'] };

  t.is(await tryWith({ rules: [] }, 12), 'E_SIGNATURE');
  t.is(await tryWith({ groups, rules: [{ condition: 'Source (= other)', allow: ['all'] }] }, 12), 'E_SIGNATURE');
  t.is(await tryWith({ groups, rules: [{ condition: 'Source (= hello)', deny: ['all'], allow: ['*'] }] }, 12), 'E_SIGNATURE');
  t.is(await tryWith({ rules: [{ condition: 'Source (= hello)', allow: ['ABCDEF0123456789'] }] }, 2), 'E_CONFIG');
  t.is(await tryWith({ groups: { a: ['b'], b: ['a'] }, rules: [{ condition: 'Source', allow: ['a'] }] }, 2), 'E_CONFIG');
  t.is(await tryWith({ rules: [{ condition: 'Source (= ', allow: ['*'] }] }, 2), 'E_CONFIG');
  t.is(await tryWith('rules: [', 2), 'E_CONFIG');
  t.deepEqual(await namesIn(site, 'ours'), []);
  t.is(await tryWith({ groups, rules: [{ condition: 'Distribution (= stable)', deny: ['*'] }, { condition: 'Source (= hello)', allow: ['all'] }] }, 0), 'included');
  t.is(await tryWith('groups: {}\nrules:\n  - condition: "Distribution (~ ^unst)"\n    allow: ["*"]\n', 0), 'included');
});

async function prepare(dir: TempDir): Promise<{ readonly site: Site; readonly keyring: string; readonly fingerprint: string }> {
  const site = await repoSite(dir);
  const { publicKey, fingerprint } = await rigKey('builder');
  await writeFile(dir.join('builders.asc'), publicKey);
  await site.json(['repo', 'create', 'ours']);
  return { site, keyring: dir.join('builders.asc'), fingerprint };
}

function hello(): ReadonlyMap<string, Buffer> {
  const { fileName, bytes } = buildDeb({ name: 'hello' });
  return new Map([[fileName, bytes]]);
}
