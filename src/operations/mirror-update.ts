import { defineOperation } from './operation.ts';
import { bytes, counted } from './text.ts';

export const mirrorUpdate = defineOperation({
  name: 'mirror update',
  summary: 'Bring a mirror up to date, verified',
  description: `Checks the upstream's signature against the pinned fingerprints, its freshness and its identity, then fetches
what is missing, each file verified on its own. An interrupted update goes on where it stopped. On any failure
the last good state stays; status 12 says that signature, checksum or freshness refused the upstream.`,
  example: `$ artifacts mirror update debian-bookworm
debian-bookworm: 38 packages as of 2026-11-14T10:12:33.000Z; 38 files fetched (9.1 MB)
$ artifacts mirror update debian-bookworm
debian-bookworm: 38 packages as of 2026-11-14T10:12:33.000Z; unchanged`,
  arguments: { name: { summary: 'the mirror, as aptly_mirrors or rpm_mirrors names it' } },
  options: {
    force: { kind: 'flag', summary: 'read everything again, also when nothing changed' },
    acceptChange: { kind: 'flag', summary: 'accept another Suite, Codename, Origin or Label of an apt upstream' },
    allowRollback: { kind: 'flag', summary: 'accept a Release or repomd.xml older than the one seen before' },
  },
  run: async (app, { name, ...options }, ctx) => {
    const { findMirror } = await import('../config/resolve-mirror.ts');
    const { updateMirror } = await import('../mirror/update.ts');
    const source = await app.mirror(findMirror(await app.config(), name), ctx);
    return updateMirror(source, options, await app.tools(), ctx);
  },
  render: (update) => {
    const what = update.changed ? `${counted(update.files, 'file')} fetched (${bytes(update.bytes)})` : 'unchanged';
    return `${update.mirror}: ${counted(update.packages, 'package')} as of ${update.date}; ${what}`;
  },
});
