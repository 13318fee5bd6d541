/** What every target must do: the same tests for each kind, the other host being a real sshd on loopback. */
import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256 } from '../../src/core/digest.ts';
import { targetOf, type TargetDefinition } from '../../src/targets/index.ts';
import type { Batch } from '../../src/targets/target.ts';
import { startSshd, hasSshd, type Sshd } from '../rig/sshd.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, testContext, type TempDir } from '../rig/temp.ts';

type Describe = (dir: TempDir, sshd: Sshd | undefined) => TargetDefinition;

const KINDS: readonly (readonly [kind: string, possible: boolean, needs: string, describe: Describe])[] = [
  ['local', hasCommand('flock'), 'needs flock', (dir) => ({ kind: 'local', name: 'here', path: dir.join('target') })],
  [
    'rsync',
    hasSshd,
    'needs sshd, ssh, rsync and flock',
    // A blank and an apostrophe: what a shell in between would stumble over.
    (dir, sshd) => ({ kind: 'rsync', name: 'there', host: '127.0.0.1', port: sshd?.port, user: sshd?.user, key: sshd?.key, hostKeys: sshd?.hostKey ?? '', path: dir.join("it's a target"), owner: undefined }),
  ],
];

for (const [kind, possible, needs, describe] of KINDS) {
  const test = testWith(possible, needs);

  test(`${kind}: files, links and lists come and go, whatever their names`, async (t) => {
    await using dir = await tempDir();
    await using scene = await open(dir, kind, describe);
    const { session, root, ctx } = scene;
    const names = ['plain', "a b'c/$(touch x)", '-rf', 'deep/er/ü~+%25', 'x;y&z'];

    const copied = await session.stage(batch(dir, names), ctx);

    t.deepEqual([...copied].sort(), [...names].sort());
    for (const name of names) t.is(readFileSync(join(root, 'data', name), 'utf8'), `text of ${name}`);
    t.is(statSync(join(root, 'data/plain')).mode & 0o777, 0o644);
    t.deepEqual(await session.stage(batch(dir, names), ctx), []);

    await session.commit([{ kind: 'link', path: 'dists/now', to: '../data' }], ctx);
    await session.commit([{ kind: 'link', path: 'dists/now', to: '../data/deep' }, { kind: 'file', path: 'lists/all', from: 'data/plain' }], ctx);
    t.is(readlinkSync(join(root, 'dists/now')), '../data/deep');
    t.is(await session.readLink('dists/now', ctx), '../data/deep');
    t.is(await session.readLink('lists/all', ctx), undefined);
    t.is((await session.read('lists/all', ctx))?.toString(), 'text of plain');
    t.is(await session.read('data/plain', ctx), undefined);

    await session.keep([{ from: 'data/-rf', to: 'kept/-rf' }, { from: 'gone', to: 'kept/gone' }], ctx);
    t.deepEqual(await session.list('kept', ctx), ['-rf']);
    t.deepEqual(await session.list('nowhere', ctx), []);

    await session.remove(['data', '-rf', 'not there'], ctx);
    t.false(existsSync(join(root, 'data')));
    t.is(readFileSync(join(root, 'kept/-rf'), 'utf8'), 'text of -rf');
  });

  test(`${kind}: a file with other bytes is refused where its name does not hold its digest, and replaced where it does`, async (t) => {
    await using dir = await tempDir();
    await using scene = await open(dir, kind, describe);
    const { session, root, ctx } = scene;
    mkdirSync(join(root, 'data'), { recursive: true });
    writeFileSync(join(root, 'data/wheel'), 'Text of wheel');

    const error = await t.throwsAsync(session.stage({ ...batch(dir, ['wheel', 'other']), unique: false }, ctx), { code: 'E_CONFLICT' });

    t.regex(error?.message ?? '', /data\/wheel/);
    t.is(readFileSync(join(root, 'data/wheel'), 'utf8'), 'Text of wheel');
    writeFileSync(join(root, 'data/wheel'), 'cut');
    await session.stage(batch(dir, ['wheel']), ctx);
    t.is(readFileSync(join(root, 'data/wheel'), 'utf8'), 'text of wheel');
  });

  test(`${kind}: what comes back is what went there`, async (t) => {
    await using dir = await tempDir();
    await using scene = await open(dir, kind, describe);
    const sent = batch(dir, ['one', 'two/three']);
    await scene.session.stage(sent, scene.ctx);

    await scene.session.fetch({ ...sent, here: dir.join('back') }, scene.ctx);

    t.is(readFileSync(dir.join('back/two/three'), 'utf8'), 'text of two/three');
  });

  test(`RPC-O D14 ${kind}: a second publisher waits, is told so when that takes too long, and gets in when the first has gone`, async (t) => {
    await using dir = await tempDir();
    const scene = await open(dir, kind, describe);
    const impatient = targetOf(scene.definition, { temporary: dir.join('tmp2'), lockWait: 0 });

    await t.throwsAsync(impatient.open(scene.ctx), { code: 'E_LOCKED' });
    await scene.session[Symbol.asyncDispose]();
    const session = await impatient.open(scene.ctx);
    await session[Symbol.asyncDispose]();
    await scene[Symbol.asyncDispose]();
  });
}

