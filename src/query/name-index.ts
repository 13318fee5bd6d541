/**
 * Which of many numbered things answer to a name. Distributions have a million names and few of them are asked for, so
 * none is kept: eight bytes stand for a name and its thing, where a map needs some hundred and fifty.
 */
export interface NameIndex {
  add(name: string, thing: number): void;
  /** All things that were added with the name, each once, ascending; rarely others too, so whoever asks looks at them. */
  find(name: string): readonly number[];
}

/** Hash and number have to fit into a double. */
const MOST_THINGS = 2 ** 23;

export function openNameIndex(): NameIndex {
  let entries = new Float64Array(4096);
  let count = 0;
  let isSorted = true;
  const sort = (): void => {
    if (!isSorted) entries.subarray(0, count).sort();
    isSorted = true;
  };
  return {
    add: (name, thing) => {
      if (thing >= MOST_THINGS) throw new Error(`More than ${MOST_THINGS} packages at once`);
      if (count === entries.length) {
        const grown = new Float64Array(count * 2);
        grown.set(entries);
        entries = grown;
      }
      entries[count++] = hashOf(name) * MOST_THINGS + thing;
      isSorted = false;
    },
    find: (name) => {
      sort();
      const first = hashOf(name) * MOST_THINGS;
      const found: number[] = [];
      for (let at = firstFrom(entries, count, first); at < count && (entries[at] ?? 0) < first + MOST_THINGS; at++) {
        const thing = (entries[at] ?? 0) - first;
        if (found.at(-1) !== thing) found.push(thing);
      }
      return found;
    },
  };
}

/** The first place in the sorted entries whose entry is not smaller. */
function firstFrom(entries: Float64Array, count: number, wanted: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** FNV-1a, thirty bits of it. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash >>> 2;
}
