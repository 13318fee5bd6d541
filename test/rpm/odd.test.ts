/** Upstreams that are odd and not wrong: nothing of them is lost, and dnf reads what becomes of them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { dnfClient } from '../rig/dnf.ts';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream, type RpmUpstream } from '../rig/rpm-upstream.ts';
import { runArtifacts } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, modulesYaml, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools && hasCommand('zstd') && hasCommand('xz'), `${NO_RPM_TOOLS}, or zstd or xz`);

const REPOSITORY = 'rpm-mirror/integrated/r1.0.0-el9/x86_64';

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Packs one of the gzipped documents in another way. */
async function repack({ files, sign }: RpmUpstream, type: string, { suffix, pack }: { readonly suffix: string; readonly pack: (plain: Buffer) => Buffer }): Promise<void> {
  const repomd = files.get('repodata/repomd.xml')?.toString() ?? '';
  const record = new RegExp(`<data type="${type}">.*?</data>`, 's').exec(repomd)?.[0] ?? '';
  const href = /href="([^"]*)"/.exec(record)?.[1] ?? '';
  const packed = pack(gunzipSync(files.get(href) ?? Buffer.alloc(0)));
  const name = `repodata/${digest(packed)}-${type}.xml${suffix}`;
  files.delete(href);
  files.set(name, packed);
  const changed = record
    .replace(/(<checksum type="sha256">)[^<]*/, `$1${digest(packed)}`)
    .replace(href, name)
    .replace(/(<size>)\d+/, `$1${packed.length}`);
  await sign(repomd.replace(record, changed));
}

function tool(command: string, args: readonly string[]): (plain: Buffer) => Buffer {
  return (input) => spawnSync(command, args, { input }).stdout;
}

witnessed('each document may be packed in its own way: zst, xz or not at all', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha', sections: '%changelog\n* Tue Nov 14 2023 Ann <ann@example.invalid> - 1.0-1\n- first\n' }]) });
  await repack(upstream, 'primary', { suffix: '.zst', pack: tool('zstd', ['-q', '-c']) });
  await repack(upstream, 'filelists', { suffix: '.xz', pack: tool('xz', ['-c']) });
  await repack(upstream, 'other', { suffix: '', pack: (plain) => plain });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);

  const client = await scene.client('client', REPOSITORY);
  t.regex(await client.ok(['repoquery', '-q', '-l', 'alpha']), /\/usr\/share\/alpha\/about/);
  t.regex(await client.ok(['repoquery', '-q', '--changelog', 'alpha']), /- first/);
});

witnessed('R08 zchunk forms beside the plain ones are left out; what is there only as zchunk or as a database is refused by name', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha', files: { '/usr/bin/alpha': 'x' } }]), args: ['--zck'], metadata: { 'updateinfo.xml': '<updates/>\n' } });
  const repomd = upstream.files.get('repodata/repomd.xml')?.toString() ?? '';
  const without = (type: string): string => repomd.replace(new RegExp(`<data type="${type}">.*?</data>\\s*`, 's'), '');
  t.deepEqual([...repomd.matchAll(/<data type="([^"]*_zck)"/g)].map(([, type]) => type), ['primary_zck', 'filelists_zck', 'other_zck']);
  await using scene = await makeRpmScene(dir, { up: { upstream } });

  for (const [text, message] of [
    [without('primary'), /there is no primary but in the form primary_zck, which is not read/],
    [without('filelists'), /there is no filelists but in the form filelists_zck/],
    [repomd.replaceAll('"updateinfo"', '"updateinfo_zck"'), /there is no updateinfo but in the form updateinfo_zck/],
    [without('other').replaceAll('"other_zck"', '"other_db"'), /there is no other but in the form other_db/],
  ] as const) {
    await upstream.sign(text);
    const refused = await scene.site.run(['mirror', 'update', 'up']);
    t.is(refused.status, 1, refused.stderr);
    t.regex(refused.stderr, message);
  }

  await upstream.sign(repomd);
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);
  t.notRegex(readFileSync(`${scene.site.publicRoot}/${REPOSITORY}/repodata/repomd.xml`, 'utf8'), /zck/);
  const client = await scene.client('client', REPOSITORY);
  t.regex(await client.ok(['repoquery', '-q', '-l', 'alpha']), /\/usr\/bin\/alpha/);
});

