/** Copying, moving and importing: packages the catalog knows, from one place to a local repository. */
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Added, RepoTools } from '../repo/add.ts';
import type { MetadataView } from '../repo/metadata.ts';
import type { App } from './app.ts';
import type { OptionSpec } from './operation.ts';
import { followFrom, FOLLOW_OPTIONS, missingText, readQueries, viewMissing, type FollowInput, type MissingView } from './queries.ts';
import { additionLines, repoLine, repoTools, selectRecords, type Holder } from './repo-access.ts';

export const TRANSFER_QUERIES = { summary: 'which packages: any of these queries, or @FILE with one a line', variadic: true } as const;

export const TRANSFER_OPTIONS = {
  withDeps: { kind: 'flag', summary: 'also what the packages need, as far as it is there' },
  metadata: { kind: 'list', value: 'TYPE', summary: 'also all metadata of these types: group, productid' },
  dryRun: { kind: 'flag', summary: 'only show what would be done' },
  ...FOLLOW_OPTIONS,
} as const satisfies Record<string, OptionSpec>;

export interface TransferInput extends FollowInput {
  readonly queries: readonly string[];
  readonly withDeps: boolean;
  readonly metadata: readonly string[] | undefined;
  readonly dryRun: boolean;
}

export interface Transfer {
  /** Looks up what the packages are chosen from. */
  readonly source: (tools: RepoTools) => Holder;
  /** For messages: `mirror "x"`. */
  readonly origin: string;
  readonly to: string;
  /** The repository they leave. */
  readonly movedFrom?: string;
}

export interface Transferred extends Added {
  readonly missing: readonly MissingView[];
  /** What came along with the packages: advisories, modules, and what was asked for. */
  readonly metadata: readonly MetadataView[];
  readonly dryRun: boolean;
}

/** From one local repository to another; with `move` the packages leave the first. Throws E_USAGE when both are one. */
export async function transferBetween(
  app: App,
  input: TransferInput & { readonly source: string; readonly dest: string },
  { move }: { readonly move: boolean },
  ctx: Context,
): Promise<Transferred> {
  const { findRepo } = await import('../repo/repos.ts');
  if (input.source === input.dest) throw new ArtifactsError('E_USAGE', 'Source and destination are the same repository');
  const between: Transfer = {
    source: ({ catalog, declared }) => findRepo(catalog, input.source, declared),
    origin: `repository "${input.source}"`,
    to: input.dest,
    ...(move ? { movedFrom: input.source } : {}),
  };
  return transfer(app, between, input, ctx);
}

/** All or nothing, under the aptly lock from the choice to the change. */
export async function transfer(app: App, { source, origin, to, movedFrom }: Transfer, input: TransferInput, ctx: Context): Promise<Transferred> {
  const { addRecords, previewRecords, removeRecords } = await import('../repo/add.ts');
  const { putCarried, receiveCarried, viewCarried } = await import('../repo/metadata.ts');
  const { findRepo } = await import('../repo/repos.ts');
  const { carriedMetadata } = await import('../snapshot/carried-metadata.ts');
  const tools = await repoTools(app);
  const queries = readQueries(input.queries);
  const request = { repo: to, origin, replace: false };
  const choose = async () => {
    const follow = input.withDeps ? followFrom(input) : undefined;
    const from = source(tools);
    const dest = findRepo(tools.catalog, to, tools.declared);
    if (from.format !== dest.format) throw new ArtifactsError('E_USAGE', `The packages of ${origin} are of ${from.format}, those of repository "${to}" of ${dest.format}`);
    const { records, missing } = await selectRecords(tools.catalog, from, { queries, follow });
    const carrying = { format: from.format, source: from.content, target: dest.content, packages: records, whole: input.metadata ?? [] };
    return { records, missing: missing.map(viewMissing), carried: await carriedMetadata(carrying, tools, ctx) };
  };
  if (input.dryRun) {
    const { records, missing, carried } = await choose();
    return { ...previewRecords(records, request, tools), missing, metadata: viewCarried(carried), dryRun: true };
  }
  return app.change(ctx, async () => {
    const { records, missing, carried } = await choose();
    await receiveCarried(carried, to, tools.pool);
    const added = tools.catalog.transaction(() => {
      const outcome = addRecords(records, request, tools);
      putCarried(carried, to, tools);
      if (movedFrom !== undefined) removeRecords(records, movedFrom, tools);
      return outcome;
    });
    return { ...added, missing, metadata: viewCarried(carried), dryRun: false };
  });
}

export function renderTransfer(result: Transferred): string {
  return [
    ...additionLines(result),
    ...result.metadata.map(({ type }) => `+ ${type} (metadata)`),
    ...(result.missing.length === 0 ? [] : [missingText(result.missing)]),
    repoLine(result, result.dryRun),
  ].join('\n');
}
