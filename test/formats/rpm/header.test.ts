/** Broken rpm files (R09, R10): refused wherever rpm itself refuses them. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import test from 'ava';
import { sha256 } from '../../../src/core/digest.ts';
import { isArtifactsError } from '../../../src/core/errors.ts';
import { readFacts } from '../../../src/formats/rpm/facts.ts';
import { rpm } from '../../../src/formats/rpm/index.ts';
import { readHead, scanRpm } from '../../../src/formats/rpm/package-file.ts';
import { packageSigning } from '../../../src/formats/rpm/sign-header.ts';
import { exactText, repairedText } from '../../../src/formats/rpm/text.ts';
import { buildRpms, hasRpmBuild, NO_RPMBUILD } from '../../rig/rpm.ts';
import { asFormat3, asFormat6, binary, headerOf, int32, openRpm, text, texts, withHeader, withSignatureHeader } from '../../rig/rpm-formats.ts';
import { runCommand } from '../../rig/run.ts';
import { hasCommand, testWith } from '../../rig/skip.ts';
import { tempDir } from '../../rig/temp.ts';

const witnessed = testWith(hasRpmBuild && hasCommand('rpmkeys'), NO_RPMBUILD);

const LEAD = 96;

interface Case {
  readonly id: string;
  /** Changes a copy of a good package; `main` is where its header begins. */
  readonly change: (bytes: Buffer, main: number) => Buffer | void;
}

const CASES: readonly Case[] = [
  { id: 'no lead', change: (bytes) => void bytes.writeUInt32BE(0, 0) },
  { id: 'a header with 2^31 entries', change: (bytes, main) => void bytes.writeUInt32BE(0x80000000, main + 8) },
  { id: 'data longer than the file', change: (bytes, main) => void bytes.writeUInt32BE(0x0fffffff, main + 12) },
  { id: 'a signature header of 33 entries', change: (bytes) => void bytes.writeUInt32BE(33, LEAD + 8) },
  { id: 'no entries', change: (bytes, main) => void bytes.writeUInt32BE(0, main + 8) },
  { id: 'a wrong magic', change: (bytes, main) => void bytes.writeUInt8(0, main) },
  { id: 'an offset past the end', change: (bytes, main) => void bytes.writeInt32BE(0x00ffffff, main + 16 + 16 * 3 + 8) },
  { id: 'a negative offset', change: (bytes, main) => void bytes.writeInt32BE(-8, main + 16 + 16 * 3 + 8) },
  { id: 'tags that overlap', change: (bytes, main) => void bytes.writeInt32BE(0, main + 16 + 16 * 5 + 8) },
  { id: 'an unknown type', change: (bytes, main) => void bytes.writeUInt32BE(17, main + 16 + 16 * 3 + 4) },
  { id: 'a broken region', change: (bytes, main) => void bytes.writeUInt32BE(6, main + 16 + 4) },
  { id: 'a region that points nowhere', change: (bytes, main) => void bytes.writeInt32BE(0x7fffff00, main + 16 + 8) },
  { id: 'a changed byte in the header', change: (bytes, main) => void bytes.writeUInt8((bytes[main + 700] ?? 0) ^ 1, main + 700) },
  { id: 'a changed byte in the payload', change: (bytes) => void bytes.writeUInt8((bytes.at(-12) ?? 0) ^ 1, bytes.length - 12) },
  { id: 'cut within the header', change: (bytes, main) => bytes.subarray(0, main + 100) },
  { id: 'cut within the payload', change: (bytes) => bytes.subarray(0, -20) },
  { id: 'empty', change: () => Buffer.alloc(0) },
];

function verdict(bytes: Buffer): 'good' | 'bad' {
  try {
    const scan = scanRpm('x.rpm');
    scan.push(bytes);
    readFacts(readHead(scan.end().bytes, 'x.rpm'), 'x.rpm');
    return 'good';
  } catch (error) {
    if (isArtifactsError(error, 'E_FORMAT')) return 'bad';
    throw error;
  }
}

