/** Killing a command that changes a repository at each of its steps. */
import { cp, rm } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { inProcess } from '../operations/in-process.ts';
import { runArtifacts } from '../rig/run.ts';
import type { Site } from '../rig/site.ts';
import type { TempDir } from '../rig/temp.ts';

export interface KilledCommand {
  readonly dir: TempDir;
  /** No process has its state open: one that lives may tidy up the catalog while it is copied. */
  readonly site: Site;
  readonly command: readonly string[];
  /** The command has fewer steps. */
  readonly most: number;
  /** Looks at what a killed run left. */
  readonly left: (copy: Site, step: string) => Promise<void>;
  /** Looks at what the same command made of it. */
  readonly completed: (copy: Site, step: string) => Promise<void>;
}

/** Each run begins with the state as it is. Returns how many were killed. */
export async function killAtEachStep(t: ExecutionContext, { dir, site, command, most, left, completed }: KilledCommand): Promise<number> {
  let kills = 0;
  for (let step = 1; step < most; step += 1) {
    const state = dir.join(`state-${step}`);
    await cp(site.state, state, { recursive: true });
    const { signal, status, stderr } = await runArtifacts(command, { root: site.root, state, env: { ARTIFACTS_KILL_AT: `${step}` } });
    const copy = inProcess({ ...site, state });
    await left(copy, `step ${step}`);
    await copy.json(command);
    await completed(copy, `step ${step}`);
    t.is((await copy.run(['db', 'check', '--deep'])).status, 0, `step ${step}`);
    await rm(state, { recursive: true });
    if (signal !== 'SIGKILL') {
      t.is(status, 0, stderr);
      break;
    }
    kills += 1;
  }
  t.true(kills > 3 && kills < most - 1, `${kills} kills`);
  return kills;
}
