/** What the rules of formats are told about one: its rig, its package files, and how a test is registered. */
import type { ExecutionContext } from 'ava';
import { isArtifactsError, type ErrorCode } from '../../src/core/errors.ts';
import type { FormatRig, RigFile, RigPackage } from './format-rig.ts';
import type { World } from './format-world.ts';

/** `app` needs both others; what it calls a tool is what `helper` offers. */
export const PACKAGES = {
  app: { name: 'app', needs: ['lib', 'tool'] },
  newApp: { name: 'app', version: 10, needs: ['lib', 'tool'] },
  otherApp: { name: 'app', needs: ['lib', 'tool'], payload: 'something else' },
  lib: { name: 'lib', version: 2 },
  newLib: { name: 'lib', version: 3 },
  helper: { name: 'helper', forAll: true, offers: ['tool'] },
  lonely: { name: 'lonely', forAll: true, needs: ['nowhere'] },
} as const satisfies Readonly<Record<string, RigPackage>>;

export type PackageName = keyof typeof PACKAGES;

export interface FormatCase<File extends RigFile> {
  readonly rig: FormatRig<File>;
  /** What tests are registered by: their titles begin with the format's name. */
  readonly test: (title: string, work: (t: ExecutionContext, world: World<File>) => Promise<void>) => void;
  /** Package files, each built once. */
  files(...names: readonly PackageName[]): Promise<readonly File[]>;
  /** `name version architecture`, sorted as `World.packages` gives them. */
  named(...names: readonly PackageName[]): readonly string[];
}

/** The work is refused with this code, in one line. */
export async function refused(t: ExecutionContext, code: ErrorCode | readonly ErrorCode[], work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (!isArtifactsError(error)) throw error;
    t.true([code].flat().includes(error.code), `${error.code}: ${error.message}`);
    t.notRegex(error.message, /\n/);
    return error.message;
  }
  t.fail(`It was not refused with ${String(code)}`);
  return '';
}
