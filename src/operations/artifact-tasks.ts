/** What a release is made of besides packages, from the configuration to the tasks of its build. */
import { join } from 'node:path';
import { containerTasks } from '../artifacts/container/tasks.ts';
import { gitTasks } from '../artifacts/git/tasks.ts';
import type { ArtifactTask } from '../artifacts/kind.ts';
import type { Publication } from '../artifacts/publication.ts';
import { pythonTasks } from '../artifacts/python/tasks.ts';
import { baseRepositories } from '../config/base-repositories.ts';
import type { Release } from '../config/config.ts';
import { resolveContainers } from '../config/resolve-container.ts';
import { resolveGit } from '../config/resolve-git.ts';
import { resolvePython } from '../config/resolve-python.ts';
import { keyPath } from '../publish/layout.ts';
import { publicationId } from '../release/nodes.ts';
import { distributionName, integratedPrefix, type CodenameSpec } from '../release/spec.ts';
import type { App } from './app.ts';

/** What root filesystems are made of: wheels and images are for codenames of this format. */
const ROOT_FORMAT = 'apt';

/** The tasks of all kinds, for these codenames of the release. Throws E_CONFIG, E_NOT_FOUND. */
export async function artifactTasks(app: App, release: Release, all: readonly CodenameSpec[]): Promise<readonly ArtifactTask[]> {
  const codenames = all.filter(({ format }) => format === ROOT_FORMAT).map(({ codename }) => codename);
  const config = await app.config();
  const machine = app.machine();
  const sources = {
    machine,
    environment: app.settings.environment,
    codenames,
    base: (codename: string) => baseRepositories(config, codename, { machine, keys: join(app.temporary, 'base-keys') }),
    publication: (codename: string) => publicationOf(release.name, codename),
    consumerUrl: config.consumers.baseUrl,
  };
  return [
    ...gitTasks(resolveGit(config, release)),
    ...(await resolvePython(config, release, sources)).flatMap((spec) => pythonTasks(spec)),
    ...containerTasks(await resolveContainers(config, release, sources)),
  ];
}

function publicationOf(release: string, codename: string): Publication {
  const prefix = integratedPrefix(ROOT_FORMAT);
  const suite = distributionName(release, codename);
  return {
    node: publicationId(prefix, suite),
    prefix,
    suite,
    components: ['main'],
    key: keyPath(prefix),
  };
}
