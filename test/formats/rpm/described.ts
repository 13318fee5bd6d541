/** Our metadata of packages beside that of createrepo_c. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import type { Sha256 } from '../../../src/core/digest.ts';
import { readFacts } from '../../../src/formats/rpm/facts.ts';
import { packageTexts, type PackageTexts } from '../../../src/formats/rpm/package-text.ts';
import { readHead, scanRpm } from '../../../src/formats/rpm/package-file.ts';
import type { Builder, Rpm } from '../../rig/rpm.ts';
import { runCommand } from '../../rig/run.ts';
import type { TempDir } from '../../rig/temp.ts';

type Run = NonNullable<Builder['run']>;

const MTIME = 1_600_000_000;

/** Asserts that ours is what createrepo_c writes of the packages; `run` may be one of a newer createrepo_c. */
export async function describedAlike(t: ExecutionContext, dir: TempDir, rpms: readonly Rpm[], run: Run = runCommand): Promise<void> {
  const theirs = await createrepo(dir, rpms, run);
  for (const [kind, root] of [['primary', 'metadata'], ['filelists', 'filelists'], ['other', 'otherdata']] as const) {
    const ours = rpms.map((rpm) => textsOf(rpm)[kind]).join('');
    const document = `${/^[^]*?<(?:metadata|filelists|otherdata) [^>]*>\n/.exec(theirs[kind])?.[0]}${ours}</${root}>`;
    t.is(await canonical(document), await canonical(theirs[kind]), kind);
  }
}

/** What we write of it. */
export function textsOf({ fileName, bytes }: Rpm): PackageTexts {
  const scan = scanRpm(fileName);
  scan.push(bytes);
  const facts = readFacts(readHead(scan.end().bytes, fileName), fileName);
  const sha256 = createHash('sha256').update(bytes).digest('hex') as Sha256;
  return packageTexts(facts, { href: fileName, size: bytes.length, sha256, fileTime: MTIME });
}

async function createrepo(dir: TempDir, rpms: readonly Rpm[], run: Run): Promise<PackageTexts> {
  const repo = await mkdtemp(dir.join('described-'));
  for (const { fileName, bytes } of rpms) {
    await writeFile(`${repo}/${fileName}`, bytes);
    await utimes(`${repo}/${fileName}`, MTIME, MTIME);
  }
  await run('createrepo_c', ['--no-database', '--general-compress-type=gz', repo]);
  const texts: Record<string, string> = {};
  for (const name of await readdir(`${repo}/repodata`)) {
    const kind = /-(primary|filelists|other)\.xml\.gz$/.exec(name)?.[1];
    if (kind !== undefined) texts[kind] = gunzipSync(await readFile(`${repo}/repodata/${name}`)).toString();
  }
  return texts as unknown as PackageTexts;
}

/** Attributes sorted, references resolved, white space between elements gone. */
async function canonical(xml: string): Promise<string> {
  const { stdout, status, stderr } = await runCommand('xmllint', ['--noblanks', '--c14n', '-'], { input: xml });
  if (status !== 0) throw new Error(stderr);
  return stdout.replaceAll('><', '>\n<');
}
