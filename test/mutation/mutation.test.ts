import { hasCommand, testWith } from '../rig/skip.ts';
import { KINDS } from './corpus.ts';
import { runMutations } from './run.ts';

// The seed is fixed, so that what is red today was not green by luck; `npm run mutate` tries others.
testWith(hasCommand('prlimit') && hasCommand('zstd'), 'needs prlimit and zstd')(
  'A D R: spoilt inputs are read or refused, within the caps on memory and time',
  async (t) => {
    const { inputs, read, refused, byKind, failures, peak, slowest } = await runMutations({ seed: 1, count: 2300 });

    t.deepEqual(failures, []);
    t.is(inputs, 2300);
    t.true(read > 100, 'spoiling leaves some as good as they were');
    for (const code of ['E_FORMAT', 'E_SIGNATURE', 'E_PATH', 'E_WEAK_HASH', 'E_SIZE', 'E_UNSIGNED']) t.true((refused[code] ?? 0) > 3, code);
    t.is(Object.keys(byKind).length, KINDS.length);
    t.log(`${read} read, peak ${Math.round(peak / 1024)} MiB, slowest ${slowest.kind}`);
  },
);

testWith(hasCommand('prlimit'), 'needs prlimit')('the mutation run finds what takes for ever, what needs too much memory and what throws something else', async (t) => {
  for (const [fault, why] of [['hang', /longer than/], ['memory', /ended with|allocation failed/], ['throw', /TypeError/]] as const) {
    const { failures } = await runMutations({ seed: 1, count: 1, kind: 'release', planted: fault, ...(fault === 'hang' ? { longestSeconds: 2 } : {}) });

    t.true(failures.length > 0, fault);
    t.regex(failures[0]?.why ?? '', why);
  }
});
