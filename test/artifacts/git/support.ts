import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { parseAddress } from '../../../src/artifacts/git/address.ts';
import type { GitLimits } from '../../../src/artifacts/git/spec.ts';
import { gitTasks } from '../../../src/artifacts/git/tasks.ts';
import type { MadeArtifact, Workshop } from '../../../src/artifacts/kind.ts';
import type { Artifact } from '../../../src/core/artifact.ts';
import { hashFile } from '../../../src/util/hash-file.ts';
import { runCommand } from '../../rig/run.ts';
import { testContext, type TempDir, type TestContext } from '../../rig/temp.ts';

const PERSON = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.org', GIT_COMMITTER_NAME: 'C', GIT_COMMITTER_EMAIL: 'c@example.org' };
const PLAIN = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_DIR: undefined, GIT_WORK_TREE: undefined };

/** Runs git itself, the witness; returns what it prints, without the last newline. Throws when it fails. */
export async function git(folder: string, args: readonly string[], input?: string): Promise<string> {
  const { status, stdout, stderr } = await runCommand('git', ['-C', folder, ...args], { env: { ...PERSON, ...PLAIN }, ...(input === undefined ? {} : { input }) });
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.replace(/\n$/, '');
}

export interface Upstream {
  readonly path: string;
  /** Writes the files and commits them, an hour after the commit before; returns the commit. */
  commit(files: Readonly<Record<string, string>>, message?: string): Promise<string>;
  run(...args: readonly string[]): Promise<string>;
}

export async function makeUpstream(path: string, ...options: readonly string[]): Promise<Upstream> {
  mkdirSync(path, { recursive: true });
  await git(path, ['init', '--quiet', '--initial-branch=main', ...options]);
  let hour = 0;
  return {
    path,
    run: (...args) => git(path, args),
    commit: async (files, message = 'a change') => {
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(path, file)), { recursive: true });
        writeFileSync(join(path, file), text);
      }
      hour += 1;
      const date = `2020-01-01T${String(hour % 24).padStart(2, '0')}:00:00Z`;
      await git(path, ['add', '--all']);
      const env = { ...PERSON, ...PLAIN, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
      await runCommand('git', ['-C', path, 'commit', '--quiet', '--allow-empty', '--message', message], { env });
      return git(path, ['rev-parse', 'HEAD']);
    },
  };
}

export const LIMITS: GitLimits = { bytes: 64 * 1024 * 1024, milliseconds: 60_000 };

export interface Asked {
  readonly url: string;
  readonly version: string;
  readonly name?: string;
  readonly release?: string;
  readonly allowMovedTag?: boolean;
  readonly limits?: Partial<GitLimits>;
  readonly previous?: Done;
}

export interface Done {
  readonly made: MadeArtifact;
  /** As the catalog would keep it. */
  readonly artifact: Artifact;
  /** Where a published file's bytes are. */
  at(suffix: string): string;
  readonly context: TestContext;
}

export interface Bench {
  /** Makes the archive as a release would. A workshop lasts for one run. */
  make(asked: Asked, workshop?: Workshop): Promise<Done>;
  workshop(cache?: string, below?: string): Workshop;
}

/** A place to make archives in, with a cache that lasts unless another is named. */
export function makeBench(dir: TempDir): Bench {
  let runs = 0;
  const workshop = (cache = 'cache', below?: string): Workshop => ({
    publicRoot: dir.join('public'),
    cache: (name) => dir.join(cache, name),
    cacheBelow: (name) => (below === undefined ? undefined : dir.join(below, name)),
    temporary: dir.join('tmp'),
    clock: () => new Date(0),
    environment: {},
  });
  return {
    workshop,
    make: async ({ url, version, name = 'demo', release = 'r1.0.0', allowMovedTag = false, limits, previous }, run = workshop()) => {
      const parsed = parseAddress(url, dir.path);
      if ('problem' in parsed) throw new Error(parsed.problem);
      const spec = { release, limits: { ...LIMITS, ...limits }, repositories: [{ name, address: parsed.address, version, allowMovedTag }] };
      const [task] = gitTasks(spec);
      if (task === undefined) throw new Error('no task');
      const folder = dir.join(`made-${(runs += 1)}`);
      mkdirSync(folder);
      const context = testContext();
      const pathOf = (sha256: string): string => previous?.artifact.files.flatMap((file) => (file.sha256 === sha256 ? [previous.at(file.path)] : []))[0] ?? '';
      const made = await task.make({ release, build: '20200101T000000Z', folder, needed: new Map(), previous: previous?.artifact, pathOf, workshop: run }, context);
      const files = await Promise.all(made.files.map(async ({ path, from }) => ({ path, size: 1, sha256: await hashFile(from) })));
      const facts = JSON.parse(JSON.stringify(made.facts)) as Artifact['facts'];
      return {
        made,
        artifact: { release, id: task.id, kind: 'git', files, facts, madeAt: '2020-01-01T00:00:00.000Z' },
        at: (suffix) => made.files.find(({ path }) => path.endsWith(suffix))?.from ?? '',
        context,
      };
    },
  };
}

/** Unpacks an archive; returns the folder of the clone. */
export async function unpack(done: Done, into: string, name = 'demo'): Promise<string> {
  mkdirSync(into, { recursive: true });
  const { status, stderr } = await runCommand('tar', ['-xzf', done.at('.tgz'), '-C', into]);
  if (status !== 0) throw new Error(stderr);
  return join(into, name);
}

export const HTTP_BACKEND = '/usr/lib/git-core/git-http-backend';
export const hasHttpBackend = existsSync(HTTP_BACKEND);

export interface GitServer extends AsyncDisposable {
  /** No slash at the end. */
  readonly url: string;
  /** Paths with their queries, and the Authorization header that came with them. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
}

/** git's own server behind a loopback port: what lies below the folder. */
export async function serveGit(folder: string): Promise<GitServer> {
  const requests: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    requests.push({ path: url.pathname + url.search, authorization: request.headers.authorization });
    const child = spawn(HTTP_BACKEND, [], {
      env: {
        ...process.env,
        ...PLAIN,
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    request.pipe(child.stdin).on('error', () => {});
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('close', () => {
      const answer = Buffer.concat(chunks);
      const end = answer.indexOf('\r\n\r\n');
      const headers = answer.subarray(0, end).toString().split('\r\n').map((line) => line.split(/: */, 2));
      const status = headers.find(([name]) => name === 'Status')?.[1];
      for (const [name = '', value = ''] of headers) if (name !== 'Status') response.setHeader(name, value);
      response.writeHead(status === undefined ? 200 : Number.parseInt(status, 10)).end(answer.subarray(end + 4));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
