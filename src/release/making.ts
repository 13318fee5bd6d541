/** What the nodes of a release are made with, and how they end. */
import type { Workshop } from '../artifacts/kind.ts';
import type { LockFolder } from '../catalog/lock.ts';
import type { Context } from '../core/context.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { MirrorTools } from '../mirror/update.ts';
import type { PublishTools } from '../publish/publish.ts';
import type { Signer } from '../sign/signer.ts';
import type { PlanOptions } from './plan.ts';
import type { ReleaseSpec } from './spec.ts';

/**
 * What becomes of the rest when a node failed: `continue` with all that does not lean on it, `finish-running` what has
 * begun and begin nothing more, `stop` also what has begun.
 */
export type FailureMode = 'continue' | 'finish-running' | 'stop';
export const FAILURE_MODES: readonly FailureMode[] = ['continue', 'finish-running', 'stop'];

export interface BuildOptions extends PlanOptions {
  readonly onFailure: FailureMode;
  /** Replace even what is locked. */
  readonly overrideLock: boolean;
}

export interface BuildTools extends MirrorTools, PublishTools {
  readonly locks: LockFolder;
  readonly workshop: Workshop;
  /** Runs work that changes catalog or published trees, with what an interrupted run left put right first. */
  change<T>(ctx: Context, work: () => Promise<T>): Promise<T>;
  signer(): Promise<Signer>;
  /** Writes down for good what somebody did that is not done by the way. */
  audit(action: string, details: Readonly<Record<string, unknown>>): void;
}

export interface BuiltNode {
  readonly id: string;
  /** As planned. */
  readonly kind: string;
  /** `kept`: making it failed and what was made before stays. */
  readonly state: 'done' | 'fresh' | 'kept' | 'failed' | 'blocked';
  readonly detail: string;
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly hint?: string };
}

/** How a node that was made ended. */
export type Made = Pick<BuiltNode, 'state' | 'detail'>;

/** A build on its way, as its nodes see it. */
export interface Making {
  readonly spec: ReleaseSpec;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly build: string;
  readonly options: BuildOptions;
  /** Absent when nothing is to be signed. */
  readonly signer: Signer | undefined;
  /** How what the node needs ended. */
  readonly needed: readonly BuiltNode[];
}

export function required(signer: Signer | undefined): Signer {
  if (signer === undefined) throw new Error('Something is to be signed that the plan did not know of');
  return signer;
}
