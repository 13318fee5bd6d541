/** Root metadata: fetched, its signature checked, then judged for freshness and identity. */
import type { MirrorState, RootState } from '../catalog/mirrors.ts';
import type { Clock, Context } from '../core/context.ts';
import { sha256, type Sha256 } from '../core/digest.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { Digested, RepoFormat, RootEntry, UpstreamRoot } from '../formats/format.ts';
import { BUNDLE_LIMIT, RELEASE_LIMIT, SIGNATURE_LIMIT } from '../http/limits.ts';
import type { SmallAnswer } from '../http/upstream.ts';
import type { MirrorDefinition } from './definition.ts';
import type { MirrorUpstream } from './listed-upstream.ts';

/** What the user allows this time, each with a flag of its own. */
export interface UpdateOptions {
  /** Read everything again, also when the upstream says that nothing changed. */
  readonly force?: boolean;
  /** Accept another Suite, Codename, Origin or Label than last time. */
  readonly acceptChange?: boolean;
  /** Accept root metadata older than what was seen before. */
  readonly allowRollback?: boolean;
}

export interface RootTools {
  readonly upstream: MirrorUpstream;
  readonly format: RepoFormat;
  readonly clock: Clock;
}

export interface FreshRoot {
  readonly root: UpstreamRoot;
  /** As it was served, and the signature beside it. */
  readonly files: readonly { readonly path: string; readonly bytes: Buffer }[];
  readonly state: RootState;
}

/** How far an upstream's clock may run ahead of ours. */
const CLOCK_SKEW = 10 * 60 * 1000;

/** The root metadata, verified; undefined when it is the one `before` remembers. */
export async function fetchRoot(
  mirror: MirrorDefinition,
  { before, options }: { readonly before: MirrorState | undefined; readonly options: UpdateOptions },
  tools: RootTools,
  ctx: Context,
): Promise<FreshRoot | undefined> {
  const known = options.force === true ? undefined : before?.root;
  for (const entry of tools.format.upstream.entries(mirror.request)) {
    const validators = known?.path === entry.path ? known : undefined;
    const first = await tools.upstream.fetchSmall(
      entry.path,
      {
        limit: RELEASE_LIMIT,
        ...(validators?.etag === undefined ? {} : { etag: validators.etag }),
        ...(validators?.lastModified === undefined ? {} : { lastModified: validators.lastModified }),
      },
      ctx,
    );
    if (first.status === 'absent') continue;
    if (known !== undefined && (first.status === 'unchanged' || sha256(first.bytes) === known.sha256)) {
      checkStillFresh(mirror, known, tools.clock());
      return undefined;
    }
    if (first.status === 'unchanged') throw new Error('An upstream answered 304 to an unconditional request');
    const { answer, verified } = await verifyTwice(mirror, { entry, answer: first }, tools, ctx);
    for (const warning of verified.warnings) ctx.report({ type: 'warning', message: warning });
    const root = await withUnlisted(tools.format.upstream.readRoot(verified.text, mirror.request), mirror, tools, ctx);
    const state: RootState = {
      path: entry.path,
      sha256: sha256(answer.bytes),
      url: answer.url,
      ...(answer.etag === undefined ? {} : { etag: answer.etag }),
      ...(answer.lastModified === undefined ? {} : { lastModified: answer.lastModified }),
      date: root.date.toISOString(),
      ...(root.validUntil === undefined ? {} : { validUntil: root.validUntil.toISOString() }),
      identity: root.identity,
      signedBy: verified.fingerprints,
    };
    judge(mirror, { state, before, options, now: tools.clock() });
    const files = [{ path: entry.path, bytes: answer.bytes }, ...(verified.signature === undefined ? [] : [verified.signature])];
    return { root, state, files };
  }
  throw new ArtifactsError('E_FETCH', `Mirror "${mirror.name}": the upstream has no ${describeEntries(mirror, tools.format)}`, {
    hint: mirror.request.distribution === '' ? 'Check archive_url.' : 'Check archive_url and distribution.',
  });
}