witnessed('without filelists, with a package listed twice, and two packages whose files have one name', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha', files: { '/usr/bin/alpha': 'x' } }, { name: 'beta' }]);
  const upstream = await rpmUpstream(dir, { rpms });
  const [alpha, beta] = rpms.map(({ fileName }) => `Packages/${fileName}`) as [string, string];
  // One name in two folders, and a name that an URL cannot hold as it is.
  for (const [from, to] of [[alpha, 'Packages/a/package.rpm'], [beta, 'Packages/b ~^+#/package.rpm']] as const) {
    upstream.files.set(to, upstream.files.get(from) ?? Buffer.alloc(0));
    upstream.files.delete(from);
    await upstream.rewrite('primary', (text) => text.replace(`href="${from}"`, `href="${to}"`));
  }
  await upstream.rewrite('primary', (text) => {
    const again = /<package .*?<\/package>\n/s.exec(text)?.[0] ?? '';
    return text.replace('packages="2"', 'packages="3"').replace('</metadata>', `${again}</metadata>`);
  });
  await upstream.sign(upstream.files.get('repodata/repomd.xml')?.toString().replace(/<data type="filelists">.*?<\/data>\s*/s, ''));
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);

  const client = await scene.client('client', REPOSITORY);
  t.deepEqual((await client.ok(['repoquery', '-q', '--all', '--qf', '%{name}'])).trim().split('\n'), ['alpha', 'beta']);
  t.regex(await client.ok(['repoquery', '-q', '-l', 'alpha']), /\/usr\/bin\/alpha/, 'what primary tells of files is kept');
  await client.ok(['install', 'alpha', 'beta']);
});

witnessed('R04 a package that is cut, or of another size than listed, is refused', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }]);
  const upstream = await rpmUpstream(dir, { rpms });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const path = `Packages/${rpms[0]?.fileName}`;
  const good = upstream.files.get(path) ?? Buffer.alloc(0);
  const code = async (): Promise<string> => JSON.parse((await scene.site.run(['mirror', 'update', 'up', '--json'])).stdout).error?.code;

  upstream.files.set(path, good.subarray(0, -10));
  t.is(await code(), 'E_SIZE');
  upstream.files.set(path, good);
  await upstream.rewrite('primary', (text) => text.replace(/package="\d+"/, `package="${good.length + 1}"`));
  t.is(await code(), 'E_SIZE');
  await upstream.republish();
  t.is((await scene.site.run(['mirror', 'update', 'up'])).status, 0);
});

witnessed('an upstream that publishes while it is read is read again from its new repomd.xml', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  const { files } = upstream;
  const before = new Map(files);
  await upstream.republish({ rpms: await buildRpms(dir, [{ name: 'beta' }]), date: new Date(Date.now() + 5000) });
  const after = new Map(files);
  const put = (all: ReadonlyMap<string, Buffer>): void => {
    files.clear();
    for (const [path, bytes] of all) files.set(path, bytes);
  };
  put(before);
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const get = files.get.bind(files);
  let switched = false;
  files.get = (path) => {
    if (!switched && path.includes('filelists')) {
      switched = true;
      put(after);
    }
    return get(path);
  };

  const updated = await scene.site.run(['mirror', 'update', 'up']);
  t.is(updated.status, 0, updated.stderr);
  t.true(switched);
  t.regex(updated.stderr, /the upstream changed meanwhile; starting over/);
  t.is((await scene.site.run(['mirror', 'search', 'up'])).stdout.trim(), 'beta-1.0-1.noarch');
});

witnessed('repomd.xml and its signature of two states, while the upstream publishes, are asked for once more', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  const { files } = upstream;
  const path = 'repodata/repomd.xml';
  const old = files.get(path);
  await upstream.republish({ rpms: await buildRpms(dir, [{ name: 'beta' }]), date: new Date(Date.now() + 5000) });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const get = files.get.bind(files);
  let lies = 1;
  files.get = (asked) => (asked === path && lies-- > 0 ? old : get(asked));

  const updated = await scene.site.run(['mirror', 'update', 'up']);
  t.is(updated.status, 0, updated.stderr);
  t.is((await scene.site.run(['mirror', 'search', 'up'])).stdout.trim(), 'beta-1.0-1.noarch');
  lies = Infinity;
  const refused = await scene.site.run(['mirror', 'update', 'up', '--force', '--json']);
  t.is(JSON.parse(refused.stdout).error?.code, 'E_SIGNATURE', 'what stays so is no race');
});

