import { ArtifactsError, type ErrorCode } from '../core/errors.ts';
import type { Availability } from '../release/availability.ts';
import { defineOperation } from './operation.ts';
import { keyOptions, openSource, pinnedKeys, serverOptions } from './release-access.ts';
import { bytes, table } from './text.ts';

type Result = Availability & { readonly release: string; readonly missing: readonly string[] };

export const status = defineOperation({
  name: 'status',
  summary: 'Tell whether a release is to be had somewhere, and of what',
  description: `The answer is complete (its manifest is there, signed by a pinned key), absent (the tree is there, and neither
the manifest nor the list of releases knows it; status 10), or unknown (no answer, an error, or answers that
contradict each other; status 1). A network that fails is never taken for a release that is absent, so a
deployer may decide by this what to build on site. A kind named by --only that the release lacks is not
found, too. A wrong signature is status 12.`,
  example: `$ artifacts status --release r1.0.0 --from https://SERVER --key 1DA2…E07C
KIND  FILES  SIZE
apt   58     12.4 MB
Release r1.0.0 is complete: 20261121T031500Z.`,
  arguments: {},
  options: {
    release: { kind: 'text', value: 'NAME', summary: 'the release', required: true },
    from: { kind: 'text', value: 'URL|DIR', summary: 'where it is served (default: consumers.base_url)' },
    only: { kind: 'list', value: 'KIND', summary: 'kinds that must be there' },
    ...keyOptions,
    ...serverOptions,
  },
  run: async (app, input, ctx): Promise<Result> => {
    const { availability } = await import('../release/availability.ts');
    const { release } = input;
    const from = input.from ?? (await app.config()).consumers.baseUrl;
    if (from === undefined) throw new ArtifactsError('E_USAGE', 'Where the release is to be looked for was not said', { hint: 'Give --from, or consumers.base_url in vars/.' });
    await using source = await openSource(app, from, input);
    const found = await availability(source, release, await pinnedKeys(app, input), ctx);
    const there = found.state === 'complete' ? found.kinds.map(({ kind }) => kind) : [];
    return { release, ...found, missing: found.state === 'complete' ? (input.only ?? []).filter((kind) => !there.includes(kind)) : [] };
  },
  render: (result) => {
    const { release, missing } = result;
    switch (result.state) {
      case 'absent':
        return `Release ${release} is absent.`;
      case 'unknown':
        return `Whether release ${release} is there is not known: ${result.reason}.`;
      case 'complete': {
        const kinds = table(['KIND', 'FILES', 'SIZE'], result.kinds.map(({ kind, files, bytes: size }) => [kind, String(files), bytes(size)]));
        const lacks = missing.length === 0 ? [] : [`It has no artifacts of kind ${missing.join(', ')}.`];
        return [kinds, `Release ${release} is complete: ${result.build}.`, ...lacks].join('\n');
      }
      default:
        return result satisfies never;
    }
  },
  verdict: ({ state, missing }): ErrorCode | undefined => {
    if (state === 'unknown') return 'E_FETCH';
    return state === 'absent' || missing.length > 0 ? 'E_NOT_FOUND' : undefined;
  },
});
