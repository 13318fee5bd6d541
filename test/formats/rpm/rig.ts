/** Rpm packages for the rules that hold for every format. */
import { createHash } from 'node:crypto';
import { rpm } from '../../../src/formats/rpm/index.ts';
import { buildRpms } from '../../rig/rpm.ts';
import { hasRpmUpstream, NO_RPM_UPSTREAM, rpmUpstream } from '../../rig/rpm-upstream.ts';
import { modulesYaml } from '../../rpm/support.ts';
import type { FormatRig, RigFile, RigPackage } from '../../suites/format-rig.ts';

const archOf = ({ forAll }: RigPackage): string => (forAll === true ? 'noarch' : 'x86_64');

let built = 0;

export const rpmRig: FormatRig = {
  format: rpm,
  possible: hasRpmUpstream,
  needs: NO_RPM_UPSTREAM,
  version: (number) => `${number}.0-1`,
  architectures: { all: 'noarch', own: 'x86_64' },
  build: async (dir, packages) => {
    const files: RigFile[] = [];
    // One after another, for versions and bytes of one name share their file's.
    for (const spec of packages) {
      const { name, version = 1, needs = [], offers = [], payload } = spec;
      const lines = [...needs.map((need) => `Requires: ${need}`), ...offers.map((offer) => `Provides: ${offer}`)];
      const folder = { ...dir, join: (...parts: readonly string[]) => dir.join(`build-${built}`, ...parts) };
      built += 1;
      files.push(...(await buildRpms(folder, [{ name, version: `${version}.0`, arch: archOf(spec), lines, ...(payload === undefined ? {} : { files: { [`/usr/share/${name}/about`]: payload } }) }])));
    }
    return files;
  },
  upstream: async (dir, { packages, sources = [], date, key, metadata = {}, digests }) => {
    const { files } = await rpmUpstream(dir, { rpms: [...packages, ...sources], keys: [key], date, metadata, args: digests === undefined ? [] : ['--checksum', 'sha512'] }, `upstream-${(built += 1)}`);
    return files;
  },
  request: { distribution: '', components: [], architectures: [], files: ['*'] },
  served: ({ prefix, distribution }) => ({ path: `${prefix}/${distribution}/x86_64`, request: { distribution: '', components: [], architectures: [], files: ['*'] } }),
  clients: ['any', 'el7', 'el8', 'suse'],
  notes: {
    name: 'updateinfo.xml',
    write: (packages) => `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${packages.map(advisory).join('')}</updates>\n`,
    read: (text) => [...text.matchAll(/<package name="([^"]*)"/g)].map(([, name = '']) => name),
  },
  sets: {
    name: 'modules.yaml',
    write: (packages) => modulesYaml('m', packages.map((one) => `${one.name}-0:${one.version ?? 1}.0-1.${archOf(one)}`)),
  },
  sources: async (dir, names) => {
    const folder = { ...dir, join: (...parts: readonly string[]) => dir.join('sources', ...parts) };
    return (await buildRpms(folder, names.map((name) => ({ name, source: true })))).filter(({ fileName }) => fileName.endsWith('.src.rpm'));
  },
  tree: (images) => {
    const checksums = Object.entries(images).map(([path, text]) => `${path} = sha256:${createHash('sha256').update(text).digest('hex')}\n`);
    const list = Buffer.from(`[checksums]\n${checksums.join('')}\n[tree]\narch = x86_64\n`);
    const files = new Map(Object.entries(images).map(([path, text]) => [path, Buffer.from(text)]));
    return { metadata: {}, files: files.set('.treeinfo', list), kinds: [`treeinfo:${createHash('sha256').update(list).digest('hex')}`] };
  },
  mirrorList: (urls) => `# mirrors\n${urls.map((url) => `${url}/\n`).join('')}`,
};

function advisory(one: RigPackage): string {
  const row = `<package name="${one.name}" version="${one.version ?? 1}.0" release="1" epoch="0" arch="${archOf(one)}"><filename>x.rpm</filename></package>`;
  return `<update from="rig@example.invalid" status="final" type="security" version="1"><id>RIG-${one.name}</id><title>t</title><issued date="2026-01-01 00:00:00"/><pkglist><collection short="c"><name>c</name>${row}</collection></pkglist></update>\n`;
}
