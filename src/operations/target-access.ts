/** Targets of the configuration, and what pushing to them needs. */
import { join } from 'node:path';
import { ArtifactsError } from '../core/errors.ts';
import type { PushTools } from '../release/push.ts';
import type { Target } from '../targets/index.ts';
import type { App } from './app.ts';

/** The targets with these names, or all. Throws E_NOT_FOUND, and E_CONFIG when there is none at all. */
export async function targetsOf(app: App, names: readonly string[] | undefined): Promise<readonly Target[]> {
  const { targetOf } = await import('../targets/index.ts');
  const { targets } = await app.config();
  if (targets.length === 0) {
    throw new ArtifactsError('E_CONFIG', 'There is no target', { hint: 'Describe one as `targets` in vars/, or set REPO_HOST and what belongs to it.' });
  }
  for (const name of names ?? []) {
    if (targets.some((target) => target.name === name)) continue;
    throw new ArtifactsError('E_NOT_FOUND', `There is no target "${name}"`, { hint: `There is ${targets.map((target) => target.name).join(', ')}.` });
  }
  const wanted = targets.filter(({ name }) => names === undefined || names.includes(name));
  return wanted.map((definition) => targetOf(definition, { temporary: app.temporary }));
}

export async function pushTools(app: App): Promise<PushTools> {
  const { artifactKinds } = await import('../artifacts/index.ts');
  const { publicRoot, temporary, clock, settings } = app;
  return { publicRoot, temporary, clock, logs: join(settings.state, 'logs'), kinds: artifactKinds, sign: async (text) => (await app.signer()).detach(text) };
}
