// Makes the rpm repository demo/rpms of demo/specs: packages by rpmbuild, metadata by createrepo_c, signed. The same specs give
// the same packages and the same signature, so that whoever builds the demo freezes the same thing.
import { spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Command -> Debian package. */
export const RPM_TOOLS = { rpmbuild: 'rpm', createrepo_c: 'createrepo-c' };

/** When everything in it was made. */
const MADE = new Date('2026-01-01T00:00:00Z');
const SECONDS = String(MADE.getTime() / 1000);
/** No secret: everybody has the key that this makes, whose public half is demo/rpms.asc. It stands for the key of an upstream. */
const SEED = createHash('sha256').update('the upstream of the demo').digest();

/** Returns whether it is new. Throws when a tool fails. */
export async function makeDemoRpms(root) {
  const goal = join(root, 'demo', 'rpms');
  const specs = join(root, 'demo', 'specs');
  if (isNewer(join(goal, 'repodata', 'repomd.xml.asc'), specs)) return false;
  const folder = mkdtempSync(join(tmpdir(), 'artifacts-demo-'));
  try {
    const repository = join(folder, 'RPMS', 'noarch');
    for (const spec of readdirSync(specs)) buildPackages(folder, join(specs, spec));
    for (const name of readdirSync(repository)) utimesSync(join(repository, name), MADE, MADE);
    run(folder, 'createrepo_c', ['--quiet', '--no-database', '--revision', SECONDS, '--set-timestamp-to-revision', repository]);
    await sign(repository);
    replace(goal, repository);
    return true;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function isNewer(file, folder) {
  if (!existsSync(file)) return false;
  return readdirSync(folder).every((name) => statSync(join(folder, name)).mtimeMs <= statSync(file).mtimeMs);
}

function buildPackages(folder, spec) {
  const defines = [`_topdir ${folder}`, '_buildhost demo', 'use_source_date_epoch_as_buildtime 1', 'clamp_mtime_to_source_date_epoch 1', 'debug_package %{nil}'];
  run(folder, 'rpmbuild', ['-bb', '--quiet', '--nodeps', ...defines.flatMap((define) => ['--define', define]), spec]);
}

/** The user's settings have no part in it. */
function run(folder, command, args) {
  const env = { ...process.env, HOME: folder, LC_ALL: 'C', SOURCE_DATE_EPOCH: SECONDS };
  const { status, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${command}: ${error.message}`);
  if (status !== 0) throw new Error(`${command}: ${stderr.trim().split('\n').at(-1)}`);
}

async function sign(repository) {
  const openpgp = await import('openpgp');
  const config = { nonDeterministicSignaturesViaNotation: false, v6Keys: false };
  const bare = await openpgp.readPrivateKey({ binaryKey: secretKeyPacket() });
  const key = await openpgp.reformatKey({ privateKey: bare, userIDs: { name: 'Upstream of the demo' }, date: MADE, format: 'object', config });
  const message = await openpgp.createMessage({ binary: readFileSync(join(repository, 'repodata', 'repomd.xml')) });
  const signature = await openpgp.sign({ message, signingKeys: key.privateKey, detached: true, date: MADE, config });
  writeFileSync(join(repository, 'repodata', 'repomd.xml.asc'), signature);
}

/** RFC 9580, 5.5.3: an Ed25519 key of version 4, not encrypted. */
function secretKeyPacket() {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), SEED]);
  const publicPart = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'der', type: 'spki' }).subarray(-32);
  const made = Buffer.alloc(4);
  made.writeUInt32BE(Number(SECONDS));
  const curve = Buffer.from('092b06010401da470f01', 'hex');
  const secret = wholeNumber(SEED);
  const sum = Buffer.alloc(2);
  sum.writeUInt16BE(secret.reduce((total, byte) => (total + byte) & 0xffff, 0));
  const body = Buffer.concat([Buffer.from([4]), made, Buffer.from([22]), curve, wholeNumber(Buffer.concat([Buffer.from([0x40]), publicPart])), Buffer.from([0]), secret, sum]);
  return Buffer.concat([Buffer.from([0xc5, body.length]), body]);
}

/** RFC 9580, 3.2: the number of bits, then the number. */
function wholeNumber(bytes) {
  const significant = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  const bits = Buffer.alloc(2);
  bits.writeUInt16BE(significant.length * 8 - (Math.clz32(significant[0]) - 24));
  return Buffer.concat([bits, significant]);
}

/** The folder of temporary files may lie on another file system. */
function replace(goal, made) {
  const fresh = `${goal}.new`;
  rmSync(fresh, { recursive: true, force: true });
  cpSync(made, fresh, { recursive: true });
  rmSync(goal, { recursive: true, force: true });
  renameSync(fresh, goal);
}
