/** Making an image: packages, virtualenv, files, commands, then what belongs to one machine out, and all of it checked. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import type { Sha256 } from '../../core/digest.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { runAsOwner } from '../../sandbox/namespaces.ts';
import { findSources, type AptFolder } from '../../sandbox/apt-folder.ts';
import { copyRoot, listInstalled, prepareRoot, removeRootTree, ROOT_EPOCH, type PreparedRoot } from '../../sandbox/prepare-root.ts';
import type { AptSource, InstalledPackage, Root, RootSpec } from '../../sandbox/root.ts';
import { counted } from '../../util/counted.ts';
import { makeFolder, writeNewFile } from '../../util/durable.ts';
import { hashFile } from '../../util/hash-file.ts';
import type { MadeArtifact, MadeFile, MakeRequest } from '../kind.ts';
import { checkImage } from './check-image.ts';
import { imageFacts, type ImageFacts } from './facts.ts';
import { applyRoles } from './apply-roles.ts';
import { addFiles, addSources, addVenv, HANDED_IN, runCommands, type ImageTree } from './layers.ts';
import { incusMeta, lxcMeta } from './meta.ts';
import { makeOciLayout } from './oci.ts';
import { compressGzip, compressXz, packTexts, packTree, sizeOf } from './pack.ts';
import { releaseSources } from '../publication.ts';
import { imageFolder, ociPlace, variantOf, type ImageSpec } from './spec.ts';
import { secretTexts } from './secrets.ts';
import { stripTree } from './strip.ts';

/** Raised when images are made in another way, so that all are made anew. */
export const RECIPE = 1;

/** A signature is made of bytes in memory. What is larger is vouched for by SHA256SUMS alone. */
const SIGNED_BYTES = 1024 ** 3;

/** Makes the image. What turns out with the bytes of before keeps its build id, and so nothing of it is published anew. */
export async function makeImage(image: ImageSpec, request: MakeRequest, ctx: Context): Promise<MadeArtifact> {
  const { workshop, folder } = request;
  const key = join(workshop.publicRoot, image.publication.key);
  const spec = await rootSpec(image, request);
  const root = await prepareRoot(spec, { cache: workshop.cache('roots'), below: workshop.cacheBelow('roots'), network: image.network }, ctx);
  const tree: ImageTree = { path: join(folder, 'tree'), temporary: join(folder, 'sandbox'), log: join(folder, 'log') };
  const checked = join(folder, 'checked');
  makeFolder(tree.temporary);
  try {
    await copyRoot(root, tree.path, ctx);
    const secrets = secretTexts(image.ansible?.secrets ?? []);
    await addLayers(tree, { image, request, key, spec, apt: root.apt, secrets }, ctx);
    const whole = image.ansible === undefined ? root : await withInstalled(root, { spec, tree: tree.path });
    const tar = join(folder, 'rootfs.tar');
    const epoch = await newestPackage(root.path, ctx);
    await packTree(tree.path, tar, { epoch }, ctx);
    const privileged = await checkImage({ image, root: whole, secrets, tree: tree.path, tar, folder: checked, temporary: tree.temporary, ours: [workshop.publicRoot, folder, HANDED_IN] }, ctx);
    return await describe({ image, root: whole, sources: spec.sources, tar, epoch, privileged }, request, ctx);
  } finally {
    await removeRootTree(tree.path);
    await removeRootTree(checked);
  }
}

async function rootSpec({ codename, architecture, publication, base, packages }: ImageSpec, { workshop }: MakeRequest): Promise<RootSpec> {
  const sources = [...releaseSources(publication, workshop.publicRoot), ...(await base.resolve())];
  return { codename, architecture, sources, packages };
}

interface Layering {
  readonly image: ImageSpec;
  readonly request: MakeRequest;
  /** Path of the public key of the release. */
  readonly key: string;
  readonly spec: RootSpec;
  readonly apt: AptFolder;
  readonly secrets: readonly string[];
}