witnessed('hrefs with signs that an URL cannot hold are requested as dnf requests them', async (t) => {
  await using dir = await tempDir();
  const folders = ['a%2Bb', 'a+b', 'a^b', 'a~b', 'a b', 'a#b', 'a?b', 'a%20b', 'a%b', 'a:b'];
  const rpms = await buildRpms(dir, folders.map((_, at) => ({ name: `p${at}` })));
  const upstream = await rpmUpstream(dir, { rpms });
  const { files } = upstream;
  for (const [at, { fileName }] of rpms.entries()) {
    const folder = folders[Number(/^p(\d+)-/.exec(fileName)?.[1] ?? at)] ?? '';
    files.set(`Packages/${folder}/${fileName}`, files.get(`Packages/${fileName}`) ?? Buffer.alloc(0));
    files.delete(`Packages/${fileName}`);
    await upstream.rewrite('primary', (text) => text.replace(`href="Packages/${fileName}"`, `href="Packages/${folder}/${fileName}"`));
  }
  // The metadata's own location is a part of an URL for them.
  const repomd = files.get('repodata/repomd.xml')?.toString() ?? '';
  const other = /repodata\/([^"]*-other\.xml\.gz)/.exec(repomd)?.[1] ?? '';
  files.set(`repodata/a+b ${other}`, files.get(`repodata/${other}`) ?? Buffer.alloc(0));
  files.delete(`repodata/${other}`);
  await upstream.sign(repomd.replace(`repodata/${other}`, `repodata/a%2Bb%20${other}`));
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const server = scene.servers.get('up');
  const requested = (): readonly string[] =>
    (server?.requests ?? []).filter(({ path }) => path.includes('/Packages/') || path.includes('other')).map(({ path }) => path.replace(/%[0-9a-f]{2}/g, (code) => code.toUpperCase()).replaceAll('%3A', ':')).sort();

  const updated = await scene.site.run(['mirror', 'update', 'up']);
  t.is(updated.status, 0, updated.stderr);
  const ours = requested();
  server?.requests.splice(0);
  const client = await dnfClient(dir, 'upstream-client', [{ id: 'up', url: server?.url ?? '' }]);
  await client.ok(['install', '--downloadonly', '--setopt=optional_metadata_types=other', ...folders.map((_, at) => `p${at}`)]);
  t.is(ours.length, folders.length + 1);
  t.deepEqual(ours.filter((path) => path.includes('/Packages/')), requested().filter((path) => path.includes('/Packages/')));
});

witnessed('a record that stands twice in repomd.xml is one, and two that differ are refused', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  const repomd = upstream.files.get('repodata/repomd.xml')?.toString() ?? '';
  const primary = /<data type="primary">.*?<\/data>/s.exec(repomd)?.[0] ?? '';
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const update = async (second: string): Promise<{ readonly code?: string; readonly message?: string }> => {
    await upstream.sign(repomd.replace('</repomd>', `${second}</repomd>`));
    return JSON.parse((await scene.site.run(['mirror', 'update', 'up', '--json'])).stdout).error ?? {};
  };

  const { code, message } = await update(primary.replace(/(<checksum type="sha256">)[0-9a-f]{64}/, `$1${'0'.repeat(64)}`));
  t.is(code, 'E_FORMAT');
  t.regex(message ?? '', /two different records of the type "primary"/);
  t.deepEqual(await update(primary), {});
});

witnessed('both halves of a multilib pair, noarch packages of two architectures, and sources among them', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'lib', arch: 'x86_64', files: { '/usr/lib64/lib': 'x' } }, { name: 'lib', arch: 'i686', files: { '/usr/lib/lib': 'y' } }, { name: 'lib', arch: 'aarch64', files: { '/usr/lib64/lib': 'z' } }, { name: 'common', source: true }]);
  const of = (pattern: RegExp): typeof rpms => rpms.filter(({ fileName }) => pattern.test(fileName));
  const intel = await rpmUpstream(dir, { rpms: of(/x86_64|i686|common/) }, 'intel');
  const arm = await rpmUpstream(dir, { rpms: of(/aarch64|common.*noarch/) }, 'arm');
  await using scene = await makeRpmScene(dir, { intel: { upstream: intel, extra: { with_sources: true } }, arm: { upstream: arm } });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);

  const all = async (architecture: string): Promise<readonly string[]> => {
    const client = await scene.client(architecture, `rpm-mirror/integrated/r1.0.0-el9/${architecture}`);
    return (await client.ok(['repoquery', '-q', '--all', `--forcearch=${architecture === 'source' ? 'x86_64' : architecture}`, '--qf', '%{name}.%{arch}'])).trim().split('\n').sort();
  };
  t.deepEqual(await all('x86_64'), ['common.noarch', 'lib.i686', 'lib.x86_64']);
  t.deepEqual(await all('aarch64'), ['common.noarch', 'lib.aarch64']);
  t.deepEqual(await all('source'), ['common.src']);
});

