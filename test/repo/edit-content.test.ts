import test from 'ava';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { compareMembers } from '../../src/core/member-order.ts';
import { recordDigest, type PackageRecord } from '../../src/core/package.ts';
import { compareVersions } from '../../src/formats/apt/version.ts';
import { editContent, membersNamed, type PlacedMember } from '../../src/repo/edit-content.ts';

/** A catalog in memory that counts the leaves that are looked into. */
function countingCatalog(): { readonly catalog: Catalog; readonly read: () => number } {
  const opened = openCatalog(':memory:');
  let read = 0;
  const contents = { ...opened.contents, members: (leaf: number) => ((read += 1), opened.contents.members(leaf)) };
  return { catalog: { ...opened, contents }, read: () => read };
}

function store(catalog: Catalog, name: string, version: string, partition = 'binary-amd64'): PlacedMember {
  const text = Buffer.from(`Package: ${name}\nVersion: ${version}\n${'x'.repeat(300 + (name.length * 97) % 900)}\n`);
  const record: PackageRecord = { format: 'apt', partition, name, version, architecture: 'amd64', files: [], text };
  const digest = recordDigest(record);
  const id = catalog.records.find(digest) ?? catalog.records.add(record, digest);
  return { id, digest, partition, name, version, architecture: 'amd64', size: text.length };
}

/** Always the same numbers (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PARTITIONS = ['binary-all', 'binary-amd64', 'debian-installer-amd64', 'source'];

test('a content that was edited is the one that would be made anew from all its members', (t) => {
  const { catalog, read } = countingCatalog();
  const tools = { catalog, compareVersions };
  const random = randomFrom(7);
  const byKey = (a: PlacedMember, b: PlacedMember): number => compareMembers(a, b, compareVersions);
  const some = (count: number): PlacedMember[] => {
    const names = new Set(Array.from({ length: count }, () => `${PARTITIONS[random(4)]} ${'abcdefgh'[random(8)]}${random(4000)} 1.${random(3)}`));
    return Array.from(names, (text) => text.split(' ')).map(([partition, name = '', version = '']) => store(catalog, name, version, partition));
  };
  catalog.transaction(() => {
    let content = catalog.contents.storeMembers([]);
    let members = new Map<string, PlacedMember>();
    let least = Infinity;
    for (const [added, dropped] of [[3000, 0], [1, 0], [0, 1], [5, 5], [700, 0], [0, 900], [1, 1], [1, 0], [40, 40], [0, 1], [2, 0]] as const) {
      const add = some(added).filter(({ digest }) => !members.has(digest));
      const all = [...members.values()];
      const drop = Array.from({ length: dropped }, () => all[random(all.length)]).flatMap((member) => member ?? []);
      const before = read();

      content = editContent(content, { add, drop }, tools);

      least = Math.min(least, read() - before);
      for (const { digest } of drop) members.delete(digest);
      members = new Map([...members, ...add.map((member) => [member.digest, member] as const)]);
      t.is(content.digest, catalog.contents.storeMembers([...members.values()].sort(byKey)).digest);
      t.is(content.count, members.size);
    }
    t.true(catalog.contents.leaves(content.id).length > 15);
    t.true(least <= 4, 'a small change looks into few leaves');
    const emptied = editContent(content, { add: [], drop: [...members.values()] }, tools);
    t.is(emptied.count, 0);
  });
  catalog.close();
});

test('members are found by their names, at the edges of leaves too', (t) => {
  const { catalog } = countingCatalog();
  catalog.transaction(() => {
    const members = Array.from({ length: 1000 }, (_, at) => store(catalog, `p${String(at).padStart(4, '0')}`, '1'));
    const content = catalog.contents.storeMembers(members);
    const leaves = catalog.contents.leaves(content.id);
    const edges = leaves.flatMap(({ partition, first, last }) => [first, last].map((name) => ({ partition, name })));

    t.true(leaves.length > 2);
    t.deepEqual(membersNamed(catalog, content, edges).map(({ name }) => name), edges.map(({ name }) => name));
    t.deepEqual(membersNamed(catalog, content, [{ partition: 'binary-amd64', name: 'p0005x' }, { partition: 'binary-i386', name: 'p0001' }, { partition: 'source', name: 'z' }]), []);
  });
  catalog.close();
});
