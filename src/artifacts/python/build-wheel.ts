/** Building one wheel from an archive or a git tarball: foreign code, in a sandbox of its own, checked in another. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import type { Sha256 } from '../../core/digest.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { hashFile } from '../../util/hash-file.ts';
import type { FetchedFile } from './indexes.ts';
import { comparableVersion } from './names.ts';
import type { StoredWheel, WheelFacts, WheelStore } from './wheel-store.ts';
import type { Workbench } from './workbench.ts';

export interface BuildTools {
  readonly bench: Workbench;
  readonly store: WheelStore;
  readonly temporary: string;
  /** The socket of the index proxy, and its path for a user of it. */
  readonly index: (user: string) => { readonly socket: string; readonly path: string };
  readonly fetched: (user: string) => readonly FetchedFile[];
  readonly isolation: boolean;
  /** A file of constraints for build tools. */
  readonly buildConstraints: string;
}

export interface Build {
  readonly key: Sha256;
  /** `six 1.16.0`, for people. */
  readonly title: string;
  /** Its name at the index proxy and of its log: letters, digits and dashes. */
  readonly user: string;
  /** The archive or tarball on this machine. */
  readonly source: string;
  /** How its name ends decides how it is read. */
  readonly sourceName: string;
  /** Undefined for git: there the wheel says it. */
  readonly expected: { readonly name: string; readonly version: string } | undefined;
  /** A git tarball, and where in it the project lies. */
  readonly git?: { readonly subdirectory: string | undefined };
}

const BUILD_ARCHIVE = `
python3 -I /tools/unpack.py "$1" /tmp/build
set -- /tmp/build/*
if [ $# != 1 ] || [ ! -d "$1" ]; then echo 'refused: the archive is not one folder'; exit 1; fi
cd "$1"
exec python3 -m pip wheel --no-deps $ISOLATION --wheel-dir /out .
`;

const BUILD_GIT = `
mkdir /tmp/build
tar --no-same-owner -xzf "$1" -C /tmp/build
cd /tmp/build
set -- "$2" *
if [ $# = 2 ] && [ -d "$2" ]; then cd "$2"; fi
cd -P "./$1"
case $PWD/ in /tmp/build/*) ;; *) echo 'refused: the subdirectory lies outside of the repository'; exit 1;; esac
exec python3 -m pip wheel --no-deps $ISOLATION --wheel-dir /out .
`;

const FINISH = `
set -- /raw/*
if [ $# != 1 ]; then echo "refused: the build made $# files instead of one wheel"; exit 1; fi
python3 -I /tools/wheel.py finish /out "$1"
`;

/** Builds it unless it was built before. E_TOOL when it fails or takes too long, E_FORMAT when what it made is refused. */
export async function buildWheel(build: Build, tools: BuildTools, ctx: Context): Promise<{ readonly wheel: StoredWheel; readonly reused: boolean }> {
  const before = tools.store.find(build.key);
  if (before !== undefined) return { wheel: before, reused: true };
  ctx.report({ type: 'phase', subject: build.title, text: 'building the wheel' });
  const folder = mkdtempSync(join(tools.temporary, 'wheel-'));
  try {
    await runBuild(build, folder, tools, ctx);
    return { wheel: await finishBuild(build, folder, tools, ctx), reused: false };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runBuild(build: Build, folder: string, tools: BuildTools, ctx: Context): Promise<void> {
  const raw = join(folder, 'raw');
  mkdirSync(raw);
  const source = `/in/${build.sourceName}`;
  const work = {
    what: `Building ${build.title}`,
    script: build.git === undefined ? BUILD_ARCHIVE : BUILD_GIT,
    arguments: [source, ...(build.git === undefined ? [] : [build.git.subdirectory ?? '.'])],
    environment: {
      ISOLATION: tools.isolation ? '' : '--no-build-isolation',
      PIP_CONSTRAINT: '/in/build-constraints.txt',
    },
    binds: [
      { from: build.source, to: source },
      { from: tools.buildConstraints, to: '/in/build-constraints.txt' },
      { from: raw, to: '/out', writable: true },
    ],
    index: tools.index(build.user),
    log: tools.store.log(build.user),
  };
  await tools.bench.run(work, ctx);
}

/** Not where the build was: it may have changed whatever judges it there. */
async function finishBuild(build: Build, folder: string, tools: BuildTools, ctx: Context): Promise<StoredWheel> {
  const out = join(folder, 'out');
  mkdirSync(out);
  const binds = [{ from: join(folder, 'raw'), to: '/raw' }, { from: out, to: '/out', writable: true }];
  await tools.bench.run({ what: `The wheel of ${build.title}`, script: FINISH, arguments: [], binds }, ctx);
  const [facts] = await readFacts(out, (file) => join(out, file));
  if (facts === undefined) throw new ArtifactsError('E_FORMAT', `The wheel of ${build.title} could not be read`);
  checkIdentity(build, facts);
  return tools.store.keep(build.key, { ...facts, builtWith: tools.fetched(build.user) }, join(out, facts.file));
}

function checkIdentity({ title, expected }: Build, { name, version }: WheelFacts): void {
  if (expected === undefined) return;
  if (name === expected.name && comparableVersion(version) === comparableVersion(expected.version)) return;
  throw new ArtifactsError('E_FORMAT', `Building ${title} made a wheel of ${name} ${version}`);
}

const CHECK = `exec python3 -I /tools/wheel.py check /out "$@"`;

export interface Checking {
  /** Wheels by file name. */
  readonly paths: ReadonlyMap<string, string>;
  readonly bench: Workbench;
  readonly temporary: string;
}

/** Checks wheels that are taken as they are; E_FORMAT names the first that is refused. */
export async function checkWheels({ paths, bench, temporary }: Checking, ctx: Context): Promise<readonly WheelFacts[]> {
  if (paths.size === 0) return [];
  const out = mkdtempSync(join(temporary, 'check-'));
  try {
    const binds = [...paths].map(([file, path]) => ({ from: path, to: `/in/${file}` }));
    const files = [...paths.keys()].map((file) => `/in/${file}`);
    await bench.run({ what: 'Checking wheels', script: CHECK, arguments: files, binds: [...binds, { from: out, to: '/out', writable: true }] }, ctx);
    return await readFacts(out, (file) => paths.get(file) ?? '');
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** What wheel.py wrote, with what we see ourselves of the files. */
async function readFacts(folder: string, pathOf: (file: string) => string): Promise<readonly WheelFacts[]> {
  const lines = readFileSync(join(folder, 'facts.jsonl'), 'utf8').trimEnd().split('\n');
  return Promise.all(
    lines.map(async (line) => {
      const told = JSON.parse(line) as Omit<WheelFacts, 'size' | 'sha256' | 'builtWith'>;
      const path = pathOf(told.file);
      return { ...told, size: statSync(path).size, sha256: await hashFile(path), builtWith: [] };
    }),
  );
}
