/** What an image must be before it counts as made: looked at as its users get it, unpacked from the archive. */
import type { Context } from '../../core/context.ts';
import { ArtifactsError, isArtifactsError } from '../../core/errors.ts';
import { runAsOwner } from '../../sandbox/namespaces.ts';
import { listInstalled } from '../../sandbox/prepare-root.ts';
import type { Root } from '../../sandbox/root.ts';
import { runIn } from '../../sandbox/run-in.ts';
import { makeFolder } from '../../util/durable.ts';
import { consumerSources } from './layers.ts';
import { findTexts } from './secrets.ts';
import type { ImageSpec } from './spec.ts';
import { BELONGS_TO_ONE_MACHINE } from './strip.ts';

export interface Checking {
  readonly image: ImageSpec;
  /** What its packages made of it, before anything else was put in. */
  readonly root: Root;
  /** What was packed. */
  readonly tree: string;
  /** The archive, not compressed. */
  readonly tar: string;
  /** An empty folder for it. */
  readonly folder: string;
  readonly temporary: string;
  /** Paths of the machine that makes images: none may stand in one. */
  readonly ours: readonly string[];
  /** Texts that may stand nowhere in it. */
  readonly secrets: readonly string[];
}

/** Paths that are setuid, setgid or have capabilities. Throws E_CHECK with all that is wrong. */
export async function checkImage(checking: Checking, ctx: Context): Promise<readonly string[]> {
  makeFolder(checking.folder);
  await runAsOwner(['tar', '--extract', `--file=${checking.tar}`, `--directory=${checking.folder}`, '--numeric-owner', '--same-permissions', '--xattrs', '--xattrs-include=security.capability'], ctx);
  const privileged = await listPrivileged(checking.folder, ctx);
  const problems = [
    ...(await findSpecialFiles(checking.folder, ctx)),
    ...(await findAccessLists(checking.tree, ctx)),
    ...findPrivileged(privileged, await listPrivileged(checking.root.path, ctx), checking.image),
    ...(await findForeign(checking)),
    ...(await findTexts(checking.secrets, checking, ctx)).map((path) => `${path} holds a secret that its roles were given`),
    ...(await askImage(checking, ctx)),
    ...(await runChecks(checking, ctx)),
  ];
  if (problems.length === 0) return privileged;
  throw new ArtifactsError('E_CHECK', `The image is not as it should be: ${problems.slice(0, SHOWN).join('; ')}${problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : ''}`, {
    hint: 'Change its packages, files and commands in container_images.',
    details: { problems },
  });
}

const SHOWN = 5;

/** Devices, sockets and fifos: whoever runs the image has no use for them, or must not have them. */
async function findSpecialFiles(folder: string, ctx: Context): Promise<readonly string[]> {
  const { stdout } = await runAsOwner(['find', folder, '-xdev', '(', '-type', 'b', '-o', '-type', 'c', '-o', '-type', 'p', '-o', '-type', 's', ')', '-printf', '/%P\\0'], ctx);
  return split(stdout).map((path) => `${path} is a device, a socket or a fifo`);
}

/** ls(1) marks what has an access list by a plus; `grep` ends with 1 when there is none. */
const LIST_ACCESS = `find "$1" -xdev ! -type l -exec ls -dln --quoting-style=c -- {} + | grep '^.\\{10\\}+' || true`;

/**
 * acl(5): the group's bits are what anybody on the list may do. Without the list the group could do all of that, and
 * archives keep lists only with the names that this machine has for the numbers.
 */
async function findAccessLists(tree: string, ctx: Context): Promise<readonly string[]> {
  const { stdout } = await runAsOwner(['sh', '-c', LIST_ACCESS, 'sh', tree], ctx);
  const paths = [...stdout.toString('utf8').matchAll(/"(.*)"$/gm)].map(([, path = '']) => path.slice(tree.length));
  return paths.sort().map((path) => `${path} has an access list, which archives of images do not keep`);
}

