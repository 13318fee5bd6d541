/** Stopping the program at each of its steps (ARTIFACTS_KILL_AT in src/util/durable.ts) and looking at what is left. */
import { mkdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { createApp } from '../../src/operations/app.ts';
import { checkState } from '../../src/publish/check.ts';
import { inProcess } from '../operations/in-process.ts';
import { aptClient } from '../rig/apt.ts';
import { rigKey } from '../rig/key.ts';
import { runCommand, runArtifacts, type RunResult } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import type { Site } from '../rig/site.ts';
import { hasCommand } from '../rig/skip.ts';
import { testContext, type TempDir } from '../rig/temp.ts';
import { hashOf, inspectDistribution } from '../rig/witness.ts';

/** A command to be stopped at each of its steps. */
export interface Scenario {
  readonly dir: TempDir;
  /** The configuration to run with, and the state each run begins with; the state need not exist. */
  readonly site: Site;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Name of the distribution in apt-mirror/integrated. */
  readonly distribution: string;
  /** Whether the distribution is to be there after the command ended. Default true. */
  readonly publishes?: boolean;
  /** The second run may find that the first had done all; exit statuses that say so. Default none but 0. */
  readonly doneStatuses?: readonly number[];
}

const PREFIX = 'apt-mirror/integrated';
/** Beyond any command here; a loop that gets there does not end. */
const TOO_MANY = 400;
/** What the next run puts right, by itself. */
const REPAIRABLE = /: a switch was interrupted|: generation \d+ is not what is served$/;

/**
 * Kills before each step, and after every fifth one: what happens between two steps changes nothing. Returns how many
 * kills there were.
 */
export async function killEverywhere(t: ExecutionContext, scenario: Scenario): Promise<number> {
  t.timeout(300_000); // on a busy machine; each kill resets it
  const whole = await afterWholeRun(t, scenario);
  let next = 1;
  let last = TOO_MANY;
  let kills = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const step = next;
      next += 1;
      if (step > last || step >= TOO_MANY) return;
      const modes = step % 5 === 0 ? [`${step}`, `${step}+`] : [`${step}`];
      for (const killAt of modes) {
        if (await survives(t, { ...scenario, killAt, whole })) kills += 1;
        else last = Math.min(last, step);
      }
    }
  };
  await Promise.all([worker(), worker()]);
  t.true(last < TOO_MANY, 'the loop ends with a run that is not killed');
  return kills;
}

interface Killing extends Scenario {
  readonly killAt: string;
  /** Digest of the index that a run without a kill publishes. */
  readonly whole: string | undefined;
}

async function afterWholeRun(t: ExecutionContext, scenario: Scenario): Promise<string | undefined> {
  const state = await copyState(scenario, 'whole');
  const result = await run(scenario, state, scenario.env);
  t.is(result.status, 0, result.stderr);
  t.deepEqual(await check(scenario.site.root, state), []);
  return indexDigest(state, scenario);
}

/** One kill and its aftermath. False when the run ended before it came to that step. */
async function survives(t: ExecutionContext, killing: Killing): Promise<boolean> {
  const { killAt, dir, site } = killing;
  const state = await copyState(killing, `kill-${killAt}`);
  const killed = await run(killing, state, { ...killing.env, ARTIFACTS_KILL_AT: killAt });
  if (killed.signal !== 'SIGKILL') {
    t.is(killed.status, 0, killed.stderr);
    return false;
  }
  const told = `killed at step ${killAt}: `;
  if (existsSync(state)) {
    const left = await check(site.root, state);
    t.deepEqual(left.filter((problem) => !REPAIRABLE.test(problem)), [], `${told}what is left`);
  }
  t.deepEqual(await served(killing, state), [], `${told}what is served meanwhile`);

  // X14: what puts things right may be killed as well.
  if (stepOf(killing) % 4 === 3) await run(killing, state, { ...killing.env, ARTIFACTS_KILL_AT: `${(stepOf(killing) % 6) + 1}` });
  const again = await runAgain(killing, state);

  t.true([0, ...(killing.doneStatuses ?? [])].includes(again.status), `${told}the next run ended with ${again.status}: ${again.stderr}`);
  t.deepEqual(await check(site.root, state), [], `${told}after the next run`);
  t.deepEqual(await served(killing, state), [], `${told}what is served in the end`);
  t.is(indexDigest(state, killing), killing.whole, `${told}the same packages as without a kill`);
  t.deepEqual(await leftovers(state), [], `${told}no temporary files`);
  if (stepOf(killing) % 5 === 0) await askApt(t, killing, state);
  await rm(dir.join(`kill-${killAt}`), { recursive: true, force: true });
  return true;
}

async function copyState({ dir, site }: Scenario, name: string): Promise<string> {
  await mkdir(dir.join(name), { recursive: true });
  const state = dir.join(name, 'state');
  // Hard links between pool and published pool stay what they are.
  if (existsSync(site.state)) await runCommand('cp', ['-a', site.state, state]);
  return state;
}

function run({ site, command }: Scenario, state: string, env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  return runArtifacts([...command, '--quiet'], { root: site.root, state, env });
}

/** Most of the time in this process, which is several times as fast. */
function runAgain(killing: Killing, state: string): Promise<RunResult> {
  if (stepOf(killing) % 5 === 0) return run(killing, state, killing.env);
  return inProcess({ ...killing.site, state }).run([...killing.command, '--quiet'], { env: killing.env ?? {} });
}

function stepOf({ killAt }: Killing): number {
  return Number.parseInt(killAt, 10);
}

/** The problems `db check --deep` reports. */
async function check(root: string, state: string): Promise<readonly string[]> {
  await using app = createApp({ root, state, environment: {}, command: 'check' });
  return (await checkState({ ...(await app.tools()), deep: true }, testContext())).problems;
}

/** Problems of what clients see. Nothing at all is no problem, a half is. */
async function served({ distribution }: Scenario, state: string): Promise<readonly string[]> {
  const prefix = join(state, 'public', PREFIX);
  const folder = join(prefix, 'dists', distribution);
  return existsSync(folder) ? inspectDistribution(folder, prefix) : [];
}

function indexDigest(state: string, { distribution, publishes = true }: Scenario): string | undefined {
  const file = join(state, 'public', PREFIX, 'dists', distribution, 'main/binary-amd64/Packages.xz');
  if (!publishes) return existsSync(file) ? 'still there' : undefined;
  return hashOf(file);
}

async function leftovers(state: string): Promise<readonly string[]> {
  const { stdout } = await runCommand('find', [state, '-name', '*.tmp', '-o', '-name', '.draft', '-o', '-path', '*/incoming/*', '-type', 'f']);
  return stdout.split('\n').filter((line) => line !== '');
}

async function askApt(t: ExecutionContext, { dir, distribution, killAt, publishes = true }: Killing, state: string): Promise<void> {
  if (!publishes || !hasCommand('apt-get')) return;
  await using server = await serve(join(state, 'public'));
  const client = await aptClient(dir, `apt-${killAt}`, {
    sources: [`deb [signed-by=%KEYRING%] ${server.url}/${PREFIX} ${distribution} main`],
    keyring: (await rigKey('site')).publicKey,
  });
  await t.notThrowsAsync(client.update());
  await rm(client.folder, { recursive: true, force: true });
}
