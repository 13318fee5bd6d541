import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openWorkbench, type Workbench } from '../../../src/artifacts/python/workbench.ts';
import type { ArtifactTask, MadeArtifact, MakeRequest, Workshop } from '../../../src/artifacts/kind.ts';
import { pythonKind } from '../../../src/artifacts/python/python-kind.ts';
import type { Artifact } from '../../../src/core/artifact.ts';
import { sha256, type Sha256 } from '../../../src/core/digest.ts';
import type { Root } from '../../../src/sandbox/root.ts';
import { hasCommand, isRoot } from '../../rig/skip.ts';
import { testContext, type TempDir } from '../../rig/temp.ts';

/** This machine as a build root: nothing is written to it, and it has Python, pip and a compiler. */
export const machineRoot: Root = { path: '/', digest: sha256('this machine'), packages: [] };

const PYTHON_IS_WHOLE = 'import ensurepip, os, pip, sysconfig; os.stat(sysconfig.get_paths()["include"] + "/Python.h"); os.stat("/usr/include/zlib.h")';

export const canBuild =
  isRoot && ['unshare', 'perl', 'gcc', 'readelf'].every(hasCommand) && spawnSync('/usr/bin/python3', ['-c', PYTHON_IS_WHOLE]).status === 0;
export const whyNot = "needs root, perl, gcc, binutils, and the distribution's python3 with venv, pip, its headers and zlib's";

/** A place to make artifacts in; `state` is what outlives a run. */
export async function testWorkshop(dir: TempDir, state = 'state'): Promise<Workshop> {
  const temporary = dir.join(state, 'tmp');
  await mkdir(temporary, { recursive: true });
  return {
    publicRoot: dir.join(state, 'public'),
    cache: (name) => dir.join(state, 'cache', name),
    cacheBelow: () => undefined,
    temporary,
    clock: () => new Date('2026-01-01T00:00:00Z'),
    environment: {},
  };
}

export async function testBench(workshop: Workshop, limits = {}): Promise<Workbench> {
  return openWorkbench({ root: machineRoot, temporary: await mkdtemp(join(workshop.temporary, 'bench-')), limits: { seconds: 60, ...limits } });
}

/** Makes artifacts of one release in the order given and publishes their files below the public folder. */
export class TestRelease {
  readonly artifacts = new Map<string, Artifact>();
  readonly #paths = new Map<Sha256, string>();
  readonly #workshop: Workshop;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  async request(): Promise<MakeRequest> {
    return {
      release: 'r1.0.0',
      build: '20260101T000000Z',
      folder: await mkdtemp(join(this.#workshop.temporary, 'made-')),
      needed: this.artifacts,
      previous: undefined,
      pathOf: (digest) => this.#paths.get(digest) ?? '',
      workshop: this.#workshop,
    };
  }

  async make(task: ArtifactTask, ctx = testContext()): Promise<MadeArtifact> {
    const made = await task.make(await this.request(), ctx);
    await this.add(task.id, task.kind, made);
    return made;
  }

  async add(id: string, kind: string, made: Pick<MadeArtifact, 'files' | 'facts'>): Promise<void> {
    const files = [];
    for (const { path, from } of made.files) {
      const target = join(this.#workshop.publicRoot, path);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(from, target);
      const bytes = readFileSync(target);
      this.#paths.set(sha256(bytes), target);
      files.push({ path, size: bytes.length, sha256: sha256(bytes) });
    }
    this.artifacts.set(id, { release: 'r1.0.0', id, kind, files, facts: JSON.parse(JSON.stringify(made.facts)), madeAt: '2026-01-01T00:00:00Z' });
  }

  /** What the kind generates, written beside the files. */
  async list(place: string): Promise<void> {
    const artifacts = [...this.artifacts.values()];
    const { writeFile } = await import('node:fs/promises');
    for (const { path, bytes } of [...pythonKind.listings(place, artifacts), ...(pythonKind.shared?.(artifacts) ?? [])]) {
      const target = join(this.#workshop.publicRoot, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, bytes);
    }
  }
}
