/** From the configuration to what release/ works with. */
import { artifactKinds } from '../artifacts/index.ts';
import type { Config } from '../config/config.ts';
import { describeMirror } from '../config/describe-mirror.ts';
import { findMirror } from '../config/resolve-mirror.ts';
import { findRelease, resolveRelease, type ReleaseSource } from '../config/resolve-release.ts';
import { ArtifactsError } from '../core/errors.ts';
import { familiesOf } from '../release/nodes.ts';
import type { ReleaseSpec, SourceSpec } from '../release/spec.ts';
import { contentDigest } from '../repo/repos.ts';
import type { App } from './app.ts';
import { artifactTasks } from './artifact-tasks.ts';
import { defaultFields } from './publish-fields.ts';

/** The release with this name in vars/, with everything it names looked up. Throws E_NOT_FOUND, E_CONFIG. */
export async function releaseSpec(app: App, name: string): Promise<ReleaseSpec> {
  const config = await app.config();
  const release = findRelease(config, name);
  const resolved = await resolveRelease(config, release, app.machine());
  const sources = new Map<string, SourceSpec>();
  for (const source of resolved.sources) {
    sources.set(source.name, await sourceSpec(app, config, source));
  }
  return {
    name,
    series: release.series,
    locked: release.state === 'locked',
    codenames: resolved.codenames,
    sources,
    origin: config.publish.origin,
    label: config.publish.label,
    fields: defaultFields(config.publish),
    architectures: resolved.architectures,
    publish: config.environment.publishSnapshot ?? true,
    kinds: artifactKinds,
    tasks: await artifactTasks(app, release, resolved.codenames),
    baseUrl: config.consumers.baseUrl,
    completeness: config.completeness === undefined ? undefined : { ...config.completeness, root: config.root },
  };
}

/** Throws E_USAGE or E_NOT_FOUND for a kind or codename the release has not. */
export function checkSelection(
  spec: ReleaseSpec,
  { only, codename }: { readonly only: readonly string[] | undefined; readonly codename: readonly string[] | undefined },
): void {
  const families = familiesOf(spec);
  const unknown = only?.find((kind) => !families.includes(kind));
  if (unknown !== undefined) {
    throw new ArtifactsError('E_USAGE', `Unknown kind of artifact "${unknown}"`, { hint: `There is ${families.join(', ')}.` });
  }
  const known = spec.codenames.map((one) => one.codename);
  const other = codename?.find((one) => !known.includes(one));
  if (other !== undefined) {
    throw new ArtifactsError('E_NOT_FOUND', `The release has no codename "${other}"`, { hint: `It has ${known.join(', ')}.` });
  }
}

async function sourceSpec(app: App, config: Config, { kind, name, format }: ReleaseSource): Promise<SourceSpec> {
  if (kind === 'repo') return { kind, name, format, inputs: contentDigest((await app.catalog()).repos.find(name)) };
  const mirror = findMirror(config, name);
  const { description, inputs } = await describeMirror(config, mirror, app.machine());
  return { kind, name, inputs, description, update: mirror.update, resolve: (ctx) => app.mirror(mirror, ctx) };
}
