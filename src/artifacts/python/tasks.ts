/** The Python artifacts of a release for one distribution, as tasks. How they are made is loaded when one is: planning needs none of it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { redact } from '../../http/redact.ts';
import type { Root, RootSpec } from '../../sandbox/root.ts';
import type { ArtifactTask, MadeArtifact, MakeRequest, Workshop } from '../kind.ts';
import { buildRootSpec } from './build-root.ts';
import { releasePlace, venvPlace, wheelsId, type PythonSpec } from './spec.ts';
import type { Workbench } from './workbench.ts';

/** Changes of how things are made that make everything anew. */
const FORMAT = 1;

const GIB = 1024 ** 3;

/** What a build may use up before it is stopped. */
const LIMITS = { seconds: 3600, processes: 512, fileBytes: 4 * GIB, layerBytes: 8 * GIB };

/** Makes the root filesystem that builds run in. */
export type PrepareRoot = (wanted: RootSpec, making: { readonly spec: PythonSpec; readonly workshop: Workshop }, ctx: Context) => Promise<Root>;

/** `wheels <distro>`, and `venv <service> <distro>` for each service. */
export function pythonTasks(spec: PythonSpec, prepare: PrepareRoot = prepareInCache): readonly ArtifactTask[] {
  const open = { spec, prepare };
  const wheels: ArtifactTask = {
    id: wheelsId(spec.distro),
    kind: 'python',
    needs: [spec.publication.node, ...new Set(spec.git.map(({ name }) => `git ${name}`))],
    places: [releasePlace(spec)],
    inputs: wheelsInputs(spec),
    // The stages of RPC-O: two releases of a series would build the same wheels twice.
    lock: `python ${spec.series} ${spec.codename}`,
    make: (request, ctx) =>
      atBench(open, request, ctx, async (bench, inside) => {
        const { makeWheelsArtifact } = await import('./make-wheels.ts');
        return makeWheelsArtifact(spec, bench, inside, ctx);
      }),
  };
  const venvs = spec.services.map((service): ArtifactTask => ({
    id: `venv ${service.name} ${spec.distro}`,
    kind: 'python',
    needs: [wheels.id],
    places: [venvPlace(spec), releasePlace(spec)],
    inputs: { format: FORMAT, requirements: service.requirements, prefix: service.prefix },
    make: (request, ctx) =>
      atBench(open, request, ctx, async (bench, inside) => {
        const { makeVenvArtifact } = await import('./make-venv.ts');
        return makeVenvArtifact({ spec, service, bench }, inside, ctx);
      }),
  }));
  return [wheels, ...venvs];
}

function wheelsInputs(spec: PythonSpec): Readonly<Record<string, unknown>> {
  const { requirements, overrides, constraints, buildConstraints, noBinary, isolation, git, buildPackages, services, getPip } = spec;
  return {
    format: FORMAT,
    requirements,
    overrides,
    constraints,
    buildConstraints,
    noBinary,
    isolation,
    buildPackages,
    git: git.map(({ name, subdirectory }) => (subdirectory === undefined ? name : `${name}/${subdirectory}`)),
    indexes: spec.indexes.map(({ name, url, packages }) => ({ name, url: redact(url), packages })),
    fallbackIndex: spec.fallbackIndex !== undefined,
    services: services.flatMap((service) => service.requirements),
    base: spec.base.described,
    getPip: getPip ?? null,
  };
}

interface Opening {
  readonly spec: PythonSpec;
  readonly prepare: PrepareRoot;
}

type AtBench = (bench: Workbench, request: MakeRequest) => Promise<MadeArtifact>;

/** Works in the task's own folder, which a run that was killed leaves to the next one to remove. */
async function atBench({ spec, prepare }: Opening, request: MakeRequest, ctx: Context, work: AtBench): Promise<MadeArtifact> {
  const { openWorkbench } = await import('./workbench.ts');
  const temporary = join(request.folder, 'work');
  mkdirSync(temporary);
  const workshop = { ...request.workshop, temporary };
  const root = await prepare(await buildRootSpec(spec, workshop.publicRoot), { spec, workshop }, ctx);
  return work(openWorkbench({ root, temporary, limits: LIMITS }), { ...request, workshop });
}

const prepareInCache: PrepareRoot = async (wanted, { spec, workshop }, ctx) => {
  const { prepareRoot } = await import('../../sandbox/prepare-root.ts');
  return prepareRoot(wanted, { cache: workshop.cache('roots'), below: workshop.cacheBelow('roots'), network: spec.proxies }, ctx);
};
