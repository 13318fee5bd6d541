/** Merging rpm snapshots: the policies of mergerepo_c and of Koji. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

const SUB = (name: string): string => `%package ${name}\nSummary: a part\n%description ${name}\na part\n%files ${name}\n`;

witnessed('versions of two sources by each policy, and builds kept together', async (t) => {
  await using dir = await tempDir();
  const one = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app', version: '1.10', sections: SUB('tools') }, { name: 'only' }]) }, 'one');
  const two = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app', version: '1.9', sections: SUB('extra') }, { name: 'app', version: '2.0' }, { name: 'other', version: '1.0' }, { name: 'other', version: '2.0' }]) }, 'two');
  await using scene = await makeRpmScene(dir, { one: { upstream: one }, two: { upstream: two } });
  for (const name of ['one', 'two']) {
    t.is((await scene.site.run(['mirror', 'update', name])).status, 0);
    await scene.site.json(['snapshot', 'create', name, '--from-mirror', name]);
  }
  const merged = async (policy: string): Promise<readonly string[]> => {
    const name = `merged-${policy}`;
    await scene.site.json(['snapshot', 'merge', name, 'one', 'two', '--policy', policy]);
    const { stdout } = await scene.site.run(['snapshot', 'search', name]);
    return stdout.trim().split('\n').map((line) => line.replace('.noarch', '')).sort();
  };

  const others = ['only-1.0-1', 'other-1.0-1', 'other-2.0-1'];
  t.deepEqual(await merged('no-remove'), ['app-1.10-1', 'app-1.9-1', 'app-2.0-1', 'app-extra-1.9-1', 'app-tools-1.10-1', ...others]);
  t.deepEqual(await merged('latest'), ['app-2.0-1', 'app-extra-1.9-1', 'app-tools-1.10-1', 'only-1.0-1', 'other-2.0-1']);
  t.deepEqual(await merged('first'), ['app-1.10-1', 'app-extra-1.9-1', 'app-tools-1.10-1', ...others]);
  t.deepEqual(await merged('source'), ['app-1.10-1', 'app-tools-1.10-1', 'only-1.0-1', 'other-2.0-1']);
});

witnessed('one version with other bytes is a conflict that names both sources', async (t) => {
  await using dir = await tempDir();
  const one = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app' }]) }, 'one');
  const two = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app', files: { '/usr/share/app/other': 'x' } }]) }, 'two');
  await using scene = await makeRpmScene(dir, { one: { upstream: one }, two: { upstream: two } });

  const { status, stdout } = await scene.site.run(['build', '--release', 'r1.0.0', '--json']);

  t.is(status, 3);
  t.regex(stdout, /app 1\.0-1 noarch is [0-9a-f]{12}.* in slushie-r1\.0\.0-one and [0-9a-f]{12}.* in slushie-r1\.0\.0-two/);
});

testWith(hasRpmTools && hasCommand('mergerepo_c'), `${NO_RPM_TOOLS}, or mergerepo_c`)('the newest files win, as mergerepo_c has it', async (t) => {
  await using dir = await tempDir();
  const old = await buildRpms(dir, [{ name: 'app', version: '2.0' }, { name: 'same', files: { '/usr/share/same/old': 'x' } }, { name: 'only' }]);
  const young = await buildRpms(dir, [{ name: 'app', version: '1.0' }, { name: 'same', files: { '/usr/share/same/new': 'y' } }, { name: 'other' }]);
  const [before, after] = [new Date(Date.now() - 86_400_000), new Date(Date.now() - 3600_000)];
  const one = await rpmUpstream(dir, { rpms: old, date: before }, 'one');
  const two = await rpmUpstream(dir, { rpms: young, date: after }, 'two');
  await using scene = await makeRpmScene(dir, { one: { upstream: one }, two: { upstream: two } });
  for (const name of ['one', 'two']) {
    t.is((await scene.site.run(['mirror', 'update', name])).status, 0);
    await scene.site.json(['snapshot', 'create', name, '--from-mirror', name]);
  }
  for (const [at, order] of [['one', 'two'], ['two', 'one']].entries()) {
    await scene.site.json(['snapshot', 'merge', `ours-${at}`, ...order, '--policy', 'newest']);
    await scene.site.json(['publish', 'snapshot', `ours-${at}`, 'rpm-mirror/ours', '--distribution', `el${at}`]);
    const repos = order.flatMap((name) => ['--repo', `${scene.servers.get(name)?.url}/`]);
    const theirs = dir.join(`theirs-${at}`);
    const merged = await runCommand('mergerepo_c', ['--method', 'ts', '--no-database', '--omit-baseurl', '--outputdir', theirs, ...repos]);
    t.is(merged.status, 0, merged.stderr);

    t.deepEqual(digestsIn(`${scene.site.publicRoot}/rpm-mirror/ours/el${at}/x86_64/repodata`), digestsIn(`${theirs}/repodata`), order.join(' '));
  }
  const { stdout } = await scene.site.run(['snapshot', 'search', 'ours-0', 'app']);
  t.regex(stdout, /app-1\.0-1/);
});

testWith(hasRpmTools && hasCommand('mergerepo_c'), `${NO_RPM_TOOLS}, or mergerepo_c`)('three sources by each policy as mergerepo_c merges them, in two orders', async (t) => {
  await using dir = await tempDir();
  const shared = await buildRpms(dir, [{ name: 'shared' }]);
  const contents: Readonly<Record<string, Parameters<typeof buildRpms>[1]>> = {
    one: [{ name: 'app', version: '1.10', sections: SUB('tools') }, { name: 'lib', arch: 'x86_64' }, { name: 'lib', arch: 'i686' }],
    two: [{ name: 'app', version: '1.9', sections: SUB('extra') }, { name: 'lib', version: '2.0', arch: 'x86_64' }],
    three: [{ name: 'app', version: '2.0~rc1' }, { name: 'lib', version: '1.5', arch: 'i686' }, { name: 'own' }],
  };
  const names = Object.keys(contents);
  const upstreams: [string, { readonly upstream: Awaited<ReturnType<typeof rpmUpstream>> }][] = [];
  for (const name of names) upstreams.push([name, { upstream: await rpmUpstream(dir, { rpms: [...shared, ...(await buildRpms(dir, contents[name] ?? []))] }, name) }]);
  await using scene = await makeRpmScene(dir, Object.fromEntries(upstreams));
  for (const name of names) {
    t.is((await scene.site.run(['mirror', 'update', name])).status, 0);
    await scene.site.json(['snapshot', 'create', name, '--from-mirror', name]);
  }
  // Without a list of architectures --koji leaves out whatever is no noarch.
  const methods: Readonly<Record<string, readonly string[]>> = { 'no-remove': ['--all'], latest: ['--method', 'nvr'], first: ['--method', 'repo'], source: ['--koji', '--archlist', 'x86_64,i686'] };
  for (const order of [names, names.toReversed()]) {
    for (const [policy, method] of Object.entries(methods)) {
      const id = `${policy}-${order[0]}`;
      await scene.site.json(['snapshot', 'merge', id, ...order, '--policy', policy]);
      const theirs = dir.join(`theirs-${id}`);
      const repos = order.flatMap((name) => ['--repo', `${scene.servers.get(name)?.url}/`]);
      const merged = await runCommand('mergerepo_c', [...method, '--no-database', '--omit-baseurl', '--outputdir', theirs, ...repos]);
      t.is(merged.status, 0, merged.stderr);

      const { stdout } = await scene.site.run(['snapshot', 'search', id]);
      t.deepEqual(stdout.trim().split('\n').sort(), packagesIn(`${theirs}/repodata`), id);
    }
  }
});

/** As `snapshot search` writes them. */
function packagesIn(repodata: string): string[] {
  const primary = readdirSync(repodata).find((name) => name.endsWith('primary.xml.gz')) ?? '';
  const found = gunzipSync(readFileSync(`${repodata}/${primary}`)).toString().matchAll(/<name>(.*?)<\/name>\s*<arch>(.*?)<\/arch>\s*<version epoch="0" ver="(.*?)" rel="(.*?)"/g);
  return [...found].map(([, name, arch, version, release]) => `${name}-${version}-${release}.${arch}`).sort();
}

