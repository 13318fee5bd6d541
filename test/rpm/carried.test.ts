/** What goes along with packages into another repository or snapshot: their modules and advisories, and what is asked for. */
import { mkdir, writeFile } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { inProcess } from '../operations/in-process.ts';
import { dnfClient, type DnfClient } from '../rig/dnf.ts';
import { rigKey } from '../rig/key.ts';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { killAtEachStep } from './kill-steps.ts';
import { hasRpmTools, makeRpmScene, modulesYaml, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

const advisory = (id: string, ...names: readonly string[]): string =>
  `<update from="rig" status="stable" type="security" version="1"><id>${id}</id><title>${id}</title><issued date="2023-11-14 00:00:00"/><severity>Important</severity><description>d</description><pkglist><collection short="base"><name>base</name>${names.map((name) => `<package name="${name}" version="1.0" release="1" epoch="0" arch="noarch" src="x"><filename>${name}-1.0-1.noarch.rpm</filename></package>`).join('')}</collection></pkglist></update>`;
const updates = (...advisories: readonly string[]): string => `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${advisories.join('\n')}\n</updates>\n`;

const MODULES = `${modulesYaml('m1', ['modular-0:1.0-1.noarch', 'far-0:1.0-1.noarch'])}${modulesYaml('m2', ['far-0:1.0-1.noarch'])}---
document: modulemd-defaults
version: 1
data: {module: m1, stream: "1.10", profiles: {"1.10": []}}
...
---
document: modulemd-defaults
version: 1
data: {module: m2, stream: "1.10", profiles: {"1.10": []}}
...
`;

interface Bench {
  readonly site: Site;
  client(name: string, of: string): Promise<DnfClient>;
}

/** A repository `from` with packages and metadata of all types, and `to` with one package of an architecture to publish for. */
async function bench(dir: TempDir, wrap: (site: Site) => Site = inProcess): Promise<Bench> {
  const rpms = await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta' }, { name: 'gamma' }, { name: 'modular' }, { name: 'modular', version: '0.5', source: true }, { name: 'native', arch: 'x86_64' }]);
  await mkdir(dir.join('built'));
  for (const { fileName, bytes } of rpms) await writeFile(dir.join('built', fileName), bytes);
  const files = {
    'updateinfo.xml': updates(advisory('RIG-1', 'alpha', 'beta'), advisory('RIG-2', 'gamma'), advisory('RIG-3', 'beta')),
    'modules.yaml': MODULES,
    'comps.xml': '<?xml version="1.0" encoding="UTF-8"?>\n<comps><group><id>tools</id><name>tools</name><description>d</description><default>false</default><uservisible>true</uservisible><packagelist><packagereq type="mandatory">alpha</packagereq></packagelist></group></comps>\n',
    productid: 'a certificate',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(dir.join(name), text);
  const site = wrap(await makeSite(dir, { mirrors: {}, miko: {}, releases: {} }));
  for (const name of ['from', 'to']) await site.json(['repo', 'create', name, '--format', 'rpm']);
  await site.json(['repo', 'add', 'from', dir.join('built')]);
  await site.json(['repo', 'move', 'from', 'to', 'native']);
  await site.json(['repo', 'metadata', 'add', 'from', ...Object.keys(files).map((name) => dir.join(name))]);
  const client = async (name: string, of: string): Promise<DnfClient> =>
    dnfClient(dir, name, [{ id: 'site', url: `file://${site.publicRoot}/rpm-mirror/${of}/el9/x86_64`, keyring: (await rigKey('site')).publicKey }]);
  return { site, client };
}

const types = async (site: Site, repo: string): Promise<readonly string[]> =>
  (await site.json<{ metadata: readonly { readonly type: string }[] }>(['repo', 'show', repo])).metadata.map(({ type }) => type);

async function publishes(t: ExecutionContext, site: Site, args: readonly string[]): Promise<void> {
  const { status, stderr } = await site.run(['publish', ...args, '--distribution', 'el9']);
  t.is(status, 0, stderr);
}

witnessed('a package of a module arrives with its module, an advisory with a package it is about', async (t) => {
  await using dir = await tempDir();
  const { site, client } = await bench(dir);

  const tried = await site.run(['repo', 'copy', 'from', 'to', 'modular-1.0-1.noarch', 'alpha', '--dry-run']);
  t.deepEqual(await types(site, 'to'), []);
  const copied = await site.run(['repo', 'copy', 'from', 'to', 'modular-1.0-1.noarch', 'alpha']);
  t.is(copied.stdout, '+ alpha-1.0-1.noarch\n+ modular-1.0-1.noarch\n+ modules (metadata)\n+ updateinfo (metadata)\nRepository to: 3 packages.\n', copied.stderr);
  t.is(tried.stdout, copied.stdout.replace('to: 3', 'to would have 3'));
  t.deepEqual(await types(site, 'to'), ['modules', 'updateinfo']);
  const again = await site.json<{ metadata: readonly unknown[] }>(['repo', 'copy', 'from', 'to', 'alpha', 'modular-1.0-1.noarch']);
  t.deepEqual(again.metadata, [], 'nothing that is there already');

  await publishes(t, site, ['repo', 'to', 'rpm-mirror/to']);
  const first = await client('first', 'to');
  const modules = await first.ok(['module', 'list']);
  t.regex(modules, /m1 +1\.10 \[d\]/);
  t.notRegex(modules, /m2/);
  await first.ok(['install', 'alpha']);
  const listed = await first.ok(['updateinfo', 'list', '-q', '--all']);
  t.regex(listed, /RIG-1[^\n]*alpha/);
  t.notRegex(listed, /RIG-[23]|beta/);

  // The rest of an advisory follows with its package, and both are told once.
  const moved = await site.run(['repo', 'move', 'from', 'to', 'beta']);
  t.is(moved.stdout, '+ beta-1.0-1.noarch\n+ updateinfo (metadata)\nRepository to: 4 packages.\n');
  t.is((await site.run(['publish', 'update', 'el9', 'rpm-mirror/to'])).status, 0);
  const second = await client('second', 'to');
  await second.ok(['install', 'alpha', 'beta']);
  const all = (await second.ok(['updateinfo', 'list', '-q', '--all'])).trim().split('\n').map((line) => line.replace(/^(?:i )?\s*(RIG-\d)\s.*\s(\S+)$/, '$1 $2')).sort();
  t.deepEqual(all, ['RIG-1 alpha-1.0-1.noarch', 'RIG-1 beta-1.0-1.noarch', 'RIG-3 beta-1.0-1.noarch']);
});

witnessed('metadata of other types comes when it is asked for, joined to what is there, or refused', async (t) => {
  await using dir = await tempDir();
  const { site } = await bench(dir);
  await writeFile(dir.join('comps.xml'), '<comps><group><id>more</id><name>more</name></group></comps>');
  await site.json(['repo', 'metadata', 'add', 'to', dir.join('comps.xml')]);

  const { stdout, stderr } = await site.run(['repo', 'copy', 'from', 'to', 'gamma', '--metadata', 'group', '--metadata', 'productid']);
  t.is(stdout, '+ gamma-1.0-1.noarch\n+ group (metadata)\n+ productid (metadata)\n+ updateinfo (metadata)\nRepository to: 2 packages.\n', stderr);
  t.deepEqual(await types(site, 'to'), ['group', 'productid', 'updateinfo']);
  t.deepEqual((await site.json<{ metadata: readonly unknown[] }>(['repo', 'copy', 'from', 'to', 'gamma', '--metadata', 'group', '--metadata', 'productid'])).metadata, []);

  await writeFile(dir.join('productid'), 'another certificate');
  await site.json(['repo', 'metadata', 'add', 'to', dir.join('productid')]);
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [['from', 'to', 'beta', '--metadata', 'productid'], /E_CONFLICT: The metadata "productid" is there with other bytes/],
    [['from', 'to', 'beta', '--metadata', 'license'], /E_NOT_FOUND: The source has no metadata of the type "license"/],
    [['from', 'to', 'beta', '--metadata', 'primary'], /E_USAGE: Metadata of the type "primary" is made from the packages/],
  ];
  for (const [args, message] of refusals) t.regex((await site.run(['repo', 'copy', ...args])).stderr, message);
  t.deepEqual((await site.json<{ package: string }[]>(['repo', 'search', 'to'])).map((one) => one.package), ['gamma-1.0-1.noarch', 'native-1.0-1.x86_64']);
  await site.json(['repo', 'create', 'debs']);
  await site.json(['repo', 'create', 'more']);
  t.regex((await site.run(['repo', 'copy', 'from', 'debs', 'alpha'])).stderr, /E_USAGE: The packages of repository "from" are of rpm, those of repository "debs" of apt/);
  t.regex((await site.run(['repo', 'copy', 'debs', 'more', 'Name', '--metadata', 'group'])).stderr, /E_USAGE: There is no metadata of types in repositories of apt/);
});

witnessed('a pull brings modules and advisories of what it pulls, and source packages when they are meant', async (t) => {
  await using dir = await tempDir();
  const { site, client } = await bench(dir);
  for (const name of ['from', 'to']) await site.json(['snapshot', 'create', name, '--from-repo', name]);

  const { stdout, stderr } = await site.run(['snapshot', 'pull', 'to', 'from', 'pulled', 'modular-1*', 'gamma', 'modular-0.5-1.src']);
  t.is(stdout, '+ gamma-1.0-1.noarch\n+ modular-1.0-1.noarch\n+ modular-0.5-1.src\n+ modules (metadata)\n+ updateinfo (metadata)\nSnapshot pulled: 4 packages.\n', stderr);
  const { metadata } = await site.json<{ metadata: readonly unknown[] }>(['snapshot', 'pull', 'pulled', 'from', 'again', 'modular-1*', 'gamma']);
  t.deepEqual(metadata, []);

  await publishes(t, site, ['snapshot', 'pulled', 'rpm-mirror/pulled']);
  const dnf = await client('dnf', 'pulled');
  t.regex(await dnf.ok(['module', 'list']), /m1 +1\.10 \[d\]/);
  await dnf.ok(['install', 'gamma']);
  t.regex(await dnf.ok(['updateinfo', 'list', '-q', '--all']), /RIG-2[^\n]*gamma/);
});

witnessed('of a mirror too, packed as its upstream packed it; what cannot be read is told, and the packages come', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }, { name: 'modular' }]);
  const upstream = await rpmUpstream(dir, { rpms, metadata: { 'modules.yaml': MODULES, 'updateinfo.xml': updates(advisory('RIG-1', 'alpha')) } });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const { site } = scene;
  const imported = async (repo: string): Promise<string> => {
    t.is((await site.run(['mirror', 'update', 'up'])).status, 0);
    await site.json(['repo', 'create', repo, '--format', 'rpm']);
    const { stdout, stderr } = await site.run(['repo', 'import', 'up', repo, 'modular']);
    return stdout + stderr;
  };

  t.is(await imported('good'), '+ modular-1.0-1.noarch\n+ modules (metadata)\nRepository good: 1 package.\n');
  await upstream.rewrite('modules', () => 'document: [');
  t.regex(await imported('bad'), /^\+ modular-1\.0-1\.noarch\nRepository bad: 1 package\.\n[^]*modules\.yaml: modules of source 1 is left out: .*this is no YAML/);
});

witnessed('killed at any step, packages are there with what goes along, or neither is', async (t) => {
  t.timeout(180_000);
  await using dir = await tempDir();
  const { site } = await bench(dir, (plain) => plain);
  await killAtEachStep(t, {
    dir,
    site,
    command: ['repo', 'copy', 'from', 'to', 'modular-1*'],
    most: 40,
    left: async (copy, step) => {
      const found = await copy.json<readonly unknown[]>(['repo', 'search', 'to', 'modular']);
      t.deepEqual(await types(copy, 'to'), found.length === 0 ? [] : ['modules'], step);
    },
    completed: async (copy, step) => void t.deepEqual(await types(copy, 'to'), ['modules'], step),
  });
});
