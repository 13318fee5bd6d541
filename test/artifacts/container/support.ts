import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ArtifactTask, MadeArtifact, MakeRequest } from '../../../src/artifacts/kind.ts';
import type { ContainerSpec, ImageSpec } from '../../../src/artifacts/container/spec.ts';
import { containerTasks } from '../../../src/artifacts/container/tasks.ts';
import type { Artifact } from '../../../src/core/artifact.ts';
import { hashFile } from '../../../src/util/hash-file.ts';
import { sizeOf } from '../../../src/artifacts/container/pack.ts';
import type { Deb } from '../../rig/deb.ts';
import { aptUpstream } from '../../rig/upstream.ts';
import { testContext, type TempDir, type TestContext } from '../../rig/temp.ts';
import type { AptSource } from '../../../src/sandbox/root.ts';
import { fileSource } from '../../sandbox/support.ts';

export const RELEASE = 'r1.0.0';

/** A published release and a base repository, as a build leaves them: what images are made from. */
export interface Site {
  readonly dir: TempDir;
  readonly image: ImageSpec;
}

export async function publishSite(dir: TempDir, { release, base }: { readonly release: readonly Deb[]; readonly base: readonly Deb[] }): Promise<Site> {
  const suite = `${RELEASE}-tiny`;
  const upstream = await aptUpstream({ codename: suite, suite, components: { main: release }, fields: { Origin: 'artifacts', Label: 'artifacts' } });
  const files = new Map([...upstream.files].map(([path, bytes]): [string, Buffer] => [`integrated/${path}`, bytes]));
  for (const [path, bytes] of files.set('release-signing-key.asc', upstream.keyring)) {
    const file = dir.join('public', 'apt-mirror', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  const image: ImageSpec = {
    role: 'app',
    os: 'tinyos',
    codename: 'tiny',
    architecture: 'amd64',
    machine: 'x86_64',
    publication: { node: `publish apt-mirror/integrated ${suite}`, prefix: 'apt-mirror/integrated', suite, components: ['main'], key: 'apt-mirror/release-signing-key.asc' },
    base: fixedBase(await fileSource(dir.join('base'), base)),
    network: {},
    packages: [],
    venv: undefined,
    files: [],
    ansible: undefined,
    commands: [],
    checks: [],
    privileged: [],
    consumerUrl: 'http://artifacts.example.org',
  };
  return { dir, image };
}

export function taskOf(image: ImageSpec): ArtifactTask {
  const spec: ContainerSpec = { release: RELEASE, images: [image] };
  const [task] = containerTasks(spec);
  if (task === undefined) throw new Error('no task');
  return task;
}

export interface MadeImage {
  readonly made: MadeArtifact;
  readonly artifact: Artifact;
  /** Where the bytes of a published path are. */
  pathOf(path: string): string;
}

let folders = 0;

/** Makes the image as a release build does. */
export async function make({ dir }: Site, image: ImageSpec, options: Partial<MakeRequest> = {}, ctx: TestContext = testContext()): Promise<MadeImage> {
  folders += 1;
  const folder = dir.join(`make-${folders}`);
  mkdirSync(folder);
  const task = taskOf(image);
  const made = await task.make(
    {
      release: RELEASE,
      build: '20261121T031500Z',
      folder,
      needed: new Map(),
      previous: undefined,
      pathOf: (sha256) => dir.join('pool', sha256),
      workshop: {
        publicRoot: dir.join('public'),
        cache: (name) => dir.join('cache', name),
        cacheBelow: () => undefined,
        temporary: dir.join('tmp'),
        clock: () => new Date('2026-11-21T03:15:00Z'),
        environment: {},
      },
      ...options,
    },
    ctx,
  );
  const files = await Promise.all(made.files.map(async ({ path, from }) => ({ path, size: sizeOf(from), sha256: await hashFile(from) })));
  const artifact: Artifact = { release: RELEASE, id: task.id, kind: task.kind, files, facts: made.facts, madeAt: '2026-11-21T03:15:00.000Z' };
  mkdirSync(dir.join('pool'), { recursive: true });
  for (const [index, { from }] of made.files.entries()) {
    const kept = dir.join('pool', files[index]?.sha256 ?? '');
    if (!existsSync(kept)) cpSync(from, kept);
  }
  const places = new Map(made.files.map(({ path, from }) => [path, from]));
  return { made, artifact, pathOf: (path) => places.get(path) ?? join(folder, 'missing', path) };
}

function fixedBase(source: AptSource): ImageSpec['base'] {
  return { described: [], resolve: async () => [source] };
}
