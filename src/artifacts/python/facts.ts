/** What the catalog remembers of Python artifacts: enough to write every list and index from. Pure. */
import { z } from 'zod';
import type { Artifact } from '../../core/artifact.ts';
import { parseSha256, type Sha256 } from '../../core/digest.ts';

const digest = z.string().transform((text, context): Sha256 => {
  const parsed = parseSha256(text);
  if (parsed !== undefined) return parsed;
  context.issues.push({ code: 'custom', message: 'no SHA-256', input: text });
  return z.NEVER;
});

const listedWheel = z.object({
  file: z.string(),
  name: z.string(),
  version: z.string(),
  size: z.number(),
  sha256: digest,
  /** Of the metadata, which is served beside it. */
  metadata: digest,
  requiresPython: z.string().nullable(),
});
export type ListedWheel = z.output<typeof listedWheel>;

const wheelsFacts = z.object({ distro: z.string(), wheels: z.array(listedWheel), git: z.array(z.string()) });
export type WheelsFacts = z.output<typeof wheelsFacts>;

/** What is known of the wheels of a release; undefined for another artifact. */
export function wheelsOf(artifact: Artifact): WheelsFacts | undefined {
  return artifact.id.startsWith('wheels ') ? wheelsFacts.parse(artifact.facts) : undefined;
}
