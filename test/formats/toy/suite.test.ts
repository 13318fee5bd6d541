import { rigKey } from '../../rig/key.ts';
import { testRepoFormat } from '../../suites/repo-format.ts';
import { toy } from './format.ts';
import { toyRig } from './rig.ts';

testRepoFormat({
  format: toy,
  possible: true,
  needs: '',
  open: async (dir) => {
    const packages = await toyRig.build(dir, [{ name: 'hello', needs: ['world'] }, { name: 'world', version: 2, forAll: true }]);
    return {
      files: await toyRig.upstream(dir, { packages, date: new Date(), key: await rigKey() }),
      request: toyRig.request,
      packages,
      versions: ['1', '2', '10', '11'],
      need: ['hello', 'world'],
    };
  },
});
