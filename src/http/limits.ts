/**
 * Caps for what has no listed size: bytes after which reading stops at once, so that an endless answer costs neither
 * disk nor memory. What Release lists is capped by its listed size instead.
 */

/** InRelease and Release. apt reads no more than that either (apt-pkg, Acquire::MaxReleaseFileSize). */
export const RELEASE_LIMIT = 10_000_000;

/** Release.gpg: some hundred bytes for each signature. */
export const SIGNATURE_LIMIT = 1_000_000;

/** What is listed by digest alone: larger than any image of an installer. */
export const UNSIZED_LIMIT = 8 * 1024 ** 3;

/** An index or other metadata of which no size is listed: those of the largest archives have some hundred megabytes. */
export const METADATA_LIMIT = 1024 ** 3;

/** What that may unpack to: a list of the files of all packages has a gigabyte. */
export const PLAIN_LIMIT = 4 * 1024 ** 3;

/** A list of what is listed by digest alone. */
export const BUNDLE_LIMIT = 10_000_000;

/** Headers of one answer. */
export const HEADER_LIMIT = 64 * 1024;

/** The body of an answer that is an error; read only to keep the connection. */
export const ERROR_BODY_LIMIT = 64 * 1024;

/** Hops from the URL asked for to the one that answers. */
export const REDIRECT_LIMIT = 5;

/** Patience with an upstream, in milliseconds unless it says otherwise. */
export interface Timeouts {
  readonly connect: number;
  /** From the request to the last header. */
  readonly headers: number;
  /** Between two pieces of a body. */
  readonly idle: number;
  /** Bytes per second that a body must reach over each `rateWindow`: an answer that drips is no answer. */
  readonly rate: number;
  readonly rateWindow: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connect: 10_000,
  headers: 30_000,
  idle: 30_000,
  rate: 1024,
  rateWindow: 60_000,
};
