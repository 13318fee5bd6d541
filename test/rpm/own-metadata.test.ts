/** Comps, advisories, modules and other metadata of our own repositories: put in, replaced, taken out, and read by dnf. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { inProcess } from '../operations/in-process.ts';
import { dnfClient, type DnfClient } from '../rig/dnf.ts';
import { rigKey } from '../rig/key.ts';
import { buildRpms } from '../rig/rpm.ts';
import { runCommand } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { killAtEachStep } from './kill-steps.ts';
import { hasRpmTools, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

const FILES = {
  'el9-comps.xml': `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">\n<comps><group><id>tools</id><name>tools</name><description>d</description><default>false</default><uservisible>true</uservisible><packagelist><packagereq type="mandatory">alpha</packagereq></packagelist></group></comps>\n`,
  'updateinfo.xml': updates(['RIG-1', 'alpha'], ['RIG-2', 'gone']),
  'modules.yaml': '---\ndocument: modulemd\nversion: 2\ndata:\n  name: m1\n  stream: "1.10"\n  version: 1\n  context: abc\n  arch: x86_64\n  summary: s\n  description: d\n  license:\n    module: [MIT]\n  artifacts:\n    rpms:\n    - other-0:1.0-1.noarch\n...\n',
  productid: 'a certificate',
};

function updates(...advisories: readonly (readonly [string, string])[]): string {
  const all = advisories.map(
    ([id, name]) =>
      `<update from="rig" status="stable" type="security" version="1"><id>${id}</id><title>${id}</title><issued date="2023-11-14 00:00:00"/><severity>Important</severity><description>d</description><pkglist><collection short="base"><name>base</name><package name="${name}" version="1.0" release="1" epoch="0" arch="x86_64" src="${name}-1.0-1.src.rpm"><filename>${name}-1.0-1.x86_64.rpm</filename></package></collection></pkglist></update>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${all.join('\n')}\n</updates>\n`;
}

async function emptySite(dir: TempDir, wrap: (site: Site) => Site = inProcess): Promise<Site> {
  for (const [name, text] of Object.entries(FILES)) await writeFile(dir.join(name), text);
  const site = wrap(await makeSite(dir, { mirrors: {}, miko: {}, releases: {} }));
  await site.json(['repo', 'create', 'ours', '--format', 'rpm']);
  return site;
}

const types = async (site: Site, repo = 'ours'): Promise<readonly string[]> =>
  (await site.json<{ metadata: readonly { readonly type: string }[] }>(['repo', 'show', repo])).metadata.map(({ type }) => type);

witnessed('dnf sees groups, advisories and modules that were put in, alone and merged, and no longer once they are taken out', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'alpha', arch: 'x86_64' }, { name: 'beta', arch: 'x86_64' }]);
  for (const { fileName, bytes } of rpms) await writeFile(dir.join(fileName), bytes);
  const site = await emptySite(dir);
  await mkdir(dir.join('packed'));
  await writeFile(dir.join('packed/updateinfo.xml.gz'), gzipSync(FILES['updateinfo.xml']));
  const zst = await runCommand('zstd', ['-q', dir.join('modules.yaml'), '-o', dir.join('packed/modules.yaml.zst')]);
  t.is(zst.status, 0, zst.stderr);
  const given = [dir.join('el9-comps.xml'), dir.join('packed/updateinfo.xml.gz'), dir.join('packed/modules.yaml.zst'), dir.join('productid')];
  await site.json(['repo', 'add', 'ours', ...rpms.filter(({ fileName }) => fileName.startsWith('alpha')).map(({ fileName }) => dir.join(fileName))]);

  const tried = await site.run(['repo', 'metadata', 'add', 'ours', ...given, '--dry-run']);
  t.is(tried.stdout.trim(), '+ group\n+ updateinfo\n+ modules\n+ productid', tried.stderr);
  t.deepEqual(await types(site), []);
  t.is((await site.run(['repo', 'metadata', 'add', 'ours', ...given])).stdout, tried.stdout);
  const none = await site.run(['repo', 'remove', 'ours', 'group']);
  t.is(none.stdout.trim(), 'No package of it is what these queries mean: nothing is removed.\nRepository ours: 1 package.');
  t.is((await site.run(['repo', 'metadata', 'add', 'ours', ...given])).stdout.trim(), '= group is there already\n= updateinfo is there already\n= modules is there already\n= productid is there already');
  const shown = (await site.run(['repo', 'show', 'ours', '--packages'])).stdout;
  t.regex(shown, /^Packages: +1$/m);
  t.regex(shown, /^Metadata: +group, modules, productid, updateinfo$/m);
  t.notRegex(shown, /^group/m);

  await site.json(['snapshot', 'create', 'one', '--from-repo', 'ours']);
  await site.json(['repo', 'create', 'theirs', '--format', 'rpm']);
  await site.json(['repo', 'add', 'theirs', ...rpms.map(({ fileName }) => dir.join(fileName))]);
  await writeFile(dir.join('updateinfo.xml'), updates(['RIG-3', 'beta']));
  await site.json(['repo', 'metadata', 'add', 'theirs', dir.join('updateinfo.xml')]);
  await site.json(['snapshot', 'create', 'two', '--from-repo', 'theirs']);
  await site.json(['snapshot', 'merge', 'both', 'one', 'two']);
  await site.json(['publish', 'snapshot', 'both', 'rpm-mirror/both', '--distribution', 'el9']);
  await site.json(['publish', 'repo', 'ours', 'rpm-mirror/ours', '--distribution', 'el9']);
  t.is((await site.run(['publish', 'verify', 'el9', 'rpm-mirror/ours'])).status, 0);

  await using server = await serve(site.publicRoot);
  const client = async (name: string, prefix: string): Promise<DnfClient> =>
    dnfClient(dir, name, [{ id: 'release', url: `${server.url}/rpm-mirror/${prefix}/el9/x86_64`, keyring: (await rigKey('site')).publicKey }]);
  const ours = await client('c-ours', 'ours');
  t.regex(await ours.ok(['group', 'info', 'tools']), /alpha/);
  t.regex(await ours.ok(['module', 'list']), /m1 +1\.10/);
  await ours.ok(['group', 'install', 'tools']);
  // dnf lists advisories about what is installed.
  const listed = await ours.ok(['updateinfo', 'list', '-q', '--all']);
  t.regex(listed, /RIG-1 [^\n]*alpha-1\.0-1/);
  t.notRegex(listed, /RIG-2/);
  const both = await client('c-both', 'both');
  await both.ok(['install', 'alpha', 'beta']);
  t.regex(await both.ok(['updateinfo', 'list', '-q', '--all']), /RIG-1[^]*RIG-3|RIG-3[^]*RIG-1/);

  const folder = `${site.publicRoot}/rpm-mirror/ours/el9/x86_64/repodata`;
  t.is(readFileSync(`${folder}/${readdirSync(folder).find((name) => name.endsWith('-productid'))}`, 'utf8'), FILES.productid);
  t.is((await site.run(['repo', 'metadata', 'add', 'ours', dir.join('updateinfo.xml')])).stdout.trim(), '! updateinfo replaced');
  t.is((await site.run(['repo', 'metadata', 'remove', 'ours', 'group', 'modules'])).stdout.trim(), '- group\n- modules');
  await site.json(['publish', 'update', 'el9', 'rpm-mirror/ours']);
  const root = readFileSync(`${folder}/repomd.xml`, 'utf8');
  t.deepEqual([...root.matchAll(/<data type="([^"]*)"/g)].map(([, type]) => type).sort(), ['filelists', 'other', 'primary', 'productid', 'updateinfo']);
  const [, advisories = ''] = /href="repodata\/([^"]*-updateinfo\.xml\.gz)"/.exec(root) ?? [];
  t.notRegex(gunzipSync(readFileSync(`${folder}/${advisories}`)).toString(), /RIG-1/);
  const later = await client('c-later', 'ours');
  await t.throwsAsync(later.ok(['group', 'list', '--all']), { message: /No group data available/ });
});

test('what is not metadata is refused in one line, and nothing is put in', async (t) => {
  await using dir = await tempDir();
  const site = await emptySite(dir);
  const refusals: readonly (readonly [string, string | Buffer, readonly string[], RegExp])[] = [
    ['updateinfo.xml', '<updates><update>', [], /^artifacts: E_FORMAT: .*updateinfo\.xml: this is no XML/],
    ['updateinfo.xml', '<!DOCTYPE a [<!ENTITY b "c">]><updates>&b;</updates>', [], /E_FORMAT: .*a document type is refused/],
    ['updateinfo.xml', '<comps/>', ['--type', 'updateinfo'], /E_FORMAT: .*the document is a <comps>, not a <updates>/],
    ['updateinfo.xml.gz', 'no gzip', [], /E_FORMAT: .*updateinfo\.xml\.gz/],
    ['updateinfo.xml.gz', gzipSync(Buffer.alloc(300 * 1024 * 1024, ' ')), [], /E_TOO_LARGE: .*updateinfo\.xml\.gz/],
    ['modules.yaml', 'document: modulemd\ndata: [', [], /E_FORMAT: .*modules\.yaml: this is no YAML/],
    ['modules.yaml', 'a: b\n', [], /E_FORMAT: .*no kind of document about modules/],
    ['primary.xml', '<metadata/>', [], /E_USAGE: .*"primary" is made from the packages/],
    ['x', 'x', ['--type', '../x'], /E_USAGE: "\.\.\/x" is no type/],
  ];
  for (const [name, bytes, options, expected] of refusals) {
    await writeFile(dir.join(name), bytes);
    const { status, stderr } = await site.run(['repo', 'metadata', 'add', 'ours', dir.join('productid'), dir.join(name)].filter((word) => options.length === 0 || !word.endsWith('productid')).concat(options));
    t.not(status, 0, name);
    t.regex(stderr, expected);
  }
  t.deepEqual(await types(site), []);

  await mkdir(dir.join('more'));
  await writeFile(dir.join('more/productid'), 'another');
  t.regex((await site.run(['repo', 'metadata', 'add', 'ours', dir.join('productid'), dir.join('more/productid')])).stderr, /E_CONFLICT: .* are both of the type "productid"/);
  t.regex((await site.run(['repo', 'metadata', 'remove', 'ours', 'updateinfo'])).stderr, /E_NOT_FOUND: .*no metadata of the type "updateinfo"/);
  await site.json(['repo', 'create', 'debs']);
  t.regex((await site.run(['repo', 'metadata', 'add', 'debs', dir.join('productid')])).stderr, /E_USAGE: Repository "debs" is one of apt, which has no metadata/);
  const reading = await site.run(['repo', 'metadata', 'add', 'ours', dir.join('productid'), '--read-only']);
  t.not(reading.status, 0);
  t.deepEqual(await types(site), []);
});

test('killed at any step, it is in or not, and the same again completes it', async (t) => {
  await using dir = await tempDir();
  const kills = await killAtEachStep(t, {
    dir,
    site: await emptySite(dir, (plain) => plain),
    command: ['repo', 'metadata', 'add', 'ours', dir.join('productid'), dir.join('el9-comps.xml')],
    most: 60,
    left: async (copy, step) => {
      const found = await types(copy);
      t.true(found.length === 0 || found.length === 2, step);
    },
    completed: async (copy, step) => void t.deepEqual(await types(copy), ['group', 'productid'], step),
  });
  t.log(`${kills} kills`);
});
