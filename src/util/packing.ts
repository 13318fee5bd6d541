/** Forms a file may be kept in. Pure. */
export type Packing = 'none' | 'gz' | 'xz' | 'bz2' | 'zst';

const SUFFIX = /\.(gz|xz|bz2|zst)$/;

/** What a name that ends so says of its file: the suffixes of the tools. */
export function packingOf(name: string): Packing {
  return (SUFFIX.exec(name)?.[1] ?? 'none') as Packing;
}

/** What stands behind the name of a file in this form. */
export function suffixOf(packing: Packing): string {
  return packing === 'none' ? '' : `.${packing}`;
}

/** What a file is called once it is unpacked. */
export function unpackedName(name: string): string {
  return name.replace(SUFFIX, '');
}
