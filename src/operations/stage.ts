import { resolve } from 'node:path';
import { ArtifactsError, type ErrorCode } from '../core/errors.ts';
import type { CheckedCopy, Staged } from '../release/stage.ts';
import { defineOperation } from './operation.ts';
import { keyOptions, openSource, pinnedKeys, serverOptions } from './release-access.ts';
import { bytes, counted } from './text.ts';

type Result = Staged | CheckedCopy;

export const stage = defineOperation({
  name: 'stage',
  summary: 'Bring one release to a folder that can be served, verified',
  description: `For a site without a way to the builder. Reads the signed manifest of the release, which must be by a
pinned key, fetches what the folder lacks, checks every file by size and digest, and switches to it last. The
folder may be served as it is, and hold several releases. A second run does nothing, an interrupted one goes
on where it was. A file that is missing at the source, or is another than listed, fails the run.

With --only, artifacts of some kinds are staged; a kind the release does not have is not found (status 10).
With --check, nothing is fetched: what the folder holds of the release is hashed again.`,
  example: `$ artifacts stage --release r1.0.0 --from https://SERVER --to /srv/r1 --key 1DA2…E07C
Release r1.0.0 is staged: 20261121T031500Z, 58 files, 12.4 MB fetched.`,
  arguments: {},
  options: {
    release: { kind: 'text', value: 'NAME', summary: 'the release', required: true },
    to: { kind: 'text', value: 'DIR', summary: 'the folder', required: true },
    from: { kind: 'text', value: 'URL|DIR', summary: 'where the release is served, or a folder such as a mounted disk (default: consumers.base_url)' },
    only: { kind: 'list', value: 'KIND', summary: 'only artifacts of these kinds: apt, rpm, git, python, container' },
    check: { kind: 'flag', summary: 'hash what is staged again, and fetch nothing' },
    allowOlder: { kind: 'flag', summary: 'take a build older than the one that is there' },
    ...keyOptions,
    ...serverOptions,
  },
  run: async (app, input, ctx): Promise<Result> => {
    const { checkCopy, stageRelease } = await import('../release/stage.ts');
    const { artifactKinds } = await import('../artifacts/index.ts');
    const { release, only, allowOlder } = input;
    const request = { release, only, allowOlder, to: resolve(input.to), pinned: await pinnedKeys(app, input), kinds: artifactKinds };
    if (input.check) return checkCopy(request, ctx);
    const from = input.from ?? (await app.config()).consumers.baseUrl;
    if (from === undefined) throw new ArtifactsError('E_USAGE', 'Where the release is to come from was not said', { hint: 'Give --from, or consumers.base_url in vars/.' });
    await using source = await openSource(app, from, input);
    return await stageRelease(request, source, ctx);
  },
  render: (result) => {
    const { release, build } = result;
    if ('problems' in result) {
      const verdict = result.problems.length === 0 ? `is whole: ${counted(result.files, 'file')} hashed` : `is damaged`;
      return [...result.problems, `Release ${release} ${build} ${verdict}.`].join('\n');
    }
    if (result.result === 'unchanged') return `Release ${release} is staged and unchanged: ${build}.`;
    return `Release ${release} is staged: ${build}, ${counted(result.fetched, 'file')}, ${bytes(result.bytes)} fetched.`;
  },
  verdict: (result): ErrorCode | undefined => ('problems' in result && result.problems.length > 0 ? 'E_CHECK' : undefined),
});
