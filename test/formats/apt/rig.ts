/** Debian packages for the rules that hold for every format. */
import { createHash } from 'node:crypto';
import { apt } from '../../../src/formats/apt/index.ts';
import { buildDeb, type Deb } from '../../rig/deb.ts';
import { buildSource, sourcesStanza, type SourcePackage } from '../../rig/source.ts';
import { aptUpstream } from '../../rig/upstream.ts';
import type { FormatRig, RigFile } from '../../suites/format-rig.ts';

/** A package, or the .dsc of a source with all of it. */
type AptFile = RigFile & ({ readonly deb: Deb } | { readonly source: SourcePackage });

const IMAGES = 'main/installer-amd64/current/images';

export const aptRig: FormatRig<AptFile> = {
  format: apt,
  possible: true,
  needs: '',
  version: (number) => `${number}.0-1`,
  architectures: { all: 'all', own: 'amd64' },
  build: async (_dir, packages) =>
    packages.map(({ name, version = 1, forAll, needs = [], offers = [], payload }) => {
      const deb = buildDeb({
        name,
        version: `${version}.0-1`,
        architecture: forAll === true ? 'all' : 'amd64',
        fields: { ...(needs.length === 0 ? {} : { Depends: needs.join(', ') }), ...(offers.length === 0 ? {} : { Provides: offers.join(', ') }) },
        ...(payload === undefined ? {} : { files: { [`usr/share/${name}/about`]: payload } }),
      });
      return { fileName: deb.fileName, bytes: deb.bytes, deb };
    }),
  upstream: async (_dir, { packages, sources = [], date, validUntil, key, metadata = {} }) => {
    const found = sources.flatMap((one) => ('source' in one ? [one.source] : []));
    const stanzas = found.map((source) => sourcesStanza(source, `pool/main/${source.name}`)).join('\n');
    const { files } = await aptUpstream({
      components: { main: packages.flatMap((one) => ('deb' in one ? [one.deb] : [])) },
      indices: { ...metadata, ...(found.length === 0 ? {} : { 'main/source/Sources': stanzas }) },
      compress: ['plain', 'gz'],
      keys: [key],
      date,
      ...(validUntil === undefined ? {} : { validUntil }),
    });
    for (const { name, files: parts } of found) for (const [fileName, bytes] of parts) files.set(`pool/main/${name}/${fileName}`, bytes);
    return files;
  },
  request: { distribution: 'rig', components: ['main'], architectures: ['amd64'], files: ['i18n/*'] },
  served: ({ prefix, distribution }) => ({ path: prefix, request: { distribution, components: ['main'], architectures: ['amd64'], files: ['i18n/*'] } }),
  clients: [],
  notes: {
    name: 'main/i18n/Translation-en',
    write: (packages) => packages.map(({ name }) => `Package: ${name}\nDescription-md5: ${createHash('md5').update(name).digest('hex')}\nDescription-en: about ${name}\n all of it\n`).join('\n'),
    read: (text) => [...text.matchAll(/^Package: (.*)$/gm)].map(([, name = '']) => name),
  },
  sources: async (_dir, names) =>
    names.map((name) => {
      const source = buildSource(name, '1.0');
      return { fileName: `${name}_1.0.dsc`, bytes: source.files.get(`${name}_1.0.dsc`) ?? Buffer.alloc(0), source };
    }),
  upload: (given) => {
    const files = given.flatMap((one): readonly RigFile[] => ('source' in one ? [...one.source.files].map(([fileName, bytes]) => ({ fileName, bytes })) : [one]));
    const sums = files.map(({ fileName, bytes }) => ` ${createHash('sha256').update(bytes).digest('hex')} ${bytes.length} ${fileName}\n`);
    const text = `Format: 1.8\nSource: app\nArchitecture: amd64\nVersion: 1.0-1\nDistribution: unstable\nChecksums-Sha256:\n${sums.join('')}`;
    return { files: [...files, { fileName: 'app.changes', bytes: Buffer.from(text) }], list: 'app.changes' };
  },
  tree: (images) => {
    const sums = Object.entries(images).map(([path, text]) => `${createHash('sha256').update(text).digest('hex')}  ./${path}\n`);
    return {
      metadata: { [`${IMAGES}/SHA256SUMS`]: sums.join('') },
      files: new Map(Object.entries(images).map(([path, text]) => [`dists/rig/${IMAGES}/${path}`, Buffer.from(text)])),
      kinds: ['installer'],
    };
  },
};
