import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { createCleartextMessage, createMessage, sign } from 'openpgp';
import { packagesStanza, type Deb } from './deb.ts';
import { rigKey, type RigKey } from './key.ts';

export interface UpstreamOptions {
  /** Default `stable`. */
  readonly suite?: string;
  /** Default `rig`. It is also the name of the folder below dists/ unless `distribution` says otherwise. */
  readonly codename?: string;
  /** Path below dists/, as `deb URL <distribution> …` names it. Default: the codename. */
  readonly distribution?: string;
  readonly components: Readonly<Record<string, readonly Deb[]>>;
  /** Default `amd64`. */
  readonly architectures?: readonly string[];
  /** One or several keys that sign; default `rigKey()`. */
  readonly keys?: readonly RigKey[];
  /** The Date of Release and of the signatures; default is now, to the second. */
  readonly date?: Date;
  readonly validUntil?: Date;
  /** Further Release fields, or other values of the usual ones; an empty value leaves the field out. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Default true: Acquire-By-Hash with a by-hash folder beside every index. */
  readonly byHash?: boolean;
  /** A flat repository: all lies in `<distribution>/`, which is the default Codename too; components are joined. */
  readonly flat?: boolean;
  /** Forms in which each index is offered; default plain, gz and xz. All that are offered are listed. */
  readonly compress?: readonly ('plain' | 'gz' | 'xz')[];
  /** Digests that Release lists; default MD5Sum and SHA256. */
  readonly digests?: readonly ('MD5Sum' | 'SHA1' | 'SHA256' | 'SHA512')[];
  /** Further indices by path below the suite's folder, such as `main/i18n/Translation-en`; listed and compressed alike. */
  readonly indices?: Readonly<Record<string, string | Uint8Array>>;
  /** Which signatures are written; default both. */
  readonly signatures?: 'both' | 'inline' | 'detached' | 'none';
}

/** A signed apt repository in memory. `files` may be changed by hand to tell lies. */
export interface AptUpstream {
  /** Bytes by path, as they are served. By-hash files of earlier generations stay. */
  readonly files: Map<string, Buffer>;
  /** The armored public keys of all that sign. */
  readonly keyring: Buffer;
  /** Full fingerprints of all that sign. */
  readonly fingerprints: readonly string[];
  /** Folder of Release and InRelease: `dists/rig`. */
  readonly folder: string;
  /** Publishes again: the same options but for those given. */
  republish(changes?: Partial<UpstreamOptions>): Promise<void>;
  /** The text of Release as last published. */
  release(): string;
}

/** Makes a signed repository of the packages given. */
export async function aptUpstream(options: UpstreamOptions): Promise<AptUpstream> {
  const keys = options.keys ?? [await rigKey()];
  const files = new Map<string, Buffer>();
  let current = options;
  await publish(files, current, keys);
  return {
    files,
    keyring: Buffer.concat(keys.map((key) => key.publicKey)),
    fingerprints: keys.map((key) => key.fingerprint),
    folder: folderOf(options),
    release: () => files.get(`${folderOf(current)}/Release`)?.toString() ?? '',
    async republish(changes = {}) {
      current = { ...current, ...changes };
      await publish(files, current, current.keys ?? keys);
    },
  };
}

/** Signs a text the way archives do: [InRelease, Release.gpg]. */
export async function signRelease(text: string, keys: readonly RigKey[], date: Date): Promise<readonly [Buffer, Buffer]> {
  const options = { signingKeys: keys.map((key) => key.unlocked), date };
  // The line end before the signature is not part of the signed text (RFC 9580, 7).
  const inline = await sign({ ...options, message: await createCleartextMessage({ text: text.replace(/\n$/, '') }) });
  return [Buffer.from(inline), await signBytes(Buffer.from(text), keys, date)];
}

/** A detached signature, armored. */
export async function signBytes(binary: Buffer, keys: readonly RigKey[], date: Date): Promise<Buffer> {
  const message = await createMessage({ binary });
  return Buffer.from(await sign({ message, signingKeys: keys.map((key) => key.unlocked), date, detached: true, format: 'armored' }));
}

async function publish(files: Map<string, Buffer>, options: UpstreamOptions, keys: readonly RigKey[]): Promise<void> {
  const folder = folderOf(options);
  const indices = new Map<string, Buffer>();
  for (const [path, bytes] of plainIndices(files, options)) {
    for (const form of options.compress ?? ['plain', 'gz', 'xz']) indices.set(...compressed(path, bytes, form));
  }
  for (const [path, bytes] of indices) {
    files.set(`${folder}/${path}`, bytes);
    if (options.byHash !== false) addByHash(files, `${folder}/${path}`, bytes);
  }
  const date = options.date ?? new Date(Math.floor(Date.now() / 1000) * 1000);
  const text = releaseText(options, indices, date);
  files.set(`${folder}/Release`, Buffer.from(text));
  await writeSignatures(files, { folder, text, keys, date, which: options.signatures ?? 'both' });
}

