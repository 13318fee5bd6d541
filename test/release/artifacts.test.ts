import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ArtifactKind, ArtifactTask, MakeRequest } from '../../src/artifacts/kind.ts';
import type { Context } from '../../src/core/context.ts';
import { ArtifactsError } from '../../src/core/errors.ts';
import { createApp } from '../../src/operations/app.ts';
import { releaseSpec } from '../../src/operations/release-spec.ts';
import { cleanUp } from '../../src/publish/cleanup.ts';
import { checkState } from '../../src/publish/check.ts';
import { buildRelease, type ReleaseBuild } from '../../src/release/build.ts';
import { releaseFacts } from '../../src/release/facts.ts';
import { kindStates } from '../../src/release/kind-states.ts';
import type { BuildOptions } from '../../src/release/making.ts';
import { planRelease, type PlannedNode } from '../../src/release/plan.ts';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { tempDir, testContext, type TempDir } from '../rig/temp.ts';
import { gpgv, hashOf } from '../rig/witness.ts';
import { makeRelease, statesOf } from './support.ts';

const OPTIONS: BuildOptions = { replace: false, codenames: [], only: [], adapt: false, onFailure: 'continue', overrideLock: false };
const PUBLICATION = 'publish apt-mirror/integrated r1.0.0-rig';

/** A kind whose artifacts are notes: files with a text. */
const notes: ArtifactKind = {
  name: 'notes',
  listings: (place, artifacts) => [{ path: `${place}/index.txt`, bytes: artifacts.map(({ id }) => `${id}\n`).join(''), signed: true }],
  shared: (artifacts) => [{ path: 'notes/all/index.txt', bytes: artifacts.map(({ release, id }) => `${release} ${id}\n`).join(''), signed: false }],
};

interface Note {
  readonly text?: string;
  readonly needs?: readonly string[];
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly make?: (request: MakeRequest, ctx: Context) => Promise<void>;
  /** A file outside of the release's own folder. */
  readonly shared?: string;
}

/** A note below `notes/<release>/`; how often it was made is counted under its name. */
function note(name: string, { text = name, needs = [], inputs = { text }, make, shared }: Note = {}, release = 'r1.0.0'): ArtifactTask {
  const path = `notes/${release}/${name}.txt`;
  return {
    id: `notes ${name}`,
    kind: 'notes',
    needs,
    places: [`notes/${release}`],
    inputs,
    make: async (request, ctx) => {
      made.push(`${release} ${name}`);
      await make?.(request, ctx);
      const from = join(request.folder, basename(path));
      writeFileSync(from, text);
      return { files: [{ path, from }, ...(shared === undefined ? [] : [{ path: shared, from }])], facts: { letters: text.length }, detail: `${text.length} letters` };
    },
  };
}

const made: string[] = [];

interface Scene extends AsyncDisposable {
  readonly publicRoot: string;
  readonly state: string;
  build(tasks: readonly ArtifactTask[], options?: Partial<BuildOptions>, release?: Partial<{ name: string; locked: boolean }>): Promise<ReleaseBuild>;
  plan(tasks: readonly ArtifactTask[], options?: Partial<BuildOptions>): Promise<readonly PlannedNode[]>;
  app: ReturnType<typeof createApp>;
}

async function makeScene(dir: TempDir): Promise<Scene> {
  const scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] });
  const app = createApp({ root: scene.site.root, state: scene.site.state, environment: {}, command: 'test' });
  const specOf = async (tasks: readonly ArtifactTask[], release: object): Promise<Awaited<ReturnType<typeof releaseSpec>>> => ({
    ...(await releaseSpec(app, 'r1.0.0')),
    kinds: [notes],
    tasks,
    ...release,
  });
  return {
    app,
    publicRoot: scene.site.publicRoot,
    state: scene.site.state,
    build: async (tasks, options = {}, release = {}) => buildRelease(await specOf(tasks, release), { ...OPTIONS, ...options }, await app.tools(), testContext()),
    plan: async (tasks, options = {}) => {
      const spec = await specOf(tasks, {});
      return planRelease(spec, releaseFacts(await app.catalog(), spec, app.clock()), { ...OPTIONS, ...options }).planned;
    },
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await scene[Symbol.asyncDispose]();
    },
  };
}

const fails = (message = 'the maker is out'): NonNullable<Note['make']> => async () => {
  throw new ArtifactsError('E_FETCH', message);
};

