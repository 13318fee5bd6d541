/** Metadata besides packages: passed through from one source, merged from several, and read by dnf. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { sha256 } from '../../src/core/digest.ts';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

function advisory(id: string, name: string): string {
  return `<update from="rig" status="stable" type="security" version="1"><id>${id}</id><title>${id}</title><issued date="2023-11-14 00:00:00"/><severity>Important</severity><description>about &lt;${name}&gt;</description><pkglist><collection short="base"><name>base</name><package name="${name}" version="1.0" release="1" epoch="0" arch="noarch" src="${name}-1.0-1.src.rpm"><filename>${name}-1.0-1.noarch.rpm</filename></package></collection></pkglist></update>`;
}

function updates(...advisories: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${advisories.join('\n')}\n</updates>\n`;
}

function group(id: string, packages: readonly string[]): string {
  const list = packages.map((name) => `<packagereq type="mandatory">${name}</packagereq>`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">\n<comps><group><id>${id}</id><name>${id}</name><name xml:lang="de">${id} auf Deutsch</name><description>d</description><default>false</default><uservisible>true</uservisible><packagelist>${list}</packagelist></group></comps>\n`;
}

function moduleDocument(name: string, artifact: string): string {
  return `---\ndocument: modulemd\nversion: 2\ndata:\n  name: ${name}\n  stream: "1.10"\n  version: 1\n  context: abc\n  arch: x86_64\n  summary: s\n  description: d\n  license:\n    module: [MIT]\n  artifacts:\n    rpms:\n    - ${artifact}\n...\n`;
}

witnessed('advisories, groups, modules and unknown metadata of two sources reach dnf', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta' }]);
  const of = (name: string): typeof rpms => rpms.filter(({ fileName }) => fileName.startsWith(name));
  const one = await rpmUpstream(dir, { rpms: of('alpha'), metadata: { 'updateinfo.xml': updates(advisory('RIG-1', 'alpha'), advisory('RIG-2', 'alpha')), 'group.xml': group('tools', ['alpha']), 'modules.yaml': moduleDocument('m1', 'other-0:1.0-1.noarch'), 'productid': 'certificate one' } }, 'one');
  const two = await rpmUpstream(dir, { rpms: of('beta'), metadata: { 'updateinfo.xml': updates(advisory('RIG-2', 'beta'), advisory('RIG-3', 'beta')), 'group.xml': group('tools', ['beta']), 'modules.yaml': moduleDocument('m2', 'others-0:1.0-1.noarch') } }, 'two');
  await using scene = await makeRpmScene(dir, { one: { upstream: one }, two: { upstream: two } });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);

  const repodata = `${scene.site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9/x86_64/repodata`;
  const read = (type: string): string => {
    const name = readdirSync(repodata).find((file) => file.slice(65).startsWith(type)) ?? '';
    const bytes = readFileSync(`${repodata}/${name}`);
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  };
  t.is(read('productid'), 'certificate one');
  t.is(read('modules').match(/stream: "1\.10"/g)?.length, 2);

  const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  const groups = await client.ok(['group', 'info', '-q', 'tools']);
  t.regex(groups, /alpha/);
  t.regex(groups, /beta/);
  t.regex(await client.ok(['module', 'list', '-q']), /m1 +1\.10[^]*m2 +1\.10/);
  const ids = [...read('updateinfo').matchAll(/<id>([^<]*)/g)].map((match) => match[1]).sort();
  t.deepEqual(ids, ['RIG-1', 'RIG-2', 'RIG-3']);
  t.is(read('updateinfo').match(/<package /g)?.length, 4);
  await client.ok(['install', 'alpha', 'beta']);
  t.regex(await client.ok(['updateinfo', 'list', '-q', '--all']), /RIG-3/);
});

witnessed('advisories are published for what is there: rows of other packages go, and those that are about nothing else', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta', lines: ['Epoch: 2'] }]);
  const row = (name: string, epoch: string): string => `<package name="${name}" version="1.0" release="1" epoch="${epoch}" arch="noarch" src="s.src.rpm">\n<filename>${name}.rpm</filename>\n</package>`;
  const list = (id: string, rows: readonly string[]): string => advisory(id, 'x').replace(/<package .*<\/package>/, `\n${rows.join('\n')}\n`);
  const text = updates(list('RIG-1', [row('alpha', '0'), row('gone', '0')]), list('RIG-2', [row('gone', '0'), row('alpha', '7')]), list('RIG-3', [row('beta', '2')]), list('RIG-4', []));
  const upstream = await rpmUpstream(dir, { rpms, metadata: { 'updateinfo.xml': text } });
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { filter: 'alpha | beta' } } });
  const published = async (): Promise<{ readonly name: string; readonly text: string }> => {
    t.is((await scene.site.run(['build', '--release', 'r1.0.0', '--replace'])).status, 0);
    const repodata = `${scene.site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9/x86_64/repodata`;
    const [, href = ''] = /<data type="updateinfo">[^]*?href="([^"]*)"/.exec(readFileSync(`${repodata}/repomd.xml`, 'utf8')) ?? [];
    return { name: href, text: gunzipSync(readFileSync(`${repodata}/../${href}`)).toString() };
  };

  const pruned = await published();
  t.deepEqual([...pruned.text.matchAll(/<id>([^<]*)|<package name="([^"]*)"/g)].map((match) => match[1] ?? match[2]), ['RIG-1', 'alpha', 'RIG-3', 'beta', 'RIG-4']);
  t.is((await scene.site.run(['publish', 'verify'])).status, 0);
  const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  await client.ok(['install', 'alpha', 'beta']);
  t.deepEqual([...(await client.ok(['updateinfo', 'list', '-q', '--all'])).matchAll(/RIG-\d/g)].map(String).sort(), ['RIG-1', 'RIG-3']);

  await upstream.republish({ metadata: { 'updateinfo.xml': updates(list('RIG-1', [row('alpha', '0')])) }, date: new Date(Date.now() + 1000) });
  const whole = await published();
  t.true(upstream.files.has(whole.name), 'what is all about packages that are there stays as it came');
});

witnessed('metadata of types nobody knows is passed through byte for byte, whatever its name; databases are left out', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha' }]);
  const metadata = { productid: 'certificate', 'appstream.xml': '<components/>\n', 'x-our-own_2.bin': 'anything at all, and more of it\n', 'license.txt': 'free', 'susedata.xml': '<susedata/>\n' };
  const upstream = await rpmUpstream(dir, { rpms, metadata });
  const record = (text: string, type: string): string => new RegExp(`<data type="${type}">.*?</data>`, 's').exec(text)?.[0] ?? '';
  const hrefOf = (text: string, type: string): string => /href="([^"]*)"/.exec(record(text, type))?.[1] ?? '';
  const repomd = upstream.files.get('repodata/repomd.xml')?.toString() ?? '';
  // A name that is a digest and nothing else, as subscription managers have it.
  const href = hrefOf(repomd, 'productid');
  const bare = /repodata\/[0-9a-f]{64}/.exec(href)?.[0] ?? '';
  upstream.files.set(bare, upstream.files.get(href) ?? Buffer.alloc(0));
  upstream.files.delete(href);
  // Types with a dot are those of openSUSE for languages.
  const german = record(repomd, 'susedata').replace('"susedata"', '"susedata.de"');
  const zchunk = record(repomd, 'appstream').replace('"appstream"', '"filelists_zck"').replace('<location', `<header-checksum type="sha256">${'0'.repeat(64)}</header-checksum><header-size>7</header-size><location`);
  await upstream.sign(repomd.replace(href, bare).replace(record(repomd, 'license'), record(repomd, 'license').replace(/<open-(checksum|size).*?<\/open-\1>\s*/g, '')).replace('</repomd>', `${record(repomd, 'appstream').replace('"appstream"', '"primary_db"')}${zchunk}${german}</repomd>`));
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);

  const folder = `${scene.site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9/x86_64`;
  const [signed, ours] = [upstream.files.get('repodata/repomd.xml')?.toString() ?? '', readFileSync(`${folder}/repodata/repomd.xml`, 'utf8')];
  t.deepEqual([...ours.matchAll(/<data type="([^"]*)"/g)].map((match) => match[1]), ['primary', 'filelists', 'other', 'appstream', 'license', 'productid', 'susedata', 'susedata.de', 'x-our-own_2']);
  for (const type of ['productid', 'appstream', 'license', 'susedata', 'susedata.de', 'x-our-own_2']) {
    t.true(readFileSync(`${folder}/${hrefOf(ours, type)}`).equals(upstream.files.get(hrefOf(signed, type)) ?? Buffer.alloc(0)), type);
    const checksums = (text: string): string[] => [...record(text, type).matchAll(/<((?:open-)?checksum) type="sha256">([0-9a-f]+)/g)].map((match) => `${match[1]} ${match[2]}`);
    // What the upstream does not tell of the plain bytes is told by ours.
    const plain = type === 'license' ? [`open-checksum ${sha256(gunzipSync(readFileSync(`${folder}/${hrefOf(ours, type)}`)))}`] : [];
    // Without a suffix nothing tells that it is packed.
    if (type !== 'productid') t.deepEqual(checksums(ours), [...checksums(signed), ...plain], type);
  }
  const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  await client.ok(['makecache']);
  t.is((await scene.site.run(['publish', 'verify', 'r1.0.0-el9', 'rpm-mirror/integrated'])).status, 0);
});
