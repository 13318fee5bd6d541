/** What an rpm upstream may not do (ids: rpm), and what it may, odd as it is. The last good state stays in any case. */
import type { ExecutionContext } from 'ava';
import { buildRpms, type Rpm } from '../rig/rpm.ts';
import { rigKey } from '../rig/key.ts';
import { rpmUpstream, type RpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { signBytes } from '../rig/upstream.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS, type RpmScene } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

interface Bench extends AsyncDisposable {
  readonly upstream: RpmUpstream;
  readonly scene: RpmScene;
  readonly rpms: readonly Rpm[];
  names(): Promise<readonly string[]>;
}

let built: Promise<readonly Rpm[]> | undefined;
let builtIn: TempDir | undefined;

/** The packages are built once for all tests of this file. */
async function packages(): Promise<readonly Rpm[]> {
  builtIn ??= await tempDir();
  built ??= buildRpms(builtIn, [{ name: 'alpha' }, { name: 'beta', lines: ['Requires: alpha'] }]);
  return built;
}

async function openBench(dir: TempDir, args: readonly string[] = []): Promise<Bench> {
  const rpms = await packages();
  const upstream = await rpmUpstream(dir, { rpms, args });
  const scene = await makeRpmScene(dir, { up: { upstream } });
  return {
    upstream,
    scene,
    rpms,
    names: async () => {
      const { stdout } = await scene.site.run(['mirror', 'search', 'up']);
      return stdout.trim().split('\n').filter((line) => line !== '').sort();
    },
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  };
}

async function refused(t: ExecutionContext, { scene }: Bench, code: string, message?: RegExp): Promise<void> {
  const { status, stdout } = await scene.site.run(['mirror', 'update', 'up', '--json']);
  t.not(status, 0, stdout);
  t.is(JSON.parse(stdout).error.code, code, stdout);
  if (message !== undefined) t.regex(JSON.parse(stdout).error.message, message);
}

type Lie = (bench: Bench) => Promise<void> | void;

const REFUSED: readonly { readonly id: string; readonly code: string; readonly message?: RegExp; readonly lie: Lie }[] = [
  { id: 'R01 a document type', code: 'E_FORMAT', message: /document type/, lie: (b) => edit(b, (text) => text.replace('<repomd', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><repomd')) },
  { id: 'R01 a document type in primary', code: 'E_FORMAT', lie: (b) => b.upstream.rewrite('primary', (text) => text.replace('<metadata', '<!DOCTYPE x><metadata')) },
  { id: 'R02 depth', code: 'E_FORMAT', message: /deeper/, lie: (b) => edit(b, (text) => text.replace('</repomd>', `${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}</repomd>`)) },
  { id: 'R02 a tag that is not closed', code: 'E_FORMAT', lie: (b) => edit(b, (text) => text.replace('</repomd>', '')) },
  { id: 'R02 an entity nobody declared', code: 'E_FORMAT', lie: (b) => b.upstream.rewrite('primary', (text) => text.replace('the package alpha', '&bomb;')) },
  { id: 'R02 a package that is no XML', code: 'E_FORMAT', lie: (b) => b.upstream.rewrite('filelists', (text) => text.replace('</file>', '</fil>')) },
  { id: 'R02 a comment that could hide what follows', code: 'E_FORMAT', lie: (b) => b.upstream.rewrite('other', (text) => text.replace('<version', '<!--<version')) },
  { id: 'R02 attributes without end', code: 'E_FORMAT', message: /attributes/, lie: (b) => edit(b, (text) => text.replace('<revision', `<revision ${Array.from({ length: 100_000 }, (_, at) => `a${at}="x"`).join(' ')}`)) },
  { id: 'R02 UTF-16', code: 'E_FORMAT', lie: (b) => sign(b, Buffer.from(`\ufeff${repomd(b)}`, 'utf16le')) },
  { id: 'R02 bytes that are no UTF-8', code: 'E_FORMAT', lie: (b) => sign(b, Buffer.from(repomd(b).replace('<revision>', '<revision>caf\u00e9'), 'latin1')) },
  { id: 'R04 md5 in repomd.xml', code: 'E_WEAK_HASH', lie: (b) => edit(b, (text) => text.replaceAll('type="sha256"', 'type="md5"')) },
  { id: 'R04 sha1 in repomd.xml', code: 'E_WEAK_HASH', lie: (b) => edit(b, (text) => text.replaceAll('type="sha256"', 'type="sha1"')) },
  { id: 'R04 no checksum', code: 'E_WEAK_HASH', lie: (b) => edit(b, (text) => text.replace(/<checksum.*?<\/checksum>/, '')) },
  { id: 'R04 md5 for a package', code: 'E_WEAK_HASH', message: /alpha/, lie: (b) => b.upstream.rewrite('primary', (text) => text.replace('type="sha256" pkgid', 'type="md5" pkgid')) },
  { id: 'R04 sha for a package', code: 'E_WEAK_HASH', message: /alpha/, lie: (b) => b.upstream.rewrite('primary', (text) => text.replace('type="sha256" pkgid', 'type="sha" pkgid')) },
  { id: 'R04 another open-checksum', code: 'E_HASH', lie: (b) => edit(b, (text) => text.replace(/(<open-checksum type="sha256">)[^<]*/, `$1${'0'.repeat(64)}`)) },
  { id: 'R04 another size', code: 'E_SIZE', lie: (b) => edit(b, (text) => text.replace(/<size>\d+/, '<size>7')) },
  { id: 'R05 no signature', code: 'E_UNSIGNED', lie: ({ upstream }) => void upstream.files.delete('repodata/repomd.xml.asc') },
  { id: 'R05 a signature of other bytes', code: 'E_SIGNATURE', lie: ({ upstream: { files } }) => void files.set('repodata/repomd.xml', Buffer.concat([files.get('repodata/repomd.xml') ?? Buffer.alloc(0), Buffer.from('\n')])) },
  { id: 'R06 more packages than promised', code: 'E_FORMAT', message: /1 packages are promised and 2/, lie: (b) => b.upstream.rewrite('primary', (text) => text.replace('packages="2"', 'packages="1"')) },
  { id: 'R06 fewer packages than promised', code: 'E_FORMAT', message: /9 packages are promised and 2/, lie: (b) => b.upstream.rewrite('primary', (text) => text.replace('packages="2"', 'packages="9"')) },
  { id: 'R06 one version with other bytes', code: 'E_CONFLICT', message: /alpha/, lie: async (b) => {
    await using folder = await tempDir();
    const [other] = await buildRpms(folder, [{ name: 'alpha', files: { '/usr/share/alpha/other': 'x' } }]);
    await b.upstream.republish({ rpms: [...b.rpms, { fileName: 'other.rpm', bytes: other?.bytes ?? Buffer.alloc(0) }] });
  } },
  { id: 'R08 a bomb', code: 'E_SIZE', lie: async (b) => {
    const size = /<open-size>(\d+)/.exec(repomd(b))?.[1] ?? '';
    await b.upstream.rewrite('primary', (text) => text + ' '.repeat(3_000_000));
    await edit(b, (text) => text.replace(/<open-size>\d+/, `<open-size>${size}`));
  } },
  { id: 'a path out of the repository in repomd.xml', code: 'E_PATH', lie: (b) => edit(b, (text) => text.replace(/href="repodata\//, 'href="../repodata/')) },
  { id: 'an address of its own in repomd.xml', code: 'E_PATH', lie: (b) => edit(b, (text) => text.replace(/href="repodata\//, 'href="http://127.0.0.3/')) },
  { id: 'a path out of the repository for a package', code: 'E_PATH', lie: (b) => b.upstream.rewrite('primary', (text) => text.replace('href="Packages/', 'href="../Packages/')) },
  { id: 'a package at an internal address', code: 'E_FETCH', message: /internal address/, lie: (b) => b.upstream.rewrite('primary', (text) => text.replace('<location href', '<location xml:base="http://127.0.0.3/" href')) },
  { id: 'a package of other bytes', code: 'E_HASH', lie: ({ upstream: { files }, rpms }) => {
    const { fileName = '', bytes = Buffer.alloc(0) } = rpms[0] ?? {};
    files.set(`Packages/${fileName}`, Buffer.concat([bytes.subarray(0, -1), Buffer.from([~(bytes.at(-1) ?? 0) & 0xff])]));
  } },
];

function repomd({ upstream }: Bench): string {
  return upstream.files.get('repodata/repomd.xml')?.toString() ?? '';
}

/** Signed as these very bytes. */
async function sign({ upstream }: Bench, bytes: Buffer): Promise<void> {
  upstream.files.set('repodata/repomd.xml', bytes);
  upstream.files.set('repodata/repomd.xml.asc', await signBytes(bytes, [await rigKey()], new Date()));
}

function edit(bench: Bench, change: (text: string) => string): Promise<void> {
  return bench.upstream.sign(change(repomd(bench)));
}

for (const { id, code, message, lie } of REFUSED) {
  witnessed(`refused: ${id}`, async (t) => {
    await using dir = await tempDir();
    await using bench = await openBench(dir);
    await lie(bench);

    await refused(t, bench, code, message);

    t.deepEqual(await bench.names(), []);
  });
}

witnessed('the last good state stays when the upstream turns bad, and an older one is refused', async (t) => {
  await using dir = await tempDir();
  await using bench = await openBench(dir);
  t.is((await bench.scene.site.run(['mirror', 'update', 'up'])).status, 0);
  const before = await bench.names();
  t.is(before.length, 2);

  await bench.upstream.republish({ keys: [await rigKey('stranger')] });
  await bench.upstream.rewrite('primary', (text) => text.replace('packages="2"', 'packages="9"'));
  await refused(t, bench, 'E_FORMAT');
  t.deepEqual(await bench.names(), before);

  await bench.upstream.republish({ date: new Date(Date.now() - 86_400_000) });
  await refused(t, bench, 'E_ROLLBACK');
});

witnessed('documents in another order, or missing, are no reason to lose anything', async (t) => {
  await using dir = await tempDir();
  await using bench = await openBench(dir);
  await bench.upstream.rewrite('filelists', (text) => {
    const chunks = text.match(/<package .*?<\/package>\n/gs) ?? [];
    return text.replace(chunks.join(''), chunks.toReversed().join(''));
  });
  await edit(bench, (text) => text.replace(/<data type="other">.*?<\/data>\s*/s, ''));

  t.is((await bench.scene.site.run(['mirror', 'update', 'up'])).status, 0);
  t.is((await bench.scene.site.run(['build', '--release', 'r1.0.0'])).status, 0);
  const client = await bench.scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  t.regex(await client.ok(['repoquery', '-q', '-l', 'beta']), /\/usr\/share\/beta\/about/);
});