test.serial('F2 artifacts are made after what they need, published as one with what lists them, and told by the manifest', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { publicRoot } = scene;
  let served: string | undefined;
  const tasks = [
    note('second', { needs: ['notes first'], make: async ({ needed, pathOf }) => void (served = readFileSync(pathOf(needed.get('notes first')!.files[0]!.sha256), 'utf8')) }),
    note('first', { needs: [PUBLICATION], make: async () => void t.true(existsSync(join(publicRoot, 'apt-mirror/integrated/dists/r1.0.0-rig/InRelease'))), shared: 'notes/pool/first-1.txt' }),
  ];

  const built = await scene.build(tasks);

  t.is(built.result, 'done');
  t.like(statesOf(built), { 'notes first': 'done', 'notes second': 'done', 'publish notes/r1.0.0': 'done', 'index notes': 'done', manifest: 'done' });
  t.is(served, 'first', 'what is needed is at hand');
  const place = join(publicRoot, 'notes/r1.0.0');
  t.regex(readlinkSync(place), /^\.trees\/r1\.0\.0\/1$/);
  t.is(readFileSync(join(place, 'index.txt'), 'utf8'), 'notes second\nnotes first\n');
  t.true(await gpgv((await rigKey('site')).publicKey, [join(place, 'index.txt.asc'), join(place, 'index.txt')]));
  t.is(readFileSync(join(publicRoot, 'notes/all/index.txt'), 'utf8'), 'r1.0.0 notes second\nr1.0.0 notes first\n');
  const manifest = JSON.parse(readFileSync(join(publicRoot, 'releases/r1.0.0/latest/manifest.json'), 'utf8')) as {
    files: { path: string; size: number; sha256: string }[];
    artifacts: { id: string; facts: unknown }[];
  };
  for (const path of ['notes/r1.0.0/first.txt', 'notes/r1.0.0/index.txt', 'notes/r1.0.0/index.txt.asc', 'notes/pool/first-1.txt']) {
    const listed = manifest.files.find((file) => file.path === path);
    t.is(listed?.sha256, hashOf(join(publicRoot, path)), path);
    t.is(listed?.size, readFileSync(join(publicRoot, path)).length);
  }
  t.deepEqual(manifest.artifacts.map(({ id, facts }) => [id, facts]), [['notes first', { letters: 5 }], ['notes second', { letters: 6 }]]);
  made.length = 0;
  t.is((await scene.build(tasks)).result, 'unchanged');
  t.deepEqual(made, []);
  t.deepEqual((await checkState({ ...(await scene.app.tools()), deep: true }, testContext())).problems, []);
});

test.serial('plan says which input changed; only what leans on it is made, and only when it came out different', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const scenery = (base: Note): ArtifactTask[] => [note('base', base), note('leaning', { needs: ['notes base'] }), note('other')];
  await scene.build(scenery({ text: 'same', inputs: { branch: 'a' } }));
  const before = readlinkSync(join(scene.publicRoot, 'notes/r1.0.0'));

  const plan = await scene.plan(scenery({ text: 'same', inputs: { branch: 'b' } }));
  made.length = 0;
  const cutOff = await scene.build(scenery({ text: 'same', inputs: { branch: 'b' } }));

  const told = Object.fromEntries(plan.map(({ id, state, reason }) => [id, `${state}: ${reason}`]));
  t.is(told['notes base'], 'build: branch changed');
  t.is(told['notes leaning'], 'build: notes base is made anew');
  t.is(told['notes other'], 'fresh: unchanged');
  t.deepEqual(made, ['r1.0.0 base'], 'the same bytes came out: what leans on them stays');
  t.like(statesOf(cutOff), { 'notes leaning': 'fresh', 'publish notes/r1.0.0': 'fresh' });
  t.is(readlinkSync(join(scene.publicRoot, 'notes/r1.0.0')), before);
  made.length = 0;
  await scene.build(scenery({ text: 'different', inputs: { branch: 'b', text: 2 } }));
  t.deepEqual(made, ['r1.0.0 base', 'r1.0.0 leaning']);
  t.is(readFileSync(join(scene.publicRoot, 'notes/r1.0.0/base.txt'), 'utf8'), 'different');
  t.is(readFileSync(join(scene.publicRoot, 'notes', before, 'base.txt'), 'utf8'), 'same', 'who is in the middle of the old one goes on with it');
});

