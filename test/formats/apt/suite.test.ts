import { apt } from '../../../src/formats/apt/index.ts';
import { buildDeb } from '../../rig/deb.ts';
import { aptUpstream } from '../../rig/upstream.ts';
import { testRepoFormat } from '../../suites/repo-format.ts';

const DEBS = [
  buildDeb({ name: 'hello', version: '1.0-1', fields: { Depends: 'world (>= 1)' } }),
  buildDeb({ name: 'world', version: '2.0-1', architecture: 'all' }),
];

testRepoFormat({
  format: apt,
  possible: true,
  needs: '',
  open: async () => ({
    files: (await aptUpstream({ components: { main: DEBS } })).files,
    request: { distribution: 'rig', components: ['main'], architectures: ['amd64'] },
    packages: DEBS,
    versions: ['1.0~rc1', '1.0', '1.0-1', '1.1', '1.10', '1:0.1'],
    need: ['hello', 'world'],
  }),
});
