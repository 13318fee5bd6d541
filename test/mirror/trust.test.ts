import test from 'ava';
import { generateKey, revokeKey } from 'openpgp';
import type { ErrorCode } from '../../src/core/errors.ts';
import { rigKey, type RigKey } from '../rig/key.ts';
import { releaseDate, signRelease, type UpstreamOptions } from '../rig/upstream.ts';
import { openBench, refused, signText, type Bench, type UpdateWish } from './support.ts';

const DAY = 86_400_000;
const daysAgo = (days: number): Date => new Date(Math.floor((Date.now() - days * DAY) / 1000) * 1000);

interface Case {
  readonly id: string;
  readonly code: ErrorCode;
  readonly message: RegExp;
  /** Published instead of the good state that was mirrored before. */
  readonly republish?: () => Partial<UpstreamOptions> | Promise<Partial<UpstreamOptions>>;
  readonly spoil?: (bench: Bench) => void | Promise<void>;
  readonly wish?: UpdateWish;
}

const inRelease = (bench: Bench, change: (text: string) => string): void => {
  const path = `${bench.upstream.folder}/InRelease`;
  bench.upstream.files.set(path, Buffer.from(change(bench.upstream.files.get(path)?.toString() ?? '')));
};

const CASES: readonly Case[] = [
  {
    id: 'A01 nothing is signed',
    republish: () => ({ signatures: 'none' }),
    code: 'E_UNSIGNED',
    message: /has no signature dists\/rig\/Release\.gpg/,
  },
  {
    id: 'A01 InRelease is plain text',
    spoil: ({ upstream }) => void upstream.files.set('dists/rig/InRelease', Buffer.from(upstream.release())),
    code: 'E_UNSIGNED',
    message: /InRelease is not signed/,
  },
  {
    id: 'A01 Release.gpg is empty',
    republish: () => ({ signatures: 'detached' }),
    spoil: ({ upstream }) => void upstream.files.set('dists/rig/Release.gpg', Buffer.alloc(0)),
    code: 'E_UNSIGNED',
    message: /is not signed/,
  },
  {
    id: 'A02 signed by a key nobody knows',
    republish: async () => ({ keys: [await rigKey('stranger')] }),
    code: 'E_SIGNATURE',
    message: /unknown key [0-9A-F]{40}/,
  },
  {
    id: 'A02 signed by a key of the keyring that is not pinned',
    wish: { definition: { fingerprints: ['0'.repeat(40)] } },
    republish: () => ({ date: daysAgo(1) }),
    code: 'E_SIGNATURE',
    message: /not one of the trusted keys/,
  },
  {
    id: 'A02 tampered after signing',
    spoil: (bench) => inRelease(bench, (text) => text.replace('Origin: Rig', 'Origin: Rog')),
    code: 'E_SIGNATURE',
    message: /signature by [0-9A-F]{40} is wrong/,
  },
  {
    id: 'A02 a tampered InRelease is final although Release and Release.gpg are good',
    spoil: (bench) => inRelease(bench, (text) => text.replace('Label: Rig', 'Label: Rog')),
    code: 'E_SIGNATURE',
    message: /InRelease has no good signature/,
  },
  {
    id: 'A04 text before the signed text',
    spoil: (bench) => inRelease(bench, (text) => `Origin: Evil\n\n${text}`),
    code: 'E_SIGNATURE',
    message: /text before/,
  },
  {
    id: 'A04 text after the signature',
    spoil: (bench) => inRelease(bench, (text) => `${text}\nOrigin: Evil\n`),
    code: 'E_SIGNATURE',
    message: /text after/,
  },
  {
    id: 'A04 two signed messages',
    spoil: (bench) => inRelease(bench, (text) => text + text),
    code: 'E_SIGNATURE',
    message: /text after/,
  },
  {
    id: 'A05 a header that changes what the text means',
    spoil: (bench) => inRelease(bench, (text) => text.replace(/^(-+BEGIN PGP SIGNED MESSAGE-+\n)/, '$1NotDashEscaped: You need GnuPG to verify this message\n')),
    code: 'E_SIGNATURE',
    message: /unknown header/,
  },
  {
    id: 'A05 a line that is not dash-escaped',
    spoil: (bench) => inRelease(bench, (text) => text.replace('\nOrigin:', '\n-Origin:')),
    code: 'E_SIGNATURE',
    message: /dash-escaped/,
  },
  {
    id: 'A10 only MD5 is listed',
    republish: () => ({ digests: ['MD5Sum'] }),
    code: 'E_WEAK_HASH',
    message: /no SHA256/,
  },
  {
    id: 'A10 only MD5 and SHA-1 are listed',
    republish: () => ({ digests: ['MD5Sum', 'SHA1'] }),
    code: 'E_WEAK_HASH',
    message: /no SHA256/,
  },
  { id: 'A14 no Date', republish: () => ({ fields: { Date: '' } }), code: 'E_FORMAT', message: /no Date/ },
  { id: 'A14 a Date that is none', republish: () => ({ fields: { Date: 'yesterday' } }), code: 'E_FORMAT', message: /no date in UTC/ },
  {
    id: 'A14 a Date in another zone',
    republish: () => ({ fields: { Date: releaseDate(daysAgo(0)).replace('UTC', '+0200') } }),
    code: 'E_FORMAT',
    message: /no date in UTC/,
  },
  {
    id: 'A14 a Date without a day of that name',
    republish: () => ({ fields: { Date: 'Sat, 31 Feb 2026 10:00:00 UTC' } }),
    code: 'E_FORMAT',
    message: /no date in UTC/,
  },
  {
    id: 'A14 a Date in 2099',
    republish: () => ({ fields: { Date: 'Thu, 01 Jan 2099 00:00:00 UTC' } }),
    code: 'E_STALE',
    message: /lies in the future/,
  },
  { id: 'A14 rolled back', republish: () => ({ date: daysAgo(30) }), code: 'E_ROLLBACK', message: /older than .* seen before/ },
  {
    id: 'A14 Valid-Until has passed',
    republish: () => ({ date: new Date(), validUntil: daysAgo(1) }),
    code: 'E_STALE',
    message: /was valid until/,
  },
  { id: 'A14 older than max_age', wish: { definition: { maxAge: DAY } }, code: 'E_STALE', message: /max_age/ },
  {
    id: 'A16 another suite altogether',
    republish: () => ({ suite: 'other', codename: 'other', distribution: 'rig' }),
    code: 'E_SUITE',
    message: /Asked for the distribution "rig" and was served "other"/,
  },
  ...(['Origin', 'Label', 'Suite'] as const).map(
    (field): Case => ({
      id: `A16 another ${field} than last time`,
      republish: () => ({ fields: { [field]: 'Changed' } }),
      code: 'E_SUITE',
      message: /changed its (origin|label|suite) from ".*" to "Changed"/,
    }),
  ),
  {
    id: 'A18 an InRelease of more than 10 MB',
    spoil: ({ upstream }) => void upstream.files.set('dists/rig/InRelease', Buffer.alloc(10_000_001, 'a')),
    code: 'E_TOO_LARGE',
    message: /limit of 10000000 bytes/,
  },
  {
    id: 'A18 an InRelease without end',
    spoil: ({ server }) => server.fault('InRelease', { kind: 'endless' }),
    code: 'E_TOO_LARGE',
    message: /limit of 10000000 bytes/,
  },
  {
    id: 'A18 a Release.gpg without end',
    republish: () => ({ signatures: 'detached' }),
    spoil: ({ server }) => server.fault('Release.gpg', { kind: 'endless' }),
    code: 'E_TOO_LARGE',
    message: /limit of 1000000 bytes/,
  },
];

