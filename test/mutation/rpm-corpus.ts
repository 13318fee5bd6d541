/** What is spoilt of rpm repositories: packages made in process, and the metadata of those. */
import { createHash } from 'node:crypto';
import { parseSha256 } from '../../src/core/digest.ts';
import { formatOf } from '../../src/formats/index.ts';
import { headerBytes, int32, packRpm, text, texts, type RigEntry } from '../rig/rpm-formats.ts';
import { below, mutate, pick, type Random } from './mutators.ts';

export const RPM_KINDS = ['primary', 'filelists', 'other', 'repomd', 'updateinfo', 'comps', 'modules', 'rpm', 'treeinfo', 'extra-files', 'mirrorlist', 'metalink'] as const;
export type RpmKind = (typeof RPM_KINDS)[number];

const numbers = (tag: number, values: readonly number[], type: 3 | 4 = 4): RigEntry => {
  const data = Buffer.alloc(values.length * (type === 4 ? 4 : 2));
  for (const [at, value] of values.entries()) if (type === 4) data.writeUInt32BE(value, at * 4);
    else data.writeUInt16BE(value, at * 2);
  return { tag, type, count: values.length, data };
};
const i18n = (tag: number, value: string): RigEntry => ({ ...text(tag, value), type: 9 });

/** Names, flags and versions of one kind of relation, as tags have them. */
function relations([names, flags, versions]: readonly [number, number, number], list: readonly (readonly [string, number, string])[]): RigEntry[] {
  return [texts(names, list.map(([name]) => name)), numbers(flags, list.map(([, flag]) => flag)), texts(versions, list.map(([, , version]) => version))];
}

function packageEntries(name: string): RigEntry[] {
  return [
    text(1000, name), text(1001, '1.0~rc1'), text(1002, '1.el9'), int32(1003, 2), i18n(1004, `the package ${name}`), i18n(1005, 'What it is,\nin two lines: é'), int32(1006, 1_700_000_000),
    text(1007, 'builder'), int32(1009, 12), text(1014, 'MIT'), i18n(1016, 'Unspecified'), text(1020, 'https://example.invalid/'), text(1021, 'linux'), text(1022, 'x86_64'), text(1044, `${name}-1.0~rc1-1.el9.src.rpm`), int32(1046, 300),
    ...relations([1047, 1112, 1113], [[name, 8, '2:1.0~rc1-1.el9'], ['lib.so.1()(64bit)', 0, '']]),
    ...relations([1049, 1048, 1050], [['/bin/sh', 1 << 9, ''], ['libc.so.6(GLIBC_2.34)(64bit)', 0, ''], ['beta', 12, '1:2-3'], ['(gamma if (delta or epsilon >= 1))', 0, ''], ['rpmlib(CompressedFileNames)', 10 | (1 << 24), '3.0.4-1']]),
    ...relations([1054, 1053, 1055], [['old', 2, '3']]),
    ...relations([5046, 5048, 5047], [['(a and b with c)', 0, '']]),
    ...relations([5052, 5054, 5053], [['langpacks-de', 0, '']]),
    numbers(1030, [0o100755, 0o40755, 0o100644], 3), numbers(1037, [0, 0, 64]), numbers(1116, [0, 1, 2]), texts(1117, [name, 'conf', 'log']), texts(1118, ['/usr/bin/', '/etc/', '/var/log/']),
    numbers(1080, [1_700_000_000, 1_600_000_000]), texts(1081, ['Ann <ann@example.invalid> - 1.0-1', 'Bob - 0.9-1']), texts(1082, ['- first', '- é & <b>']), text(1124, 'cpio'), text(1125, 'gzip'),
  ];
}

const NAMES = ['alpha', 'beta'] as const;
const PAYLOAD = Buffer.from('a payload that nobody unpacks');
const RPMS = NAMES.map((name) => packRpm(headerBytes(packageEntries(name)), PAYLOAD));

const { local, publishing } = formatOf('rpm');

function documentOf(part: string): Buffer {
  const records = RPMS.map((bytes, at) => {
    const scan = local.scan('x');
    scan.push(bytes);
    const sha256 = parseSha256(createHash('sha256').update(bytes).digest('hex'));
    if (sha256 === undefined) throw new Error('no digest');
    return local.readPackage({ fileName: `${NAMES[at]}-1.0.rpm`, size: bytes.length, sha256 }, scan.end().bytes);
  });
  const { head, tail } = publishing.frame(part, records.length);
  return Buffer.concat([head, ...records.map((record) => publishing.textOf(record.text, part)), tail]);
}

