/** The readers of rpm repositories, each fed with one spoilt input. */
import { EMPTY_SHA256, sha256 } from '../../src/core/digest.ts';
import { isArtifactsError } from '../../src/core/errors.ts';
import { formatOf } from '../../src/formats/index.ts';
import type { UpstreamIndex } from '../../src/formats/format.ts';
import { below, type Random } from './mutators.ts';
import { inPieces, walk, worstOf } from './read-all.ts';
import { GOOD, type RpmKind } from './rpm-corpus.ts';

type Read = (bytes: Buffer, random: Random) => Promise<void>;

const format = formatOf('rpm');
const { upstream, publishing, local, exact } = format;
const PLAIN = { size: 64 * 1024 * 1024, sha256: EMPTY_SHA256 };
const REQUESTS = [[], ['sha1'], ['exact'], ['modules', 'source']].map((kinds) => ({ distribution: '', components: [], architectures: ['x86_64'], files: ['*'], kinds }));
/** Of what lies elsewhere nothing can be kept exactly. */
const ELSEWHERE = / xml:base="[^"]*"/g;

export const RPM_READERS: Readonly<Record<Exclude<RpmKind, 'rpm'>, Read>> = {
  primary: async (bytes, random) => {
    await walk(format, indexWith({ ...GOOD, primary: bytes }, random));
    await exactPlaces(bytes, random);
  },
  filelists: (bytes, random) => walk(format, indexWith({ ...GOOD, filelists: bytes }, random)),
  other: (bytes, random) => walk(format, indexWith({ ...GOOD, other: bytes }, random)),
  repomd: (bytes) => worstOf([...REQUESTS.map((request) => () => upstream.readRoot(request.kinds.includes('exact') ? Buffer.from(bytes.toString('latin1').replace(ELSEWHERE, ''), 'latin1') : bytes, request)), () => publishing.readServed(bytes, { root: 'x86_64/repodata', base: 'x86_64' })]),
  updateinfo: (bytes, random) => listed('updateinfo.xml', bytes, random),
  comps: (bytes, random) => listed('group.xml', bytes, random),
  modules: (bytes, random) => listed('modules.yaml', bytes, random),
  treeinfo: (bytes) => worstOf([() => upstream.readBundle?.(indexOf('.treeinfo'), bytes), () => upstream.readBundle?.({ ...indexOf('.treeinfo'), kind: 'exact' }, bytes), () => publishing.readBundle?.('x86_64/.treeinfo', bytes)]),
  'extra-files': (bytes) => worstOf([() => upstream.readBundle?.(indexOf('extra_files.json'), bytes)]),
  mirrorlist: (bytes) => worstOf([() => upstream.readMirrorList?.(bytes)]),
  metalink: (bytes) => worstOf([() => upstream.readMirrorList?.(bytes)]),
};

/** What a repository does with a package besides taking it in. */
export function readSignatures(bytes: Buffer): void {
  const scan = local.scan('x.rpm');
  for (let at = 0; at < bytes.length; at += 65_536) scan.push(bytes.subarray(at, at + 65_536));
  const head = scan.end().bytes;
  const { signing } = local;
  if (signing === undefined) throw new Error('Packages of rpm are signed');
  signing.signedBytes(head);
  signing.builtAt(head);
  signing.coversAll(head);
  signing.signatures(head);
  signing.withSignature(head, { algorithm: 22, packet: Buffer.alloc(100) });
}

function indexOf(name: string): UpstreamIndex {
  return { name, kind: name, offers: [], plain: PLAIN };
}

function indexWith(documents: Readonly<Record<'primary' | 'filelists' | 'other', Buffer>>, random: Random): ReturnType<typeof upstream.readIndex> {
  const companions = [indexOf('filelists'), indexOf('other')];
  return upstream.readIndex({ ...indexOf('primary'), companions }, inPieces(documents.primary, random), [inPieces(documents.filelists, random), inPieces(documents.other, random)]);
}

async function exactPlaces(primary: Buffer, random: Random): Promise<void> {
  if (exact === undefined) throw new Error('Repositories of rpm are kept exactly');
  const text = Buffer.from(JSON.stringify({ packing: 'none', plain: PLAIN, extension: '', primary: 'repodata/primary.xml', form: 'none', weak: below(random, 2) === 1 }));
  for await (const { path } of exact.places({ files: [], text }, inPieces(primary, random))) {
    if (path.split('/').includes('..')) throw new Error(`left its folder: ${path}`);
  }
}

/** Put in by hand, merged with itself and cut down to what is there: what cannot be read is refused, or told and left out. */
async function listed(fileName: string, plain: Buffer, random: Random): Promise<void> {
  const { combine, prune, extract, readBound } = publishing.listed;
  const notes: string[] = [];
  const merged = combine(fileName)?.([inPieces(plain, random), inPieces(plain, random)], (note) => notes.push(note));
  const parts: Buffer[] = [];
  for await (const part of merged ?? []) parts.push(part);
  if (notes.some((note) => note.includes('\n'))) throw new Error(`a note of several lines: ${JSON.stringify(notes)}`);
  for (const bytes of [plain, Buffer.concat(parts)]) {
    try {
      prune?.(fileName)?.(bytes, ({ name }) => name === 'beta');
      extract?.(fileName)?.(bytes, ({ name }) => name === 'alpha', (note) => notes.push(note));
      const has = await readBound?.(fileName, inPieces(bytes, random));
      has?.({ name: 'alpha', version: '2:1.0~rc1-1.el9', architecture: 'x86_64' });
    } catch (error) {
      if (!isArtifactsError(error)) throw error;
    }
  }
  local.metadata?.read({ fileName, packing: 'none', size: plain.length, sha256: sha256(plain), plain: { size: plain.length, sha256: sha256(plain) } }, plain);
}