for (const { id, code, message, republish, spoil, wish } of CASES) {
  test(`${id}: refused with ${code}, and the good state returns afterwards`, async (t) => {
    await using bench = await openBench({ date: daysAgo(2) });
    await bench.update();
    await bench.upstream.republish({ date: daysAgo(1), ...(await republish?.()) });
    await spoil?.(bench);

    await refused(t, bench, { ...wish, code, message });

    bench.server.heal();
    const good = { keys: [await rigKey()], fields: {}, digests: ['SHA256'], signatures: 'both', suite: 'stable', codename: 'rig' } as const;
    await bench.upstream.republish({ ...good, date: daysAgo(0), validUntil: new Date(Date.now() + DAY) });
    t.true((await bench.update()).changed);
  });
}

test('A01 Release with Release.gpg serves where there is no InRelease, and is asked for conditionally', async (t) => {
  await using bench = await openBench({ signatures: 'detached' });
  const first = await bench.update();
  bench.server.requests.length = 0;
  const second = await bench.update();

  t.deepEqual([first.changed, second.changed], [true, false]);
  t.deepEqual(bench.server.requests.map(({ path, status }) => `${path} ${status}`), ['/dists/rig/InRelease 404', '/dists/rig/Release 304']);
});

test('A05 what the signature does not cover is not read: CRLF and trailing blanks change nothing', async (t) => {
  await using bench = await openBench();
  inRelease(bench, (text) => text.replaceAll('\n', ' \t\r\n'));

  await bench.update();

  t.deepEqual(bench.packages(), ['hello 1.0-1', 'world 2.0-1']);
  t.is(bench.catalog.mirrors.get('m')?.root.identity['origin'], 'Rig');
});

test('A05 dash-escaped lines are read as they were meant', async (t) => {
  await using bench = await openBench();
  await signText(bench, (text) => text.replace('Description:', 'Description: x\n-odd: 1\nX-Description:'));
  t.regex(bench.upstream.files.get('dists/rig/InRelease')?.toString() ?? '', /^- -odd: 1$/m);

  t.true((await bench.update()).changed);
});

