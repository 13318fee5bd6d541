/** The artifact `wheels <distro>`: the wheels of a release for one distribution and the lists that come with them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { sha256 } from '../../core/digest.ts';
import { counted } from '../../util/counted.ts';
import type { MadeArtifact, MadeFile, MakeRequest } from '../kind.ts';
import type { WheelsFacts } from './facts.ts';
import { absoluteConstraints, absoluteRequirements, lockFile } from './lists.ts';
import { lines } from './resolve.ts';
import { releasePlace, type PythonSpec } from './spec.ts';
import { makeWheels, type ReleasedWheel, type Wheels } from './wheels.ts';
import type { Workbench } from './workbench.ts';

export async function makeWheelsArtifact(spec: PythonSpec, bench: Workbench, request: MakeRequest, ctx: Context): Promise<MadeArtifact> {
  const made = await makeWheels(spec, bench, request, ctx);
  const place = releasePlace(spec);
  const text = (name: string, content: string): MadeFile => {
    const from = join(request.folder, name);
    writeFileSync(from, content);
    return { path: `${place}/${name}`, from };
  };
  const getPip = spec.getPip === undefined ? [] : [{ path: `${place}/get-pip.py`, from: spec.getPip }];
  return {
    files: [
      ...made.wheels.flatMap(({ facts, path }): readonly MadeFile[] => [
        { path: `pools/${spec.distro}/${facts.name}/${facts.file}`, from: path },
        { path: `links/${facts.file}`, from: path },
        { path: `${place}/${facts.file}`, from: path },
        text(`${facts.file}.metadata`, facts.metadata),
      ]),
      text('requirements.txt', lines(made.requirements)),
      text('requirements_constraints.txt', lines(made.constraints)),
      text('requirements_absolute_requirements.txt', lines(absoluteRequirements(made.wheels))),
      text('requirements_absolute_constraints.txt', lines(absoluteConstraints(made.wheels))),
      text('lock.json', lockFile(spec, made, bench.root)),
      ...getPip,
    ],
    facts: wheelsFacts(spec, made.wheels),
    detail: detailOf(made),
  };
}

function wheelsFacts(spec: PythonSpec, wheels: readonly ReleasedWheel[]): WheelsFacts & Record<string, unknown> {
  return {
    distro: spec.distro,
    git: spec.git.map(({ name }) => name),
    wheels: wheels.map(({ facts }) => {
      const { file, name, version, size, sha256: digest, requiresPython, metadata } = facts;
      return { file, name, version, size, sha256: digest, requiresPython, metadata: sha256(metadata) };
    }),
  };
}

function detailOf({ wheels, built }: Wheels): string {
  const taken = wheels.filter(({ origin }) => origin.kind === 'index').length;
  return `${counted(wheels.length, 'wheel')}: ${built} built, ${wheels.length - taken - built} reused, ${taken} taken from an index`;
}