/** Files that vouch for others where root metadata lists none of them: believed by the digest the user pinned, or by where they came from. */
async function withUnlisted(root: UpstreamRoot, mirror: MirrorDefinition, tools: RootTools, ctx: Context): Promise<UpstreamRoot> {
  const isListed = (path: string): boolean => root.bundles.some(({ offers }) => offers.some(({ paths }) => paths.includes(path)));
  const wanted = (tools.format.upstream.unlisted?.(mirror.request) ?? []).filter(({ path }) => !isListed(path));
  const kind = root.exact === undefined ? 'tree' : 'exact';
  const bundles = [...root.bundles];
  for (const { path, sha256: pinned } of wanted) {
    const plain = await fetchUnlisted(mirror, { path, pinned }, tools.upstream, ctx);
    bundles.push({ name: path, kind, offers: [{ ...plain, compression: 'none', paths: [path] }], plain });
  }
  return { ...root, bundles };
}

async function fetchUnlisted(mirror: MirrorDefinition, { path, pinned }: { readonly path: string; readonly pinned: Sha256 | undefined }, upstream: MirrorUpstream, ctx: Context): Promise<Digested> {
  const answer = await upstream.fetchSmall(path, { limit: BUNDLE_LIMIT }, ctx);
  if (answer.status !== 'ok') throw new ArtifactsError('E_FETCH', `Mirror "${mirror.name}": the upstream has no ${path}`);
  const digest = sha256(answer.bytes);
  if (pinned !== undefined && digest !== pinned) {
    throw new ArtifactsError('E_HASH', `Mirror "${mirror.name}": ${path} has the SHA256 ${digest}, pinned is ${pinned}`);
  }
  if (pinned === undefined && !answer.url.startsWith('https:')) {
    throw new ArtifactsError('E_UNSIGNED', `Mirror "${mirror.name}": nothing vouches for ${path}`, { hint: 'Pin its SHA-256, or name an https address.' });
  }
  return { size: answer.bytes.length, sha256: digest };
}

function describeEntries(mirror: MirrorDefinition, format: RepoFormat): string {
  return format.upstream
    .entries(mirror.request)
    .map(({ path }) => path)
    .join(' or ');
}

interface Verified {
  readonly text: Buffer;
  readonly fingerprints: readonly string[];
  readonly warnings: readonly string[];
  readonly signature?: { readonly path: string; readonly bytes: Buffer };
}

interface Answered {
  readonly entry: RootEntry;
  readonly answer: Extract<SmallAnswer, { readonly status: 'ok' }>;
}

/**
 * What stands apart from its signature is of another state than that while the upstream publishes: both are asked for
 * once more, anew. Only what the same keys vouch for is taken then, so nothing is won by lying the first time.
 */
async function verifyTwice(mirror: MirrorDefinition, { entry, answer }: Answered, tools: RootTools, ctx: Context): Promise<Pick<Answered, 'answer'> & { readonly verified: Verified }> {
  try {
    return { answer, verified: await verify(mirror, { entry, bytes: answer.bytes }, tools, ctx) };
  } catch (error) {
    if (entry.kind !== 'detached' || !isArtifactsError(error, 'E_SIGNATURE')) throw error;
    const again = await tools.upstream.fetchSmall(entry.path, { limit: RELEASE_LIMIT }, ctx);
    if (again.status !== 'ok') throw error;
    return { answer: again, verified: await verify(mirror, { entry, bytes: again.bytes }, tools, ctx) };
  }
}

