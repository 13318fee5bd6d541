/**
 * Targets: where published trees are put besides the public folder, another folder or another host. A target knows files
 * and links by their paths below its root, never what they are; the order in which they come is the caller's business.
 *
 * Whatever is staged is complete under its name or not there at all, and nobody is pointed to it yet; a pointer is
 * switched by one rename. So a push that stops anywhere leaves what was served before.
 */
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';

/** A target as the configuration names it. Paths are absolute. */
export type TargetDefinition = LocalDefinition | RsyncDefinition;

export interface LocalDefinition {
  readonly kind: 'local';
  readonly name: string;
  readonly path: string;
}

export interface RsyncDefinition {
  readonly kind: 'rsync';
  readonly name: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  /** File of the private key; undefined: what ssh finds by itself. */
  readonly key: string | undefined;
  /** The host's public keys, one a line, as ssh-keyscan prints them, with or without names. The only ones accepted. */
  readonly hostKeys: string;
  /** The folder on the host. */
  readonly path: string;
  /** `user:group` that is to own what is pushed; undefined: whoever pushes. */
  readonly owner: string | undefined;
}

export interface Target {
  readonly name: string;
  /** For people: `rsync://builder@host/srv/www`. */
  readonly where: string;
  /**
   * Waits until no other publisher works on the target; it is ours until the session is disposed. Throws E_LOCKED when
   * that takes too long, E_FETCH when the host cannot be reached.
   */
  open(ctx: Context): Promise<TargetSession>;
}

/** All paths are below the root of the target, checked by the caller with `pathProblem`. */
export interface TargetSession extends AsyncDisposable {
  /** Copies files that nobody is pointed to yet. Flushed when it returns. Throws E_CONFLICT, see Batch. */
  stage(batch: Batch, ctx: Context): Promise<readonly string[]>;
  /** Copies files from the target; what is in place with the right size already stays. Not verified. */
  fetch(batch: Batch, ctx: Context): Promise<void>;
  /** Gives files of the target second names; those that are gone or have that name are passed over. */
  keep(names: readonly SecondName[], ctx: Context): Promise<void>;
  /** A small file, or undefined when there is none. */
  read(path: string, ctx: Context): Promise<Buffer | undefined>;
  /** What a link says, or undefined when there is none. */
  readLink(path: string, ctx: Context): Promise<string | undefined>;
  /** Names in a folder, sorted; none when there is no such folder. */
  list(folder: string, ctx: Context): Promise<readonly string[]>;
  /** The switch: one rename each, in this order; flushed. */
  commit(pointers: readonly Pointer[], ctx: Context): Promise<void>;
  /** Removes files, and folders with all below them; no error for what is not there. */
  remove(paths: readonly string[], ctx: Context): Promise<void>;
}

/** Files that lie below one folder here and are to lie below one folder there. Links here are followed. */
export interface Batch {
  /** The folder on this machine. */
  readonly here: string;
  /** The folder of the target; empty for its root. */
  readonly there: string;
  readonly files: readonly BatchFile[];
  /**
   * True when no other bytes can have these names, because they hold a digest: a file of that name and size is the same.
   * Otherwise a file there with other bytes is E_CONFLICT: what another release may refer to is never replaced.
   */
  readonly unique: boolean;
  /** With `unique`: folders of the target where a file of the same path and size may already be; it is not sent then. */
  readonly like?: readonly string[];
}

export interface BatchFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256;
}

export interface SecondName {
  readonly from: string;
  readonly to: string;
}

export type Pointer =
  /** A symbolic link, `to` being what it says. */
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  /** A file that was staged under another name. */
  | { readonly kind: 'file'; readonly path: string; readonly from: string };

/** What a target needs of the program. */
export interface TargetTools {
  /** For what need not outlive the session. */
  readonly temporary: string;
  /** Seconds another publisher is waited for; default an hour. */
  readonly lockWait?: number;
  /** Milliseconds between tries of a connection that broke; default 5,000, as RPC-O had it. */
  readonly retryDelay?: number;
}

/** The target's own files; hidden, so that a web server that hides such names shows nothing of them. */
export const OWN_FOLDER = '.artifacts';
export const LOCK_WAIT = 3600;
