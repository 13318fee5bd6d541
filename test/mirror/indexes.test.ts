import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { crc32, gzipSync } from 'node:zlib';
import test from 'ava';
import type { ErrorCode } from '../../src/core/errors.ts';
import { buildDeb } from '../rig/deb.ts';
import type { UpstreamOptions } from '../rig/upstream.ts';
import { asked, HELLO, openBench, publishPackages, refused, signText, stanzaOf, WORLD, type Bench } from './support.ts';

const INDEX = 'main/binary-amd64/Packages';
const LATER = { date: new Date(Date.now() + 60_000) };

/** One listed line of Release, with its parts at hand. */
const relist = (path: string, change: (line: { digest: string; size: string; path: string }) => string) => (text: string) =>
  text.replaceAll(new RegExp(`^ ([0-9a-f]{64}) +(\\d+) (${path})$`, 'gm'), (_all, digest: string, size: string, name: string) =>
    change({ digest, size, path: name }),
  );

interface Case {
  readonly id: string;
  readonly code: ErrorCode;
  readonly message: RegExp;
  readonly release?: (text: string) => string;
  readonly spoil?: (bench: Bench) => void | Promise<void>;
}

const CASES: readonly Case[] = [
  {
    id: 'A12 a path listed twice with different digests',
    release: relist(`${INDEX}.gz`, ({ digest, size, path }) => ` ${digest} ${size} ${path}\n ${'0'.repeat(64)} ${size} ${path}`),
    code: 'E_FORMAT',
    message: /lists main\/binary-amd64\/Packages\.gz twice/,
  },
  ...['../../etc/x', '/etc/x', 'main/../../x', 'main//x', 'a\u0001b', 'a\\b', 'x'.repeat(4096)].map(
    (path): Case => ({
      id: `A13 the listed path ${JSON.stringify(path.slice(0, 20))}`,
      release: (text) => `${text} ${'0'.repeat(64)} 1 ${path}\n`,
      code: 'E_PATH',
      message: /Release lists the path/,
    }),
  ),
  ...['-1', '9223372036854775808', '1e9', '0x10', '1.5', ''].map(
    (size): Case => ({
      id: `A17 the listed size "${size}"`,
      release: relist(`${INDEX}.xz`, ({ digest, path }) => ` ${digest} ${size} ${path}`),
      code: 'E_FORMAT',
      message: /no digest, size and path/,
    }),
  ),
  {
    id: 'A17 a digest that is none',
    release: relist(`${INDEX}.xz`, ({ digest, size, path }) => ` ${digest.slice(1)} ${size} ${path}`),
    code: 'E_FORMAT',
    message: /no digest, size and path/,
  },
  {
    id: 'A17 the index is longer than listed',
    release: relist(`${INDEX}.*`, ({ digest, size, path }) => ` ${digest} ${Number(size) - 1} ${path}`),
    code: 'E_SIZE',
    message: /by-hash\/SHA256\/[0-9a-f]{64}.* listed/,
  },
  {
    id: 'A20 Packages.xz holds other packages than the plain digest says',
    spoil: (bench) => replaceIndex(bench, '.xz', xz(stanzaOf(HELLO, { Description: 'x'.repeat(5000) }))),
    code: 'E_SIZE',
    message: /Packages unpacks to more than the \d+ bytes listed/,
  },
  {
    id: 'A20 Packages.gz of the same length holds other bytes',
    spoil: async (bench) => {
      const plain = bench.upstream.files.get(`dists/rig/${INDEX}`)?.toString() ?? '';
      await replaceIndex(bench, '.gz', gzipSync(plain.replace('hello', 'jello')));
      await signText(bench, relist(`${INDEX}.xz`, () => ' '));
    },
    code: 'E_HASH',
    message: /unpacks to other bytes/,
  },
  {
    id: 'A20 Packages.gz unpacks to less than listed',
    spoil: async (bench) => {
      await replaceIndex(bench, '.gz', gzipSync(stanzaOf(HELLO)));
      await signText(bench, relist(`${INDEX}.xz`, () => ' '));
    },
    code: 'E_SIZE',
    message: /unpacks to \d+ bytes, \d+ are listed/,
  },
  {
    id: 'A20 an xz that breaks off, listed as it is',
    spoil: (bench) => replaceIndex(bench, '.xz', xz(stanzaOf(HELLO)).subarray(0, -20)),
    code: 'E_FORMAT',
    message: /Packages cannot be unpacked/,
  },
  {
    id: 'A20 an xz that is none, listed as it is',
    spoil: (bench) => replaceIndex(bench, '.xz', Buffer.from('<html>Welcome to this hotel</html>')),
    code: 'E_FORMAT',
    message: /Packages cannot be unpacked/,
  },
  {
    id: 'A20 a gz that breaks off, listed as it is',
    spoil: async (bench) => {
      await replaceIndex(bench, '.gz', gzipSync(stanzaOf(HELLO)).subarray(0, -6));
      await signText(bench, relist(`${INDEX}.xz`, () => ' '));
    },
    code: 'E_FORMAT',
    message: /Packages cannot be unpacked/,
  },
  {
    id: 'A20 a compressed index without its plain digest',
    release: relist(INDEX, () => ' '),
    code: 'E_FORMAT',
    message: /compressed but not its plain digest/,
  },
  {
    id: 'A22 a Release with a field twice',
    release: (text) => text.replace('Suite: stable', 'Suite: stable\nsuite: other'),
    code: 'E_FORMAT',
    message: /the field suite twice/,
  },
  {
    id: 'A22 a Release with a line that is no field',
    release: (text) => `${text}<html>\n`,
    code: 'E_FORMAT',
    message: /without a field name/,
  },
  {
    id: 'A30 an index that is listed and not there in any form',
    spoil: ({ upstream }) => {
      for (const path of upstream.files.keys()) if (path.includes('/binary-amd64/')) upstream.files.delete(path);
    },
    code: 'E_FETCH',
    message: /404 Not Found/,
  },
];