witnessed('R09 R10 what rpm refuses is refused', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [{ name: 'good', files: { '/usr/share/good/long': 'x'.repeat(3000) } }]);
  const good = rpm?.bytes ?? Buffer.alloc(0);
  t.is(verdict(good), 'good');
  const signature = 16 + 16 * good.readUInt32BE(LEAD + 8) + good.readUInt32BE(LEAD + 12);
  const main = Math.ceil((LEAD + signature) / 8) * 8;

  const files = await Promise.all(
    CASES.map(async ({ change }, at) => {
      const copy = Buffer.from(good);
      const bytes = change(copy, main) ?? copy;
      await writeFile(dir.join(`${at}.rpm`), bytes);
      return bytes;
    }),
  );
  for (const [at, { id }] of CASES.entries()) {
    const { status } = await runCommand('rpmkeys', ['--dbpath', dir.join('db'), '-K', dir.join(`${at}.rpm`)]);
    t.not(status, 0, `rpm accepts ${id}: the case is none`);
    t.is(verdict(files[at] ?? good), 'bad', id);
  }
});

for (const [format, layOut] of [[3, asFormat3], [6, asFormat6]] as const) {
  witnessed(`R09 R10 packages of format ${format}: good ones are read, damaged ones are refused as rpm refuses them`, async (t) => {
    await using dir = await tempDir();
    const [rpm] = await buildRpms(dir, [{ name: 'good', files: { '/usr/share/good/long': 'x'.repeat(3000) } }]);
    const good = layOut(rpm?.bytes ?? Buffer.alloc(0));
    const main = good.length - openRpm(good).payload.length - headerOf(good).length;
    const damages: Readonly<Record<string, (bytes: Buffer) => Buffer | void>> = {
      nothing: () => {},
      'a byte of the header': (bytes) => void bytes.writeUInt8((bytes[main + 700] ?? 0) ^ 1, main + 700),
      'a byte of the payload': (bytes) => void bytes.writeUInt8((bytes.at(-12) ?? 0) ^ 1, bytes.length - 12),
      'a cut payload': (bytes) => bytes.subarray(0, -20),
      'a cut header': (bytes) => bytes.subarray(0, main + 100),
      'an offset past the end': (bytes) => void bytes.writeInt32BE(0x00ffffff, main + 16 + 16 * 3 + 8),
      'a negative offset': (bytes) => void bytes.writeInt32BE(-8, main + 16 + 16 * 3 + 8),
      '2^31 entries': (bytes) => void bytes.writeUInt32BE(0x80000000, main + 8),
    };
    for (const [what, damage] of Object.entries(damages)) {
      const copy = Buffer.from(good);
      const bytes = damage(copy) ?? copy;
      await writeFile(dir.join('x.rpm'), bytes);
      const { status, stdout } = await runCommand('rpmkeys', ['--dbpath', dir.join('db'), '-Kv', dir.join('x.rpm')]);
      t.is(verdict(bytes), status === 0 ? 'good' : 'bad', `${what}: ${stdout}`);
      t.is(status === 0, what === 'nothing', stdout);
    }
    const head = headOf(good);
    const packets = [Buffer.alloc(10, 1), Buffer.alloc(200, 2)] as const;
    const signTwice = (): Buffer => packets.reduce((signed, packet) => packageSigning.withSignature(signed, { algorithm: 1, packet }), head);
    if (format === 3) t.throws(signTwice, { message: /packages of format 3 cannot be signed/ });
    else t.deepEqual(packageSigning.signatures(signTwice()), packets);
  });
}

// format_v6. The installed rpm may be older and lenient: these are checked against the words of the format.
witnessed('R09 what format 6 forbids is refused: tags out of order or twice, old signature tags, no digest, later formats', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [{ name: 'good' }]);
  const bytes = rpm?.bytes ?? Buffer.alloc(0);
  const good = asFormat6(bytes);
  const { signature } = openRpm(good);
  const refusal = (changed: Buffer): string => t.throws(() => headOf(changed))?.message ?? '';

  t.is(verdict(good), 'good');
  t.regex(refusal(withSignatureHeader(good, [...signature, binary(1008, Buffer.alloc(8))])), /the tag 1008/);
  t.regex(refusal(withSignatureHeader(good, signature.filter(({ tag }) => tag !== 273))), /no digest/);
  t.regex(refusal(withSignatureHeader(good, [...signature, binary(999, Buffer.alloc(8))])), /out of their order/);
  t.regex(refusal(withSignatureHeader(good, signature.map((entry) => (entry.tag === 279 ? text(279, '0'.repeat(64)) : entry)))), /another SHA3-256/);
  t.regex(refusal(asFormat6(bytes, (head) => ({ ...head, header: [...head.header, text(1000, 'again')] }))), /out of their order/);
  t.regex(refusal(asFormat6(bytes, (head) => ({ ...head, header: head.header.map((entry) => (entry.tag === 5114 ? int32(5114, 7) : entry)) }))), /later formats than 6/);
});