const SIZES = /\s*<(?:open-)?size>\d*<\/(?:open-)?size>/g;
const OPEN = /\s*<(?:open-)?size>\d*<\/(?:open-)?size>|\s*<open-checksum.*?<\/open-checksum>/g;
const LESS_TOLD: readonly { readonly id: string; readonly left: RegExp; readonly exact?: boolean; readonly args?: readonly string[] }[] = [
  { id: 'a repomd.xml that tells no sizes', left: SIZES },
  { id: 'neither sizes nor what metadata unpacks to', left: OPEN },
  { id: 'neither of them, kept exactly, with SHA-512', left: OPEN, exact: true, args: ['--checksum', 'sha512'] },
];
const COMPS = '<comps><group><id>all</id><name>Everything</name><default>true</default><uservisible>true</uservisible><packagelist><packagereq type="mandatory">alpha</packagereq></packagelist></group></comps>\n';

for (const { id, left, exact = false, args = [] } of LESS_TOLD) {
  witnessed(`taken by dnf and by us: ${id}`, async (t) => {
    await using dir = await tempDir();
    const rpms = await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta' }]);
    const upstream = await rpmUpstream(dir, { rpms, args, metadata: { 'group.xml': COMPS, 'modules.yaml': modulesYaml('m', ['beta-0:1.0-1.noarch']) } });
    const repomd = (upstream.files.get('repodata/repomd.xml')?.toString() ?? '').replace(left, '');
    await upstream.sign(repomd);
    await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact } } });
    const server = scene.servers.get('up');
    const witness = await dnfClient(dir, 'upstream-client', [{ id: 'up', url: server?.url ?? '', keyring: upstream.keyring }]);
    t.regex(await witness.ok(['group', 'info', 'all']), /alpha/);
    const built = await scene.site.run(['build', '--release', 'r1.0.0']);
    t.is(built.status, 0, built.stderr);

    const client = exact ? await dnfClient(dir, 'client', [{ id: 'release', url: `${scene.published.url}/${REPOSITORY}`, keyring: upstream.keyring }]) : await scene.client('client', REPOSITORY);
    t.regex(await client.ok(['group', 'info', 'all']), /alpha/);
    t.regex(await client.ok(['module', 'list', '--all']), /1\.10/);
    await client.ok(['install', 'alpha']);
    t.is((await scene.site.run(['publish', 'verify', 'r1.0.0-el9', 'rpm-mirror/integrated'])).status, 0);

    server?.requests.splice(0);
    await upstream.sign(repomd.replace(/(<revision>)\d+/, (_, tag: string) => `${tag}${Math.floor(Date.now() / 1000)}`));
    t.regex((await scene.site.run(['mirror', 'update', 'up'])).stdout, /up: [^u]/, 'the new state is taken');
    t.is(server?.requests.filter(({ path }) => /group|Packages/.test(path)).length, 0, 'what is there is not fetched again');
  });
}

const MANY = 100_000;

witnessed(`a primary of ${MANY} packages and one package of 10,000 files are read in bounded memory, with a closure`, async (t) => {
  t.timeout(180_000);
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  const files = Array.from({ length: 10_000 }, (_, at) => `<file>/usr/share/alpha/a-file-of-many-${at}</file>`).join('\n');
  await upstream.rewrite('filelists', (text) => text.replace('</package>', `${files}</package>`));
  await upstream.rewrite('primary', (text) => {
    const one = /<package .*?<\/package>\n/s.exec(text)?.[0] ?? '';
    const copy = (at: number): string => one.replaceAll(/(<name>|entry name=")alpha/g, `$1p${at}`).replace(/(pkgid="YES">)[0-9a-f]{64}/, `$1${at.toString(16).padStart(64, '0')}`);
    return text.replace('packages="1"', `packages="${MANY + 1}"`).replace('</metadata>', `${Array.from({ length: MANY }, (_, at) => copy(at)).join('')}</metadata>`);
  });
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { filter: 'Name (= alpha)', filter_with_deps: true } } });
  const { root, state } = scene.site;
  const atExit = 'process.on("exit",()=>process.stderr.write("\\npeak="+process.resourceUsage().maxRSS+"\\n"))';

  const { status, stderr } = await runArtifacts(['mirror', 'update', 'up'], { root, state, timeout: 150_000, env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(atExit)}` } });

  t.is(status, 0, stderr);
  const peak = Number(/^peak=(\d+)$/m.exec(stderr)?.[1]) / 1024;
  t.log(`${Math.round(peak)} MiB`);
  t.true(peak < 270, `${peak} MiB`);
  t.is((await scene.site.run(['mirror', 'search', 'up'])).stdout.trim(), 'alpha-1.0-1.noarch');
});
