/** The published pool: a second name for every package file that clients may ask for. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Catalog } from '../catalog/catalog.ts';
import type { MemberFiles } from '../catalog/members.ts';
import type { Publication } from '../catalog/publications.ts';
import { ArtifactsError, fromSystemError, hasCode } from '../core/errors.ts';
import type { FileRef } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import type { Pool } from '../pool/index.ts';
import * as durable from '../util/durable.ts';
import { prefixFolder, type Place } from './layout.ts';

/** Links made in one go, without anything else happening: about a millisecond. */
const TURN = 50;

export interface Linking {
  readonly format: RepoFormat;
  readonly place: Place;
  /** Most files have their names already: that is looked for, since being told so by a failure costs ten times as much. */
  readonly again: boolean;
  readonly tools: { readonly catalog: Catalog; readonly pool: Pool };
}

/** Gives package files that are new in this prefix their published names. Flushed when it returns. */
export async function linkFiles(
  contents: readonly Content[],
  before: Publication | undefined,
  { format, place, again, tools }: Linking,
): Promise<number> {
  const known = servedContents(before, tools.catalog);
  const root = prefixFolder(place);
  const made = new Set<string>();
  let linked = 0;
  let seen = 0;
  const isThere = !again ? () => false : before === undefined ? lookedUpTogether() : existsSync;
  const linkOne = (file: FileRef, path: string): void => {
    if (isThere(path)) return;
    const folder = dirname(path);
    if (!made.has(folder)) durable.makeFolder(folder);
    made.add(folder);
    if (linkOrTell(tools.pool, file, path)) linked += 1;
  };
  for (const content of contents) {
    for (const record of recordsNotIn(known, content, tools.catalog)) {
      for (const [index, path] of format.publishing.poolPaths(record).entries()) {
        const file = record.files[index];
        if (file !== undefined) linkOne(file, `${root}/${path}`);
      }
      seen += 1;
      if (seen % TURN === 0) await setImmediate(); // whoever compresses meanwhile gets its turn
    }
  }
  if (linked > 0) await durable.flushAll(root);
  return linked;
}

/** For all files of a publication: a folder is listed sooner than some dozen of its files are asked for. */
function lookedUpTogether(): (path: string) => boolean {
  const listed = new Map<string, ReadonlySet<string>>();
  return (path) => {
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, slash);
    let names = listed.get(folder);
    if (names === undefined) listed.set(folder, (names = new Set(namesIn(folder))));
    return names.has(path.slice(slash + 1));
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw fromSystemError(error, `reading ${folder}`);
  }
}

function linkOrTell(pool: Pool, file: FileRef, path: string): boolean {
  try {
    return pool.link(file.sha256, path);
  } catch (error) {
    throw pool.has(file.sha256) ? error : lostFile(file);
  }
}

function lostFile(file: FileRef): ArtifactsError {
  return new ArtifactsError('E_STATE', `The pool lacks ${file.name} (SHA256 ${file.sha256})`, {
    hint: 'Run `artifacts db check`, then `artifacts mirror update --force` for the mirror it came from.',
  });
}

function servedContents(before: Publication | undefined, catalog: Catalog): Content[] {
  return (before?.components ?? []).map(({ snapshot }) => catalog.snapshots.get(snapshot).content);
}

/** As many records as are asked for together: a question costs as much as some ten records. */
const RECORDS_AT_ONCE = 2000;

/** Records of the leaves that no known content has: the files of what is served already have their names. */
function* recordsNotIn(known: readonly Content[], content: Content, catalog: Catalog): Generator<MemberFiles> {
  const served = new Set<number>();
  const leaves = new Set<number>();
  for (const { id } of known) {
    for (const leaf of catalog.contents.leaves(id)) leaves.add(leaf.id);
    if (id !== content.id) for (const member of catalog.contents.allMembers(id)) served.add(member);
  }
  let wanted: number[] = [];
  for (const leaf of catalog.contents.leaves(content.id)) {
    if (leaves.has(leaf.id)) continue;
    for (const id of catalog.contents.members(leaf.id)) if (!served.has(id)) wanted.push(id);
    if (wanted.length < RECORDS_AT_ONCE) continue;
    yield* catalog.members.files(Uint32Array.from(wanted));
    wanted = [];
  }
  yield* catalog.members.files(Uint32Array.from(wanted));
}
