import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { hashOf, listedFiles } from '../rig/witness.ts';
import { publishingSite, PREFIX, signWith, type PublishingSite } from './support.ts';

const ALPHA = buildDeb({ name: 'alpha' });
const ONE = { components: { main: [ALPHA, buildDeb({ name: 'beta', architecture: 'all' })] } };

interface Report {
  readonly ok: boolean;
  readonly publications: readonly { readonly files: number; readonly packages: number; readonly problems: readonly { path: string; problem: string }[] }[];
}

async function published(): Promise<PublishingSite & { readonly folder: string }> {
  const all = await publishingSite({ one: ONE });
  await all.run(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  return { ...all, folder: `${all.site.publicRoot}/${PREFIX}/dists/rig` };
}

/** Replaces a file that may have several names, so that only this one changes. */
function replace(path: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = change(readFileSync(path));
  rmSync(path);
  writeFileSync(path, bytes);
}

const flip = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return copy;
};

test('a whole tree verifies, in every format', async (t) => {
  await using all = await published();

  const report = await all.site.json<Report>(['publish', 'verify']);
  t.true(report.ok);
  t.like(report.publications[0], { packages: 2, problems: [] });
  t.regex((await all.run(['publish', 'verify', 'rig'])).stdout, /2 packages: no problems\./);
  t.deepEqual(JSON.parse((await all.run(['publish', 'verify', 'rig', PREFIX, '--format', 'json'])).stdout).publications[0].problems, []);
  const junit = (await all.run(['publish', 'verify', '--format', 'junit'])).stdout;
  t.regex(junit, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="publish verify">/);
  t.is(junit.match(/<testcase /g)?.length, report.publications[0]?.files);
  t.regex(junit, /name="[^"]*alpha_1\.0-1_amd64\.deb"\/>/);
  t.is((await all.site.run(['publish', 'verify', 'none'])).status, 10);
});

const LIES: Readonly<Record<string, { readonly spoil: (folder: string, prefix: string) => void; readonly says: RegExp }>> = {
  'InRelease with a changed byte': {
    spoil: (folder) => replace(join(folder, 'InRelease'), (bytes) => Buffer.from(bytes.toString().replace('Label: ', 'Label: x'))),
    says: /InRelease is not to be trusted/,
  },
  'Release.gpg that is missing': { spoil: (folder) => rmSync(join(folder, 'Release.gpg')), says: /Release\.gpg is missing/ },
  'Release that says something else than InRelease': {
    spoil: (folder) => replace(join(folder, 'Release'), (bytes) => Buffer.from(bytes.toString().replace('Label: ', 'Label: x'))),
    says: /InRelease says something else than Release/,
  },
  'an index with a changed byte': { spoil: (folder) => replace(join(folder, 'main/binary-amd64/Packages.gz'), flip), says: /Packages\.gz has other bytes/ },
  'an index that lacks its name by hash': {
    spoil: (folder) => {
      const { sha256 = '' } = listedFiles(readFileSync(join(folder, 'Release'), 'utf8')).find(({ path }) => path.endsWith('Packages.xz')) ?? {};
      rmSync(join(folder, 'main/binary-amd64/by-hash/SHA256', sha256));
    },
    says: /by-hash\/SHA256\/[0-9a-f]{64} is missing/,
  },
  'a package with a changed byte': {
    spoil: (_folder, prefix) => replace(join(prefix, `pool/${ALPHA.sha256.slice(0, 2)}/${ALPHA.sha256}_${ALPHA.fileName}`), flip),
    says: /alpha_1\.0-1_amd64\.deb has other bytes/,
  },
  'a package that is missing': {
    spoil: (_folder, prefix) => rmSync(join(prefix, `pool/${ALPHA.sha256.slice(0, 2)}/${ALPHA.sha256}_${ALPHA.fileName}`)),
    says: /alpha_1\.0-1_amd64\.deb is missing/,
  },
  'a package that is cut': {
    spoil: (_folder, prefix) => replace(join(prefix, `pool/${ALPHA.sha256.slice(0, 2)}/${ALPHA.sha256}_${ALPHA.fileName}`), (bytes) => bytes.subarray(0, 100)),
    says: /alpha_1\.0-1_amd64\.deb has 100 bytes instead of/,
  },
};

test('F16 what is served wrongly is found, each with its name, and nothing else is', async (t) => {
  await using all = await published();
  const prefix = `${all.site.publicRoot}/${PREFIX}`;
  const files = readdirSync(prefix, { recursive: true, encoding: 'utf8' });
  t.true(files.length > 10);
  for (const [name, { spoil, says }] of Object.entries(LIES)) {
    const folder = `${all.site.publicRoot}/${PREFIX}/dists/rig`;
    spoil(folder, prefix);

    const { status, stdout } = await all.site.run(['publish', 'verify']);

    t.is(status, 3, name);
    t.regex(stdout, says, name);
    t.regex(stdout, /: 1 problem\.|: 2 problems\./, name);
    // A new generation is whole again; package files come from the pool.
    rmSync(join(prefix, `pool/${ALPHA.sha256.slice(0, 2)}/${ALPHA.sha256}_${ALPHA.fileName}`), { force: true });
    const pooled = `${all.site.state}/pool/${ALPHA.sha256.slice(0, 2)}/${ALPHA.sha256}`;
    t.is(hashOf(pooled), ALPHA.sha256);
    copyFileSync(pooled, join(prefix, `pool/${ALPHA.sha256.slice(0, 2)}/${ALPHA.sha256}_${ALPHA.fileName}`));
    chmodSync(join(prefix, `pool/${ALPHA.sha256.slice(0, 2)}/${ALPHA.sha256}_${ALPHA.fileName}`), 0o444);
    await all.run(['publish', 'update', 'rig']);
    const mended = await all.site.run(['publish', 'verify']);
    t.is(mended.status, 0, `${name}: ${mended.stdout}`);
  }
});

test('F16 junit names what failed, and db check looks the same way', async (t) => {
  await using all = await published();
  replace(join(all.folder, 'main/binary-amd64/Packages.xz'), flip);

  const junit = await all.run(['publish', 'verify', '--format', 'junit'], { status: 3 });
  t.regex(junit.stdout, /failures="1"/);
  t.regex(junit.stdout, /<testcase classname="rig" name="[^"]*Packages\.xz"><failure message="has other bytes than it should"\/>/);
  const check = await all.run(['db', 'check', '--deep'], { status: 3 });
  t.regex(check.stdout, /Packages\.xz has other bytes than it should/);
});

test('S5 a key that is replaced without an overlap shows in verify until all is published anew', async (t) => {
  await using all = await publishingSite({ one: ONE, two: { components: { main: [buildDeb({ name: 'gamma' })] } } });
  await all.run(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  await all.run(['publish', 'snapshot', 'two', '--distribution', 'other']);
  await signWith(all.site, ['fresh']);

  await all.run(['publish', 'update', 'rig']);

  const report = await all.site.json<Report>(['publish', 'verify'], 3);
  t.deepEqual(report.publications.map(({ problems }) => problems.length > 0), [true, false]);
  await all.run(['publish', 'update', 'other']);
  t.true((await all.site.json<Report>(['publish', 'verify'])).ok);
});