for (const { id, code, message, release, spoil } of CASES) {
  test(`${id}: refused with ${code}`, async (t) => {
    await using bench = await openBench();
    await bench.update();
    await bench.upstream.republish({ ...LATER, components: { main: [HELLO, WORLD, buildDeb({ name: 'third' })] } });
    await spoil?.(bench);
    if (release !== undefined) await signText(bench, release);

    await refused(t, bench, { code, message });
  });
}

test('A10 digests of other kinds may stand beside SHA256', async (t) => {
  await using bench = await openBench({ digests: ['MD5Sum', 'SHA1', 'SHA256', 'SHA512'] });
  t.is((await bench.update()).packages, 2);
});

test('A12 a path listed twice alike is no contradiction', async (t) => {
  await using bench = await openBench();
  await signText(bench, relist(`${INDEX}.xz`, ({ digest, size, path }) => ` ${digest} ${size} ${path}\n ${digest} ${size} ${path}`));
  t.is((await bench.update()).packages, 2);
});

for (const form of ['plain', 'gz', 'xz'] as const) {
  test(`A20 an index offered only as ${form} is read, though the other forms are listed`, async (t) => {
    await using bench = await openBench({ byHash: false });
    for (const [name, suffix] of [['plain', ''], ['gz', '.gz'], ['xz', '.xz']] as const) {
      if (name !== form) bench.upstream.files.delete(`dists/rig/${INDEX}${suffix}`);
    }
    t.is((await bench.update()).packages, 2);
  });
}

test('A20 indexes packed by zstd, bzip2 and in several gz members are read', async (t) => {
  const plain = Buffer.from(`${stanzaOf(HELLO)}\n${stanzaOf(WORLD)}`);
  const forms: readonly (readonly [string, Buffer])[] = [
    ['.zst', spawnSync('zstd', ['-c'], { input: plain }).stdout],
    ['.bz2', spawnSync('bzip2', ['-c'], { input: plain }).stdout],
    ['.gz', Buffer.concat([gzipSync(plain.subarray(0, 100)), gzipSync(plain.subarray(100))])],
  ];
  for (const [suffix, bytes] of forms.filter(([, packed]) => (packed?.length ?? 0) > 0)) {
    await using bench = await openBench({ compress: ['plain'], byHash: false });
    await publishPackages(bench, plain);
    bench.upstream.files.delete(`dists/rig/${INDEX}`);
    bench.upstream.files.set(`dists/rig/${INDEX}${suffix}`, bytes);
    await signText(bench, (text) => `${text} ${sha256(bytes)} ${bytes.length} ${INDEX}${suffix}\n`);
    t.is((await bench.update()).packages, 2, suffix);
  }
});

test('A21 by-hash is used where it is advertised, and each index is fetched once', async (t) => {
  await using bench = await openBench();
  await bench.update();
  t.is(asked(bench.server, '/Packages.xz') + asked(bench.server, '/Packages.gz'), 0);
  t.is(bench.server.paths().filter((path) => path.includes('/by-hash/SHA256/')).length, 1);
});

test('A21 by-hash that is advertised and not there: the plain name once, still checked', async (t) => {
  await using bench = await openBench();
  for (const path of bench.upstream.files.keys()) if (path.includes('/by-hash/')) bench.upstream.files.delete(path);
  await bench.update();
  t.is(bench.server.paths().filter((path) => path.includes('/by-hash/')).length, 1);
  t.is(asked(bench.server, '/Packages.xz'), 1);

  await bench.upstream.republish({ ...LATER, components: { main: [HELLO] } });
  bench.server.fault(/by-hash/, { kind: 'status', status: 404 });
  bench.server.fault('/Packages.xz', { kind: 'corrupt' });
  await refused(t, bench, { code: 'E_HASH', message: /Packages\.xz/ });
});