test.serial('a failure blocks what leans on it; what was made before stays, and the run is partial', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.build([note('kept'), note('other')]);

  const built = await scene.build([
    note('kept', { inputs: { now: 2 }, make: fails() }),
    note('other'),
    note('new', { make: fails('no such branch') }),
    note('leaning', { needs: ['notes new'] }),
    note('on-kept', { needs: ['notes kept'] }),
  ]);

  t.is(built.result, 'partial');
  t.like(statesOf(built), { 'notes kept': 'kept', 'notes new': 'failed', 'notes leaning': 'blocked', 'notes on-kept': 'done', 'publish notes/r1.0.0': 'blocked', manifest: 'blocked' });
  t.is(readFileSync(join(scene.publicRoot, 'notes/r1.0.0/index.txt'), 'utf8'), 'notes kept\nnotes other\n', 'the last good state is served');
  const spec = { ...(await releaseSpec(scene.app, 'r1.0.0')), kinds: [notes], tasks: [note('kept'), note('new')] };
  const [, state] = kindStates(spec, { catalog: await scene.app.catalog(), now: new Date(), isBuilding: false });
  t.is(state?.state, 'failed');
  t.deepEqual(state?.problems, ['notes kept: the maker is out', 'notes new: no such branch']);
});

test.serial('after a failure nothing more is begun when asked so, and with stop what runs is cancelled', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.build([]);
  const slow: NonNullable<Note['make']> = async (_request, ctx) => sleep(300, undefined, { signal: ctx.signal });
  const tasks = (name: string): ArtifactTask[] => [
    note(`${name}-running`, { make: slow }),
    note(`${name}-bad`, { make: fails() }),
    note(`${name}-later`, { needs: [`notes ${name}-running`] }),
  ];

  const finished = await scene.build(tasks('a'), { onFailure: 'finish-running' });
  const stopped = await scene.build(tasks('b'), { onFailure: 'stop' });
  const gone = await scene.build(tasks('c'), { onFailure: 'continue' });

  t.like(statesOf(finished), { 'notes a-running': 'done', 'notes a-bad': 'failed', 'notes a-later': 'blocked' });
  t.like(statesOf(stopped), { 'notes b-running': 'blocked', 'notes b-bad': 'failed', 'notes b-later': 'blocked' });
  t.like(statesOf(gone), { 'notes c-running': 'done', 'notes c-bad': 'failed', 'notes c-later': 'done' });
});

test.serial('RPC-O D8 F3 a locked release is completed, replaced only by whoever says so, and that is written down', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const locked = { locked: true };
  await scene.build([note('one', { inputs: { v: 1 } })], {}, locked);

  await t.throwsAsync(scene.build([note('one', { inputs: { v: 2 } })], {}, locked), { message: /locked: notes one, v changed/ });
  t.false(existsSync(join(scene.state, 'audit.log')));
  const built = await scene.build([note('one', { text: 'new', inputs: { v: 2 } })], { overrideLock: true }, locked);

  t.is(built.result, 'done');
  const [line, ...rest] = readFileSync(join(scene.state, 'audit.log'), 'utf8').trim().split('\n');
  t.deepEqual(rest, []);
  t.like(JSON.parse(line ?? ''), { action: 'lock overridden', release: 'r1.0.0', command: 'test' });
  t.regex(line ?? '', /notes one: v changed/);
  t.is((await scene.build([note('one', { text: 'new', inputs: { v: 2 } }), note('two')], {}, locked)).result, 'done', 'completing replaces nothing that exists');
});

test.serial('RPC-O D2 replacing a release never touches one whose name it begins with', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const beta = { name: 'r1.0.0-beta.1' };
  await scene.build([note('one', {}, 'r1.0.0-beta.1')], {}, beta);
  await scene.build([note('one')]);
  const before = readlinkSync(join(scene.publicRoot, 'notes/r1.0.0-beta.1'));

  await scene.build([note('one', { text: 'anew' })], { replace: true });

  t.is(readlinkSync(join(scene.publicRoot, 'notes/r1.0.0-beta.1')), before);
  t.is(readFileSync(join(scene.publicRoot, 'notes/r1.0.0-beta.1/one.txt'), 'utf8'), 'one');
  t.is(readFileSync(join(scene.publicRoot, 'notes/r1.0.0/one.txt'), 'utf8'), 'anew');
});

