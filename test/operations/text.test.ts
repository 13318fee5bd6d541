import test from 'ava';
import { table } from '../../src/operations/text.ts';

test('a table may have as many rows as there are packages', (t) => {
  const rows = Array.from({ length: 200_000 }, (_, at) => [String(at), 'x']);

  const lines = table(['NUMBER', 'LETTER'], rows).split('\n');

  t.is(lines.length, rows.length + 1);
  t.deepEqual([lines[0], lines[1], lines.at(-1)], ['NUMBER  LETTER', '0       x', '199999  x']);
});
