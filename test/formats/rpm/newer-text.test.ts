/** Packages that rpm 6 made, described by us and by createrepo_c 1.x: where older ones differ, its word counts. */
import { newerTools } from '../../rig/newer-tools.ts';
import { openRpm } from '../../rig/rpm-formats.ts';
import { buildRpms, type RpmSpec } from '../../rig/rpm.ts';
import { runCommand } from '../../rig/run.ts';
import { hasCommand, testWith } from '../../rig/skip.ts';
import { tempDir } from '../../rig/temp.ts';
import { describedAlike, textsOf } from './described.ts';

const { run = runCommand, reason } = await newerTools();
const compared = testWith(reason === undefined && hasCommand('xmllint'), reason ?? 'needs xmllint');

const SCRIPTS = ['pre', 'post', 'preun', 'postun', 'pretrans', 'posttrans', 'preuntrans', 'postuntrans', 'verify'];

const ALPHA: RpmSpec = {
  name: 'alpha',
  version: '1.0~rc1^git2',
  release: '3',
  source: true,
  lines: [
    'Epoch: 2',
    'Summary: Ünïcode & <alpha> "quoted"',
    'URL: http://127.0.0.1/alpha?a=1&b=2',
    'Vendor: Rig',
    'Packager: A <a@example.invalid>',
    'Requires: /bin/sh, beta >= 1.0, ((gamma >= 2 with gamma < 3) if beta else delta), /etc/alpha.conf, /usr/share/alpha/plain',
    ...SCRIPTS.map((name) => `Requires(${name}): for-${name}, for-all, versioned >= 1`),
    'Requires(meta): together',
    'Requires: libc.so.6(GLIBC_2.4)(64bit), libc.so.6(GLIBC_2.34)(64bit), libc.so.6()(64bit)',
    'Requires: alpha = 2:1.0~rc1^git2-3, for-all',
    'BuildRequires: (make or ninja), gcc >= 12',
    'Recommends: delta, (epsilon if zeta)',
    'Suggests: echo = 1:2-3',
    'Supplements: (foxtrot and hotel)',
    'Enhances: golf < 4',
    'Conflicts: old < 2, (older unless newer)',
    'Obsoletes: old <= 2',
    'Provides: virtual(alpha) = 7, bare, näme, user(alpha)',
  ],
  files: {
    '/usr/bin/alpha': 'hi',
    '/etc/alpha.conf': 'c',
    '/etc/alpha.d/missing.conf': 'm',
    '/usr/share/alpha/plain': 'p',
    '/usr/share/alpha/däta & more': 'd',
    '/usr/share/doc/alpha/about': 'a',
    '/usr/share/alpha/empty/': '',
    '/srv/sbin/': '',
  },
  fileLines: [
    '%ghost /var/lib/alpha/ghost',
    '%ghost %config /etc/alpha.ghost',
    '%ghost %dir /var/lib/alpha/cache',
    '%config(noreplace) /etc/alpha.conf',
    '%config(missingok) /etc/alpha.d/missing.conf',
    '%doc /usr/share/doc/alpha/about',
  ],
  sections: `${SCRIPTS.map((name) => (name === 'verify' ? '%verifyscript\ntrue' : `%${name}\ntrue`)).join('\n')}
%triggerin -- beta
true
%filetriggerin -- /usr/lib
true
%changelog
${Array.from({ length: 14 }, (_, at) => `* Tue Nov ${14 - Math.floor(at / 3)} 2023 Änn <ann@example.invalid> - 1.0-${14 - at}\n- change ${14 - at} & <b>\n`).join('\n')}`,
};

const BETA: RpmSpec = {
  name: 'beta',
  version: '2^git1',
  arch: 'x86_64',
  files: {},
  sections: `%package sub\nSummary: part of beta\nSummary(de): Teil von beta\nRequires: %{name}%{?_isa} = %{version}-%{release}\n%description sub\nsub\n%files sub\n`,
};

const KINDS = {
  'of format 6': ['_rpmformat 6'],
  'of format 4 with a payload in zst': ['_rpmformat 4', '_binary_payload w19.zstdio', '_source_payload w19.zstdio'],
} as const;

const PAYLOAD_COMPRESSOR = 1125;

for (const [what, defines] of Object.entries(KINDS)) {
  compared(`packages ${what} are described as createrepo_c 1.x describes them`, async (t) => {
    await using dir = await tempDir();
    const rpms = await buildRpms(dir, [ALPHA, BETA], { run, defines });
    t.is(rpms.length, 4);
    const alpha = rpms.find(({ fileName }) => fileName.startsWith('alpha') && fileName.endsWith('.noarch.rpm')) ?? rpms[0]!;
    t.is(openRpm(alpha.bytes).header.find(({ tag }) => tag === PAYLOAD_COMPRESSOR)?.data.toString(), 'zstd\0');

    await describedAlike(t, dir, rpms, run);
    const { primary } = textsOf(alpha);
    for (const name of ['pretrans', 'posttrans', 'pre', 'post']) t.regex(primary, new RegExp(`<rpm:entry name="for-${name}" pre="1"/>`), name);
    t.regex(primary, /<rpm:entry name="for-preun"\/>/);
  });
}
