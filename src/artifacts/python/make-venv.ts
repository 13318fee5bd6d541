/** The artifact `venv <service> <distro>`: a virtualenv of the release's own wheels, packed for the place it was made at. */
import { copyFileSync, createReadStream, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Artifact } from '../../core/artifact.ts';
import type { Context } from '../../core/context.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { counted } from '../../util/counted.ts';
import { hashFile } from '../../util/hash-file.ts';
import type { MadeArtifact, MakeRequest } from '../kind.ts';
import { parseRequirements, requirementLines } from './requirements.ts';
import { lines } from './resolve.ts';
import { releasePlace, venvPlace, venvStem, wheelsId, type PythonSpec, type ServiceSpec } from './spec.ts';
import type { Workbench } from './workbench.ts';

const MAKE = `
exec python3 -I /tools/venv.py "$1" /out/requirements.txt /out/constraints.txt /out/absolute.txt /out/venv.tgz
`;

export interface VenvOptions {
  readonly spec: PythonSpec;
  readonly service: ServiceSpec;
  readonly bench: Workbench;
}

/** E_TOOL when `pip check` finds a conflict, or what the service requires is not among the wheels. */
export async function makeVenvArtifact(options: VenvOptions, request: MakeRequest, ctx: Context): Promise<MadeArtifact> {
  const { spec, service } = options;
  const wheels = request.needed.get(wheelsId(spec.distro));
  if (wheels === undefined) throw new ArtifactsError('E_NOT_FOUND', `The release has no wheels for ${spec.distro}`);
  const temporary = mkdtempSync(join(request.workshop.temporary, 'venv-'));
  try {
    await makeInside({ ...options, wheels, temporary }, request, ctx);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  const stem = venvStem(spec, service.name);
  const tarball = join(request.folder, 'venv.tgz');
  const wanted = requirementLines(parseRequirements(service.requirements.join('\n'), service.name));
  const digests = { sha1: await sha1Of(tarball), sha256: await hashFile(tarball) };
  const text = (name: string, content: string): string => {
    writeFileSync(join(request.folder, name), content);
    return join(request.folder, name);
  };
  const place = `${venvPlace(spec)}/${stem}`;
  const installed = JSON.parse(readFileSync(join(request.folder, 'installed.json'), 'utf8')) as readonly { name: string; version: string }[];
  return {
    files: [
      { path: `${place}.tgz`, from: tarball },
      { path: `${place}.checksum`, from: text('venv.checksum', `${digests.sha1}\n`) },
      { path: `${place}.tgz.sha256`, from: text('venv.sha256', `${digests.sha256}  ${basename(place)}.tgz\n`) },
      {
        path: `${releasePlace(spec)}/venv-build-options-${service.name}.txt`,
        from: text('venv-build-options.txt', lines([`prefix ${service.prefix}`, ...wanted])),
      },
    ],
    facts: { distro: spec.distro, service: service.name, prefix: service.prefix, installed },
    detail: `${counted(installed.length, 'project')} in ${service.prefix}`,
  };
}

interface Inside extends VenvOptions {
  readonly wheels: Artifact;
  readonly temporary: string;
}

async function makeInside({ spec, service, bench, wheels, temporary }: Inside, request: MakeRequest, ctx: Context): Promise<void> {
  const [folder, out, prefix] = [join(temporary, 'wheels'), join(temporary, 'out'), join(temporary, 'prefix')];
  for (const path of [folder, out, prefix]) mkdirSync(path);
  const place = releasePlace(spec);
  for (const { path, sha256 } of wheels.files) {
    if (path.startsWith(`${place}/`) && path.endsWith('.whl')) linkOrCopy(request.pathOf(sha256), join(folder, basename(path)));
  }
  const read = (name: string): string => {
    const file = wheels.files.find(({ path }) => path === `${place}/${name}`);
    return file === undefined ? '' : readFileSync(request.pathOf(file.sha256), 'utf8');
  };
  writeFileSync(join(out, 'absolute.txt'), read('requirements_absolute_requirements.txt'));
  writeFileSync(join(out, 'constraints.txt'), read('requirements_absolute_constraints.txt'));
  writeFileSync(join(out, 'requirements.txt'), lines(service.requirements));
  const work = {
    what: `The virtualenv of ${service.name}`,
    script: MAKE,
    arguments: [service.prefix],
    binds: [
      { from: folder, to: '/wheels' },
      { from: out, to: '/out', writable: true },
      // Where it will be used: scripts name that path.
      { from: prefix, to: service.prefix, writable: true },
    ],
  };
  const { output } = await bench.run(work, ctx);
  const told = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as { installed: unknown };
  writeFileSync(join(request.folder, 'installed.json'), JSON.stringify(told.installed));
  copyFileSync(join(out, 'venv.tgz'), join(request.folder, 'venv.tgz'));
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** What RPC-O's readers compare with; the SHA-256 beside it is the one to trust. */
async function sha1Of(path: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
