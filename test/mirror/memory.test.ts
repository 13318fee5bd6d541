import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { RunResult } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { openSite, type Site } from './site.ts';
import { HELLO, signText, stanzaOf } from './support.ts';

const INDEX = 'main/binary-amd64/Packages';
const COUNT = 20_000;
const MIB = 1024 * 1024;

/** Runs an update and measures its highest resident memory, in MiB. */
async function measured(site: Site): Promise<RunResult & { readonly peak: number }> {
  const atExit = 'process.on("exit",()=>process.stderr.write("\\npeak="+process.resourceUsage().maxRSS+"\\n"))';
  const run = await site.update(['--quiet'], { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(atExit)}` } });
  const [, peak] = /^peak=(\d+)$/m.exec(run.stderr) ?? [];
  return { ...run, peak: Number(peak) / 1024 };
}

/** As many stanzas as a large component has, of its usual size; all of them stand for one small file. */
function manyStanzas(): string {
  return Array.from({ length: COUNT }, (_, index) =>
    stanzaOf(HELLO, {
      Package: `pkg${index}`,
      Maintainer: `Maintainer ${index} <m${index}@example.org>`,
      Depends: Array.from({ length: 8 }, (_all, other) => `pkg${(index * 7 + other * 13) % COUNT} (>= 0.${other})`).join(', '),
      Description: `package ${index}\n ${'Words that describe what it is good for. '.repeat(10)}`,
      Tag: `a::${index}, b::${index % 10}, c::${'x'.repeat(100)}`,
    }),
  ).join('\n');
}

for (const [title, filter, packages] of [
  ['all of them', undefined, COUNT],
  ['three of them', 'Name (= pkg1) | Name (= pkg2) | Name (= pkg3)', 3],
] as const) {
  test.serial(`an index of ${COUNT} stanzas is mirrored in bounded memory: ${title}`, async (t) => {
    await using site = await openSite({ components: { main: [HELLO] }, compress: ['plain', 'gz'] });
    await site.upstream.republish({ indices: { [INDEX]: manyStanzas() } });
    await site.configure(filter === undefined ? {} : { filter });

    const { status, stdout, stderr, peak } = await measured(site);

    t.is(status, 0, stderr);
    t.regex(stdout, new RegExp(`^m: ${packages} packages`));
    t.log(`${Math.round(peak)} MiB`);
    t.true(peak < 220, `${peak} MiB`);
  });
}

const gzipBomb = (): Buffer => repeat(gzipSync(Buffer.alloc(64 * MIB, 'x'), { level: 1 }), 32);
const xzBomb = (): Buffer => repeat(spawnSync('xz', ['-0', '-c'], { input: Buffer.alloc(64 * MIB, 'x'), maxBuffer: 64 * MIB }).stdout, 32);

for (const [form, bomb] of [['gz', gzipBomb], ['xz', xzBomb]] as const) {
  for (const [size, code, status] of [
    [1000, 'E_SIZE', 12],
    [2048 * MIB, 'E_FORMAT', 1],
  ] as const) {
    testWith(hasCommand('xz'), 'needs xz')(`A20 a ${form} of 2 GiB of nothing, listed as ${size} bytes, is left early`, async (t) => {
      await using site = await openSite({ components: { main: [HELLO] }, byHash: false });
      const bytes = bomb();
      site.upstream.files.set(`dists/rig/${INDEX}.${form}`, bytes);
      const listed = ` ${'0'.repeat(64)} ${size} ${INDEX}\n ${digestOf(bytes)} ${bytes.length} ${INDEX}.${form}\n`;
      await signText(site, (text) => `${text.slice(0, text.indexOf('MD5Sum:'))}SHA256:\n${listed}`);

      const run = await measured(site);

      t.is(run.status, status, run.stderr);
      t.regex(run.stderr, new RegExp(`^artifacts: ${code}: .*${INDEX}`));
      t.log(`${Math.round(run.peak)} MiB`);
      t.true(run.peak < 220, `${run.peak} MiB`);
      t.is((await site.run(['db', 'check'])).status, 0);
    });
  }
}

function repeat(bytes: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
