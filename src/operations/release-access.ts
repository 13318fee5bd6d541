/** Releases elsewhere: what the options of the verbs that read them mean. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { PinnedKeys } from '../release/availability.ts';
import type { ReleaseSource } from '../release/release-source.ts';
import type { App } from './app.ts';

/** Who may have signed, and how the server is reached; the same in every verb. */
export const keyOptions = {
  key: { kind: 'list', value: 'FINGERPRINT', summary: 'a key the manifest may be signed with (default: consumers.keys of vars/)' },
  keyring: { kind: 'text', value: 'FILE', summary: 'the public keys (default: consumers.keyring, else those beside the manifest)' },
} as const;

export const serverOptions = {
  proxy: { kind: 'text', value: 'URL', summary: 'a proxy; empty for none (default: that of the environment)' },
  caFile: { kind: 'text', value: 'FILE', summary: 'authorities (PEM) that are trusted besides the usual ones' },
  clientCert: { kind: 'text', value: 'FILE', summary: 'a certificate (PEM) to show to the server' },
  clientKey: { kind: 'text', value: 'FILE', summary: 'its private key (PEM)' },
  parallel: { kind: 'integer', value: 'N', summary: 'connections (default: downloads.parallel of vars/)' },
} as const;

export interface KeyInput {
  readonly key: readonly string[] | undefined;
  readonly keyring: string | undefined;
}

export interface ServerInput {
  readonly proxy: string | undefined;
  readonly caFile: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
  readonly parallel: number | undefined;
}

/** Options are nearer than vars/, which a site that only consumes need not have. */
export async function pinnedKeys(app: App, { key, keyring }: KeyInput): Promise<PinnedKeys> {
  const configured = (await configOrNothing(app))?.consumers;
  const file = keyring ?? configured?.keyring;
  return {
    fingerprints: key ?? configured?.keys ?? [],
    keyrings: file === undefined ? undefined : [readGiven(file)],
    now: app.clock(),
  };
}

/** A server when it is an URL, else a folder. */
export async function openSource(app: App, from: string, input: ServerInput): Promise<ReleaseSource> {
  const { folderSource, httpSource } = await import('../release/release-source.ts');
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(from)) return folderSource(resolve(from));
  const { openUpstream } = await import('../http/upstream.ts');
  const { redact } = await import('../http/redact.ts');
  const downloads = (await configOrNothing(app))?.downloads;
  const proxy = input.proxy ?? downloads?.proxy;
  const parallel = input.parallel ?? downloads?.parallel;
  const upstream = openUpstream({
    urls: [from],
    environment: app.settings.environment,
    now: app.clock,
    ...(parallel === undefined ? {} : { parallel }),
    ...(proxy === undefined ? {} : { proxy: { http: proxy, https: proxy } }),
    tls: {
      ...(input.caFile === undefined ? {} : { ca: readGiven(input.caFile).toString() }),
      ...(input.clientCert === undefined ? {} : { certificate: readGiven(input.clientCert).toString() }),
      ...(input.clientKey === undefined ? {} : { key: readGiven(input.clientKey).toString() }),
    },
  });
  return httpSource(upstream, redact(from));
}

/** Undefined where there is no vars/ at all. */
async function configOrNothing(app: App): Promise<Config | undefined> {
  const { existsSync } = await import('node:fs');
  return existsSync(resolve(app.settings.root, 'vars')) ? app.config() : undefined;
}

function readGiven(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ArtifactsError('E_USAGE', `${file} cannot be read`, { cause: error });
  }
}
