/** Whether rules that are said to hold for a format have used all of it. */
import type { RepoFormat } from '../../src/formats/format.ts';

/** The same format, and what of it can be called and was not so far: `upstream.readRoot`. */
export function watchFormat(format: RepoFormat): { readonly format: RepoFormat; unused(): readonly string[] } {
  const known = new Set<string>();
  const used = new Set<string>();
  const watch = (value: object, place: string): object =>
    Object.fromEntries(
      Object.entries(value).map(([name, member]: [string, unknown]) => {
        const path = `${place}${name}`;
        if (typeof member === 'object' && member !== null && Object.getPrototypeOf(member) === Object.prototype) return [name, watch(member, `${path}.`)];
        if (typeof member !== 'function') return [name, member];
        known.add(path);
        const call = (...args: readonly unknown[]): unknown => {
          used.add(path);
          return Reflect.apply(member, value, args) as unknown;
        };
        return [name, call];
      }),
    );
  return { format: watch(format, '') as RepoFormat, unused: () => [...known].filter((path) => !used.has(path)) };
}