/** Nothing of the bytes is looked at before a pinned key vouched for them. */
async function verify(
  mirror: MirrorDefinition,
  { entry, bytes }: { readonly entry: RootEntry; readonly bytes: Buffer },
  tools: RootTools,
  ctx: Context,
): Promise<Verified> {
  const { vouched } = tools.upstream;
  if (vouched !== undefined && !vouched.has(sha256(bytes))) {
    throw new ArtifactsError('E_HASH', `Mirror "${mirror.name}": ${entry.path} is none that the metalink vouches for`, {
      hint: 'The upstream is being updated. Try again later.',
    });
  }
  // A list had over TLS takes the place of a key, where none is pinned.
  if (vouched !== undefined && mirror.fingerprints.length === 0) return { text: bytes, fingerprints: [], warnings: [] };
  // Loaded here, so that an unchanged upstream does not pay for the OpenPGP library.
  const { verifyClearsigned, verifyDetached } = await import('../sign/verify.ts');
  const trust = { keyrings: mirror.keyrings, fingerprints: mirror.fingerprints, now: tools.clock(), name: `Mirror "${mirror.name}": ${entry.path}` };
  if (entry.kind === 'clearsigned') return verifyClearsigned(bytes, trust);
  const signature = await tools.upstream.fetchSmall(entry.signature, { limit: SIGNATURE_LIMIT }, ctx);
  if (signature.status !== 'ok') {
    throw new ArtifactsError('E_UNSIGNED', `Mirror "${mirror.name}": ${entry.path} has no signature ${entry.signature}`, {
      hint: `Unsigned upstreams are refused${tools.format.upstream.readMirrorList === undefined ? '' : '; a metalink over https may take the place of a signature'}.`,
    });
  }
  const { fingerprints, warnings } = await verifyDetached(bytes, signature.bytes, trust);
  return { text: bytes, fingerprints, warnings, signature: { path: entry.signature, bytes: signature.bytes } };
}

function checkStillFresh(mirror: MirrorDefinition, known: RootState, now: Date): void {
  if (mirror.checkValidUntil && known.validUntil !== undefined && new Date(known.validUntil) < now) {
    throw stale(mirror, `was valid until ${known.validUntil}`);
  }
  if (mirror.maxAge !== undefined && now.getTime() - new Date(known.date).getTime() > mirror.maxAge) {
    throw stale(mirror, `is of ${known.date}, older than max_age allows`);
  }
}

interface Judgement {
  readonly state: RootState;
  readonly before: MirrorState | undefined;
  readonly options: UpdateOptions;
  readonly now: Date;
}

function judge(mirror: MirrorDefinition, { state, before, options, now }: Judgement): void {
  checkStillFresh(mirror, state, now);
  if (new Date(state.date).getTime() > now.getTime() + CLOCK_SKEW) {
    throw stale(mirror, `is of ${state.date}, which lies in the future`);
  }
  // What another distribution said last time is nothing to compare with.
  if (before === undefined || before.description['distribution'] !== mirror.description['distribution']) return;
  // TUF 5.3.5, Debian RepositoryFormat "Date": a validly signed older state is an attack or a broken mirror.
  if (new Date(state.date) < new Date(before.root.date) && options.allowRollback !== true) {
    throw new ArtifactsError('E_ROLLBACK', `Mirror "${mirror.name}": the upstream is of ${state.date}, older than ${before.root.date} seen before`, {
      hint: 'If that is right, run `artifacts mirror update` with --allow-rollback.',
    });
  }
  if (options.acceptChange !== true) checkIdentity(mirror, before.root.identity, state.identity);
}

/** As apt does (apt-secure(8)): a new Version is a point release, anything else changed is for a person to accept. */
function checkIdentity(
  mirror: MirrorDefinition,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): void {
  for (const name of ['origin', 'label', 'suite', 'codename']) {
    if (before[name] === after[name]) continue;
    throw new ArtifactsError('E_SUITE', `Mirror "${mirror.name}": the upstream changed its ${name} from "${before[name] ?? ''}" to "${after[name] ?? ''}"`, {
      hint: 'If that is right, run `artifacts mirror update` with --accept-change.',
    });
  }
}

function stale(mirror: MirrorDefinition, why: string): ArtifactsError {
  return new ArtifactsError('E_STALE', `Mirror "${mirror.name}": the upstream's root metadata ${why}`, {
    hint: 'The last good state stays in place; ask the upstream, or use another mirror of it.',
  });
}