function digestsIn(repodata: string): string[] {
  const primary = readdirSync(repodata).find((name) => name.endsWith('primary.xml.gz')) ?? '';
  return [...gunzipSync(readFileSync(`${repodata}/${primary}`)).toString().matchAll(/pkgid="YES">([0-9a-f]+)</g)].map((match) => match[1] ?? '').sort();
}

witnessed('R06 one version twice in one upstream is refused, or the one built last is taken, with a warning', async (t) => {
  await using dir = await tempDir();
  const [first] = await buildRpms(dir, [{ name: 'app' }]);
  const [second] = await buildRpms(dir, [{ name: 'app', files: { '/usr/share/app/other': 'x' } }]);
  if (first === undefined || second === undefined) throw new Error('nothing was built');
  const upstream = await rpmUpstream(dir, { rpms: [first, { ...second, fileName: `again-${second.fileName}` }] });
  await upstream.rewrite('primary', (text) => text.replace(/build="\d+"/, 'build="1800000000"')); // again-app stands first
  await using scene = await makeRpmScene(dir, { refusing: { upstream }, choosing: { upstream, extra: { duplicates: 'newest' } } });

  const refused = await scene.site.run(['mirror', 'update', 'refusing', '--json']);
  t.is(JSON.parse(refused.stdout).error.code, 'E_CONFLICT');
  t.regex(JSON.parse(refused.stdout).error.message, /app 1\.0-1 noarch is [0-9a-f]{12} in primary as Packages\/again-app.* and [0-9a-f]{12} in primary as Packages\/app/);
  const chosen = await scene.site.run(['mirror', 'update', 'choosing']);
  t.is(chosen.status, 0, chosen.stderr);
  t.regex(chosen.stderr, /choosing: app 1\.0-1 noarch is offered with other bytes: [0-9a-f]{12} is taken/);
  t.true(scene.servers.get('choosing')?.paths().some((path) => path.includes('again-app')));
  t.false(scene.servers.get('choosing')?.paths().some((path) => path.endsWith('Packages/app-1.0-1.noarch.rpm')));
});

