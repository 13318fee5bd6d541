import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'ava';
import { parseAptBoolean, parseAptConfig, parseDeb822, parseOneLine } from '../../src/config/apt-sources.ts';
import { thisMachine } from '../../src/config/machine.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import type { TempDir } from '../rig/temp.ts';

const ONE_LINE = `# a comment
deb http://one.example.org/debian bookworm main contrib # at the end
deb-src http://one.example.org/debian bookworm main
  deb   [ arch=amd64  signed-by=/k/a.gpg,/k/b.gpg check-valid-until=no ]   https://two.example.org/d/  trixie   main
#deb http://off.example.org/debian bookworm main
deb cdrom:[Disk]/ bookworm main
deb file:/srv/debian bookworm main
`;

const DEB822 = `# a comment
Types: deb deb-src
URIs: http://three.example.org/debian http://four.example.org/debian
Suites: bookworm bookworm-updates
# a comment between fields
Components: main
 contrib
Signed-By: /k/c.gpg
Check-Valid-Until: no

Enabled: no
Types: deb
URIs: http://off.example.org/debian
Suites: bookworm
Components: main

types: deb
uris: mirror+file:/etc/apt/mirrors.txt
suites: bookworm
components: main

Types: deb-src
URIs: http://source-only.example.org/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://five.example.org/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 bGluZSBvbmU=
 =abcd
 -----END PGP PUBLIC KEY BLOCK-----
`;

test('the one-line notation: options, comments, other schemes', (t) => {
  const { sources, warnings } = parseOneLine(ONE_LINE, 'a.list');

  t.deepEqual(sources, [
    {
      suite: 'bookworm',
      urls: ['http://one.example.org/debian'],
      components: ['main', 'contrib'],
      keys: { files: [], blocks: [], fingerprints: [] },
      checkValidUntil: undefined,
      trusted: false,
      place: 'a.list:2',
    },
    {
      suite: 'trixie',
      urls: ['https://two.example.org/d/'],
      components: ['main'],
      keys: { files: ['/k/a.gpg', '/k/b.gpg'], blocks: [], fingerprints: [] },
      checkValidUntil: false,
      trusted: false,
      place: 'a.list:4',
    },
  ]);
  t.deepEqual(warnings, [
    'a.list:6: only http and https can be mirrored (cdrom:), left out',
    'a.list:7: only http and https can be mirrored (file:), left out',
  ]);
});

test('the deb822 notation: several URIs and suites, folded fields, a key in the source, what is not enabled', (t) => {
  const { sources, warnings } = parseDeb822(DEB822, 'a.sources');

  t.deepEqual(
    sources.map(({ suite, urls, components, place }) => [suite, urls.length, components.join(' '), place]),
    [
      ['bookworm', 2, 'main contrib', 'a.sources:2'],
      ['bookworm-updates', 2, 'main contrib', 'a.sources:2'],
      ['bookworm', 1, 'main', 'a.sources:27'],
    ],
  );
  t.false(sources[0]?.checkValidUntil);
  t.deepEqual(sources[0]?.keys.files, ['/k/c.gpg']);
  t.deepEqual(sources[2]?.keys, {
    files: [],
    blocks: ['-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nbGluZSBvbmU=\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----'],
    fingerprints: [],
  });
  t.deepEqual(warnings, ['a.sources:17: only http and https can be mirrored (mirror+file:), left out']);
});

test('fingerprints in Signed-By, and sources marked trusted', (t) => {
  const [source] = parseOneLine('deb [trusted=yes signed-by=abcdef0123456789abcdef0123456789abcdef01!] http://a.example.org/ x main', 'a').sources;

  t.deepEqual(source?.keys.fingerprints, ['ABCDEF0123456789ABCDEF0123456789ABCDEF01']);
  t.true(source?.trusted);
});

test('the settings of apt', (t) => {
  const values = parseAptConfig('Acquire "";\nAcquire::http::Proxy "http://p.example.org:3128";\nAcquire::Check-Valid-Until "false";\n');

  t.is(values.get('acquire::http::proxy'), 'http://p.example.org:3128');
  t.false(parseAptBoolean(values.get('acquire::check-valid-until')));
  t.is(parseAptBoolean('perhaps'), undefined);
  t.true(parseAptBoolean('With'));
});

test('proxies: https follows http, DIRECT means none', async (t) => {
  const proxy = async (aptConfig: string) => (await thisMachine({ aptConfig }).settings()).proxy;

  t.deepEqual(await proxy(''), {});
  t.deepEqual(await proxy('Acquire::http::Proxy "http://p:1";\n'), { http: 'http://p:1', https: 'http://p:1' });
  t.deepEqual(await proxy('Acquire::http::Proxy "http://p:1";\nAcquire::https::Proxy "DIRECT";\n'), { http: 'http://p:1', https: '' });
});

testWith(hasCommand('apt-get'), 'apt-get is not installed')('apt itself reads the same from these files', async (t) => {
  await using folder = await tempDir();
  await writeFiles(folder, { 'etc/sources.list': ONE_LINE, 'etc/sources.list.d/a.sources': DEB822, 'etc/sources.list.d/old.save': 'junk' });

  const { sources } = await thisMachine({ etc: folder.join('etc') }).sources();

  const ours = sources.flatMap(({ suite, urls, components }) =>
    urls.flatMap((url) => components.map((component) => `${url.replace(/\/$/, '')} ${suite} ${component}`)),
  );
  const theirs = indexesOfApt(folder);
  t.true(theirs.length >= 8);
  t.deepEqual([...new Set(ours)].sort(), theirs);
});

/** What `apt-get update` would fetch: `url suite component` of every http index of packages. */
function indexesOfApt(folder: TempDir): readonly string[] {
  const settings = [
    `Dir::Etc::sourcelist=${folder.join('etc/sources.list')}`,
    `Dir::Etc::sourceparts=${folder.join('etc/sources.list.d')}`,
    `Dir::State=${folder.path}`,
    'APT::Architecture=amd64',
    'APT::Architectures::=amd64',
  ];
  const options = settings.flatMap((setting) => ['-o', setting]);
  const { stdout, stderr, status } = spawnSync('apt-get', [...options, '--print-uris', 'update'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const found = [...stdout.matchAll(/^'(https?:\S+?)\/dists\/([^/]+)\/([^/]+)\/binary-amd64\/Packages/gm)];
  return [...new Set(found.map(([, url, suite, component]) => `${url} ${suite} ${component}`))].sort();
}

async function writeFiles(folder: TempDir, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(folder.join(name)), { recursive: true });
    await writeFile(folder.join(name), text);
  }
}