/** In the order in which they may lean on one another. */
async function addLayers(tree: ImageTree, { image, request, key, ...more }: Layering, ctx: Context): Promise<void> {
  if (image.venv !== undefined) await addVenv(tree, venvOf(image.venv, request), ctx);
  await addFiles(tree, image.files, ctx);
  if (image.ansible !== undefined) {
    ctx.report({ type: 'phase', subject: image.role, text: `applying ${counted(image.ansible.roles.length, 'Ansible role')}` });
    await applyRoles(tree, { ...more, release: request.release, host: image.role, roles: image.ansible, folder: join(request.folder, 'roles') }, ctx);
  }
  await runCommands(tree, image.commands, ctx);
  await stripTree(tree, ctx);
  await addSources(tree, { image, key }, ctx);
}

/** The root with what roles made of its packages: whatever is installed from its sources now. */
async function withInstalled(root: PreparedRoot, { spec, tree }: { readonly spec: RootSpec; readonly tree: string }): Promise<Root> {
  const word = ({ name, version, architecture }: Omit<InstalledPackage, 'source'>): string => `${name} ${version} ${architecture}`;
  const before = new Map(root.packages.map((one) => [word(one), one]));
  const installed = await listInstalled(tree);
  const added = installed.filter((one) => !before.has(word(one)));
  const sources = added.length === 0 ? new Map<string, number>() : await findSources(root.apt, spec, added.map(({ name }) => name));
  const packages = installed.flatMap((one) => {
    const source = before.get(word(one))?.source ?? sources.get(`${one.name} ${one.version}`);
    return source === undefined ? [] : [{ ...one, source }];
  });
  return { ...root, packages };
}

function venvOf(id: string, { needed, pathOf }: MakeRequest): { readonly tarball: string; readonly prefix: string } {
  const artifact = needed.get(id);
  const file = artifact?.files.find(({ path }) => path.endsWith('.tgz'));
  const prefix = artifact?.facts['prefix'];
  if (file === undefined || typeof prefix !== 'string') throw new ArtifactsError('E_NOT_FOUND', `There is no ${id} to put into the image`);
  return { tarball: pathOf(file.sha256), prefix };
}

/**
 * Seconds: when the newest package was made, by its documentation, which bears the date of its changelog. It is the same
 * whenever the image is made, and no earlier than anything in its packages should be.
 */
async function newestPackage(root: string, ctx: Context): Promise<number> {
  const documentation = join(root, 'usr/share/doc');
  if (!existsSync(documentation)) return ROOT_EPOCH;
  const { stdout } = await runAsOwner(['find', documentation, '-maxdepth', '2', '-type', 'f', '-name', 'c*', '-printf', '%Ts\\n'], ctx);
  return stdout.toString('utf8').split('\n').map(Number).reduce((newest, time) => Math.max(newest, time), ROOT_EPOCH);
}

interface Packed {
  readonly image: ImageSpec;
  readonly root: Root;
  /** What it was made of. */
  readonly sources: readonly AptSource[];
  readonly tar: string;
  readonly epoch: number;
  readonly privileged: readonly string[];
}

async function describe({ image, root, sources, tar, epoch, privileged }: Packed, request: MakeRequest, ctx: Context): Promise<MadeArtifact> {
  const { release, folder } = request;
  const rootfs = await hashFile(tar);
  const kept = keepBefore(request, rootfs);
  if (kept !== undefined) return kept;
  const [xz, gzip] = await Promise.all([compressXz(tar, ctx), compressGzip(tar, ctx)]);
  const build = newBuild(image, request);
  const lies = imageFolder(image, release, build);
  const server = await packServer({ image, release, build, folder, xz }, ctx);
  const place = ociPlace(image, release);
  const oci = await makeOciLayout({ architecture: image.architecture, name: variantOf(release, image.role), rootfs, gzip, created: epoch }, { folder: join(folder, 'oci'), place });
  const facts: ImageFacts = {
    role: image.role,
    variant: variantOf(release, image.role),
    os: image.os,
    codename: image.codename,
    architecture: image.architecture,
    build,
    folder: lies,
    rootfs,
    recipe: RECIPE,
    fingerprint: server.fingerprint,
    packages: root.packages.map(({ name, version, source }) => ({ name, version, from: suiteOf(sources[source], image) })),
    privileged,
  };
  const files: readonly MadeFile[] = [...server.files.map((from) => ({ path: `${lies}/${basename(from)}`, from, signed: isSigned(from, sizeOf(from)) })), ...oci];
  const size = `${Math.round(sizeOf(xz) / 1_000_000)} MB`;
  return { files, facts, detail: `${counted(root.packages.length, 'package')}, ${size}, build ${build}` };
}

