/** Taking out of an image what belongs to one machine, or to the making of it. */
import type { Context } from '../../core/context.ts';
import { runInTree, type ImageTree } from './layers.ts';

const HOME_OF_ROOT = '/root';
const HOMES = [HOME_OF_ROOT, '/home/*'];

/** Whatever these patterns of the shell match; an image in which one still matches is refused. */
export const BELONGS_TO_ONE_MACHINE: readonly string[] = [
  '/etc/apt/auth.conf',
  '/etc/apt/auth.conf.d/*',
  '/etc/apt/trusted.gpg',
  '/etc/hostname',
  '/etc/resolv.conf',
  '/etc/ssh/ssh_host_*',
  '/etc/ssl/private/ssl-cert-snakeoil.key',
  ...HOMES.flatMap((home) => ['.ssh', '.*history', '.netrc', '.gnupg', '.ansible'].map((name) => `${home}/${name}`)),
  ...['.cache', '.config', '.pip'].map((name) => `${HOME_OF_ROOT}/${name}`),
  '/var/lib/dbus/machine-id',
  '/var/lib/systemd/random-seed',
];

/** What apt, dpkg and the loader know again when they need it, or wrote for themselves. */
const LEFT_BY_TOOLS: readonly string[] = [
  '/run/*',
  '/tmp/*',
  '/tmp/.[!.]*',
  '/var/tmp/*',
  '/var/tmp/.[!.]*',
  '/var/cache/apt/*.bin',
  '/var/cache/apt/archives/*.deb',
  '/var/cache/debconf/*-old',
  '/var/cache/ldconfig/aux-cache',
  '/var/lib/apt/lists/*',
  '/var/lib/dpkg/*-old',
  '/var/lib/dpkg/lock*',
  '/var/lib/dpkg/triggers/Lock',
  '/etc/.pwd.lock',
];

/** systemd gives it an access list when it is installed, which archives do not keep, and again at every start (tmpfiles.d(5)). */
const PLAIN_JOURNAL = `if [ -d /var/log/journal ]; then
  group=$(stat -c %g /var/log/journal)
  rm -rf /var/log/journal; mkdir /var/log/journal; chgrp "$group" /var/log/journal; chmod 2755 /var/log/journal
fi`;

/**
 * Strips the image. Folders of logs stay, for services do not start without theirs; their files go. An empty machine-id
 * is what makes systemd choose one at the first start (machine-id(5)).
 */
export async function stripTree(tree: ImageTree, ctx: Context): Promise<void> {
  const patterns = [...BELONGS_TO_ONE_MACHINE, ...LEFT_BY_TOOLS].join(' ');
  await runInTree(tree, `rm -rf ${patterns}; find /var/log -type f -exec rm -f {} +; ${PLAIN_JOURNAL}; mkdir -p /etc; : > /etc/machine-id; chmod 444 /etc/machine-id`, {}, ctx);
}
