import test from 'ava';
import { lineChart, type Line } from '../../bench/line-chart.ts';

const line = (values: readonly (number | undefined)[], name = 'a < b'): Line => ({ name, color: 0, dashed: false, values });

test('more seconds are higher up, later positions further right, and all of it is inside the picture', (t) => {
  const svg = lineChart({ title: 'T', positions: ['1', '2', '3'], lines: [line([0.02, 3, 70])] });

  const points = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.map(Number) ?? [];
  t.is(points.length, 3);
  t.deepEqual(points.toSorted((a, b) => a.x - b.x), points);
  t.deepEqual(points.toSorted((a, b) => b.y - a.y), points);
  t.true(points.every(({ x, y }) => x > 0 && x < (width ?? 0) && y > 0 && y < (height ?? 0)));
});

test('what was not measured is left out, and names are escaped', (t) => {
  const svg = lineChart({ title: 'T', positions: ['1', '2'], lines: [line([undefined, 1]), line([undefined, undefined], 'nothing')] });

  t.is([...svg.matchAll(/<circle/g)].length, 1);
  t.false(svg.includes('nothing'));
  t.true(svg.includes('a &lt; b'));
  t.false(svg.includes('NaN'));
});