/** lxc's download template looks for a signature of both halves, when it is told to validate; the digests stand for the rest. */
function isSigned(path: string, size: number): boolean {
  return size <= SIGNED_BYTES && ['rootfs.tar.xz', 'meta.tar.xz', 'SHA256SUMS'].includes(basename(path));
}

function suiteOf(source: AptSource | undefined, { publication }: ImageSpec): string {
  return source?.suite === publication.suite ? 'release' : (source?.suite ?? '');
}

/** What was made before, when it has the same root filesystem: one build id stands for the same bytes for ever. */
function keepBefore({ previous, pathOf }: MakeRequest, rootfs: Sha256): MadeArtifact | undefined {
  const facts = previous === undefined ? undefined : imageFacts(previous);
  if (previous === undefined || facts?.rootfs !== rootfs || facts.recipe !== RECIPE) return undefined;
  const files = previous.files.map(({ path, size, sha256 }) => ({ path, from: pathOf(sha256), signed: isSigned(path, size) }));
  return { files, facts, detail: `the same as build ${facts.build}` };
}

/** `YYYYMMDD_HH:MM`, UTC: that of the release's build, or the next minute that was never used. */
function newBuild(image: ImageSpec, { build, release, workshop, previous }: MakeRequest): string {
  const [, year = '', month = '', day = '', hour = '', minute = ''] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/.exec(build) ?? [];
  let time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute));
  for (;;) {
    const id = new Date(time).toISOString().replace(/^(\d+)-(\d\d)-(\d\d)T(\d\d:\d\d).*$/, '$1$2$3_$4');
    const used = existsSync(join(workshop.publicRoot, imageFolder(image, release, id)));
    const before = previous === undefined ? undefined : imageFacts(previous)?.build;
    if (!used && (before === undefined || id > before)) return id;
    time += 60_000;
  }
}

interface Serving {
  readonly image: ImageSpec;
  readonly release: string;
  readonly build: string;
  readonly folder: string;
  /** rootfs.tar.xz */
  readonly xz: string;
}

/** The files of an image server, and what Incus calls the image. */
async function packServer({ image, release, build, folder, xz }: Serving, ctx: Context): Promise<{ readonly files: readonly string[]; readonly fingerprint: string }> {
  const created = Date.parse(build.replace(/^(\d{4})(\d\d)(\d\d)_(.*)$/, '$1-$2-$3T$4Z')) / 1000;
  const about = { variant: variantOf(release, image.role), created };
  const pack = async (name: string, texts: Readonly<Record<string, string>>): Promise<string> => {
    const tar = join(folder, `${name}.tar`);
    await packTexts(texts, { folder: join(folder, name), tar, epoch: created }, ctx);
    return compressXz(tar, ctx);
  };
  const meta = await pack('meta', lxcMeta(image, about));
  const incus = await pack('incus', incusMeta(image, about));
  const packed = [incus, meta, xz];
  const sums = join(folder, 'SHA256SUMS');
  const lines = await Promise.all(packed.map(async (file) => `${await hashFile(file)}  ${basename(file)}\n`));
  writeNewFile(sums, (write) => write(Buffer.from(lines.join(''))));
  return { files: [...packed, sums], fingerprint: await hashFile(incus, xz) };
}
