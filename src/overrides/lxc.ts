/** Container images: OpenStack-Ansible's variables, and lxc-create's arguments. */
import type { OverrideFile, OverrideInput } from './overrides.ts';

interface Image {
  readonly os: string;
  readonly codename: string;
  readonly arch: string;
  /** `keystone-r1.0.0` */
  readonly variant: string;
  readonly build: string;
}

/** Groups whose name is not `<role>_all`, as RPC-O had them. */
const GROUPS = new Map(Object.entries({
  memcached_server: 'memcached_container',
  repo_server: 'repo_all',
  rsyslog_server: 'rsyslog_all',
  tempest: 'utility_all',
}));
/** Their groups use the default image: what they need cannot be put in beforehand. */
const LEFT_TO_DEFAULT = new Set(['default', 'rabbitmq_server', 'galera_server']);

/** Undefined: the release has no images. */
export function lxcVariables(input: OverrideInput): Readonly<Record<string, unknown>> | undefined {
  const { release, mode, baseUrl } = input;
  const images = imagesOf(input);
  if (images.length === 0) return undefined;
  if (mode === 'off') return { rpco_lxc_artifacts_enabled: false };
  const hasDefault = images.some(({ variant }) => variant === `default-${release}`);
  return {
    rpco_lxc_artifacts_enabled: true,
    lxc_image_cache_server: new URL(baseUrl).host,
    ...(hasDefault ? { lxc_cache_default_variant: `default-${release}`, lxc_container_variant: '{{ lxc_cache_default_variant }}' } : {}),
    // The download template takes keys from a key server only; the manifest vouches for the images.
    lxc_cache_download_template_extra_options: '--no-validate',
    lxc_container_download_template_extra_options: '--no-validate',
  };
}

/** The image of each role, for the group whose containers it is for. */
export function lxcGroupVariables(input: OverrideInput): { readonly path: string; readonly values: Readonly<Record<string, unknown>> }[] {
  if (input.mode === 'off') return [];
  const roles = [...new Set(imagesOf(input).map(({ variant }) => variant.slice(0, -input.release.length - 1)))].sort();
  return roles
    .filter((role) => !LEFT_TO_DEFAULT.has(role))
    .map((role) => ({ path: `group_vars/${GROUPS.get(role) ?? `${role}_all`}/lxc.yml`, values: { lxc_container_variant: `${role}-${input.release}` } }));
}

export function lxcSettings(input: OverrideInput): OverrideFile[] {
  const images = imagesOf(input);
  if (images.length === 0) return [];
  const { host } = new URL(input.baseUrl);
  const lines = images.map(
    ({ os, codename, arch, variant }) =>
      `lxc-create --name NAME --template download -- --server ${host} --no-validate --dist ${os} --release ${codename} --arch ${arch} --variant ${variant}\n`,
  );
  return [{ path: 'lxc/create.txt', text: lines.join('') }];
}

/** `lxc-images/<os>/<codename>/<arch>/<role>-<release>/<build>/rootfs.tar.xz`; names are compared exactly. */
function imagesOf({ release, paths }: OverrideInput): Image[] {
  return paths.flatMap((path) => {
    const [top, os = '', codename = '', arch = '', variant = '', build = '', file] = path.split('/');
    return top === 'lxc-images' && file === 'rootfs.tar.xz' && variant.endsWith(`-${release}`) ? [{ os, codename, arch, variant, build }] : [];
  });
}