/** By their types. */
export const GOOD: Readonly<Record<'primary' | 'filelists' | 'other', Buffer>> = { primary: documentOf('primary'), filelists: documentOf('filelists'), other: documentOf('other') };

const HEX = createHash('sha256').update('x').digest('hex');

const REPOMD = Buffer.from(
  `<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">\n  <revision>1700000000</revision>\n  <tags><repo>a</repo><distro cpeid="cpe:/o:a">b</distro></tags>\n` +
    ['primary', 'filelists', 'other', 'primary_db', 'group', 'updateinfo', 'modules', 'productid', 'treeinfo', 'filelists_zck']
      .map((type) => `  <data type="${type}">\n    <checksum type="sha256">${HEX}</checksum>\n    <open-checksum type="sha512">${HEX}${HEX}</open-checksum>\n    <location xml:base="https://example.invalid/a/" href="repodata/${HEX}-${type}.xml.gz"/>\n    <timestamp>1700000000</timestamp>\n    <size>${1000 + type.length}</size>\n    <open-size>20000</open-size>\n  </data>\n`.replace(type === 'primary' ? ' xml:base="https://example.invalid/a/"' : '\0', ''))
      .join('') +
    '</repomd>\n',
);

const UPDATEINFO = Buffer.from(
  `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${['A', 'B'].map((id) => `<update from="sec@example.invalid" status="final" type="security" version="1"><id>RIG-${id}</id><title>t &amp; t</title><issued date="2026-01-01 00:00:00"/><updated date="1700000000"/><severity>Important</severity><description>d\nd</description><references><reference href="https://example.invalid/1" id="CVE-1" type="cve"/></references><pkglist><collection short="c"><name>c</name><module name="m" stream="1.10" version="1" context="abc" arch="x86_64"/><package name="alpha" version="1.0~rc1" release="1.el9" epoch="2" arch="x86_64" src="a.src.rpm"><filename>a.rpm</filename><sum type="sha256">${HEX}</sum><reboot_suggested>True</reboot_suggested></package></collection></pkglist></update>\n`).join('')}</updates>\n`,
);

const COMPS = Buffer.from(
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">\n<comps>\n<group><id>g</id><name>Tools</name><name xml:lang="de">Werkzeuge</name><description>d</description><default>true</default><uservisible>true</uservisible><packagelist><packagereq type="mandatory">alpha</packagereq><packagereq type="conditional" requires="beta">gamma</packagereq></packagelist></group>\n<category><id>c</id><name>C</name><grouplist><groupid>g</groupid></grouplist></category>\n<environment><id>e</id><name>E</name><display_order>5</display_order><grouplist><groupid>g</groupid></grouplist><optionlist><groupid default="true">o</groupid></optionlist></environment>\n<langpacks><match name="app" install="app-%s"/></langpacks>\n</comps>\n`,
);

const MODULES = Buffer.from(
  `---\ndocument: modulemd\nversion: 2\ndata:\n  name: m\n  stream: "1.10"\n  version: 20230101\n  context: abc\n  arch: x86_64\n  summary: s\n  description: >-\n    d\n    d\n  license:\n    module: [MIT]\n  artifacts:\n    rpms:\n    - alpha-2:1.0~rc1-1.el9.x86_64\n    - beta-2:1.0~rc1-1.el9.x86_64\n...\n` +
    `---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: m\n  modified: 202301010000\n  stream: "1.10"\n  profiles:\n    "1.10": [common]\n  intents:\n    server: {stream: "2", profiles: {"2": [x]}}\n...\n---\ndocument: modulemd-obsoletes\nversion: 1\ndata:\n  module: m\n  stream: "1.10"\n  modified: 2020-01-01T00:00Z\n  message: old\n...\n`,
);

const TREEINFO = Buffer.from(
  `; written by a composer\n[checksums]\nimages/boot.iso = sha256:${HEX}\nimages/pxeboot/vmlinuz = sha256:${HEX}\nrepodata/repomd.xml = sha256:${HEX}\n\n[general]\narch = x86_64\nfamily = Rig\nrepository = .\n\n[images-x86_64]\nboot.iso = images/boot.iso\nkernel = images/pxeboot/vmlinuz\n\n[tree]\narch = x86_64\nvariants = BaseOS\n\n[variant-BaseOS]\nid = BaseOS\npackages = ../../BaseOS/Packages\nrepository = ../../BaseOS\n`,
);

