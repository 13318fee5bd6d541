import { join, resolve } from 'node:path';
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { OverrideFile, OverrideMode } from '../overrides/overrides.ts';
import type { FoundManifest } from '../release/availability.ts';
import type { App } from './app.ts';
import { defineOperation } from './operation.ts';
import { keyOptions, openSource, pinnedKeys, serverOptions, type KeyInput, type ServerInput } from './release-access.ts';

export const overrides = defineOperation({
  name: 'overrides',
  summary: 'Write what points deployers at a release: variables, apt pin, .repo files, pip.conf',
  description: `Variables under the names of RPC-O's roles (group_vars/all/apt.yml, python.yml, lxc.yml), and for machines
without Ansible apt sources with the key in them, apt pins, dnf repositories, pip.conf and lxc-create's arguments: for
what the release has, and nothing else. Only a release whose signed manifest is there gets any; a kind named
by --only that it lacks is not found (status 10), and a network that fails is no release that is absent.

In mode strict hosts install from the base system and the release, whatever newer there is; loose adds the
release and prefers it; off takes it back.`,
  example: `$ artifacts overrides --release r1.0.0 --mode strict --base-url https://SERVER --to inventory
inventory/apt/bookworm/rpco.list
inventory/apt/bookworm/rpco.pref
inventory/apt/bookworm/rpco.sources
inventory/apt/rpco.asc
inventory/group_vars/all/apt.yml`,
  arguments: {},
  options: {
    release: { kind: 'text', value: 'NAME', summary: 'the release', required: true },
    mode: { kind: 'choice', choices: ['strict', 'loose', 'off'], summary: 'how far hosts are bound to it (default: strict)' },
    baseUrl: { kind: 'text', value: 'URL', summary: 'where the tree is served (default: --from when it is an URL, else consumers.base_url)' },
    from: { kind: 'text', value: 'URL|DIR', summary: 'where to read the manifest (default: the public folder of this builder)' },
    to: { kind: 'text', value: 'DIR', summary: 'the folder to write to (default: only show)' },
    only: { kind: 'list', value: 'KIND', summary: 'kinds that must be there, and no others: apt, rpm, python, container' },
    ...keyOptions,
    ...serverOptions,
  },
  run: async (app, input, ctx) => {
    const files = await makeOverrides(app, input, ctx);
    if (input.to !== undefined) await writeAll(files, resolve(input.to));
    return { release: input.release, mode: input.mode ?? 'strict', to: input.to ?? null, files };
  },
  render: ({ to, files }) => files.map(({ path, text }) => (to === null ? `# ${path}\n${text}` : join(to, path))).join('\n'),
});

interface Input extends KeyInput, ServerInput {
  readonly release: string;
  readonly mode: OverrideMode | undefined;
  readonly baseUrl: string | undefined;
  readonly from: string | undefined;
  readonly only: readonly string[] | undefined;
}

async function makeOverrides(app: App, input: Input, ctx: Context): Promise<OverrideFile[]> {
  const { overrideFiles } = await import('../overrides/overrides.ts');
  const { kindFinder } = await import('../release/kind-of-path.ts');
  const { requireKinds } = await import('../release/stage.ts');
  const baseUrl = await baseUrlOf(app, input);
  const { manifest, signedBy, key } = await readManifest(app, input, ctx);
  if (input.only !== undefined) requireKinds(manifest, input.only);
  const kindOf = kindFinder(manifest);
  const wanted = (path: string): boolean => input.only === undefined || input.only.includes(kindOf(path) ?? '');
  return overrideFiles({
    release: manifest.release,
    mode: input.mode ?? 'strict',
    baseUrl,
    fingerprints: signedBy,
    publicKey: key.toString(),
    publications: manifest.publications.filter(({ prefix }) => wanted(`${prefix}/`)),
    paths: manifest.files.map(({ path }) => path).filter(wanted),
  });
}

async function baseUrlOf(app: App, { baseUrl, from }: Input): Promise<string> {
  const url = baseUrl ?? (from?.includes('://') === true ? from : (await app.config()).consumers.baseUrl);
  if (url !== undefined && /^https?:\/\/[^/]/.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '');
  throw new ArtifactsError('E_USAGE', url === undefined ? 'Where the release is served was not said' : `"${url}" is no http or https URL`, {
    hint: 'Give --base-url, or consumers.base_url in vars/.',
  });
}

interface SignedManifest extends Pick<FoundManifest, 'manifest'> {
  readonly signedBy: readonly string[];
  readonly key: Buffer;
}

/** Of one's own tree one's own key is believed, as it is nowhere else. */
async function readManifest(app: App, input: Input, ctx: Context): Promise<SignedManifest> {
  const { requireManifest } = await import('../release/availability.ts');
  const { MANIFEST_KEY } = await import('../release/manifest.ts');
  const given = await pinnedKeys(app, input);
  const own = input.from === undefined && given.fingerprints.length === 0;
  const pinned = own ? { ...given, fingerprints: (await app.signer()).fingerprints } : given;
  await using source = await openSource(app, input.from ?? app.publicRoot, input);
  const { manifest, signedBy, files } = await requireManifest(source, input.release, pinned, ctx);
  return { manifest, signedBy, key: files.get(MANIFEST_KEY) ?? Buffer.alloc(0) };
}

async function writeAll(files: readonly OverrideFile[], folder: string): Promise<void> {
  const durable = await import('../util/durable.ts');
  const { safeJoin } = await import('../util/safe-path.ts');
  const { dirname } = await import('node:path');
  for (const { path, text } of files) {
    const file = safeJoin(folder, path);
    durable.makeFolder(dirname(file));
    durable.writeFileDurably(file, text);
  }
}
