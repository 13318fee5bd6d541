/** Toys for the rules that hold for every format. */
import { gzipSync } from 'node:zlib';
import { signBytes } from '../../rig/upstream.ts';
import type { FormatRig, RigPackage, RigUpstream } from '../../suites/format-rig.ts';
import { packToy, rootFile, toy, type ToyEntry, type ToyPackage, type ToyRoot } from './format.ts';

interface ToyFile {
  readonly fileName: string;
  readonly bytes: Buffer;
  readonly described: ToyPackage;
}

const key = ({ name, version = 1, forAll }: RigPackage): string => `${name} ${version} ${forAll === true ? 'any' : 'wood'}`;

export const toyRig: FormatRig<ToyFile> = {
  format: toy,
  possible: true,
  needs: '',
  version: String,
  architectures: { all: 'any', own: 'wood' },
  build: async (_dir, packages) => packages.map(buildToy),
  upstream: async (_dir, { packages, date, validUntil, key: signer, metadata = {} }) => {
    const files: RigUpstream = new Map();
    const beside = new Map(Object.entries(metadata).map(([path, text]) => [path, Buffer.from(text)]));
    const lines = packages.map(({ fileName, bytes, described }) => {
      files.set(`toys/${fileName}`, bytes);
      return JSON.stringify({ ...described, ...rootFile(`toys/${fileName}`, bytes) } satisfies ToyEntry);
    });
    const plain = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    const listed = new Map([['main/wood/packages.jsonl', plain], ['main/wood/packages.jsonl.gz', gzipSync(plain)], ...beside]);
    for (const [path, bytes] of listed) files.set(`trees/rig/${path}`, bytes);
    const until = validUntil === undefined ? {} : { until: validUntil.toISOString() };
    const root = Buffer.from(JSON.stringify({ date: date.toISOString(), ...until, files: [...listed].map(([path, bytes]) => rootFile(path, bytes)) } satisfies ToyRoot));
    files.set('trees/rig/ROOT.json', root);
    files.set('trees/rig/ROOT.json.sig', await signBytes(root, [signer], date));
    return files;
  },
  request: { distribution: 'rig', components: ['main'], architectures: ['wood'], files: ['*'] },
  served: ({ prefix, distribution }) => ({ path: prefix, request: { distribution, components: ['main'], architectures: ['wood'], files: ['*'] } }),
  clients: [],
  notes: {
    name: 'main/notes.txt',
    write: (packages) => packages.map((one) => `${key(one)} is a toy\n`).join(''),
    read: (text) => text.split('\n').flatMap((line) => (line === '' ? [] : [line.split(' ')[0] ?? ''])),
  },
  sets: { name: 'main/sets.txt', write: (packages) => packages.map((one) => `${key(one)}\n`).join('') },
};

function buildToy(spec: RigPackage): ToyFile {
  const { name, version = 1, forAll, needs = [], offers = [], payload = 'wood' } = spec;
  const described = { name, version: String(version), on: forAll === true ? 'any' : 'wood', needs, ...(offers.length === 0 ? {} : { offers }) };
  return { fileName: `${key(spec).replaceAll(' ', '-')}.toy`, bytes: packToy(described, `${name} ${payload}`), described };
}
