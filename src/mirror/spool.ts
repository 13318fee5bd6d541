/** Packages an upstream offers, on their way into the catalog: their texts wait on disk (catalog/spool.ts). */
import type { PackageRecord, RecordDigest } from '../core/package.ts';
import type { FileChecks, UpstreamPackage } from '../formats/format.ts';
import { interned, openSpool as openTexts, SpooledRecord, type SpooledText } from '../catalog/spool.ts';
import { ownText } from '../util/own-text.ts';

/** A package an upstream offers. Its text is read from the spool whenever it is asked for. */
export interface Candidate extends PackageRecord {
  readonly digest: RecordDigest;
  /** Bytes of its text. */
  readonly size: number;
  readonly locations: readonly string[];
  /** See UpstreamPackage. */
  readonly base: string | undefined;
  readonly checks: FileChecks | undefined;
  readonly bound: boolean;
  /** The index that offers it, for messages. */
  readonly origin: string;
  /** Its number, once it is known to have one in the catalog. */
  id: number | undefined;
}

export interface Spool {
  add(offered: UpstreamPackage, origin: string): Candidate;
  /** Removes the file; candidates lose their texts. */
  close(): void;
}

/** Opens a new spool at the path, replacing what an interrupted run left there. */
export function openSpool(path: string): Spool {
  const texts = openTexts(path);
  return {
    add: (offered, origin) => new SpooledPackage(offered, origin, texts.append(offered.record.text)),
    close: texts.close,
  };
}

class SpooledPackage extends SpooledRecord implements Candidate {
  readonly locations: readonly string[];
  readonly base: string | undefined;
  readonly checks: FileChecks | undefined;
  readonly bound: boolean;
  readonly origin: string;
  id: number | undefined = undefined;

  constructor({ record, locations, base, checks, bound = false }: UpstreamPackage, origin: string, text: SpooledText) {
    super(record, text);
    this.locations = locations.map(ownText);
    this.base = base === undefined ? undefined : interned(base);
    this.checks = checks;
    this.bound = bound;
    this.origin = origin;
  }
}
