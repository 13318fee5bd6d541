/** Taking in uploads: a signed list of files, the files, and rules about who may send what. */
import { dirname, join } from 'node:path';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { Context } from '../core/context.ts';
import type { LocalFormat, Upload } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import { parseClearsigned } from '../sign/clearsigned.ts';
import { verifyClearsigned } from '../sign/verify.ts';
import { addFound, type Added, type RepoTools } from './add.ts';
import { findFiles, type FoundFile } from './find-files.ts';
import { checkTextSize, refusal } from './intake.ts';
import { readOwn } from './own-file.ts';
import { isAboutFile } from './receive.ts';
import { findRepo } from './repos.ts';
import { checkUploader, readUploaders, type Uploaders } from './uploaders.ts';

export interface IncludeRequest {
  readonly repo: string;
  /** Upload files, and folders that are searched for them. */
  readonly paths: readonly string[];
  /** Files of public keys; none with `acceptUnsigned`: signatures are not looked at. */
  readonly keyrings: readonly string[];
  /** Full fingerprints of the keys that count; none: all of the keyrings. */
  readonly fingerprints: readonly string[];
  readonly acceptUnsigned: boolean;
  /** A file of rules. */
  readonly uploaders: string | undefined;
  readonly replace: boolean;
  readonly removeFiles: boolean;
}

export interface Included extends Added {
  readonly uploads: readonly { readonly file: string; readonly signedBy: readonly string[] }[];
}

/**
 * Adds the packages of uploads: signature, rules, then every listed file against its size and SHA256. All or nothing for
 * all uploads of the call. Throws E_UNSIGNED, E_SIGNATURE and its kin, E_HASH, E_SIZE, E_NOT_FOUND, E_CONFLICT.
 */
export async function includeUploads(request: IncludeRequest, tools: RepoTools, ctx: Context): Promise<Included> {
  const format = formatOf(findRepo(tools.catalog, request.repo, tools.declared).format);
  const { readUpload } = format.local;
  if (readUpload === undefined) throw new ArtifactsError('E_USAGE', `Repository "${request.repo}" is one of ${format.id}, which has no uploads`, { hint: '`artifacts repo add` takes packages.' });
  const found = findFiles(request.paths, { format: format.local, kinds: ['upload'], noun: 'uploads' });
  const rules = request.uploaders === undefined ? undefined : readUploaders(readOwn(request.uploaders).toString(), request.uploaders, format);
  const keyrings = request.keyrings.map(readOwn);
  const problems: ArtifactsError[] = [];
  const uploads: CheckedUpload[] = [];
  for (const { path } of found) {
    try {
      uploads.push(await checkUpload(path, { request, keyrings, rules, readUpload, now: tools.clock() }));
    } catch (error) {
      if (!isAboutFile(error) || isArtifactsError(error, 'E_CONFIG')) throw error;
      problems.push(error);
    }
  }
  if (problems.length > 0) throw refusal(problems, found.length);
  const listed = uploads.flatMap((upload) => listedFiles(upload, format.local));
  const extra = uploads.flatMap(({ path, upload }) => [path, ...upload.files.map(({ name }) => join(dirname(path), name))]);
  const { repo, replace, removeFiles } = request;
  const added = await addFound(listed, { repo, replace, removeFiles, extra }, tools, ctx);
  return { ...added, uploads: uploads.map(({ path, signedBy }) => ({ file: path, signedBy })) };
}

interface CheckedUpload {
  readonly path: string;
  readonly upload: Upload;
  readonly signedBy: readonly string[];
}

interface Checking {
  readonly request: IncludeRequest;
  readonly keyrings: readonly Buffer[];
  readonly rules: Uploaders | undefined;
  readonly readUpload: NonNullable<LocalFormat['readUpload']>;
  readonly now: Date;
}

async function checkUpload(path: string, { request, keyrings, rules, readUpload, now }: Checking): Promise<CheckedUpload> {
  checkTextSize(path);
  const bytes = readOwn(path);
  const { text, signedBy } = await signedText(bytes, path, { request, keyrings, now });
  const upload = readUpload({ fileName: path, bytes, text });
  if (rules !== undefined) checkUploader(rules, upload.subject, { name: path, fingerprints: signedBy });
  return { path, upload, signedBy };
}

async function signedText(
  bytes: Buffer,
  path: string,
  { request, keyrings, now }: Pick<Checking, 'request' | 'keyrings' | 'now'>,
): Promise<{ readonly text: Buffer; readonly signedBy: readonly string[] }> {
  const { acceptUnsigned, fingerprints } = request;
  const unsigned = (): { readonly text: Buffer; readonly signedBy: readonly string[] } => ({ text: bytes, signedBy: [] });
  try {
    if (keyrings.length === 0 && acceptUnsigned) return { ...unsigned(), text: parseClearsigned(bytes, path).text };
    const verified = await verifyClearsigned(bytes, { keyrings, fingerprints, now, name: path });
    return { text: verified.text, signedBy: verified.fingerprints };
  } catch (error) {
    if (acceptUnsigned && isArtifactsError(error, 'E_UNSIGNED')) return unsigned();
    throw error;
  }
}

/** The packages of an upload with what it says of them. What else it lists is checked with the source that lists it too. */
function listedFiles({ path, upload }: CheckedUpload, format: LocalFormat): FoundFile[] {
  return upload.files.map(({ name, size, sha256 }) => {
    const kind = format.kindOf(name);
    return { path: join(dirname(path), name), kind: kind === 'package' || kind === 'source' ? kind : 'part', expected: { size, sha256 } };
  });
}
