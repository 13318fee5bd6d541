import { fileURLToPath } from 'node:url';
import test from 'ava';
import { loadConfig } from '../../src/config/load.ts';
import { thisMachine } from '../../src/config/machine.ts';
import { findRelease, resolveRelease } from '../../src/config/resolve-release.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const machine = thisMachine({ etc: '/nonexistent', osRelease: '/nonexistent', architecture: 'amd64', aptConfig: '' });

test("F8 F11 F12 RPC-O's own configuration loads: 31 mirrors, three series, miko and n maps", async (t) => {
  const config = await loadConfig({ root: `${repository}examples/rpc-o`, environment: {} });

  t.is(config.mirrors.length, 31);
  t.is(new Set(config.mirrors.map(({ name }) => name)).size, 31);
  t.deepEqual([...config.miko.keys()].sort(), ['r14', 'r15', 'r16']);
  const sizes = [...config.miko].flatMap(([series, codenames]) =>
    [...codenames].map(([codename, merged]) => [series, codename, merged.length, config.independent.get(series)?.get(codename)?.length]),
  );
  t.deepEqual(sizes, [
    ['r14', 'trusty', 14, 2],
    ['r14', 'xenial', 12, 2],
    ['r15', 'xenial', 12, 2],
    ['r16', 'xenial', 12, 2],
  ]);
  t.is(config.mergePolicy, 'no-remove');
  t.true(config.followSuggests);
  t.is(config.repos.length, 1);
});

test('its warnings are short key ids, four names for one upstream, and the keyring that is not there', async (t) => {
  const { warnings, mirrors } = await loadConfig({ root: `${repository}examples/rpc-o`, environment: {} });
  const about = (text: string): number => warnings.filter(({ message }) => message.includes(text)).length;

  t.is(about('short key id'), mirrors.filter(({ shortKeyIds }) => shortKeyIds.length > 0).length);
  t.is(about('short key id'), 30);
  t.is(about('one mirror would do'), 1);
  t.is(about('does not exist'), 1);
  t.is(warnings.length, 32);
});

test('F1 its releases resolve, each with the repository of its own name', async (t) => {
  const config = await loadConfig({ root: `${repository}examples/rpc-o`, environment: {} });

  for (const { name } of config.releases) {
    const { codenames, sources } = await resolveRelease(config, findRelease(config, name), machine);
    t.true(codenames.length > 0);
    t.deepEqual(sources.filter(({ kind }) => kind === 'repo'), [{ kind: 'repo', name: `rabbitmq-downloaded-packages-${name}-ALL`, format: 'apt' }]);
  }
});

test('the configuration of the release demo names no host and loads without a warning', async (t) => {
  const config = await loadConfig({ root: repository, environment: {} });

  t.deepEqual(config.warnings, []);
  t.true(config.mirrors.every(({ upstream, archiveUrl }) => upstream.kind === 'system' || archiveUrl.startsWith('file:')));
  t.like(findRelease(config, 'demo'), { series: 'demo', codenames: ['system'], state: 'draft' });
});
