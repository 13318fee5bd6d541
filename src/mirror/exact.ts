/** Keeping a repository as its upstream made it: all that its root metadata lists, with that and its signature. */
import type { Context } from '../core/context.ts';
import { sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { FileRef } from '../core/package.ts';
import type { ExactFormat, UpstreamPackage } from '../formats/format.ts';
import { unpackFile } from '../util/unpack.ts';
import { fetchFiles, receiveBytes } from './files.ts';
import { ROOT_FILES, unpackError } from './indexes.ts';
import type { FreshRoot } from './root.ts';
import { settlePackages, type SettleTools } from './settle.ts';

export interface Exact {
  readonly packages: readonly UpstreamPackage[];
  readonly fetched: { readonly files: number; readonly bytes: number };
}

export interface ExactWish {
  readonly format: ExactFormat | undefined;
  /** What is published with it: trees of an installer. */
  readonly bundles: readonly UpstreamPackage[];
}

const NOTHING: Exact = { packages: [], fetched: { files: 0, bytes: 0 } };

/** The record of it all, its files in the pool; nothing when it is not wanted. Throws E_UNSIGNED, and like `fetchFiles` and `places`. */
export async function keepExact(fresh: FreshRoot, { format, bundles }: ExactWish, tools: SettleTools, ctx: Context): Promise<Exact> {
  const { exact } = fresh.root;
  if (exact === undefined || format === undefined) return NOTHING;
  if (fresh.files.length < 2) {
    throw new ArtifactsError('E_UNSIGNED', `Mirror "${tools.mirror.name}" cannot be kept exactly: nothing signed it, so its clients could not trust it`);
  }
  const { joinKeyrings } = await import('../sign/keyring.ts');
  const { armorBytes } = await import('../sign/armor.ts');
  const key = Buffer.from(await armorBytes('publicKey', await joinKeyrings(tools.mirror.keyrings, fresh.state.signedBy)));
  const own = [...fresh.files, { path: format.keyPath, bytes: key }].map(({ path, bytes }): FileRef & { bytes: Buffer } => ({ name: path, size: bytes.length, sha256: sha256(bytes), bytes }));
  for (const { bytes } of own) await receiveBytes(bytes, tools);

  const candidates = exact.files.map((file) => tools.spool.add(file, ROOT_FILES.name));
  const { chosen, fetched } = await settlePackages([{ index: ROOT_FILES, candidates }], tools, ctx);
  const settled = chosen.flatMap((part) => ('candidates' in part ? part.candidates : []));
  const more = await fetchFiles(settled, tools, ctx);
  const listed = settled.flatMap(({ files: [file], locations: [path = ''] }) => (file === undefined ? [] : [{ ...file, name: path }]));
  const bundled = bundles.flatMap(({ record, locations }) => record.files.map((file, at) => ({ ...file, name: locations[at] ?? file.name })));
  const files = eachOnce([...own.map(({ name, size, sha256: digest }) => ({ name, size, sha256: digest })), ...listed, ...bundled]);
  const record = exact.record(files);
  await checkPlaces(record, format, tools, ctx);
  return {
    packages: [{ record, locations: files.map(({ name }) => name) }],
    fetched: { files: fetched.files + more.files, bytes: fetched.bytes + more.bytes },
  };
}

/** Several lists may name one file. Of other bytes at its path `places` tells. */
function eachOnce(files: readonly FileRef[]): FileRef[] {
  return [...new Map(files.map((file) => [`${file.sha256} ${file.name}`, file])).values()];
}

/** Read to its end now, so that what cannot be published is not mirrored. */
async function checkPlaces(record: UpstreamPackage['record'], format: ExactFormat, { pool }: SettleTools, ctx: Context): Promise<void> {
  const { file, packing } = format.index(record);
  try {
    for await (const _ of format.places(record, unpackFile(pool.path(file.sha256), packing, ctx.signal))) ctx.signal.throwIfAborted();
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw unpackError({ name: file.name }, error) ?? error;
  }
}
