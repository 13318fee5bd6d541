import test from 'ava';
import fc from 'fast-check';
import { sameFiles } from '../../src/core/package.ts';
import { diffContents } from '../../src/snapshot/diff.ts';
import { walk } from '../../src/snapshot/walk.ts';
import { differing, families, keyOf, sourceOf, type ModelSource } from './model.ts';

interface NaiveDiff {
  readonly added: string[];
  readonly removed: string[];
  readonly changed: string[];
  readonly redescribed: string[];
}

function naive(a: ModelSource, b: ModelSource): NaiveDiff {
  const diff: NaiveDiff = { added: [], removed: [], changed: [], redescribed: [] };
  const slot = ({ partition, name }: { partition: string; name: string }): string => `${partition} ${name}`;
  for (const place of new Set([...a.members, ...b.members].map(slot))) {
    const from = a.members.filter((member) => slot(member) === place);
    const to = b.members.filter((member) => slot(member) === place);
    const gone = from.filter(({ version }) => !to.some((other) => other.version === version));
    const come = to.filter(({ version }) => !from.some((other) => other.version === version));
    const name = place.split(' ')[1];
    if (gone.length > 0 && come.length > 0) {
      diff.changed.push(`${name} ${gone.map(({ version }) => version).join()} ${come.map(({ version }) => version).join()}`);
    } else {
      diff.removed.push(...gone.map(({ version }) => `${name} ${version}`));
      diff.added.push(...come.map(({ version }) => `${name} ${version}`));
    }
    for (const member of to) {
      const old = from.find(({ version }) => version === member.version);
      if (old === undefined || old.digest === member.digest) continue;
      diff.redescribed.push(`${name} ${member.version} ${sameFiles(old.files, member.files) ? 'same' : 'different'}`);
    }
  }
  return { added: diff.added.sort(), removed: diff.removed.sort(), changed: diff.changed.sort(), redescribed: diff.redescribed.sort() };
}

for (const shortcut of [undefined, differing]) test(`a diff ${shortcut === undefined ? '' : 'by what differs '}says what a naive comparison does`, (t) => {
  fc.assert(
    fc.property(families, ([first = [], second = []]) => {
      const a = sourceOf('a', first);
      const b = sourceOf('b', second);

      const diff = diffContents(a, b, shortcut);

      const brief = (list: readonly { name: string; version: string }[]): string[] => list.map(({ name, version }) => `${name} ${version}`).sort();
      t.deepEqual(
        {
          added: brief(diff.added),
          removed: brief(diff.removed),
          changed: diff.changed.map(({ name, from, to }) => `${name} ${from.join()} ${to.join()}`).sort(),
          redescribed: diff.redescribed.map(({ name, version, files }) => `${name} ${version} ${files}`).sort(),
        },
        naive(a, b),
      );
    }),
    { numRuns: 300 },
  );
});

test('the diff of a content with itself is empty and reads nothing', (t) => {
  fc.assert(
    fc.property(families, ([packages = []]) => {
      const a = sourceOf('a', packages);
      const b = sourceOf('b', packages);

      t.deepEqual(diffContents(a, b), { added: [], removed: [], changed: [], redescribed: [] });
      t.is(a.loaded.size + b.loaded.size, 0);
    }),
  );
});

test('a walk meets every member of every source once, in order, and names only where they belong', (t) => {
  fc.assert(
    fc.property(families, (lists) => {
      const sources = lists.map((list, index) => sourceOf(`s${index}`, list));
      const seen = sources.map((): string[] => []);
      const order: string[] = [];

      for (const step of walk(sources)) {
        if (step.kind === 'name') {
          order.push(`${step.partition} ${step.name}`);
          for (const [index, group] of step.groups.entries()) {
            t.true(group.every(({ partition, name }) => partition === step.partition && name === step.name));
            seen[index]?.push(...group.map(keyOf));
          }
        } else {
          order.push(`${step.leaf.partition} ${step.leaf.first}`, `${step.leaf.partition} ${step.leaf.last}`);
          for (const index of step.sources) seen[index]?.push(...(sources[index]?.load(step.leaf).map(keyOf) ?? []));
        }
      }

      t.deepEqual(seen, sources.map(({ members }) => members.map(keyOf)));
      t.deepEqual(order, order.toSorted());
    }),
    { numRuns: 200 },
  );
});
