/** What rpm 6 says of packages of format 4 that we signed; it reads their signatures where rpm 4 does. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { inProcess } from '../operations/in-process.ts';
import { rigKey } from '../rig/key.ts';
import { newerTools } from '../rig/newer-tools.ts';
import { buildRpms, hasRpmBuild, NO_RPMBUILD } from '../rig/rpm.ts';
import { makeSite } from '../rig/site.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';

const { run, reason } = await newerTools();
const newer = testWith(run !== undefined && hasRpmBuild, reason ?? NO_RPMBUILD);

newer('packages of format 4 that we signed are accepted by rpm 6', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'ours' }, { name: 'other', arch: 'x86_64', source: true }]);
  await mkdir(dir.join('built'));
  for (const { fileName, bytes } of rpms) await writeFile(dir.join('built', fileName), bytes);
  const vars = { rpm_repos: [{ name: 'built' }], rpm_miko_mapping: { r1: { el9: ['built'] } } };
  const site = inProcess(await makeSite(dir, { mirrors: {}, miko: {}, releases: { 'r1.0.0': { codenames: ['el9'] } }, vars }));
  await site.json(['repo', 'add', 'built', dir.join('built'), '--sign']);
  t.is((await site.run(['build', '--release', 'r1.0.0'])).status, 0);
  await writeFile(dir.join('site.asc'), (await rigKey('site')).publicKey);
  const database = ['--dbpath', dir.join('rpmdb')];
  t.is((await run!('rpmkeys', [...database, '--import', dir.join('site.asc')])).status, 0);
  const verify = (files: readonly string[]) => run!('rpmkeys', [...database, '--define', '_pkgverify_level all', '-K', ...files]);

  const pool = `${site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9/x86_64/pool`;
  const published = (await readdir(pool, { recursive: true })).filter((name) => name.endsWith('.rpm')).map((name) => `${pool}/${name}`);
  const { status, stdout } = await verify(published);

  t.is(published.length, 3);
  t.is(status, 0, stdout);
  t.not((await verify([dir.join('built', rpms[0]?.fileName ?? '')])).status, 0);
});