test('A06 of two signatures one good pinned key is enough, whichever comes first', async (t) => {
  const [known, stranger] = [await rigKey(), await rigKey('stranger')];
  for (const keys of [[known, stranger], [stranger, known]]) {
    await using bench = await openBench({ keys });
    const result = await bench.update({ definition: { keyrings: [known.publicKey], fingerprints: [known.fingerprint] } });
    t.deepEqual(result.signedBy, [known.fingerprint]);
  }
});

test('A14 a rolled-back state is accepted on request only, and is then what later ones are compared with', async (t) => {
  await using bench = await openBench({ date: daysAgo(1) });
  await bench.update();
  const old = daysAgo(9);
  await bench.upstream.republish({ date: old });

  const result = await bench.update({ options: { allowRollback: true } });

  t.is(result.date, old.toISOString());
  await bench.upstream.republish({ date: daysAgo(8) });
  t.true((await bench.update()).changed);
});

test('A14 Valid-Until counts also for what did not change, and can be switched off', async (t) => {
  await using bench = await openBench({ date: daysAgo(1), validUntil: new Date(Date.now() + DAY) });
  await bench.update();
  const now = new Date(Date.now() + 2 * DAY);

  await refused(t, bench, { now, code: 'E_STALE', message: /was valid until/ });
  t.false((await bench.update({ now, definition: { checkValidUntil: false } })).changed);
});

test('A16 a changed identity is accepted with acceptChange, and a new Version is no change', async (t) => {
  await using bench = await openBench();
  await bench.update();
  await bench.upstream.republish({ fields: { Version: '12.9', Origin: 'Changed' }, date: new Date(Date.now() + 1000) });
  await refused(t, bench, { code: 'E_SUITE' });

  t.true((await bench.update({ options: { acceptChange: true } })).changed);
  await bench.upstream.republish({ fields: { Version: '12.10', Origin: 'Changed' }, date: new Date(Date.now() + 2000) });
  t.true((await bench.update()).changed);
});

test('A16 the distribution may be the Suite, the Codename, or either part of a name with a slash', async (t) => {
  for (const [distribution, suite, codename] of [
    ['stable', 'stable', 'rig'],
    ['rig', 'stable', 'rig'],
    ['rig/updates', 'stable', 'rig'],
    ['rig/updates', 'stable/updates', 'rig/updates'],
    ['rig', '', ''],
  ] as const) {
    await using bench = await openBench({ distribution, suite, codename });
    const request = { distribution, components: ['main'], architectures: ['amd64'] };
    t.is((await bench.update({ definition: { request } })).packages, 2, distribution);
  }
});

test('A32 a Signed-By field in Release changes nothing about whom is trusted', async (t) => {
  const stranger = await rigKey('stranger');
  await using bench = await openBench({ fields: { 'Signed-By': stranger.fingerprint } });
  await bench.update();
  await bench.upstream.republish({ keys: [stranger], date: new Date(Date.now() + 1000) });

  await refused(t, bench, { code: 'E_SIGNATURE' });
});

test('A08 keys that expired or were revoked vouch for nothing', async (t) => {
  const expired = await oddKey({ keyExpirationTime: 365 * 86_400 });
  const revoked = await oddKey({}, true);
  for (const [key, code] of [[expired, 'E_KEY_EXPIRED'], [revoked, 'E_KEY_REVOKED']] as const) {
    await using bench = await openBench();
    await bench.update();
    await bench.upstream.republish({ date: new Date(Date.now() + 1000) });
    const [inline] = await signRelease(bench.upstream.release(), [key], new Date('2020-06-01T00:00:00Z'));
    bench.upstream.files.set('dists/rig/InRelease', inline);

    const definition = { keyrings: [key.publicKey], fingerprints: [key.fingerprint] };
    await refused(t, bench, { definition, code, message: new RegExp(key.fingerprint) });
  }
});

test('A08 a signature dated in the future is refused', async (t) => {
  await using bench = await openBench();
  const [inline] = await signRelease(bench.upstream.release(), [await rigKey()], new Date(Date.now() + DAY));
  bench.upstream.files.set('dists/rig/InRelease', inline);

  await refused(t, bench, { code: 'E_SIGNATURE', message: /in the future/ });
});

async function oddKey(options: { readonly keyExpirationTime?: number }, revoked = false): Promise<RigKey> {
  const user = { userIDs: { name: 'Odd', email: 'odd@example.org' }, date: new Date('2020-01-01T00:00:00Z') };
  const { privateKey, publicKey } = await generateKey({ ...user, ...options, type: 'ecc', curve: 'ed25519Legacy', format: 'object' });
  const known = revoked ? (await revokeKey({ key: privateKey, format: 'object' })).publicKey : publicKey;
  return {
    fingerprint: privateKey.getFingerprint().toUpperCase(),
    publicKey: Buffer.from(known.armor()),
    secretKey: Buffer.from(privateKey.armor()),
    unlocked: privateKey,
  };
}
