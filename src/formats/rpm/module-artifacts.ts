/** Which packages modules are made of, as modules.yaml lists them: full names, epoch included, below `artifacts`. */
import type { HasPackage } from '../format.ts';
import { joinVersion } from './version.ts';

/** `    - bash-0:5.1-6.module+el9.x86_64`; nothing else in such documents looks like that. */
const ARTIFACT = /^[ \t]*-[ \t]+(["']?)([^\s"']+)-(\d+):([^\s"'-]+)-([^\s"'-]+)\.(\w+)\1[ \t\r]*$/gm;

/** Whether the artifact a document lists is one of these packages. */
export function isArtifactOf(artifact: string, has: HasPackage): boolean {
  const [, name = '', epoch = '', version = '', release = '', architecture = ''] = /^(.+)-(\d+):([^-]+)-([^-]+)\.(\w+)$/.exec(artifact) ?? [];
  return has({ name, version: joinVersion({ epoch, version, release }), architecture });
}

/** Longer lines than this are none of ours. */
const LONGEST_LINE = 64 * 1024;

/** Their keys, as `artifactKey` makes them. Lines that cannot be read name nothing. */
export async function readArtifacts(chunks: AsyncIterable<Buffer>): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const take = (text: string): void => {
    for (const [, , name = '', epoch = '', version = '', release = '', architecture = ''] of text.matchAll(ARTIFACT)) {
      found.add(artifactKey({ name, version: joinVersion({ epoch, version, release }), architecture }));
    }
  };
  let rest = '';
  for await (const chunk of chunks) {
    const text = rest + chunk.toString('latin1');
    const end = text.lastIndexOf('\n');
    take(text.slice(0, end + 1));
    rest = text.length - end > LONGEST_LINE ? '' : text.slice(end + 1);
  }
  take(rest);
  return found;
}

export function artifactKey({ name, version, architecture }: { readonly name: string; readonly version: string; readonly architecture: string }): string {
  return `${name} ${version} ${architecture}`;
}
