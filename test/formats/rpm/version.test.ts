import { spawnSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import { compareVersions, joinVersion, splitVersion } from '../../../src/formats/rpm/version.ts';
import { hasCommand, testWith } from '../../rig/skip.ts';

const ORDERED: readonly (readonly [string, -1 | 0 | 1, string])[] = [
  ['1.0', 0, '1.0'],
  ['1.0', -1, '2.0'],
  ['2.0.1', 1, '2.0'],
  ['2.0.1a', 1, '2.0.1'],
  ['5.5p1', -1, '5.5p2'],
  ['5.5p10', 1, '5.5p1'],
  ['10xyz', -1, '10.1xyz'],
  ['xyz10', -1, 'xyz10.1'],
  ['xyz.4', -1, '8'],
  ['1.0', 0, '1_0'],
  ['1.0.', 0, '1.0'],
  ['a+', 0, 'a_'],
  ['1.010', 0, '1.10'],
  ['6.5', -1, '6.05001'],
  ['20230101000000000000000001', 1, '20230101000000000000000000'],
  ['1.0~rc1', -1, '1.0'],
  ['1.0~rc1', -1, '1.0~rc2'],
  ['1.0~rc1~git123', -1, '1.0~rc1'],
  ['1.0^', 1, '1.0'],
  ['1.0^git1', -1, '1.0^git2'],
  ['1.0^git1', -1, '1.01'],
  ['1.0^20160101', -1, '1.0.1'],
  ['1.0^20160101^git1', 1, '1.0^20160101'],
  ['1.0~rc1^git1', 1, '1.0~rc1'],
  ['1.0^git1~pre', -1, '1.0^git1'],
  ['1.0-1', 1, '1.0~1-1'],
  ['1:1.0-1', 1, '2.0-1'],
  ['0:1.0-1', 0, '1.0-1'],
  ['1.0-1', -1, '1.0-1.el9'],
  ['1.0-2', -1, '1.0-10'],
  ['1.0-1', 0, '1.0'], // a side without a release agrees with any
];

test('versions are ordered as rpm orders them', (t) => {
  for (const [a, order, b] of ORDERED) {
    t.is(compareVersions(a, b), order, `${a} to ${b}`);
    t.is(compareVersions(b, a), order === 0 ? 0 : order === 1 ? -1 : 1, `${b} to ${a}`);
  }
});

/** rpm's own answers. */
function askRpm(pairs: readonly (readonly [string, string])[]): number[] {
  const calls = pairs.map(([a, b]) => `r = r .. " " .. rpm.vercmp("${a}", "${b}")`).join(' ');
  const { stdout } = spawnSync('rpm', ['--eval', `%{lua: local r = "" ${calls} print(r)}`], { encoding: 'utf8' });
  return stdout.trim().split(' ').map(Number);
}

const witnessed = testWith(hasCommand('rpm'), 'rpm is not installed');
const versionText = fc.string({ unit: fc.constantFrom(...'0019azA.~^_+'), minLength: 1, maxLength: 8 });

witnessed('rpm agrees, also on versions nobody would write', (t) => {
  const random = fc.sample(fc.tuple(versionText, versionText), { numRuns: 1500, seed: 7 });
  // As labels rpm orders what has no release first; as dependencies it does as we do, and that cannot be asked for here.
  const table = ORDERED.filter(([a, , b]) => a.includes('-') === b.includes('-')).map(([a, , b]) => [a, b] as const);
  const pairs = [...table, ...random];

  t.deepEqual(pairs.map(([a, b]) => compareVersions(a, b)), askRpm(pairs) as (-1 | 0 | 1)[]);
});

test('epoch, version and release are told apart', (t) => {
  t.deepEqual(splitVersion('2:1.0-3'), { epoch: '2', version: '1.0', release: '3' });
  t.deepEqual(splitVersion('1.0'), { epoch: '0', version: '1.0', release: '' });
  t.is(joinVersion({ epoch: '0', version: '1.0', release: '3' }), '1.0-3');
  t.is(joinVersion({ epoch: '2', version: '1.0', release: '' }), '2:1.0');
});
