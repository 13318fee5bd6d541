/** What the domain does with a repository format, whichever it is: called for each with packages and upstreams of that format. */
import test from 'ava';
import type { RepoFormat } from '../../src/formats/format.ts';
import { formats } from '../../src/formats/index.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { PACKAGES, type FormatCase, type PackageName } from './format-case.ts';
import { testMirrors } from './format-mirrors.ts';
import { testPublications } from './format-publications.ts';
import { testRepos } from './format-repos.ts';
import type { FormatRig, RigFile, RigPackage } from './format-rig.ts';
import { testSnapshots } from './format-snapshots.ts';
import { watchFormat } from './watch-format.ts';
import { openWorld } from './format-world.ts';

export function testFormatDomain<File extends RigFile>(given: FormatRig<File>): void {
  const { format, unused } = watchFormat(given.format);
  const rig = { ...given, format };
  // The catalog names formats, and the domain looks them up.
  (formats as Record<string, RepoFormat>)[format.id] = format;
  const register = testWith(rig.possible, rig.needs);
  let left = 0;
  let built: Promise<ReadonlyMap<PackageName, File>> | undefined;
  const one: FormatCase<File> = {
    rig,
    test: (title, work) => {
      left += 1;
      register(`${format.id}: ${title}`, async (t) => {
        await using world = await openWorld(rig);
        await work(t, world);
        t.deepEqual(world.catalog.sweep.problems(), []);
        left -= 1;
      });
    },
    files: async (...names) => {
      const all = await (built ??= buildAll(rig));
      return names.flatMap((name) => all.get(name) ?? []);
    },
    named: (...names) => names.map((name) => keyOf(PACKAGES[name], rig)).sort(),
  };
  testMirrors(one);
  testSnapshots(one);
  testPublications(one);
  testRepos(one);
  // Unless only some of the tests were asked for.
  if (rig.possible) test.after(`${format.id}: the rules use all that the format can do`, (t) => void (left === 0 && t.deepEqual(unused(), [])));
}

function keyOf({ name, version = 1, forAll }: RigPackage, { version: write, architectures }: FormatRig): string {
  return `${name} ${write(version)} ${forAll === true ? architectures.all : architectures.own}`;
}

async function buildAll<File extends RigFile>(rig: FormatRig<File>): Promise<ReadonlyMap<PackageName, File>> {
  await using dir = await tempDir();
  const names = Object.keys(PACKAGES) as PackageName[];
  const files = await rig.build(dir, names.map((name) => PACKAGES[name]));
  return new Map(names.flatMap((name, at) => (files[at] === undefined ? [] : [[name, files[at]] as const])));
}