function folderOf(options: UpstreamOptions): string {
  const distribution = options.distribution ?? options.codename ?? 'rig';
  return options.flat ? distribution : `dists/${distribution}`;
}

function plainIndices(files: Map<string, Buffer>, options: UpstreamOptions): Map<string, Buffer> {
  const texts = new Map<string, string[]>();
  for (const [component, debs] of Object.entries(options.components)) {
    for (const architecture of options.architectures ?? ['amd64']) {
      texts.set(indexPath(options, component, architecture), []);
    }
    for (const deb of debs) addPackage(files, texts, { options, component, deb });
  }
  const extra = Object.entries(options.indices ?? {}).map(([path, bytes]) => [path, Buffer.from(bytes)] as const);
  return new Map([...[...texts].map(([path, stanzas]) => [path, Buffer.from(stanzas.join('\n'))] as const), ...extra]);
}

interface Placed {
  readonly options: UpstreamOptions;
  readonly component: string;
  readonly deb: Deb;
}

function addPackage(files: Map<string, Buffer>, texts: Map<string, string[]>, { options, component, deb }: Placed): void {
  const path = options.flat
    ? `${folderOf(options)}/${deb.fileName}`
    : `pool/${component}/${deb.name.slice(0, deb.name.startsWith('lib') ? 4 : 1)}/${deb.name}/${deb.fileName}`;
  files.set(path, deb.bytes);
  const stanza = packagesStanza(deb, path);
  const architectures = deb.architecture === 'all' ? (options.architectures ?? ['amd64']) : [deb.architecture];
  for (const index of new Set(architectures.map((name) => indexPath(options, component, name)))) {
    texts.get(index)?.push(stanza);
  }
}

function indexPath(options: UpstreamOptions, component: string, architecture: string): string {
  return options.flat ? 'Packages' : `${component}/binary-${architecture}/Packages`;
}

function compressed(path: string, bytes: Buffer, form: 'plain' | 'gz' | 'xz'): [string, Buffer] {
  switch (form) {
    case 'plain':
      return [path, bytes];
    case 'gz':
      return [`${path}.gz`, gzipSync(bytes)];
    case 'xz':
      return [`${path}.xz`, spawnSync('xz', ['-c'], { input: bytes, maxBuffer: 1 << 30 }).stdout];
  }
}

function addByHash(files: Map<string, Buffer>, path: string, bytes: Buffer): void {
  const folder = path.slice(0, path.lastIndexOf('/'));
  files.set(`${folder}/by-hash/SHA256/${createHash('sha256').update(bytes).digest('hex')}`, bytes);
}

function releaseText(options: UpstreamOptions, indices: ReadonlyMap<string, Buffer>, date: Date): string {
  const fields: Record<string, string> = {
    Origin: 'Rig',
    Label: 'Rig',
    Suite: options.suite ?? 'stable',
    Codename: options.codename ?? (options.flat ? folderOf(options) : 'rig'),
    Date: releaseDate(date),
    'Valid-Until': options.validUntil === undefined ? '' : releaseDate(options.validUntil),
    'Acquire-By-Hash': options.byHash === false ? '' : 'yes',
    Architectures: (options.architectures ?? ['amd64']).join(' '),
    Components: options.flat ? '' : Object.keys(options.components).join(' '),
    Description: 'signed upstream of the test rig',
    ...options.fields,
  };
  const head = Object.entries(fields).filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}\n`);
  const lists = (options.digests ?? ['MD5Sum', 'SHA256']).map((name) => `${name}:\n${digestLines(name, indices)}`);
  return [...head, ...lists].join('');
}

/** RFC 2822 with the zone spelled UTC, as archives write it. */
export function releaseDate(date: Date): string {
  return date.toUTCString().replace('GMT', 'UTC');
}

function digestLines(field: string, indices: ReadonlyMap<string, Buffer>): string {
  const algorithm = field === 'MD5Sum' ? 'md5' : field.toLowerCase();
  return [...indices]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, bytes]) => ` ${createHash(algorithm).update(bytes).digest('hex')} ${String(bytes.length).padStart(8)} ${path}\n`)
    .join('');
}

interface Signatures {
  readonly folder: string;
  readonly text: string;
  readonly keys: readonly RigKey[];
  readonly date: Date;
  readonly which: 'both' | 'inline' | 'detached' | 'none';
}

async function writeSignatures(files: Map<string, Buffer>, { folder, text, keys, date, which }: Signatures): Promise<void> {
  files.delete(`${folder}/InRelease`);
  files.delete(`${folder}/Release.gpg`);
  if (which === 'none') return;
  const [inline, detached] = await signRelease(text, keys, date);
  if (which !== 'detached') files.set(`${folder}/InRelease`, inline);
  if (which !== 'inline') files.set(`${folder}/Release.gpg`, detached);
}
