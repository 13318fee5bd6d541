/** Reads inputs one after another and tells the outcome of each: `worker FOLDER SEED FIRST COUNT [KIND] [PLANTED]`. */
import { isArtifactsError } from '../../src/core/errors.ts';
import { KINDS, makeInput, type Kind } from './corpus.ts';
import { randomFrom } from './mutators.ts';
import { openReaders } from './readers.ts';

/** What became of one input. `verdict` is `read`, the code of a refusal, or `crash`. */
export interface Outcome {
  readonly number: number;
  readonly kind: Kind;
  readonly verdict: string;
  /** What a crash threw. */
  readonly stack?: string;
  readonly milliseconds: number;
  /** The most memory the process has had so far, in KiB. */
  readonly peak: number;
}

/** Readers that do wrong. */
const PLANTED: Readonly<Record<string, () => Promise<void>>> = {
  hang: async () => {
    for (;;) Math.random();
  },
  memory: async () => {
    const held: Buffer[] = [];
    while (held.length < 1024) held.push(Buffer.alloc(64 * 1024 * 1024, 1));
  },
  throw: async () => {
    throw new TypeError('planted');
  },
};

const [folder = '', seed = '0', first = '0', count = '0', only, planted = ''] = process.argv.slice(2);
const read = openReaders(folder);
process.send?.('ready');
for (let number = Number(first); number < Number(first) + Number(count); number += 1) {
  const kind = KINDS.find((name) => name === only) ?? KINDS[number % KINDS.length] ?? 'packages';
  // The number decides all: an input can be had again without those before it.
  const random = randomFrom(Number(seed) * 1_000_003 + number);
  const input = makeInput(kind, random);
  const begun = performance.now();
  const verdict = await judge(() => PLANTED[planted]?.() ?? read(input, random));
  process.send?.({ number, kind, ...verdict, milliseconds: performance.now() - begun, peak: process.resourceUsage().maxRSS } satisfies Outcome);
}
process.disconnect?.();

async function judge(work: () => Promise<void>): Promise<Pick<Outcome, 'verdict' | 'stack'>> {
  try {
    await work();
    return { verdict: 'read' };
  } catch (error) {
    if (!isArtifactsError(error)) return { verdict: 'crash', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    return { verdict: error.code };
  }
}
