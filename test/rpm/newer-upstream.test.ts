/** Repositories as createrepo_c 1.x makes them: with its defaults, which are zst, and with what else it can make. */
import { readdirSync, readFileSync } from 'node:fs';
import { newerTools } from '../rig/newer-tools.ts';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const { run = runCommand, reason } = await newerTools();
const witnessed = testWith(reason === undefined && hasRpmTools && hasCommand('zstd'), reason ?? `${NO_RPM_TOOLS}, or zstd`);

const REPOSITORY = 'rpm-mirror/integrated/r1.0.0-el9/x86_64';
const PRODUCT = { productid: 'a certificate' };

const KINDS: readonly { readonly what: string; readonly args: readonly string[]; readonly types: readonly string[] }[] = [
  { what: 'its defaults', args: [], types: ['primary', 'filelists', 'other', 'productid'] },
  {
    what: 'databases, digests of files and xz',
    args: ['--database', '--filelists-ext', '--general-compress-type=xz', '--checksum', 'sha512'],
    types: ['primary', 'filelists', 'other', 'primary_db', 'filelists_db', 'other_db', 'filelists-ext', 'filelists-ext_db', 'productid'],
  },
];

for (const { what, args, types } of KINDS) {
  witnessed(`a repository of createrepo_c 1.x with ${what} is mirrored, and published without what is derived`, async (t) => {
    t.timeout(120_000);
    await using dir = await tempDir();
    const rpms = await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta', arch: 'x86_64' }], { run });
    const upstream = await rpmUpstream(dir, { rpms, args, run, metadata: PRODUCT });
    t.deepEqual(typesOf(upstream.files.get('repodata/repomd.xml')?.toString() ?? '').toSorted(), types.toSorted());
    await using scene = await makeRpmScene(dir, { up: { upstream } });
    const built = await scene.site.run(['build', '--release', 'r1.0.0']);
    t.is(built.status, 0, built.stderr);

    const folder = `${scene.site.publicRoot}/${REPOSITORY}`;
    t.deepEqual(typesOf(readFileSync(`${folder}/repodata/repomd.xml`, 'utf8')).toSorted(), ['filelists', 'other', 'primary', 'productid']);
    const published = readdirSync(`${folder}/pool`, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.rpm'));
    t.is(published.length, rpms.length);
    const client = await scene.client('client', REPOSITORY);
    t.deepEqual((await client.ok(['repoquery', '-q', '--qf', '%{name}.%{arch}'])).trim().split('\n').toSorted(), ['alpha.noarch', 'beta.x86_64']);
  });
}

witnessed('a repository of createrepo_c 1.x is kept exactly, whatever it holds', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }], { run });
  const upstream = await rpmUpstream(dir, { rpms, args: ['--database', '--filelists-ext'], run, metadata: PRODUCT });
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact: true } } });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);

  const paths = [...upstream.files.keys()].filter((path) => path.includes('/'));
  t.is(paths.filter((path) => path.startsWith('repodata/')).length, 11);
  for (const path of paths) t.true(readFileSync(`${scene.site.publicRoot}/${REPOSITORY}/${path}`).equals(upstream.files.get(path) ?? Buffer.alloc(0)), path);
});

function typesOf(repomd: string): readonly string[] {
  return [...repomd.matchAll(/<data type="([^"]*)"/g)].map((match) => match[1] ?? '');
}
