import { ArtifactsError } from '../core/errors.ts';
import { defineOperation } from './operation.ts';
import { additionLines, repoLine, repoTools } from './repo-access.ts';

export const repoInclude = defineOperation({
  name: 'repo include',
  summary: 'Take uploads (.changes files) into a local repository',
  description: `The signature of each .changes file is verified with the keys of --keyring, and each file it lists against
its size and SHA256. All or nothing for all uploads of the call. Afterwards the files are removed, unless
--no-remove-files is given.

The file of --uploaders says in JSON or YAML who may upload what, in aptly's form: groups of full fingerprints,
and rules of a condition in the query language, whom it allows, whom it denies. The first rule that means the
upload and names its signer decides; "*" is anybody. Conditions see the fields of the .changes file.`,
  example: `$ artifacts repo include ours incoming/ --keyring builders.asc --uploaders uploaders.json
+ hello_2.10-3_amd64
+ hello_2.10-3_source
Repository ours: 14 packages.`,
  arguments: {
    repo: { summary: 'the repository' },
    files: { summary: '.changes files, and folders with such files', variadic: true },
  },
  options: {
    keyring: { kind: 'list', value: 'FILE', summary: 'public keys of those who may sign' },
    fingerprint: { kind: 'list', value: 'KEY', summary: 'only these keys of the keyrings count, by full fingerprint' },
    acceptUnsigned: { kind: 'flag', summary: 'also take uploads without a signature' },
    uploaders: { kind: 'text', value: 'FILE', summary: 'rules about who may upload what' },
    forceReplace: { kind: 'flag', summary: 'let packages take the place of those with other bytes' },
    noRemoveFiles: { kind: 'flag', summary: 'leave the files where they are' },
  },
  run: async (app, input, ctx) => {
    const { includeUploads } = await import('../repo/include.ts');
    const keyrings = input.keyring ?? [];
    if (keyrings.length === 0 && !input.acceptUnsigned) {
      throw new ArtifactsError('E_USAGE', 'No keys are given to verify uploads with', {
        hint: 'Name them with --keyring FILE, or take whatever comes with --accept-unsigned.',
      });
    }
    const request = {
      repo: input.repo,
      paths: input.files,
      keyrings,
      fingerprints: input.fingerprint ?? [],
      acceptUnsigned: input.acceptUnsigned,
      uploaders: input.uploaders,
      replace: input.forceReplace,
      removeFiles: !input.noRemoveFiles,
    };
    return includeUploads(request, await repoTools(app), ctx);
  },
  render: (result) => [...additionLines(result), repoLine(result)].join('\n'),
});
