import { defineOperation } from './operation.ts';
import { repoTools } from './repo-access.ts';

export const repoMetadataAdd = defineOperation({
  name: 'repo metadata add',
  summary: 'Put comps, advisories, modules or other metadata into a repository',
  description: `For repositories of rpm: files that are published in repodata/ beside the indexes, plain or packed as .gz, .xz,
.bz2 or .zst. A repository has one file of each type; a further one takes its place. Snapshots, merges and
publications treat it like that of mirrors: it is merged with that of other sources, and advisories are
published for packages that are there.

<comps> is of the type group and <updates> of updateinfo, modules.yaml is of modules, productid of productid; the
type of anything else is the name of the file without its extension, unless --type says it.`,
  example: `$ artifacts repo metadata add ours comps.xml updateinfo.xml.gz
+ group
! updateinfo replaced`,
  arguments: {
    repo: { summary: 'the repository' },
    files: { summary: 'files with metadata', variadic: true },
  },
  options: {
    type: { kind: 'text', value: 'TYPE', summary: 'what repomd.xml calls the one file given' },
    dryRun: { kind: 'flag', summary: 'only show what would be put in' },
  },
  run: async (app, { repo, files, type, dryRun }, ctx) => {
    const { addMetadata } = await import('../repo/metadata.ts');
    return { ...(await addMetadata({ repo, paths: files, type, dryRun }, await repoTools(app), ctx)), dryRun };
  },
  render: ({ added, same, replaced }) => {
    const gone = new Set(replaced.map(({ type }) => type));
    const lines = added.map(({ type }) => (gone.has(type) ? `! ${type} replaced` : `+ ${type}`));
    return [...lines, ...same.map(({ type }) => `= ${type} is there already`)].join('\n');
  },
});
