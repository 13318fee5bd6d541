import type { Key, SignaturePacket } from 'openpgp';
import { isArtifactsError } from '../core/errors.ts';
import { exitStatusOf, runCommand } from '../util/run-command.ts';
import { fingerprintOf, isKeyProblem, parseFingerprint, signingPart } from './key-check.ts';
import { noKey, type SigningKey, type SignWork } from './signing-key.ts';

interface AgentSource {
  readonly fingerprint: string;
  readonly home?: string;
  readonly patience?: number;
}

/** An agent that waits for somebody to type a passphrase is not waited for longer than that, in milliseconds. */
const PATIENCE = 30_000;

/**
 * A key that gpg holds. It signs once, nothing of importance, to prove that it can: only that shows whether the agent is
 * alive and the key unlocked. Throws E_NO_KEY.
 */
export async function openAgentKey(source: AgentSource, date: Date): Promise<SigningKey> {
  const fingerprint = parseFingerprint(source.fingerprint);
  // GnuPG knows no keys of version 6.
  if (fingerprint?.length !== 40) {
    const hint = 'Give the 40 hex digits that `gpg --list-secret-keys` prints.';
    throw noKey(`"${source.fingerprint}" is no full fingerprint`, hint);
  }
  const publicKey = await readPublic(source, fingerprint);
  const part = await signingPart(publicKey, date);
  if (isKeyProblem(part)) {
    throw noKey(`The ${part.reason}, at ${date.toISOString()}`, 'Sign with a key that is valid now, or correct the clock.');
  }
  const exact = { ...source, fingerprint };
  const sign: SigningKey['sign'] = (work) => signWith(exact, work);
  await sign({ text: '', kind: 'binary', date });
  return { publicKey, sign, warnings: [] };
}

async function readPublic(source: AgentSource, fingerprint: string): Promise<Key> {
  const { readKeys } = await import('openpgp');
  const exported = await gpg(source, ['--export', fingerprint]);
  const keys = exported.length === 0 ? [] : await readKeys({ binaryKeys: exported });
  const key = keys.find((candidate) => candidate.getKeys().some((part) => fingerprintOf(part) === fingerprint));
  if (key) return key;
  throw noKey(`gpg does not know the key ${fingerprint}`, `Import it, or check the gpg home${inHome(source)}.`);
}

async function signWith(source: AgentSource, { text, kind, date }: SignWork): Promise<readonly SignaturePacket[]> {
  const { readSignature } = await import('openpgp');
  const time = date.toISOString().replace(/[-:]|\.\d+Z/g, '');
  const mode = kind === 'text' ? ['--textmode'] : ['--no-textmode'];
  const how = ['--digest-algo', 'SHA512', '--faked-system-time', `${time}!`, ...mode];
  const args = [...how, '--local-user', source.fingerprint, '--detach-sign'];
  const signature = await gpg(source, args, typeof text === 'string' ? Buffer.from(text) : text);
  try {
    return (await readSignature({ binarySignature: signature })).packets;
  } catch (error) {
    throw noKey(`gpg gave no signature for the key ${source.fingerprint}`, AGENT_HINT, error);
  }
}

async function gpg(source: AgentSource, args: readonly string[], input?: Uint8Array): Promise<Buffer> {
  const { patience = PATIENCE } = source;
  const home = source.home === undefined ? [] : ['--homedir', source.home];
  const all = ['--batch', '--no-tty', '--quiet', '--no-options', '--no-auto-key-retrieve', ...home, ...args];
  try {
    const options = { signal: AbortSignal.timeout(patience), environment: { LC_ALL: 'C.UTF-8' } };
    const { stdout } = await runCommand('gpg', all, { ...options, ...(input && { input }) });
    return stdout;
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') {
      throw noKey(`gpg did not answer within ${patience / 1000} s for the key ${source.fingerprint}`, AGENT_HINT, error);
    }
    if (!isArtifactsError(error, 'E_TOOL') || exitStatusOf(error) === undefined) throw error;
    throw noKey(`gpg cannot sign with the key ${source.fingerprint}: ${error.message}`, AGENT_HINT, error);
  }
}

function inHome({ home }: AgentSource): string {
  return home === undefined ? '' : ` ${home}`;
}

const AGENT_HINT = 'Check that gpg-agent runs and has the key unlocked: gpg --local-user FINGERPRINT --detach-sign FILE';