test.serial('F4 with other kinds left out, what they would give must be there; a run that only tries does without', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const tasks = [note('one', { needs: [PUBLICATION] })];

  const blocked = await scene.build(tasks, { only: ['notes'] });
  const adapted = await scene.plan(tasks, { only: ['notes'], adapt: true });

  t.like(statesOf(blocked), { 'notes one': 'blocked' });
  t.regex(blocked.nodes.find(({ id }) => id === 'notes one')?.detail ?? '', /needs publish apt-mirror\/integrated r1.0.0-rig, which is not there/);
  t.like(adapted.find(({ id }) => id === 'notes one'), { state: 'build', reason: `made without ${PUBLICATION}, which is not there` });
  t.is((await scene.build(tasks, { only: ['notes'], adapt: true })).result, 'done');
  await scene.build(tasks, { only: ['apt'] });
  t.regex((await scene.plan(tasks)).find(({ id }) => id === 'notes one')?.reason ?? '', /changed$/, 'made without it, it is made again with it');
});

test.serial('F4 a build of one kind is no complete release while what leans on it is still made from what was before', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const tasks = [note('one', { needs: [PUBLICATION] })];
  await scene.build(tasks);

  const alone = await scene.plan(tasks, { only: ['apt'], replace: true });
  const whole = await scene.plan(tasks, { replace: true });

  t.false(alone.some(({ id }) => id === 'manifest'));
  t.true(whole.some(({ id }) => id === 'manifest'));
  t.true((await scene.plan(tasks, { only: ['apt'] })).some(({ id }) => id === 'manifest'), 'nothing changes: it stays complete');
});

test.serial('a shared file never changes: other bytes under its name are a conflict that names it', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.build([note('one', { shared: 'notes/pool/wheel-1.txt' })]);

  const built = await scene.build([note('one', { shared: 'notes/pool/wheel-1.txt' }), note('two', { shared: 'notes/pool/wheel-1.txt' })]);

  t.like(built.nodes.find(({ id }) => id === 'notes two'), { state: 'failed', detail: 'notes/pool/wheel-1.txt is published already, with other bytes' });
  t.is(readFileSync(join(scene.publicRoot, 'notes/pool/wheel-1.txt'), 'utf8'), 'one');
});

test.serial('what the configuration no longer says is served no more, and a clean-up takes its files after their time', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.build([note('one'), note('two', { shared: 'notes/pool/two-1.txt' })]);

  await scene.build([note('one')]);
  t.is(readFileSync(join(scene.publicRoot, 'notes/r1.0.0/index.txt'), 'utf8'), 'notes one\n');
  const plan = await scene.plan([]);
  t.is(plan.find(({ id }) => id === 'manifest')?.reason, 'notes one is no part of it any more');
  await scene.build([]);

  t.false(existsSync(join(scene.publicRoot, 'notes/r1.0.0')));
  t.is((await scene.build([])).result, 'unchanged');
});

test.serial('a clean-up removes superseded revisions and their shared files after a day, and nothing before', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.build([note('one', { text: 'old', shared: 'notes/pool/one-1.txt' })]);
  await scene.build([note('one', { text: 'new', shared: 'notes/pool/one-2.txt' })]);
  const tools = await scene.app.tools();
  const cleanLater = (days: number): number => cleanUp({ ...tools, dryRun: false, clock: () => new Date(Date.now() + days * 86_400_000) }, testContext()).publishedFiles;

  t.is(cleanLater(0), 0);
  t.true(existsSync(join(scene.publicRoot, 'notes/pool/one-1.txt')));
  t.is(cleanLater(3), 1);

  t.false(existsSync(join(scene.publicRoot, 'notes/pool/one-1.txt')));
  t.true(existsSync(join(scene.publicRoot, 'notes/pool/one-2.txt')));
  t.deepEqual((await checkState({ ...tools, deep: true }, testContext())).problems, []);
});

test.serial('a folder that is not ours is not replaced', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  mkdirSync(join(scene.publicRoot, 'notes/r1.0.0'), { recursive: true });

  const built = await scene.build([note('one')]);

  t.like(built.nodes.find(({ id }) => id === 'publish notes/r1.0.0'), { state: 'failed' });
  t.regex(built.nodes.find(({ id }) => id === 'publish notes/r1.0.0')?.detail ?? '', /is in the way/);
});