const EXTRA_FILES = Buffer.from(JSON.stringify({ header: { version: '1.0' }, data: ['GPL', 'keys/release'].map((file) => ({ file, size: 18_092, checksums: { md5: HEX.slice(0, 32), sha256: HEX } })) }, null, 4));

const MIRRORLIST = Buffer.from('# mirrors\nhttps://one.example.invalid/a/\nhttp://two.example.invalid/b\n\nftp://three.example.invalid/\n');
const METALINK = Buffer.from(
  `<?xml version="1.0" encoding="utf-8"?>\n<metalink version="3.0" xmlns="http://www.metalinker.org/" xmlns:mm0="http://fedorahosted.org/mirrormanager">\n<files><file name="repomd.xml"><mm0:timestamp>1700000000</mm0:timestamp><size>100</size><verification><hash type="md5">${'0'.repeat(32)}</hash><hash type="sha256">${HEX}</hash></verification><mm0:alternates><mm0:alternate><mm0:timestamp>1600000000</mm0:timestamp><size>99</size><verification><hash type="sha256">${HEX}</hash></verification></mm0:alternate></mm0:alternates><resources maxconnections="1"><url protocol="https" type="https" location="DE" preference="100">https://one.example.invalid/a/repodata/repomd.xml</url><url protocol="rsync" preference="9">rsync://two.example.invalid/repodata/repomd.xml</url></resources></file></files>\n</metalink>\n`,
);

export const RPM_SPOILERS: Readonly<Record<RpmKind, (random: Random) => Buffer>> = {
  primary: (random) => mutate(GOOD.primary, GOOD.filelists, random),
  filelists: (random) => mutate(GOOD.filelists, GOOD.primary, random),
  other: (random) => mutate(GOOD.other, GOOD.filelists, random),
  repomd: (random) => mutate(REPOMD, GOOD.primary, random),
  updateinfo: (random) => mutate(UPDATEINFO, COMPS, random),
  comps: (random) => mutate(COMPS, UPDATEINFO, random),
  modules: (random) => mutate(MODULES, COMPS, random),
  rpm: spoiltRpm,
  treeinfo: (random) => mutate(TREEINFO, MODULES, random),
  'extra-files': (random) => mutate(EXTRA_FILES, TREEINFO, random),
  mirrorlist: (random) => mutate(MIRRORLIST, METALINK, random),
  metalink: (random) => mutate(METALINK, MIRRORLIST, random),
};

/** Spoilt at one of its layers; mostly the digests are those of what is spoilt, or nothing would get behind them. */
function spoiltRpm(random: Random): Buffer {
  const entries = packageEntries(pick(random, NAMES));
  switch (pick(random, ['file', 'header', 'header', 'entry', 'entry', 'entry', 'signature'] as const)) {
    case 'file':
      return mutate(packRpm(headerBytes(entries), PAYLOAD), UPDATEINFO, random);
    case 'header':
      return packRpm(mutate(headerBytes(entries), MODULES, random), PAYLOAD);
    case 'entry':
      return packRpm(headerBytes(withSpoiltEntry(entries, random)), PAYLOAD);
    case 'signature':
      return packRpm(headerBytes(entries), PAYLOAD, withSpoiltEntry([{ tag: 268, type: 7, count: 3, data: Buffer.from('abc') }, text(273, HEX), texts(278, ['YWJj'])], random));
  }
}

function withSpoiltEntry(entries: readonly RigEntry[], random: Random): RigEntry[] {
  const at = below(random, entries.length);
  const entry = entries[at] ?? int32(1000, 0);
  const odd = pick(random, [0, 1, 2, 255, 65_536, 2_147_483_647, -1]);
  switch (pick(random, ['data', 'data', 'type', 'count', 'tag', 'twice', 'gone'] as const)) {
    case 'data':
      return [...entries].with(at, { ...entry, data: mutate(entry.data, COMPS, random) });
    case 'type':
      return [...entries].with(at, { ...entry, type: below(random, 12) });
    case 'count':
      return [...entries].with(at, { ...entry, count: odd });
    case 'tag':
      return [...entries].with(at, { ...entry, tag: pick(random, [odd, entries[below(random, entries.length)]?.tag ?? 0]) });
    case 'twice':
      return [...entries, entry];
    case 'gone':
      return [...entries].toSpliced(at, 1);
  }
}