const remote = testWith(hasSshd, 'needs sshd, ssh, rsync and flock');

remote('rsync: another host key, a stranger, and a port where nobody listens are E_FETCH that says so', async (t) => {
  await using dir = await tempDir();
  await using sshd = await startSshd(dir);
  await using other = await startSshd(dir, 'other');
  const ctx = testContext();
  const right: TargetDefinition = { kind: 'rsync', name: 'there', host: '127.0.0.1', port: sshd.port, user: sshd.user, key: sshd.key, hostKeys: sshd.hostKey, path: dir.join('target'), owner: undefined };
  const attempt = async (changes: Partial<typeof right>): Promise<string> => {
    const target = targetOf({ ...right, ...changes } as TargetDefinition, { temporary: dir.join('tmp'), retryDelay: 1 });
    return (await t.throwsAsync(target.open(ctx), { code: changes.hostKeys === 'x' ? 'E_CONFIG' : 'E_FETCH' }))?.message ?? '';
  };

  t.regex(await attempt({ hostKeys: other.hostKey }), /Host key verification failed/);
  t.regex(await attempt({ key: sshd.strangerKey }), /Permission denied/);
  t.deepEqual(ctx.warnings(), []); // asking again would give the same
  await attempt({ port: 1 });
  t.is(ctx.warnings().length, 4);
  await attempt({ hostKeys: 'x' });
  t.false(existsSync(dir.join('target')));
});

remote('rsync: when the connection breaks, the lock is gone and nothing can be switched', async (t) => {
  await using dir = await tempDir();
  await using sshd = await startSshd(dir);
  const scene = await openWith(dir, KINDS[1]?.[3] as Describe, sshd);
  await scene.session.commit([{ kind: 'link', path: 'now', to: 'old' }], scene.ctx);

  sshd.cut();

  await t.throwsAsync(scene.session.commit([{ kind: 'link', path: 'now', to: 'new' }], scene.ctx));
  t.is(readlinkSync(join(scene.root, 'now')), 'old');
  const next = await targetOf(scene.definition, { temporary: dir.join('tmp3'), lockWait: 20 }).open(scene.ctx);
  t.is(await next.readLink('now', scene.ctx), 'old');
  await next[Symbol.asyncDispose]();
  await scene.session[Symbol.asyncDispose]();
});

interface Scene extends AsyncDisposable {
  readonly session: Awaited<ReturnType<ReturnType<typeof targetOf>['open']>>;
  readonly definition: TargetDefinition;
  readonly root: string;
  readonly ctx: ReturnType<typeof testContext>;
}

async function open(dir: TempDir, kind: string, describe: Describe): Promise<Scene> {
  const sshd = kind === 'rsync' ? await startSshd(dir) : undefined;
  const scene = await openWith(dir, describe, sshd);
  return {
    ...scene,
    [Symbol.asyncDispose]: async () => {
      await scene.session[Symbol.asyncDispose]();
      await sshd?.[Symbol.asyncDispose]();
    },
  };
}

async function openWith(dir: TempDir, describe: Describe, sshd: Sshd | undefined): Promise<Omit<Scene, typeof Symbol.asyncDispose>> {
  const ctx = testContext();
  const definition = describe(dir, sshd);
  const session = await targetOf(definition, { temporary: dir.join('tmp'), retryDelay: 10 }).open(ctx);
  return { session, definition, root: definition.path, ctx };
}

function batch(dir: TempDir, names: readonly string[]): Batch {
  const here = dir.join('here');
  const files = names.map((path) => {
    const bytes = Buffer.from(`text of ${path}`);
    mkdirSync(dirname(join(here, path)), { recursive: true });
    writeFileSync(join(here, path), bytes);
    return { path, size: bytes.length, sha256: sha256(bytes) };
  });
  return { here, there: 'data', files, unique: true };
}
