/** Choosing from an rpm upstream: queries, closures of needs, newest versions, architectures. */
import { buildRpms, type Rpm } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

async function packages(dir: TempDir): Promise<readonly Rpm[]> {
  return buildRpms(dir, [
    { name: 'app', version: '1.0', lines: ['Requires: lib >= 2, /usr/share/data/file, (plugin-a or plugin-b), (extra if absent), /usr/bin/tool', 'Recommends: nice'] },
    { name: 'app', version: '1.10' },
    { name: 'app', version: '1.9' },
    { name: 'lib', version: '2.0~rc1' },
    { name: 'lib', version: '2.1', lines: ['Requires: base'] },
    { name: 'base', lines: ['Provides: virtual'] },
    { name: 'data', files: { '/usr/share/data/file': 'x' } },
    { name: 'tool', arch: 'x86_64', files: { '/usr/bin/tool': 'x' } },
    { name: 'plugin-b' },
    { name: 'extra' },
    { name: 'nice' },
    { name: 'versioned', lines: ['Requires: virtual = 7'] },
    { name: 'tool', arch: 'i686', files: { '/usr/bin/tool': 'y' } },
    { name: 'broken', lines: ['Requires: nowhere'] },
  ]);
}

witnessed('queries, closures, newest versions and architectures', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await packages(dir) });
  const mirror = (extra: Readonly<Record<string, unknown>>): { upstream: typeof upstream; extra: typeof extra } => ({ upstream, extra });
  await using scene = await makeRpmScene(dir, {
    closed: mirror({ filter: 'app (= 1.0-1)', filter_with_deps: true, architectures: ['x86_64'] }),
    versions: mirror({ filter: 'app, $Version (>= 1.9)' }),
    plain: mirror({ filter: 'Name (= versioned)', filter_with_deps: true }),
    newest: mirror({ newest: 1, filter: 'app | lib' }),
    one: mirror({ architectures: ['x86_64'], filter: 'tool' }),
    torn: mirror({ filter: 'broken', filter_with_deps: true }),
  });
  const names = async (name: string): Promise<readonly string[]> => {
    const { status, stderr } = await scene.site.run(['mirror', 'update', name]);
    t.is(status, 0, stderr);
    const { stdout } = await scene.site.run(['mirror', 'search', name]);
    return stdout.trim().split('\n').sort();
  };

  t.deepEqual(await names('closed'), ['app-1.0-1.noarch', 'base-1.0-1.noarch', 'data-1.0-1.noarch', 'lib-2.1-1.noarch', 'plugin-b-1.0-1.noarch', 'tool-1.0-1.x86_64']);
  t.deepEqual(await names('versions'), ['app-1.10-1.noarch', 'app-1.9-1.noarch']);
  t.deepEqual(await names('plain'), ['base-1.0-1.noarch', 'versioned-1.0-1.noarch']);
  t.deepEqual(await names('newest'), ['app-1.10-1.noarch', 'lib-2.1-1.noarch']);
  t.deepEqual(await names('one'), ['tool-1.0-1.x86_64']);
  t.regex((await scene.site.run(['mirror', 'update', 'torn'])).stderr, /broken needs nowhere/);

  await scene.site.json(['snapshot', 'create', 'closed', '--from-mirror', 'closed']);
  const closed = await scene.site.run(['snapshot', 'verify', 'closed']);
  t.is(closed.status, 0, closed.stdout);
  await scene.site.json(['snapshot', 'create', 'torn', '--from-mirror', 'torn']);
  t.is((await scene.site.run(['snapshot', 'verify', 'torn', '--architectures', 'x86_64'])).status, 3);
});

witnessed('packages of modules are not old beside newer ones outside, nor those outside beside newer modules', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [
    { name: 'low', version: '1.0', release: '1.module' },
    { name: 'low', version: '1.1', release: '1.module' },
    { name: 'low', version: '1.5' },
    { name: 'low', version: '2.0' },
    { name: 'high', version: '9.0', release: '1.module', lines: ['Epoch: 1'] },
    { name: 'high', version: '3.0' },
    { name: 'high', version: '3.1' },
  ]);
  const modules = `---\ndocument: modulemd\nversion: 2\ndata:\n  name: m\n  stream: "1"\n  version: 1\n  context: abc\n  arch: x86_64\n  summary: s\n  description: d\n  license:\n    module: [MIT]\n  artifacts:\n    rpms:\n    - low-0:1.0-1.module.noarch\n    - "low-0:1.1-1.module.noarch"\n    - high-1:9.0-1.module.noarch\n...\n`;
  const upstream = await rpmUpstream(dir, { rpms, metadata: { 'modules.yaml': modules } });
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { newest: 1 } } });

  t.is((await scene.site.run(['mirror', 'update', 'up'])).status, 0);

  const { stdout } = await scene.site.run(['mirror', 'search', 'up']);
  const found = stdout.trim().split('\n').map((line) => line.replace('.noarch', '')).sort();
  t.deepEqual(found, ['high-1:9.0-1.module', 'high-3.1-1', 'low-1.0-1.module', 'low-1.1-1.module', 'low-2.0-1']);
});
