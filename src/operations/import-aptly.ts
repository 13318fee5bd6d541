import type { Context } from '../core/context.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { FoundList } from '../import/found.ts';
import type { App } from './app.ts';
import { defineOperation } from './operation.ts';
import { bytes, counted, table } from './text.ts';

export const importAptly = defineOperation({
  name: 'import aptly',
  summary: 'Take over what an aptly root holds: packages, snapshots, mirrors and repositories',
  description: `Asks aptly itself where it is installed: its snapshots, mirrors and local repositories become snapshots of the same
names (mirror-NAME and repo-NAME where a name is taken). Without aptly, or with --published, what it has published is read
instead: one snapshot for each component, PREFIX-DISTRIBUTION-COMPONENT.

With --vars the definitions of its mirrors and local repositories are written down as variables too, all but the keys,
which aptly does not keep.

Files are copied into the pool, sharing their blocks where the file system can, and hashed on the way. Nothing of aptly's
changes; it may be imported again, and only what is new comes in. docs/coming-from-aptly.md says what follows.`,
  example: `$ artifacts import aptly /var/lib/aptly
SNAPSHOT     FROM            PACKAGES  RESULT
bookworm-01  snapshot        38        imported
ours         repo            4         imported

42 files, 12.1 MB copied.`,
  arguments: { root: { summary: "aptly's rootDir" } },
  options: {
    config: { kind: 'text', value: 'FILE', summary: "aptly's configuration, when its database lies elsewhere; aptly then opens it itself" },
    published: { kind: 'flag', summary: 'read the published trees, also where aptly is installed' },
    vars: { kind: 'text', value: 'FILE', summary: 'also write the mirrors and repositories down there, for vars/' },
    keyring: { kind: 'text', value: 'FILE', summary: 'public keys that the published trees must be signed with' },
  },
  run: async (app, { root, config, published, keyring, vars }, ctx): Promise<Result> => {
    const { hasAptly } = await import('../import/aptly-tool.ts');
    if (vars !== undefined) await writeVars(app, { root, config, vars }, ctx);
    if (published || !(await hasAptly())) {
      if (!published) ctx.report({ type: 'warning', message: 'aptly is not installed: only what it has published is read' });
      return bringIn(app, root, await fromTrees(app, { root, keyring }, ctx), ctx);
    }
    return bringIn(app, root, await fromAptly(app, { root, config }, ctx), ctx);
  },
  render: ({ lists, files, bytes: size }) => {
    const rows = lists.map(({ snapshot, kind, packages, result }) => [snapshot, kind, String(packages), result]);
    const copied = `${counted(files, 'file')}, ${bytes(size)} copied.`;
    return lists.length === 0 ? `There is nothing to import. ${copied}` : `${table(['SNAPSHOT', 'FROM', 'PACKAGES', 'RESULT'], rows)}\n\n${copied}`;
  },
  verdict: ({ lists }): ErrorCode | undefined => (lists.some(({ state }) => state === 'refused') ? 'E_PARTIAL' : undefined),
});

interface ImportedList {
  readonly snapshot: string;
  readonly kind: FoundList['kind'];
  readonly packages: number;
  readonly state: 'imported' | 'present' | 'refused';
  readonly result: string;
}

interface Result {
  readonly lists: readonly ImportedList[];
  readonly files: number;
  readonly bytes: number;
}

async function fromAptly(app: App, { root, config }: { root: string; config: string | undefined }, ctx: Context): Promise<FoundList[]> {
  const { formatOf } = await import('../formats/index.ts');
  const { readWithAptly } = await import('../import/aptly-tool.ts');
  return readWithAptly({ root, temporary: app.temporary, ...(config === undefined ? {} : { config }) }, formatOf('apt'), ctx);
}

/** Written before anything is imported: it is quick, and may be refused. */
async function writeVars(app: App, { root, config, vars }: { root: string; config: string | undefined; vars: string }, ctx: Context): Promise<void> {
  const { existsSync } = await import('node:fs');
  const { ArtifactsError } = await import('../core/errors.ts');
  const { readDefinitions } = await import('../import/aptly-tool.ts');
  const { variablesText } = await import('../import/aptly-vars.ts');
  const { writeFileDurably } = await import('../util/durable.ts');
  if (existsSync(vars)) throw new ArtifactsError('E_EXISTS', `The file ${vars} exists already`, { hint: 'Name a new one, and bring the two together by hand.' });
  const { mirrors, repos } = await readDefinitions({ root, temporary: app.temporary, ...(config === undefined ? {} : { config }) }, ctx);
  writeFileDurably(vars, variablesText(mirrors, repos));
  ctx.report({ type: 'note', message: `${vars} has ${counted(mirrors.length, 'mirror')}; name the keys of each before the first update` });
}

