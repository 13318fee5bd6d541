import { rpm } from '../../../src/formats/rpm/index.ts';
import { buildRpms } from '../../rig/rpm.ts';
import { hasRpmUpstream, NO_RPM_UPSTREAM, rpmUpstream } from '../../rig/rpm-upstream.ts';
import type { TempDir } from '../../rig/temp.ts';
import { testRepoFormat, type FormatFixture } from '../../suites/repo-format.ts';

let made: Promise<FormatFixture> | undefined;

/** Made once: the folder is that of the first test, and only bytes are kept of it. */
async function make(dir: TempDir): Promise<FormatFixture> {
  const packages = await buildRpms(dir, [
    { name: 'hello', version: '1.0~rc1', arch: 'x86_64', lines: ['Requires: world >= 1', 'Epoch: 1'], sections: '%changelog\n* Tue Nov 14 2023 Ann <ann@example.invalid> - 1.0-1\n- first\n' },
    { name: 'world', version: '2.0' },
  ]);
  return {
    files: (await rpmUpstream(dir, { rpms: packages })).files,
    request: { distribution: '', components: [], architectures: [] },
    packages,
    versions: ['1.0~rc1-1', '1.0-1', '1.0^git1-1', '1.0.1-1', '1.10-1', '1:0.1-1'],
    need: ['hello', 'world'],
  };
}

testRepoFormat({ format: rpm, possible: hasRpmUpstream, needs: NO_RPM_UPSTREAM, open: (dir) => (made ??= make(dir)) });
