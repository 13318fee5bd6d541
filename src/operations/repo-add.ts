import { ArtifactsError } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { additionLines, repoLine, repoTools } from './repo-access.ts';

export const repoAdd = defineOperation({
  name: 'repo add',
  summary: 'Add package files to a local repository',
  description: `Takes .deb, .udeb and .ddeb files, .dsc files with the files they list, and folders that are searched for them;
a repository of rpm takes .rpm files.
All or nothing: when one file is refused, all that are refused are listed and nothing is added.

The same name, version and architecture with other bytes is a conflict that names both; --force-replace lets the
new one take the place of the old one. A file the repository has already is no error. The parts a .dsc lists lie
beside it, or in the pool from an earlier version. Many files that were given before are read again only when
they changed.`,
  example: `$ artifacts repo add ours build/hello_2.10-3_amd64.deb
+ hello_2.10-3_amd64
Repository ours: 13 packages.`,
  arguments: {
    repo: { summary: 'the repository' },
    files: { summary: 'package files, and folders with such files', variadic: true },
  },
  options: {
    forceReplace: { kind: 'flag', summary: 'let packages take the place of those with other bytes' },
    removeFiles: { kind: 'flag', summary: 'remove the files once the repository has them' },
    keyring: { kind: 'list', value: 'FILE', summary: 'rpm packages must be signed by one of these public keys' },
    fingerprint: { kind: 'list', value: 'KEY', summary: 'only these keys of the keyrings count, by full fingerprint' },
    sign: { kind: 'flag', summary: 'sign rpm packages that our key has not signed yet' },
  },
  run: async (app, { repo, files, forceReplace, removeFiles, keyring, fingerprint, sign }, ctx) => {
    const { addFiles } = await import('../repo/add.ts');
    const signing = sign ? { sign: { signer: await app.signer(), temporary: app.temporary } } : {};
    if (keyring === undefined && fingerprint !== undefined) throw new ArtifactsError('E_USAGE', '--fingerprint means nothing without --keyring');
    const trust = keyring === undefined ? {} : { signedBy: { keyrings: keyring, fingerprints: fingerprint ?? [] } };
    return addFiles({ repo, paths: files, replace: forceReplace, removeFiles, ...trust, ...signing }, await repoTools(app), ctx);
  },
  render: (result) => [...additionLines(result), repoLine(result)].join('\n'),
});