async function fromTrees(app: App, { root, keyring }: { root: string; keyring: string | undefined }, ctx: Context): Promise<FoundList[]> {
  const { readFileSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { ArtifactsError } = await import('../core/errors.ts');
  const { formatOf } = await import('../formats/index.ts');
  const { readTrees } = await import('../import/aptly-trees.ts');
  const read = (file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new ArtifactsError('E_NOT_FOUND', `The keyring ${file} cannot be read`, { cause });
    }
  };
  const keys = keyring === undefined ? undefined : read(keyring);
  return readTrees({ folder: join(root, 'public'), keyring: keys, now: app.clock() }, formatOf('apt'), ctx);
}

async function bringIn(app: App, root: string, found: readonly FoundList[], ctx: Context): Promise<Result> {
  return (await app.locks()).hold('import', ctx, async () => {
    const total = { files: 0, bytes: 0 };
    const lists: ImportedList[] = [];
    const taken = new Set<string>();
    for (const list of found) {
      const { files, bytes: size, ...imported } = await bringInList(app, { list, root, snapshot: snapshotName(list, taken) }, ctx);
      total.files += files;
      total.bytes += size;
      lists.push(imported);
    }
    return { lists, ...total };
  });
}

interface Bringing {
  readonly list: FoundList;
  readonly root: string;
  readonly snapshot: string;
}

/** A list that cannot come in whole does not come in, and stops no other. */
async function bringInList(
  app: App,
  { list, root, snapshot }: Bringing,
  ctx: Context,
): Promise<ImportedList & { readonly files: number; readonly bytes: number }> {
  const { isArtifactsError } = await import('../core/errors.ts');
  const told = { snapshot, kind: list.kind, packages: list.packages.length, files: 0, bytes: 0 };
  if (list.problems.length > 0) {
    const more = list.problems.length > 1 ? ` (and ${list.problems.length - 1} more)` : '';
    return { ...told, state: 'refused', result: `refused: ${list.problems[0]}${more}` };
  }
  try {
    return { ...told, ...(await record(app, { list, root, snapshot }, ctx)) };
  } catch (error) {
    if (!isArtifactsError(error) || error.code === 'E_NO_SPACE') throw error;
    return { ...told, state: 'refused', result: `refused: ${error.message}` };
  }
}

async function record(app: App, { list, root, snapshot: name }: Bringing, ctx: Context) {
  const { formatOf } = await import('../formats/index.ts');
  const { storeContent, storeFiles } = await import('../import/store.ts');
  const { createSnapshot } = await import('../snapshot/snapshots.ts');
  const catalog = await app.catalog();
  const format = formatOf('apt');
  const tools = { catalog, pool: await app.pool(), format };
  const stored = await storeFiles(list.packages, tools, ctx);
  const known = await app.change(ctx, async () =>
    catalog.transaction(() => {
      const content = storeContent(list.packages, tools);
      if (catalog.snapshots.find(name)?.content.id === content.id) return true;
      const origin = { kind: 'import', from: `aptly ${list.kind} ${list.name} (${root})` } as const;
      createSnapshot(catalog, { name, format: format.id, content, origin, now: app.clock() });
      return false;
    }),
  );
  return { ...stored, state: known ? 'present' : 'imported', result: known ? 'there already' : 'imported' } as const;
}

/** aptly allows more in names than we do, and lets a mirror and a snapshot share one. */
function snapshotName({ kind, name }: FoundList, taken: Set<string>): string {
  const plain = name.replaceAll(/[^A-Za-z0-9+._~@:-]/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  let chosen = taken.has(plain) ? `${kind}-${plain}` : plain;
  for (let n = 2; taken.has(chosen); n += 1) chosen = `${kind}-${plain}.${n}`;
  taken.add(chosen);
  return chosen;
}
