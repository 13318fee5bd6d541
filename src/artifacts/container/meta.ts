/** What goes with a root filesystem to run it: LXC's own meta.tar, and what Incus and LXD want instead. Pure. */
import type { ImageSpec } from './spec.ts';

/** As Go, and so OCI, calls them. */
const GO_MACHINES = new Map([['i386', '386'], ['armhf', 'arm'], ['ppc64el', 'ppc64le']]);

export function goMachineOf(architecture: string): string {
  return GO_MACHINES.get(architecture) ?? architecture;
}

const DAY = 86_400;

/** After these lxc looks for a newer build of an image it has, although a release never has one. */
const KEPT_FOR = 3650 * DAY;

/** The files of meta.tar.xz, by path. `created` is in seconds. */
export function lxcMeta(image: ImageSpec, { variant, created }: { readonly variant: string; readonly created: number }): Readonly<Record<string, string>> {
  const common = ['lxc.include = LXC_TEMPLATE_CONFIG/common.conf', `lxc.arch = ${image.machine}`];
  const user = [common[0], 'lxc.include = LXC_TEMPLATE_CONFIG/userns.conf', common[1]];
  return {
    config: `${common.join('\n')}\n`,
    'config-user': `${user.join('\n')}\n`,
    'create-message': `You just created a container of ${variant} (${image.os} ${image.codename}, ${image.architecture}).\n`,
    expiry: `${created + KEPT_FOR}\n`,
    'excludes-user': 'dev/*\n',
    templates: '/etc/hostname\n/etc/hosts\n',
  };
}

/** The files of incus.tar.xz, which is LXD's lxd.tar.xz as well, by path. */
export function incusMeta(image: ImageSpec, { variant, created }: { readonly variant: string; readonly created: number }): Readonly<Record<string, string>> {
  const metadata = {
    architecture: image.machine,
    creation_date: created,
    properties: { description: `${variant} (${image.os} ${image.codename} ${image.architecture})`, os: image.os, release: image.codename, architecture: image.architecture, variant },
    templates: { '/etc/hostname': { when: ['create', 'copy'], template: 'hostname.tpl' }, '/etc/hosts': { when: ['create', 'copy'], template: 'hosts.tpl' } },
  };
  return {
    'metadata.yaml': `${JSON.stringify(metadata, undefined, 2)}\n`, // every JSON text is YAML
    'templates/hostname.tpl': '{{ container.name }}\n',
    'templates/hosts.tpl': '127.0.0.1\tlocalhost\n127.0.1.1\t{{ container.name }}\n::1\tlocalhost ip6-localhost ip6-loopback\n',
  };
}
