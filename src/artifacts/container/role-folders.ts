/** The folders of Ansible roles: what of them counts, what of them is handed in, and which of their tags are left out. */
import { cpSync, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { canonicalJson, sha256, type Sha256 } from '../../core/digest.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { makeFolder } from '../../util/durable.ts';
import { roleVariables } from '../../util/role-variables.ts';
import type { ImageRoles } from './spec.ts';

/** No part of what a role does. */
const LEFT_OUT: ReadonlySet<string> = new Set(['.git', '.github', '.tox', '__pycache__']);

/** What decides what the roles do, in the inputs of an image. Values may be secret, and so only their digest stands there. */
export function describeRoles({ roles, vars, varsFiles, secrets, with: others, ...rest }: ImageRoles): Readonly<Record<string, unknown>> {
  return {
    ...rest,
    roles: roles.map((role) => ({ name: basename(role.path), digest: digestOfRole(role.path), vars: sha256(canonicalJson(role.vars)) })),
    with: others.map((path) => ({ name: basename(path), digest: digestOfRole(path) })),
    vars: sha256(canonicalJson(vars)),
    varsFiles: varsFiles.map((path) => sha256(readNamed(path))),
    // Who has none, as whoever only tries a change, makes the rest: the image itself says what it lacks.
    secrets: secrets.map((path) => (existsSync(path) ? sha256(readNamed(path)) : null)),
  };
}

/** Copies all roles to a folder, as Ansible finds them by name. */
export function copyRoles({ roles, with: others, skipHandlers }: ImageRoles, to: string): void {
  makeFolder(to);
  for (const path of [...roles.map((role) => role.path), ...others]) {
    const handlers = join(path, 'handlers');
    const filter = (from: string): boolean => !LEFT_OUT.has(basename(from)) && !(skipHandlers && from === handlers);
    cpSync(path, join(to, basename(path)), { recursive: true, verbatimSymlinks: true, filter });
  }
}

/** The tags of the roles' tasks that have one of the words in them, as RPC-O's strategy "tagfilter" took them. */
export function tagsToSkip({ roles, with: others, skipTags }: ImageRoles): readonly string[] {
  const found = new Set<string>();
  for (const path of [...roles.map((role) => role.path), ...others]) {
    for (const { name, value } of roleVariables(path, SETTING)) {
      if (name === 'tags') for (const tag of tagsIn(value)) found.add(tag);
    }
  }
  return [...found].filter((tag) => skipTags.some((word) => tag.includes(word))).sort();
}

/** The bytes of a file that the roles are given. Throws E_NOT_FOUND. */
export function readNamed(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ArtifactsError('E_NOT_FOUND', `${path}, which Ansible roles are to be given, cannot be read`, { hint: NAMED, cause: error });
  }
}

const SETTING = 'container_images';
const NAMED = 'It is named under `ansible` in container_images in vars/.';

function tagsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => tagsIn(item));
  return typeof value === 'string' ? value.split(',').map((tag) => tag.trim()).filter((tag) => tag !== '') : [];
}

function digestOfRole(path: string): Sha256 {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return digestBelow(path);
  throw new ArtifactsError('E_NOT_FOUND', `${path}, which is to be an Ansible role, is no folder`, { hint: NAMED });
}

/** Of names, bytes and whether they can be run. Links count by what they say: none is followed. */
function digestBelow(path: string): Sha256 {
  const entry = lstatSync(path);
  if (entry.isSymbolicLink()) return sha256(canonicalJson(['link', readlinkSync(path)]));
  if (entry.isFile()) return sha256(canonicalJson([(entry.mode & 0o100) !== 0, sha256(readFileSync(path))]));
  if (!entry.isDirectory()) throw new ArtifactsError('E_CONFIG', `${path} of an Ansible role is neither a file nor a folder`);
  const names = readdirSync(path).filter((name) => !LEFT_OUT.has(name)).sort();
  return sha256(canonicalJson(names.map((name) => [name, digestBelow(join(path, name))])));
}