witnessed('of metadata the word of the first source counts, and of unknown types the file of the last one, whatever their digests', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'app' }]);
  const comps = (name: string): string => `<comps><group><id>g</id><name>${name}</name><packagelist><packagereq type="mandatory">app</packagereq></packagelist></group></comps>\n`;
  const names = ['one', 'two', 'three'];
  const upstreams = await Promise.all(names.map(async (name) => [name, { upstream: await rpmUpstream(dir, { rpms, metadata: { 'group.xml': comps(name), productid: `of ${name}` } }, name) }] as const));
  await using scene = await makeRpmScene(dir, Object.fromEntries(upstreams));
  for (const name of names) {
    t.is((await scene.site.run(['mirror', 'update', name])).status, 0);
    await scene.site.json(['snapshot', 'create', name, '--from-mirror', name]);
  }
  for (const [at, order] of [['one', 'two', 'three'], ['three', 'one', 'two'], ['two', 'three', 'one']].entries()) {
    await scene.site.json(['snapshot', 'merge', `half-${at}`, ...order.slice(0, 2)]);
    await scene.site.json(['snapshot', 'merge', `whole-${at}`, `half-${at}`, ...order.slice(2)]);
    await scene.site.json(['publish', 'snapshot', `whole-${at}`, 'rpm-mirror/ours', '--distribution', `el${at}`]);
    const repodata = `${scene.site.publicRoot}/rpm-mirror/ours/el${at}/x86_64/repodata`;
    const read = (type: string): string => {
      const name = readdirSync(repodata).find((file) => file.slice(65).startsWith(type)) ?? '';
      const bytes = readFileSync(`${repodata}/${name}`);
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    };

    t.is(/<name>(.*?)<\/name>/.exec(read('group'))?.[1], order[0], order.join(' '));
    t.is(read('productid'), `of ${order[2]}`, order.join(' '));
  }
  t.is((await scene.site.run(['db', 'check', '--deep'])).status, 0);
});

witnessed('builds with an epoch are kept together with their source, and it shows which source each package came from', async (t) => {
  await using dir = await tempDir();
  const one = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app', lines: ['Epoch: 1'], source: true }]) }, 'one');
  const two = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app', version: '2.0', source: true }, { name: 'own' }]) }, 'two');
  await using scene = await makeRpmScene(dir, { one: { upstream: one, extra: { with_sources: true } }, two: { upstream: two, extra: { with_sources: true } } });
  for (const name of ['one', 'two']) {
    const updated = await scene.site.run(['mirror', 'update', name]);
    t.is(updated.status, 0, updated.stderr);
    await scene.site.json(['snapshot', 'create', name, '--from-mirror', name]);
  }

  await scene.site.json(['snapshot', 'merge', 'all', 'one', 'two', '--policy', 'source']);

  t.deepEqual((await scene.site.run(['snapshot', 'search', 'all'])).stdout.trim().split('\n').sort(), ['app-1:1.0-1.noarch', 'app-1:1.0-1.src', 'own-1.0-1.noarch']);
  t.regex((await scene.site.run(['snapshot', 'show', 'all'])).stdout, /From:\s+merge \(source\) of one, two/);
  const holders = async (...which: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await scene.site.run(['package', 'show', ...which, '--snapshot', 'all', '--references']);
    return [...stdout.matchAll(/# held by (.*)/g)].map((match) => match[1] ?? '').sort();
  };
  t.deepEqual(await holders('app', '1:1.0-1', 'noarch'), ['mirror one', 'snapshot all', 'snapshot one']);
  t.deepEqual(await holders('own'), ['mirror two', 'snapshot all', 'snapshot two']);
  const found: readonly { readonly name: string; readonly references: readonly { readonly kind: string; readonly name: string }[] }[] = await scene.site.json(['package', 'show', 'Name (% *)', '--snapshot', 'all', '--references']);
  const origins = found.map(({ name, references }) => [name, ...references.filter(({ kind }) => kind === 'mirror').map((held) => held.name)]);
  t.deepEqual(origins.sort(), [['app', 'one'], ['app', 'one'], ['own', 'two']]);
  const left = (await scene.site.run(['snapshot', 'diff', 'two', 'all'])).stdout;
  t.regex(left, /2\.0-1 -> 1:1\.0-1/);
  t.notRegex(left, /own/);
  const verified = await scene.site.run(['snapshot', 'verify', 'one', '--follow-source', '--architectures', 'x86_64']);
  t.is(verified.status, 0, verified.stdout + verified.stderr);
});
