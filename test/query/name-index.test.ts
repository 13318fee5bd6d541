import test from 'ava';
import { openNameIndex } from '../../src/query/name-index.ts';

test('everything that was added with a name is found, each once and in order, and next to nothing else', (t) => {
  const index = openNameIndex();
  const nameOf = (number: number): string => `lib${number % 20_000}.so.1()(64bit)`;
  for (let number = 0; number < 50_000; number += 1) index.add(nameOf(number), number);
  index.add(nameOf(7), 7);

  let others = 0;
  for (let number = 0; number < 20_000; number += 1) {
    const expected = number < 10_000 ? [number, number + 20_000, number + 40_000] : [number, number + 20_000];
    const found = index.find(nameOf(number));
    t.deepEqual(found.filter((one) => nameOf(one) === nameOf(number)), expected);
    others += found.length - expected.length;
  }
  t.true(others < 20, `${others} others`);
  t.deepEqual(index.find('nothing'), []);

  index.add('later', 3);
  t.deepEqual(index.find('later'), [3], 'what is added after a search is found too');
});

test('more packages than numbers have room for are refused', (t) => {
  t.throws(() => openNameIndex().add('a', 2 ** 23), { message: /8388608 packages/ });
});
