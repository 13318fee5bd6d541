/** The file with the public keys that clients of all prefixes of a format trust. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { Publication } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import { fingerprintOf } from '../sign/key-check.ts';
import { readKeyrings } from '../sign/keyring.ts';
import type { Signer } from '../sign/signer.ts';
import { counted } from '../util/counted.ts';
import * as durable from '../util/durable.ts';
import { keyPath, type Place } from './layout.ts';

/** Hands out the keys of today, and warns of other publications that none of them signed. */
export async function exportKey({ publicRoot, prefix, distribution }: Place, { signer, catalog }: { readonly signer: Signer; readonly catalog: Catalog }, ctx: Context): Promise<void> {
  const path = keyPath(prefix);
  const file = join(publicRoot, path);
  const key = await signer.publicKeys();
  if (existsSync(file) && readFileSync(file).equals(key)) return;
  durable.writeFileDurably(file, key);
  const handedOut = new Set((await readKeyrings([key])).map(fingerprintOf));
  const left = catalog.publications
    .list()
    .filter((other) => keyPath(other.prefix) === path && !(other.prefix === prefix && other.distribution === distribution))
    .filter(({ spec }) => spec.exact === undefined && !spec.signedBy.some((fingerprint) => handedOut.has(fingerprint)));
  if (left.length > 0) ctx.report({ type: 'warning', message: `${path} has no key any more that signed ${describe(left)}: publish that anew, or hand the old key out as signing.public_key until then` });
}

function describe([first, ...others]: readonly Publication[]): string {
  const more = others.length === 0 ? '' : ` and ${counted(others.length, 'other publication')}`;
  return `${first?.prefix} ${first?.distribution}${more}`;
}