function headOf(bytes: Buffer): Buffer {
  const scan = scanRpm('x.rpm');
  scan.push(bytes);
  return scan.end().bytes;
}

witnessed('R09 names, architectures and versions that could lead elsewhere are refused', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [{ name: 'good' }]);
  const bytes = rpm?.bytes ?? Buffer.alloc(0);
  for (const [tag, value] of [[1000, '../name'], [1000, '-o'], [1001, '1/../..'], [1001, '1-2'], [1002, 'a b'], [1022, '../../etc'], [1022, 'x86_64/..']] as const) {
    const changed = withHeader(bytes, (entries) => entries.map((entry) => (entry.tag === tag ? text(tag, value) : entry)));
    t.is(verdict(changed), 'bad', value);
  }
  t.is(verdict(withHeader(bytes, (entries) => entries)), 'good');
});

witnessed('a small header cannot name paths without end', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [{ name: 'good' }]);
  const files = 2000;
  const indexes = { tag: 1116, type: 4, count: files, data: Buffer.alloc(4 * files) };
  const paths = [texts(1118, [`/${'x'.repeat(100_000)}/`]), texts(1117, Array.from({ length: files }, (_, at) => `${at}`)), indexes];
  const bytes = withHeader(rpm?.bytes ?? Buffer.alloc(0), (entries) => [...entries.filter(({ tag }) => tag < 1116 || tag > 1118), ...paths].sort((a, b) => a.tag - b.tag));

  t.throws(() => readFacts(readHead(headOf(bytes), 'x.rpm'), 'x.rpm'), { message: /^x\.rpm: its files have paths of more than \d+ characters together$/ });
});

witnessed('a package is called as it was before it was published here, and refused where that is too long', async (t) => {
  await using dir = await tempDir();
  const [one] = await buildRpms(dir, [{ name: 'good' }]);
  const bytes = one?.bytes ?? Buffer.alloc(0);
  const digest = sha256(bytes);
  const named = (fileName: string): string | undefined => rpm.local.readPackage({ fileName, size: bytes.length, sha256: digest }, headOf(bytes)).files[0]?.name;

  t.is(named('good.rpm'), 'good.rpm');
  t.is(named(`${digest}_good.rpm`), 'good.rpm');
  t.throws(() => named(`${'x'.repeat(200)}.rpm`), { code: 'E_PATH', message: /^x{200}\.rpm: its path ends in a name longer than 190 bytes$/ });
});

witnessed('any byte changed at random gives a verdict and nothing worse', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [{ name: 'good' }]);
  const good = rpm?.bytes ?? Buffer.alloc(0);
  let bad = 0;
  for (let round = 0; round < 3000; round += 1) {
    const hash = createHash('sha256').update(`round ${round}`).digest();
    const copy = Buffer.from(good);
    for (let n = 0; n < 1 + (hash[0] ?? 0) % 3; n += 1) copy[hash.readUInt32BE(4 + 4 * n) % Math.min(copy.length, 6000)] = hash[20 + n] ?? 0;
    if (verdict(copy) === 'bad') bad += 1;
  }
  t.true(bad > 1000, `${bad} of 3000`);
});

test('text that XML cannot hold is repaired where people read it, and refused where it means something', (t) => {
  t.is(repairedText(Buffer.from('a\u0001b\tc')), 'ab\tc');
  t.is(repairedText(Buffer.from('caf\u00e9', 'latin1')), 'café');
  t.is(exactText(Buffer.from('näme'), 'name', 'x'), 'näme');
  t.throws(() => exactText(Buffer.from('a\u0001b'), 'provides', 'x.rpm'), { message: 'x.rpm: the provides "a\\u0001b" holds the control character 0x01 at 1' });
});
