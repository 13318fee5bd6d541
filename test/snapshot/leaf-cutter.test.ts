import test from 'ava';
import fc from 'fast-check';
import { cutLeaves, isClosed, type LeafDraft } from '../../src/core/leaf-cutter.ts';
import type { MergedMember } from '../../src/snapshot/merge.ts';
import { cut, families, memberOf, sortMembers } from './model.ts';

const digests = (leaves: readonly LeafDraft[]): readonly string[] => leaves.map(({ digest }) => digest);

/** A content as large as a distribution's: every name is another package. */
function large(count: number, without: ReadonlySet<number> = new Set()): ReturnType<typeof memberOf>[] {
  const numbers = Array.from({ length: count }, (_, n) => n).filter((n) => !without.has(n));
  return numbers.map((n) => ({
    ...memberOf({ partition: 'binary-amd64', name: `p${String(n).padStart(6, '0')}`, version: '1', architecture: 'amd64', bytes: 0, text: 0 }),
    size: 800,
  }));
}

test('leaves hold all members in their order, those of a name together, none of two partitions', (t) => {
  fc.assert(
    fc.property(families, ([packages = []]) => {
      const members = sortMembers(packages.map(memberOf));

      const leaves = cut(members);

      t.deepEqual(leaves.flatMap((leaf) => leaf.members), members);
      const names = leaves.map((leaf) => new Set(leaf.members.map(({ partition, name }) => `${partition} ${name}`)));
      t.is(names.reduce((sum, set) => sum + set.size, 0), new Set(names.flatMap((set) => [...set])).size);
      t.true(leaves.every((leaf) => leaf.members.every(({ partition }) => partition === leaf.partition)));
      t.true(leaves.every(({ size, members: held }) => size === held.reduce((sum, member) => sum + member.size, 0)));
    }),
  );
});

test('a leaf that is closed ends where it ends, whatever follows', (t) => {
  const check = (members: readonly MergedMember[]): void => {
    const leaves = cut(members);
    for (const leaf of leaves.filter(isClosed)) {
      const end = leaves.indexOf(leaf) + 1;
      const upTo = leaves.slice(0, end).flatMap((one) => one.members as MergedMember[]);
      t.deepEqual(digests(cut(upTo)), digests(leaves.slice(0, end)));
    }
  };

  check(large(5000)); // has closed leaves, whatever comes up below
  fc.assert(
    fc.property(families, ([packages = []]) => check(packages.map(memberOf))),
    { numRuns: 30 },
  );
});

test('whoever hands over leaves at a cut gets the same leaves as whoever hands over members', (t) => {
  const members = large(5000);
  const whole = cut(members);
  const again: LeafDraft[] = [];
  const cutter = cutLeaves((leaf) => again.push(leaf));

  for (const leaf of whole) {
    if (cutter.atCut() && isClosed(leaf)) {
      cutter.end();
      again.push(leaf);
    } else for (const member of leaf.members) cutter.add(member);
  }
  cutter.end();

  t.deepEqual(digests(again), digests(whole));
});

test('an insertion, a removal and a change of one member change few leaves', (t) => {
  const whole = cut(large(20_000));
  const known = new Set(digests(whole));
  t.true(whole.length > 80, `${whole.length} leaves`);

  const sizes = whole.slice(0, -1).map(({ size }) => size);
  const changes = [1, 777, 10_000, 15_555, 19_999].map((n) => cut(large(20_000, new Set([n]))));

  t.true(sizes.every((size) => size >= 64 * 1024 && size <= 512 * 1024 + 800));
  for (const changed of changes) {
    const fresh = digests(changed).filter((digest) => !known.has(digest));
    t.true(fresh.length >= 1 && fresh.length <= 3, `${fresh.length} of ${changed.length} leaves are new`);
  }
});

test('the digest of a leaf tells its partition and its members in their order', (t) => {
  const one = memberOf({ partition: 'binary-all', name: 'a', version: '1', architecture: 'all', bytes: 0, text: 0 });
  const other = { ...one, partition: 'binary-amd64' };
  const second = memberOf({ partition: 'binary-all', name: 'b', version: '1', architecture: 'all', bytes: 0, text: 0 });

  t.not(cut([one])[0]?.digest, cut([other])[0]?.digest);
  t.not(cut([one])[0]?.digest, cut([one, second])[0]?.digest);
  t.is(cut([one])[0]?.digest, cut([{ ...one, id: 99 }])[0]?.digest, 'numbers of the catalog are no part of it');
});

test('nothing gives no leaves', (t) => {
  t.deepEqual(cut([]), []);
});
