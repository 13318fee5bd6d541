/** `container_images` and `container_mapping`: which images a release has, and what is in them. */
import { basename } from 'node:path';
import { z } from 'zod';
import type { ImageCommand, ImageFile, ImageRoles } from '../artifacts/container/spec.ts';
import { check, refuse } from './check.ts';
import type { CheckContext } from './check.ts';
import { formatPath } from './problem.ts';
import type { Place, Path } from './problem.ts';
import { debianPackage, flag, fromRoot, path, quote, safeName, strict, textAs, words } from './values.ts';
import type { Parsed } from './values.ts';

/** One entry of `container_images`. Paths of what is copied are absolute. */
export interface ContainerImage {
  readonly name: string;
  readonly packages: readonly string[];
  /** Service of `python_sets`. */
  readonly venv: string | undefined;
  readonly files: readonly ImageFile[];
  readonly ansible: ImageRoles | undefined;
  readonly commands: readonly ImageCommand[];
  readonly checks: readonly string[];
  readonly privileged: readonly string[];
  readonly place: Place;
}

/** Not below /dev, /proc or /sys: nothing that is put there stays. */
const within = textAs((text): Parsed<string> =>
  /^(?:\/[A-Za-z0-9._+@:-]+)+$/.test(text) && !/\/\.{1,2}(?:\/|$)|^\/(?:dev|proc|sys)(?:\/|$)/.test(text) ? { value: text } : { problem: `${quote(text)} is no absolute path of plain names in an image` },
);
const mode = textAs((text): Parsed<string> => (/^0?[0-7]{3}$/.test(text) ? { value: text.padStart(4, '0') } : { problem: `${quote(text)} is no mode; write one like "0644", in quotes` }));
const owner = textAs((text): Parsed<string> =>
  /^[a-z0-9_][a-z0-9_-]*(?::[a-z0-9_][a-z0-9_-]*)?$/.test(text) ? { value: text.includes(':') ? text : `${text}:${text}` } : { problem: `${quote(text)} is no owner; write user or user:group` },
);
const shellLine = z.string().min(1).max(100_000);
const command = z.preprocess((value) => (typeof value === 'string' ? { run: value } : value), strict({ run: shellLine, config: flag.default(false) }));

const variables = z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.unknown());
const role = z.preprocess((value) => (typeof value === 'string' ? { path: value } : value), strict({ path, vars: variables.default({}) }));
const groupName = textAs((text): Parsed<string> => (/^[A-Za-z_]\w*$/.test(text) ? { value: text } : { problem: `${quote(text)} is no name of a group` }));
const ansible = strict({
  roles: z.array(role).min(1),
  with: words(path).default([]),
  vars: variables.default({}),
  vars_files: words(path).default([]),
  secrets: words(path).default([]),
  groups: words(groupName).default([]),
  skip_tags: words(z.string()).default(['config']),
  skip_handlers: flag.default(true),
});

export const containerImageSchema = strict({
  name: safeName,
  packages: words(debianPackage).default([]),
  venv: safeName.optional(),
  files: z.array(strict({ from: path, to: within, mode: mode.optional(), owner: owner.default('root:root') })).default([]),
  ansible: ansible.optional(),
  commands: z.array(command).default([]),
  checks: z.array(shellLine).default([]),
  privileged: words(within).default([]),
});

/** Entry of `container_mapping.<series>.<codename>`: names of images. */
export const containerMappingSchema = z.array(safeName);

export function buildContainerImage(value: unknown, at: Path, { root, context }: { readonly root: string; readonly context: CheckContext }): ContainerImage | undefined {
  const written = check(containerImageSchema, value, { path: at, context });
  if (written === undefined) return undefined;
  const { name, packages, venv, commands, checks, privileged } = written;
  const absolute = (file: string): string => fromRoot(root, file);
  const files = written.files.map(({ from, ...file }) => ({ ...file, mode: file.mode, from: absolute(from) }));
  const roles = written.ansible === undefined ? undefined : rolesOf(written.ansible, absolute);
  refuseTwins(roles, { at, context });
  return { name, packages: [...new Set(packages)].sort(), venv, files, ansible: roles, commands, checks, privileged, place: context.variables.locate(at) };
}

function rolesOf({ vars_files: varsFiles, skip_tags: skipTags, skip_handlers: skipHandlers, ...written }: z.output<typeof ansible>, absolute: (path: string) => string): ImageRoles {
  return {
    ...written,
    roles: written.roles.map(({ path: folder, vars }) => ({ path: absolute(folder), vars })),
    with: written.with.map(absolute),
    varsFiles: varsFiles.map(absolute),
    secrets: written.secrets.map(absolute),
    skipTags,
    skipHandlers,
  };
}

/** Ansible finds roles by the names of their folders. One may be applied twice. */
function refuseTwins(roles: ImageRoles | undefined, { at, context }: { readonly at: Path; readonly context: CheckContext }): void {
  const folders = new Set([...(roles?.roles ?? []).map((one) => one.path), ...(roles?.with ?? [])]);
  const names = [...folders].map((folder) => basename(folder));
  const twin = names.find((name, index) => names.indexOf(name) !== index);
  if (twin !== undefined) refuse(context, [...at, 'ansible'], `${formatPath(at)}: two folders of roles are called "${twin}"`);
}
