/** Which versions a set of requirements comes to. pip decides; it is shown what may be used, and says what it took. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Context } from '../../core/context.ts';
import { ArtifactsError } from '../../core/errors.ts';
import type { IndexProxy, Offer } from './index-proxy.ts';
import { normalizeName } from './names.ts';
import type { Workbench } from './workbench.ts';

export interface Resolving {
  readonly requirements: readonly string[];
  readonly constraints: readonly string[];
  readonly bench: Workbench;
  readonly proxy: IndexProxy;
  readonly socket: string;
  readonly temporary: string;
  readonly log: string;
}

export interface Chosen {
  readonly name: string;
  readonly version: string;
  readonly offer: Offer;
}

/** pip's installation report, version 1. */
const reportSchema = z.object({
  install: z.array(
    z.object({
      download_info: z.object({ url: z.string() }),
      metadata: z.object({ name: z.string(), version: z.string() }),
    }),
  ),
});

const RESOLVE = `
exec python3 -m pip install --dry-run --ignore-installed --report /out/report.json -r /out/requirements.txt -c /out/constraints.txt
`;

/** Sorted by name. E_TOOL when pip finds no versions that go together; E_FETCH and the like when an index failed. */
export async function resolve(resolving: Resolving, ctx: Context): Promise<readonly Chosen[]> {
  const { requirements, constraints, bench, proxy, socket, temporary, log } = resolving;
  if (requirements.length === 0) return [];
  const out = mkdtempSync(join(temporary, 'resolve-'));
  try {
    writeFileSync(join(out, 'requirements.txt'), lines(requirements));
    writeFileSync(join(out, 'constraints.txt'), lines(constraints));
    const work = {
      what: 'Choosing versions',
      script: RESOLVE,
      arguments: [],
      binds: [{ from: out, to: '/out', writable: true }],
      index: { socket, path: proxy.pathFor('resolve') },
      log,
    };
    await bench.run(work, ctx).catch((error: unknown) => {
      throw proxy.failure() ?? error;
    });
    return readReport(readFileSync(join(out, 'report.json'), 'utf8'), proxy);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function readReport(text: string, proxy: IndexProxy): readonly Chosen[] {
  const { install } = reportSchema.parse(JSON.parse(text));
  return install
    .map(({ download_info: { url }, metadata }) => {
      const name = normalizeName(metadata.name);
      const offer = proxy.find(url);
      if (offer?.name !== name) throw new ArtifactsError('E_FORMAT', `pip took ${name} ${metadata.version} from where it was not offered`);
      return { name, version: metadata.version, offer };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