/** Absolute within the image; in the order of bytes. */
async function listPrivileged(folder: string, ctx: Context): Promise<readonly string[]> {
  const set = await runAsOwner(['find', folder, '-xdev', '-type', 'f', '-perm', '/6000', '-printf', '/%P\\0'], ctx);
  const capable = await runAsOwner(['getcap', '-r', folder], ctx);
  // `<path> cap_net_raw=ep`; of a path with a line end in it, the last line at least.
  const paths = [...capable.stdout.toString('utf8').matchAll(/^(.*?)(?: =)? [^ ]*[=+][a-z]+$/gm)].map(([, path = '']) => path.slice(folder.length));
  return [...new Set([...split(set.stdout), ...paths])].sort();
}

function findPrivileged(found: readonly string[], packaged: readonly string[], { privileged }: ImageSpec): readonly string[] {
  const allowed = new Set([...packaged, ...privileged]);
  return found.filter((path) => !allowed.has(path)).map((path) => `${path} is setuid, setgid or has capabilities, and is not declared`);
}

/** What is installed must be what the release and its base gave (F22). */
async function findForeign({ folder, root }: Checking): Promise<readonly string[]> {
  const given = new Set(root.packages.map(({ name, version, architecture }) => `${name} ${version} ${architecture}`));
  const installed = new Set((await listInstalled(folder)).map(({ name, version, architecture }) => `${name} ${version} ${architecture}`));
  const foreign = [...installed].filter((one) => !given.has(one)).map((one) => `package ${one} is of no source of the release`);
  const gone = [...given].filter((one) => !installed.has(one)).map((one) => `package ${one} is not whole any more`);
  return [...foreign, ...gone];
}

/** Questions its own programs answer. Nothing of what it prints is believed to be more than text. */
async function askImage({ image, folder, temporary, ours }: Checking, ctx: Context): Promise<readonly string[]> {
  const output = async (command: readonly string[]): Promise<string> => (await runIn({ path: folder }, command, { temporary, user: 'root', accept: [1] }, ctx)).output;
  const ask = (script: string, words: readonly string[] = []): Promise<string> => output(['sh', '-c', script, 'sh', ...words]);
  const problems: string[] = [];
  const audit = (await output(['dpkg', '--audit'])).trim();
  if (audit !== '') problems.push(`dpkg --audit: ${audit.split('\n')[0]}`);
  const sources = await ask('for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do if [ -f "$file" ]; then cat "$file"; fi; done');
  if (sources !== (consumerSources(image) ?? '')) problems.push(`apt has other sources than the release: ${sources.split('\n')[0]}`);
  const left = await ask(`for path in ${BELONGS_TO_ONE_MACHINE.join(' ')}; do if [ -e "$path" ] || [ -L "$path" ]; then echo "$path"; fi; done; if [ -s /etc/machine-id ]; then echo /etc/machine-id; fi`);
  problems.push(...left.split('\n').filter((path) => path !== '').map((path) => `${path} belongs to one machine`));
  const named = await ask('for text; do grep -rlF -e "$text" /etc /root /opt /srv /var/lib/dpkg/info /usr/local 2>/dev/null; done; true', ours);
  problems.push(...named.split('\n').filter((path) => path !== '').map((path) => `${path} names a folder of the machine that made it`));
  return problems;
}

/** What its owner wants to be true of it. What the lines write goes with their sandbox. */
async function runChecks({ image, folder, temporary }: Checking, ctx: Context): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const line of image.checks) {
    try {
      await runIn({ path: folder }, ['sh', '-ec', line], { temporary, user: 'root', environment: { HOME: '/root' } }, ctx);
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (!isArtifactsError(error)) throw error;
      problems.push(`the check "${line.split('\n')[0]}" failed: ${error.message}`);
    }
  }
  return problems;
}

function split(text: Buffer): readonly string[] {
  return text.toString('utf8').split('\0').filter((part) => part !== '').sort();
}
