/** What we write of a package is what createrepo_c writes of it. */
import { readFacts } from '../../../src/formats/rpm/facts.ts';
import { readHead, scanRpm } from '../../../src/formats/rpm/package-file.ts';
import { buildRpms, hasRpmBuild, NO_RPMBUILD, type RpmSpec } from '../../rig/rpm.ts';
import { asFormat3, asFormat6, int32, texts, withHeader, type RigEntry } from '../../rig/rpm-formats.ts';
import { hasCommand, testWith } from '../../rig/skip.ts';
import { tempDir } from '../../rig/temp.ts';
import { describedAlike, textsOf } from './described.ts';

const witnessed = testWith(hasRpmBuild && hasCommand('createrepo_c') && hasCommand('xmllint'), `${NO_RPMBUILD}, or createrepo_c or xmllint`);

const ALPHA: RpmSpec = {
  name: 'alpha',
  version: '1.0~rc1',
  release: '3',
  source: true,
  lines: [
    'Epoch: 2',
    'Summary: Ünïcode & <alpha> "quoted"',
    'URL: http://127.0.0.1/alpha?a=1&b=2',
    'Vendor: Rig',
    'Packager: A <a@example.invalid>',
    'Group: Test',
    'Requires: /bin/sh, beta >= 1.0, (gamma if beta), /etc/alpha.conf, /usr/share/alpha/plain',
    'Requires(post): /bin/sh',
    'Requires: libc.so.6(GLIBC_2.4)(64bit), libc.so.6(GLIBC_2.34)(64bit), libc.so.6()(64bit)',
    'Requires: alpha = 2:1.0~rc1-3',
    'Recommends: delta',
    'Suggests: echo = 1:2-3',
    'Supplements: foxtrot',
    'Enhances: golf',
    'Conflicts: old < 2',
    'Obsoletes: old <= 2',
    'Provides: virtual(alpha) = 7, bare, näme',
  ],
  files: {
    '/usr/bin/alpha': 'hi',
    '/etc/alpha.conf': 'c',
    '/usr/share/alpha/plain': 'p',
    '/usr/share/alpha/däta & more': 'd',
    '/usr/share/alpha/empty/': '',
    '/srv/sbin/': '',
  },
  fileLines: ['%ghost /var/lib/alpha/ghost', '%config(noreplace) /etc/alpha.conf'],
  sections: `%post
true
%changelog
* Tue Nov 14 2023 Ann <ann@example.invalid> - 1.0-3
- third & <b>
* Tue Nov 14 2023 Ann <ann@example.invalid> - 1.0-2
- second
* Mon Nov 13 2023 Ann <ann@example.invalid> - 1.0-1
- first
`,
};

const BETA: RpmSpec = { name: 'beta', version: '2^git1', arch: 'x86_64', sections: `%package sub\nSummary: part of beta\n%description sub\nsub\n%files sub\n` };

witnessed('primary, filelists and other are what createrepo_c writes', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [ALPHA, BETA]);
  t.true(rpms.length >= 4);
  await describedAlike(t, dir, rpms);
});

for (const [format, layOut] of [[3, asFormat3], [6, asFormat6]] as const) {
  witnessed(`packages of format ${format} are described as createrepo_c describes them`, async (t) => {
    await using dir = await tempDir();
    const rpms = (await buildRpms(dir, [ALPHA, BETA])).map(({ fileName, bytes }) => ({ fileName, bytes: layOut(bytes) }));

    await describedAlike(t, dir, rpms);
  });
}

witnessed('weak dependencies as SUSE wrote them before rpm 4.12 are those of today', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [{ name: 'old', lines: ['Requires: needed, wanted >= 2, /bin/sh', 'Recommends: new', 'Suggests: new-too'] }]);
  const int32s = (values: readonly number[]): Buffer => Buffer.concat(values.map((value) => int32(0, value).data));
  const flags = (tag: number, values: readonly number[]): RigEntry => ({ tag, type: 4, count: values.length, data: int32s(values) });
  const [STRONG, GE, MISSINGOK] = [1 << 27, 12, 1 << 19];
  const bytes = withHeader(rpm?.bytes ?? Buffer.alloc(0), (entries) => [
    ...entries.map((entry) => (entry.tag === 1048 ? optional(entry, entries, ['wanted', '/bin/sh'], MISSINGOK) : entry)),
    texts(1156, ['s1', 's2', '(a or b)']),
    texts(1157, ['', '1:2-3', '']),
    flags(1158, [0, STRONG | GE, STRONG]),
    texts(1159, ['e1', 'e2']),
    texts(1160, ['', '4']),
    flags(1161, [STRONG, GE]),
  ]);

  await describedAlike(t, dir, [{ fileName: 'old-1.0-1.noarch.rpm', bytes }]);
  const { primary } = textsOf({ fileName: 'old-1.0-1.noarch.rpm', bytes });
  t.regex(primary, /<rpm:supplements>\s*<rpm:entry name="e1"\/>/);
});

/** Some needs of a package that may be missing. */
function optional(entry: RigEntry, entries: readonly RigEntry[], names: readonly string[], flag: number): RigEntry {
  const all = entries.find(({ tag }) => tag === 1049)?.data.toString().split('\0') ?? [];
  const data = Buffer.from(entry.data);
  for (const name of names) data.writeUInt32BE(data.readUInt32BE(all.indexOf(name) * 4) | flag, all.indexOf(name) * 4);
  return { ...entry, data };
}

witnessed('the header is found in whatever pieces the bytes come', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [BETA]);
  const bytes = rpm?.bytes ?? Buffer.alloc(0);
  const heads = [1, 7, 100, 4096, bytes.length].map((size) => {
    const scan = scanRpm('x');
    for (let at = 0; at < bytes.length; at += size) scan.push(bytes.subarray(at, at + size));
    return scan.end().bytes.toString('hex');
  });

  t.is(new Set(heads).size, 1);
  t.is(readFacts(readHead(Buffer.from(heads[0] ?? '', 'hex'), 'x'), 'x').arch, 'x86_64');
});

witnessed('a payload that was changed is noticed', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [BETA]);
  const bytes = Buffer.from(rpm?.bytes ?? '');
  bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
  const scan = scanRpm('changed.rpm');
  scan.push(bytes);

  t.throws(() => scan.end(), { message: /^changed\.rpm: the payload has another digest/ });
});
