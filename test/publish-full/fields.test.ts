import test from 'ava';
import { aptClient } from '../rig/apt.ts';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { publishingSite, PREFIX } from './support.ts';

const ONE = { components: { main: [buildDeb({ name: 'alpha' })] } };

test('fields are said once, kept by switch and update, and changed when said anew', async (t) => {
  await using all = await publishingSite({ one: ONE, two: { components: { main: [buildDeb({ name: 'beta' })] } } });
  const { run, field } = all;

  await run(['publish', 'snapshot', 'one', '--distribution', 'rig', '--origin', 'Vendor', '--label', 'Product', '--suite', 'testing',
    '--codename', 'zebra', '--release-version', '12.1', '--description', 'A product', '--not-automatic', 'yes', '--but-automatic-upgrades', 'yes']);

  const said = { Origin: 'Vendor', Label: 'Product', Suite: 'testing', Codename: 'zebra', Version: '12.1', Description: 'A product', NotAutomatic: 'yes', ButAutomaticUpgrades: 'yes', 'Acquire-By-Hash': 'yes' };
  const fields = (): Record<string, string | undefined> => Object.fromEntries(Object.keys(said).map((name) => [name, field('rig', name)]));
  t.deepEqual(fields(), said);

  await run(['publish', 'switch', 'rig', 'two']);
  t.deepEqual(fields(), said);

  await run(['publish', 'update', 'rig', '--release-version', '12.2', '--not-automatic', 'no', '--but-automatic-upgrades', 'no']);
  t.deepEqual(fields(), { ...said, Version: '12.2', NotAutomatic: undefined, ButAutomaticUpgrades: undefined });
});

test('what was not said follows the configuration with the next update', async (t) => {
  await using all = await publishingSite({ one: ONE }, { vars: { publish: { origin: 'First', valid_for: '2d' } } });
  const { run, field, site } = all;
  await run(['publish', 'snapshot', 'one', '--distribution', 'rig', '--label', 'Said']);
  t.deepEqual([field('rig', 'Origin'), field('rig', 'Label')], ['First', 'Said']);
  const seconds = (name: string): number => new Date(field('rig', name) ?? '').getTime() / 1000;
  t.is(seconds('Valid-Until') - seconds('Date'), 2 * 86_400);

  await site.configure({ vars: { publish: { origin: 'Second', label: 'Ignored', valid_for: '3d', signed_by: true } } });
  await run(['publish', 'update', 'rig']);

  t.deepEqual([field('rig', 'Origin'), field('rig', 'Label')], ['Second', 'Said']);
  t.is(seconds('Valid-Until') - seconds('Date'), 3 * 86_400);
  t.is(field('rig', 'Signed-By'), (await rigKey('site')).fingerprint);
  await run(['publish', 'update', 'rig', '--valid-for', 'none', '--signed-by', 'no']);
  t.is(field('rig', 'Valid-Until'), undefined);
  t.is(field('rig', 'Signed-By'), undefined);
});

test('fields that would mean nothing are refused', async (t) => {
  await using all = await publishingSite({ one: ONE });
  const refuse = async (...args: readonly string[]): Promise<string> =>
    (await all.run(['publish', 'snapshot', 'one', '--distribution', 'rig', ...args], { status: 2 })).stderr;

  t.regex(await refuse('--but-automatic-upgrades', 'yes'), /means nothing without NotAutomatic/);
  t.regex(await refuse('--signed-by', 'yes'), /means nothing without Valid-Until/);
  t.regex(await refuse('--valid-for', 'soon'), /"soon" is no duration/);
  t.regex(await refuse('--label', 'two\nlines'), /not one line of text/);
  t.deepEqual(await all.site.json(['publish', 'list']), []);
});

test('apt heeds NotAutomatic, and refuses what has expired until it is published anew', async (t) => {
  await using all = await publishingSite({ one: ONE });
  const { run, site, dir } = all;
  const now = Math.floor(Date.now() / 1000);
  const at = (hours: number): { env: Record<string, string> } => ({ env: { SOURCE_DATE_EPOCH: String(now + hours * 3600) } });
  const expires = async (hours: number): Promise<string | undefined> => (await site.json<{ expires: string }[]>(['publish', 'list'], 0, at(hours)))[0]?.expires;
  await run(['publish', 'snapshot', 'one', '--distribution', 'rig', '--not-automatic', 'yes', '--but-automatic-upgrades', 'yes', '--valid-for', '2h'], at(-3));
  const source = `deb [signed-by=%KEYRING%] file:${site.publicRoot}/${PREFIX} rig main`;
  const client = await aptClient(dir, 'client', { sources: [source], keyring: (await rigKey('site')).publicKey });

  // Machines that build images often switch these off.
  const checked = ['-o', 'Acquire::Check-Valid-Until=true', '-o', 'Acquire::Check-Date=true', 'update'];
  t.regex((await client.aptGet(checked)).stderr, /expired/);
  t.deepEqual([await expires(-2.5), await expires(-1.1), await expires(0)], ['valid', 'near', 'past']);
  const verified = await site.run(['publish', 'verify']);
  t.is(verified.status, 3);
  t.regex(verified.stdout, /InRelease is no longer valid/);

  await run(['publish', 'update', 'rig']);
  t.like(await client.aptGet(checked), { status: 0, stderr: '' });
  t.regex((await client.aptCache(['policy', 'alpha'])).stdout, /^ +1\.0-1 100$/m);
});

test('a release build renews what is half expired, and nothing else', async (t) => {
  await using all = await publishingSite({ one: ONE }, { vars: { publish: { valid_for: '10d' } } });
  const { site, field } = all;
  const start = Math.floor(Date.now() / 1000);
  const at = (days: number): { env: Record<string, string> } => ({ env: { SOURCE_DATE_EPOCH: String(start + days * 86_400) } });
  await site.json(['build', '--release', 'r1.0.0'], 0, at(0));
  const first = field('r1.0.0-rig', 'Valid-Until');

  t.like(await site.json(['build', '--release', 'r1.0.0'], 0, at(4)), { result: 'unchanged' });
  t.is(field('r1.0.0-rig', 'Valid-Until'), first);

  t.like(await site.json(['build', '--release', 'r1.0.0'], 0, at(6)), { result: 'done' });
  t.is(new Date(field('r1.0.0-rig', 'Valid-Until') ?? '').getTime() - new Date(first ?? '').getTime(), 6 * 86_400_000);
});