test('A21 without Acquire-By-Hash nothing is asked for by hash', async (t) => {
  await using bench = await openBench({ byHash: false });
  await bench.update();
  t.false(bench.server.paths().some((path) => path.includes('by-hash')));
});

test('A20 an xz that wants gigabytes of memory to be unpacked is refused', async (t) => {
  await using bench = await openBench();
  const bytes = xz(stanzaOf(HELLO));
  // The block header holds the size of the dictionary (xz file format 3.1, 5.3.1): 37 stands for 1.5 GiB.
  bytes[16] = 37;
  bytes.writeUInt32LE(crc32(bytes.subarray(12, 20)), 20);
  await replaceIndex(bench, '.xz', bytes);

  await refused(t, bench, { code: 'E_FORMAT', message: /cannot be unpacked.*[Mm]emory/ });
});

test('A30 rubbish among the files nobody asked for harms nothing', async (t) => {
  const indices = {
    'main/Contents-amd64': Buffer.alloc(100, 0xff),
    'main/i18n/Translation-en': '\u0000 no stanza',
    'main/binary-amd64/Packages.diff/Index': '<html>',
    'main/source/Sources': 'Package: ../evil\n',
  };
  await using bench = await openBench({ indices });
  for (const path of bench.upstream.files.keys()) if (path.includes('Contents')) bench.upstream.files.delete(path);
  t.is((await bench.update()).packages, 2);
  t.is(bench.server.requests.length, 4);
});

test('an empty component is an index of size 0, and no failure', async (t) => {
  await using bench = await openBench({ components: { main: [] } });
  t.is((await bench.update()).packages, 0);
  await bench.upstream.republish({ ...LATER, components: { main: [HELLO] } });
  t.is((await bench.update()).packages, 1);
});

test('what the upstream does not offer is named: components and architectures', async (t) => {
  await using bench = await openBench({ components: { main: [HELLO], extra: [] } });
  const ask = (components: readonly string[], architectures: readonly string[]) => ({
    definition: { request: { distribution: 'rig', components, architectures } },
  });

  const component = await refused(t, bench, { ...ask(['mian'], ['amd64']), code: 'E_NOT_FOUND', message: /no component "mian"/ });
  t.regex(component.hint ?? '', /main, extra/);
  const architecture = await refused(t, bench, { ...ask(['main'], ['s390x']), code: 'E_NOT_FOUND', message: /s390x/ });
  t.regex(architecture.hint ?? '', /amd64/);
  t.is((await bench.update(ask(['main'], ['s390x', 'amd64']))).packages, 1);
  t.is((await bench.update(ask([], ['amd64']))).packages, 1);
});

test('with two components and several architectures only the changed index is fetched again', async (t) => {
  const options = (extra: readonly string[]): Partial<UpstreamOptions> => ({
    components: { main: [HELLO], extra: extra.map((name) => buildDeb({ name })) },
  });
  await using bench = await openBench({ ...options(['one']), architectures: ['amd64', 'arm64'] });
  const definition = { request: { distribution: 'rig', components: ['main', 'extra'], architectures: ['amd64', 'arm64'] } };
  await bench.update({ definition });
  await bench.upstream.republish({ ...LATER, ...options(['one', 'two']) });
  bench.server.requests.length = 0;

  const result = await bench.update({ definition });

  t.like(result, { changed: true, packages: 3, files: 1 });
  t.deepEqual(
    bench.server.paths().map((path) => path.replace(/[0-9a-f]{64}/, '*')),
    ['dists/rig/InRelease', 'dists/rig/extra/binary-amd64/by-hash/SHA256/*', 'pool/extra/t/two/two_1.0-1_amd64.deb'],
  );
  t.deepEqual(bench.packages(), ['hello 1.0-1', 'one 1.0-1', 'two 1.0-1']);
});

function xz(text: string): Buffer {
  return spawnSync('xz', ['-c'], { input: text }).stdout;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Puts other bytes in place of one form of the index and lists them truthfully; the plain digest stays as it was. */
async function replaceIndex(bench: Bench, suffix: string, bytes: Buffer): Promise<void> {
  const { files } = bench.upstream;
  files.set(`dists/rig/${INDEX}${suffix}`, bytes);
  files.set(`dists/rig/main/binary-amd64/by-hash/SHA256/${sha256(bytes)}`, bytes);
  await signText(bench, relist(`${INDEX}\\${suffix}`, ({ path }) => ` ${sha256(bytes)} ${bytes.length} ${path}`));
}
