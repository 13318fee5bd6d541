import test from 'ava';
import { parseEnvironment, type Environment, type EnvironmentSettings } from '../../src/config/environment.ts';
import type { Problem } from '../../src/config/problem.ts';
import { KEY, load, problemsOf } from './support.ts';

function settingsOf(environment: Environment): EnvironmentSettings {
  return parseEnvironment(environment, []);
}

test('yes and no in every spelling people use', (t) => {
  for (const yes of ['YES', 'yes', 'True', 'on', '1', ' yes ']) t.true(settingsOf({ REPLACE_ARTIFACTS: yes }).replace, yes);
  for (const no of ['NO', 'false', 'Off', '0']) t.false(settingsOf({ PUSH_TO_MIRROR: no }).push, no);
  t.is(settingsOf({ PUBLISH_SNAPSHOT: '' }).publishSnapshot, undefined);
  t.is(settingsOf({}).replace, undefined);
});

test('F6 folders, key files and the release', (t) => {
  const settings = settingsOf({
    RPC_ARTIFACTS_FOLDER: '/srv/artifacts',
    RPC_ARTIFACTS_PUBLIC_FOLDER: '/srv/public',
    GPG_PRIVATE: '/etc/keys/private.asc',
    GPG_PUBLIC: '/etc/keys/public.asc',
    RPC_RELEASE: 'r16.0.0-beta.1',
  });

  t.like(settings, {
    state: '/srv/artifacts',
    publicFolder: '/srv/public',
    privateKey: '/etc/keys/private.asc',
    publicKey: '/etc/keys/public.asc',
    release: 'r16.0.0-beta.1',
  });
});

test('garbage is refused, all of it at once', (t) => {
  const problems: Problem[] = [];

  parseEnvironment(
    { REPLACE_ARTIFACTS: 'maybe', RPC_ARTIFACTS_FOLDER: 'relative', RPC_ARTIFACTS_PUBLIC_FOLDER: '/srv/../etc', RPC_RELEASE: '../r1' },
    problems,
  );

  t.is(problems.length, 4);
  t.is(problems[0]?.message, 'REPLACE_ARTIFACTS must be YES or NO');
});

test('a key put into the variable instead of its path is refused and never shown', async (t) => {
  const key = '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nc2VjcmV0\n-----END PGP PRIVATE KEY BLOCK-----\n';

  const problems = await problemsOf({ 'vars/a.yml': '' }, { GPG_PRIVATE: key, GPG_PUBLIC: 'c2VjcmV0\nc2VjcmV0' });

  t.deepEqual(problems, [
    'environment: GPG_PRIVATE must be the path of a key file, not the key itself',
    'environment: GPG_PUBLIC must be the path of a key file, not the key itself',
  ]);
});

test('GPG_PRIVATE takes the place of the keys in the files', async (t) => {
  const files = { 'vars/a.yml': `signing: {keys: [{agent: ${KEY}}], public_key: a.asc}\n` };

  const { signing } = await load(files, { GPG_PRIVATE: '/k/private.asc', GPG_PUBLIC: '/k/public.asc' });

  t.deepEqual(signing, {
    keys: [{ kind: 'file', file: '/k/private.asc', passphraseFile: undefined }],
    publicKey: '/k/public.asc',
  });
});
