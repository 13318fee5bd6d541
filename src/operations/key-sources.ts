import { realpathSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { KeySource } from '../sign/signer.ts';

/**
 * Where the signing keys come from. E_NO_KEY for one that lies in any of these folders,
 * which are served, copied and backed up.
 */
export function keySources(config: Config, exposed: readonly string[]): readonly KeySource[] {
  const sources = configured(config);
  const folders = exposed.map(realPath);
  for (const path of sources.flatMap(secretPaths)) {
    const folder = folders.find((one) => isBelow(realPath(path), one));
    if (folder === undefined) continue;
    throw new ArtifactsError('E_NO_KEY', `The signing key ${path} lies in ${folder}, where no secret belongs`, {
      hint: 'Move it out of the state and the published tree. If the tree was served meanwhile, make another key.',
    });
  }
  return sources;
}

function configured({ signing }: Config): KeySource[] {
  return signing.keys.map((key) =>
    key.kind === 'file'
      ? { kind: 'file', path: key.file, ...(key.passphraseFile === undefined ? {} : { passphraseFile: key.passphraseFile }) }
      : { kind: 'agent', fingerprint: key.fingerprint, ...(key.home === undefined ? {} : { home: key.home }) },
  );
}

function secretPaths(source: KeySource): readonly string[] {
  const paths = source.kind === 'file' ? [source.path, source.passphraseFile] : [source.home];
  return paths.filter((path) => path !== undefined);
}

/** What is not there is found missing later, with a better message. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function isBelow(path: string, folder: string): boolean {
  return !/^\.\.(?:\/|$)/.test(relative(folder, path));
}
