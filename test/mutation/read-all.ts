/** Reading to the end what readers of any format give. */
import { isArtifactsError } from '../../src/core/errors.ts';
import type { RepoFormat, UpstreamPackage } from '../../src/formats/format.ts';
import { below, type Random } from './mutators.ts';

/** Every package as queries, closures and publishing look at it. Relations may be refused by name. */
export async function walk(format: RepoFormat, batches: AsyncIterable<readonly UpstreamPackage[]>): Promise<void> {
  const { publishing } = format;
  let before = '1.0-1';
  for await (const batch of batches) {
    for (const { record, locations } of batch) {
      const subject = format.subject(record);
      publishing.poolPaths(record);
      for (const part of publishing.parts) publishing.textOf(record.text, part);
      format.compareVersions(before, record.version);
      before = record.version;
      if (locations.some((location) => location.includes('..') && location.split('/').includes('..'))) throw new Error(`left its folder: ${locations.join()}`);
      void [subject.source, subject.multiArch, subject.isForAll, subject.field('Tag'), subject.times?.(), subject.installs?.('/usr/bin/alpha')];
      allowed(() => subject.capabilities);
      allowed(() => subject.requirements({ recommends: true, suggests: true, source: true }));
      allowed(() => subject.companions?.({ recommends: true, suggests: true }));
    }
  }
}

function allowed(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!isArtifactsError(error, 'E_FORMAT')) throw error;
  }
}

/** Does all of it; what is no refusal counts before what is one. */
export async function worstOf(reads: readonly (() => unknown)[]): Promise<void> {
  const problems = reads.flatMap((read) => {
    try {
      read();
      return [];
    } catch (error) {
      return [error];
    }
  });
  const worst = problems.find((problem) => !isArtifactsError(problem)) ?? problems[0];
  if (worst !== undefined) throw worst;
}

/** Cut at random places, as a network does. */
export async function* inPieces(bytes: Buffer, random: Random): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + below(random, random() < 0.1 ? 16 : 256 * 1024);
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
}
