/** What is told of rpm, read as somebody who knows dnf and not us. */
import { writeFileSync } from 'node:fs';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, modulesYaml, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

const COMPS = '<comps><group><id>all</id><name>All</name></group></comps>\n';

witnessed('packages and metadata are told apart, and publications are found by their names alone', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta' }]);
  const metadata = { 'group.xml': COMPS, 'modules.yaml': modulesYaml('m', ['beta-0:1.0-1.noarch']) };
  const upstream = await rpmUpstream(dir, { rpms, metadata });
  await using scene = await makeRpmScene(dir, { up: { upstream }, gone: { upstream, extra: { do_update: false } } }, { vars: { publish: { valid_for: '30d', contents: true } } });
  const { site } = scene;
  const run = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await site.run(args);
    return `${status}\n${stdout}${stderr}`;
  };

  await run('mirror', 'update', 'up');
  const mirror = await run('mirror', 'show', 'up');
  t.regex(mirror, /^Packages: +2$/m);
  t.regex(mirror, /^Metadata: +group, modules$/m);
  t.regex(mirror, /^Definition: format=rpm archive_url=http:\S+ files=\* gpg\.key=[0-9A-F]{40}$/m, 'what was left open is not told');

  await run('snapshot', 'create', 'one', '--from-mirror', 'up');
  await upstream.republish({ metadata: { 'group.xml': COMPS.replace('All', 'Other') }, date: new Date(Date.now() + 5000) });
  await run('mirror', 'update', 'up');
  await run('snapshot', 'create', 'two', '--from-mirror', 'up');
  t.regex(await run('snapshot', 'show', 'two'), /^Metadata: +group$/m);
  const diff = await run('snapshot', 'diff', 'one', 'two');
  t.regex(diff, /^- metadata modules [0-9a-f]{12}$/m);
  t.regex(diff, /^! metadata group [0-9a-f]{12} -> [0-9a-f]{12}$/m);

  await run('publish', 'snapshot', 'one', 'rpm-mirror/a', '--distribution', 'el');
  t.regex(await run('publish', 'show', 'el'), /^0\n[^]*^Prefix: +rpm-mirror\/a$/m);
  t.regex(await run('publish', 'drop', 'el'), /^10\n.*Which el is meant was not said: it is published below rpm-mirror\/a\. Name the prefix, too/, 'nothing is changed without being named');
  t.notRegex(await run('publish', 'show', 'el'), /Valid until|File lists/, 'clients of rpm are told neither');
  await run('publish', 'snapshot', 'one', 'rpm-mirror/b', '--distribution', 'el');
  t.regex(await run('publish', 'show', 'el'), /^2\n.*el is published below rpm-mirror\/a and rpm-mirror\/b\. Name the prefix, too/);
  t.regex(await run('publish', 'show', 'nothing'), /^10\n.*Nothing is published as nothing\. /);
  t.regex(await run('publish', 'show', 'el', 'rpm-mirror/c'), /^10\n.*Nothing is published as rpm-mirror\/c el: it is published below rpm-mirror\/a and rpm-mirror\/b\./);
  await run('publish', 'snapshot', 'two', '--distribution', 'el');
  t.regex(await run('publish', 'verify', 'el'), /^0\n[^]*rpm-mirror\/integrated el: .* 2 packages: no problems/, 'where releases are merged to comes first');

  t.regex(await run('publish', 'snapshot', 'one', '--distribution', 'other', '--suite', 'x', '--signed-by', 'yes', '--contents', 'no'), /^2\n.*Clients of rpm cannot be told what --suite, --signed-by would say/);
  t.regex(await run('publish', 'show', 'other'), /^10\n/);
});

witnessed('what goes wrong names the file, the variable or the verb that somebody with rpms knows', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  const { files } = upstream;
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const said = async (...args: string[]): Promise<string> => (await scene.site.run(args)).stderr;

  const [repomd, signature] = ['repodata/repomd.xml', 'repodata/repomd.xml.asc'] as const;
  const good = files.get(repomd) ?? Buffer.alloc(0);
  files.set(repomd, Buffer.concat([good, Buffer.from('\n')]));
  t.regex(await said('mirror', 'update', 'up'), /E_SIGNATURE: Mirror "up": repodata\/repomd\.xml has no good signature: .* It is not of these bytes/);
  files.set(signature, Buffer.from('junk'));
  t.regex(await said('mirror', 'update', 'up'), /E_SIGNATURE: Mirror "up": repodata\/repomd\.xml: the signature cannot be read/);
  files.delete(signature);
  t.regex(await said('mirror', 'update', 'up'), /E_UNSIGNED: .* a metalink over https may take the place of a signature\.$/m);
  files.delete(repomd);
  t.regex(await said('mirror', 'update', 'up'), /the upstream has no repodata\/repomd\.xml\. Check archive_url\.$/m);
  writeFileSync(dir.join('alpha.rpm'), '');
  writeFileSync(dir.join('group.xml'), COMPS);
  await said('repo', 'create', 'debs');
  await said('repo', 'create', 'ours', '--format', 'rpm');
  t.regex(await said('repo', 'add', 'debs', dir.join('alpha.rpm')), /a repository of rpm: `artifacts repo create NAME --format rpm`/);
  t.regex(await said('repo', 'add', 'ours', dir.join('group.xml')), /`artifacts repo metadata add`/);
});
