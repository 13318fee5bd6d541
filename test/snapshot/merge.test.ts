import test from 'ava';
import fc from 'fast-check';
import { sameFiles } from '../../src/core/package.ts';
import { MERGE_POLICIES, type MergePolicy } from '../../src/core/snapshot.ts';
import { describeConflict, mergeContents, type MergedMember } from '../../src/snapshot/merge.ts';
import { compareVersions, cut, differing, families, keyOf, sourceOf, type ModelSource, type Package } from './model.ts';

const OPTIONS = { compareVersions, listedPartition: 'listed' };

interface Sourced {
  readonly member: MergedMember;
  readonly source: number;
}

/** What a merge is, without leaves and in the plainest words. */
function naive(sources: readonly ModelSource[], policy: MergePolicy, isBound: (key: { readonly version: string }) => boolean = () => false): { members: MergedMember[]; conflicts: string[]; redescribed: string[] } {
  const united = new Map<string, Sourced>();
  const conflicts: string[] = [];
  const redescribed: string[] = [];
  for (const [source, { members }] of sources.entries()) {
    for (const member of members) {
      const before = united.get(keyOf(member))?.member;
      if (before !== undefined && before.digest !== member.digest) {
        (sameFiles(before.files, member.files) ? redescribed : conflicts).push(keyOf(member));
      }
      if (before === undefined || policy !== 'first') united.set(keyOf(member), { member, source });
    }
  }
  const all = [...united.values()];
  const rivals = ({ member }: Sourced): Sourced[] =>
    all.filter((other) => !isBound(other.member) && other.member.name === member.name && other.member.partition === member.partition);
  const kept = all.filter((item) => {
    if (policy === 'no-remove' || isBound(item.member)) return true;
    if (policy === 'first') return rivals(item).every(({ source }) => source >= item.source);
    if (policy === 'replace') return rivals(item).every(({ source }) => source <= item.source);
    return rivals(item).every(({ member }) => compareVersions(member.version, item.member.version) <= 0);
  });
  return { members: kept.map(({ member }) => member), conflicts: conflicts.sort(), redescribed: redescribed.sort() };
}

/** Some versions are parts of sets that are taken as a whole. */
const isBound = ({ version }: { readonly version: string }): boolean => version === '2';

for (const [policy, shortcut] of MERGE_POLICIES.filter((one) => one !== 'source' && one !== 'newest').flatMap((policy) => [[policy, {}], [policy, { differing }], [policy, { differing, isBound }]] as const)) {
  const how = `${'differing' in shortcut ? 'by what differs ' : ''}${'isBound' in shortcut ? 'with bound packages ' : ''}`;
  test(`F11 ${policy} ${how}merges what a naive merge does, into the leaves its members would have`, (t) => {
    let clean = 0;
    fc.assert(
      fc.property(families, (lists) => {
        const sources = lists.map((list, index) => sourceOf(`s${index}`, list));
        const expected = naive(sources, policy, 'isBound' in shortcut ? isBound : undefined);

        const merged = mergeContents(sources, { ...OPTIONS, ...shortcut, policy });

        const found = merged.conflicts.map((conflict) => conflict.package.name);
        t.deepEqual(found.toSorted(), expected.conflicts.map((key) => key.split(' ')[1] ?? '').toSorted());
        t.deepEqual(merged.redescribed.map(({ name }) => name).toSorted(), expected.redescribed.map((key) => key.split(' ')[1] ?? '').toSorted());
        if (expected.conflicts.length > 0) return;
        clean += 1;
        t.deepEqual(merged.pieces.map(({ digest }) => digest), cut(expected.members).map(({ digest }) => digest));
      }),
      { numRuns: 150 },
    );
    t.true(clean > 20, 'enough of them are without conflict');
  });
}

const one = (name: string, version: string, more: Partial<Package> = {}): Package => ({
  partition: 'binary-amd64',
  name,
  version,
  architecture: 'amd64',
  bytes: 0,
  text: 0,
  ...more,
});

test('F11 a conflict names both origins and both digests', (t) => {
  const first = sourceOf('slushie-one', [one('px1', '1')]);
  const second = sourceOf('slushie-two', [one('px1', '1', { bytes: 1 })]);

  const { conflicts } = mergeContents([first, second], { ...OPTIONS, policy: 'latest' });

  t.is(conflicts.length, 1);
  const text = conflicts.map(describeConflict).join();
  const digests = [first, second].map(({ members }) => members[0]?.files[0]?.sha256.slice(0, 12));
  t.is(text, `px1 1 amd64 is ${digests[0]} in slushie-one and ${digests[1]} in slushie-two`);
});

test('of two descriptions of the same bytes the later one is taken, and told', (t) => {
  const first = sourceOf('one', [one('px1', '1')]);
  const second = sourceOf('two', [one('px1', '1', { text: 1 })]);

  const { conflicts, redescribed, pieces } = mergeContents([first, second], { ...OPTIONS, policy: 'no-remove' });

  t.deepEqual(conflicts, []);
  t.deepEqual(redescribed, [{ name: 'px1', version: '1', architecture: 'amd64' }]);
  t.deepEqual(pieces.map(({ digest }) => digest), second.leaves.map(({ digest }) => digest));
});

test('what all sources share is not looked into', (t) => {
  const base = Array.from({ length: 300 }, (_, n) => one(`q${String(n).padStart(3, '0')}`, '1'));
  const first = sourceOf('one', base);
  const second = sourceOf('two', [...base.slice(0, 150), one('q149a', '1'), ...base.slice(150)]);
  t.true(first.leaves.length > 10);

  const { pieces } = mergeContents([first, second], { ...OPTIONS, policy: 'no-remove' });

  t.deepEqual(pieces.map(({ digest }) => digest), second.leaves.map(({ digest }) => digest));
  t.true(first.loaded.size + second.loaded.size < first.leaves.length / 2, `${first.loaded.size} and ${second.loaded.size} leaves read`);
});

test('where a source has what is newest its leaves are taken over, looked at only where they differ', (t) => {
  const base = Array.from({ length: 300 }, (_, n) => one(`q${String(n).padStart(3, '0')}`, '1'));
  const first = sourceOf('one', base);
  const second = sourceOf('two', base.map((item, n) => (n % 10 === 5 ? { ...item, text: 1 } : item)));

  const { pieces } = mergeContents([first, second], { ...OPTIONS, policy: 'replace', differing });

  t.deepEqual(pieces.map(({ digest }) => digest), second.leaves.map(({ digest }) => digest));
  t.is(first.loaded.size + second.loaded.size, 2, 'the last leaf is open');
});

test('listed files are all kept, whatever the policy', (t) => {
  const listed = (name: string, version: string): Package => ({ ...one(name, version), partition: 'listed', architecture: 'all' });
  const first = sourceOf('one', [listed('main/i18n/Translation-en', '1')]);
  const second = sourceOf('two', [listed('main/i18n/Translation-en', '2')]);

  for (const policy of MERGE_POLICIES) {
    const { pieces } = mergeContents([first, second], { ...OPTIONS, policy });
    t.is(pieces.reduce((sum, piece) => sum + ('members' in piece ? piece.members.length : piece.count), 0), 2, policy);
  }
});
