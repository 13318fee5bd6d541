/** The end of a build: the completeness test, the manifest, and the record of the build. */
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import { dropTree } from '../publish/trees.ts';
import { checkCompleteness, describeMissing } from './completeness.ts';
import { releaseFacts } from './facts.ts';
import { required, type BuildTools, type Made, type Making } from './making.ts';
import { writeManifest, type ManifestNode } from './manifest.ts';
import { leftOver, toldInputs } from './plan.ts';
import type { CompletenessSpec, ReleaseSpec } from './spec.ts';

/** Throws E_CHECK when packages that somebody wants are missing. */
export async function testCompleteness(
  completeness: CompletenessSpec,
  { name, codenames }: ReleaseSpec,
  { catalog }: Pick<BuildTools, 'catalog'>,
  ctx: Context,
): Promise<Made> {
  const result = await checkCompleteness({ name, codenames, completeness }, catalog, ctx);
  if (result.missing.length === 0) return { state: 'done', detail: `all of ${result.wanted} wanted packages are there` };
  throw new ArtifactsError('E_CHECK', describeMissing(result), { hint: `\`artifacts release completeness ${name}\` lists them all, and who wants them.` });
}

/** The manifest is written when everything it would list is there: a partial build leaves the last complete one. */
export async function finish({ spec, build, needed, signer, options }: Making, tools: BuildTools, ctx: Context): Promise<Made> {
  const { catalog } = tools;
  if (needed.some(({ state }) => state === 'failed' || state === 'blocked')) {
    await recordPartial(spec, build, tools, ctx);
    return { state: 'blocked', detail: 'the release is not complete' };
  }
  if (needed.some(({ state }) => state === 'kept')) {
    await recordPartial(spec, build, tools, ctx);
    return { state: 'fresh', detail: 'the last complete build stays' };
  }
  const nodes: ManifestNode[] = needed.map(({ id, state, detail }) => ({ id, state, detail }));
  return tools.change(ctx, async () => {
    if (options.only.length === 0 && options.codenames.length === 0) forgetLeftOver(spec, tools);
    const manifest = await writeManifest(spec, { build, nodes }, { ...tools, signer: required(signer) });
    catalog.transaction(() => recordBuild(spec, { build, result: 'done', manifest }, tools));
    return { state: 'done', detail: `releases/${spec.name}/${build}/manifest.json` };
  });
}

/** What the configuration no longer says of the release is no part of it. */
function forgetLeftOver(spec: ReleaseSpec, tools: BuildTools): void {
  const { artifacts, places } = leftOver(spec, releaseFacts(tools.catalog, spec, tools.clock()));
  for (const place of places) dropTree(place, tools);
  if (artifacts.length === 0) return;
  tools.catalog.transaction(() => {
    for (const id of artifacts) tools.catalog.artifacts.forget(spec.name, id);
  });
}

async function recordPartial(spec: ReleaseSpec, build: string, tools: BuildTools, ctx: Context): Promise<void> {
  await tools.change(ctx, async () => tools.catalog.transaction(() => recordBuild(spec, { build, result: 'partial' }, tools)));
}

interface Outcome {
  readonly build: string;
  readonly result: 'done' | 'partial';
  readonly manifest?: Sha256;
}

function recordBuild(spec: ReleaseSpec, { build, result, manifest }: Outcome, { catalog, clock }: BuildTools): void {
  const now = clock();
  catalog.builds.add({
    release: spec.name,
    id: build,
    result,
    inputs: toldInputs(spec, releaseFacts(catalog, spec, now)),
    ...(manifest === undefined ? {} : { manifest }),
    finishedAt: now.toISOString(),
  });
}
