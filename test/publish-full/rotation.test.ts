import { chmod, readFile } from 'node:fs/promises';
import test from 'ava';
import { aptClient } from '../rig/apt.ts';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { makeSite } from '../rig/site.ts';
import { publishingSite, PREFIX, signWith } from './support.ts';

const ONE = { components: { main: [buildDeb({ name: 'alpha' })] } };

test('S09 key rotation: during the overlap clients with the old key and with the new one both update', async (t) => {
  await using all = await publishingSite({ one: ONE });
  const { run, site, dir } = all;
  const source = `deb [signed-by=%KEYRING%] file:${site.publicRoot}/${PREFIX} rig main`;
  const client = async (key: string) => aptClient(dir, key, { sources: [source], keyring: (await rigKey(key)).publicKey });
  const [old, young] = [await client('old'), await client('young')];
  const vars = { publish: { valid_for: '30d', signed_by: true } };

  await signWith(site, ['old'], vars);
  await run(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  await old.update();
  t.not((await young.aptGet(['update'])).status, 0);

  await signWith(site, ['old', 'young'], vars);
  await run(['publish', 'update', 'rig']);
  await old.update();
  await young.update();
  t.is(all.field('rig', 'Signed-By'), [(await rigKey('old')).fingerprint, (await rigKey('young')).fingerprint].join(', '));
  const handedOut = await readFile(`${site.publicRoot}/apt-mirror/release-signing-key.asc`);
  const both = await aptClient(dir, 'both', { sources: [source], keyring: handedOut });
  await both.update();
  t.is((await site.run(['publish', 'verify'])).status, 0);

  await signWith(site, ['young'], vars);
  await run(['publish', 'update', 'rig']);
  await young.update();
  await both.update();
  // apt goes on with what it had, and says why.
  t.regex((await old.aptGet(['update'])).stderr, /NO_PUBKEY|couldn't be verified/);
});

test('S09 who takes a key away before everything is signed by the next one is told what clients cannot verify any more', async (t) => {
  await using all = await publishingSite({ one: ONE });
  const { run, site } = all;
  for (const name of ['rig', 'second', 'third']) await run(['publish', 'snapshot', 'one', '--distribution', name]);

  await signWith(site, ['young']);
  const first = await run(['publish', 'update', 'rig']);
  const others = [await run(['publish', 'update', 'second']), await run(['publish', 'update', 'third'])];

  t.regex(first.stderr, /release-signing-key\.asc has no key any more that signed apt-mirror\/integrated second and 1 other publication: publish that anew/);
  for (const { stderr } of others) t.notRegex(stderr, /no key any more/);
});

test('a key file that others may read is warned of by publish and by build', async (t) => {
  await using all = await publishingSite({ one: ONE });
  await chmod(`${all.site.root}/keys/site.asc`, 0o644);

  t.regex((await all.run(['publish', 'snapshot', 'one', '--distribution', 'rig'])).stderr, /site\.asc is a secret that others may read/);
  t.regex((await all.run(['build', '--release', 'r1.0.0'])).stderr, /site\.asc is a secret that others may read/);
  await using other = { site: await makeSite(all.dir, { mirrors: {} , signed: false }, 'bare'), [Symbol.asyncDispose]: async () => {} };
  t.is((await other.site.run(['publish', 'verify'])).status, 0);
});
