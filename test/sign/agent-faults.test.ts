/** What a key that gpg holds can do to us: an agent that hangs, one that dies, a token that is pulled out. */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isArtifactsError } from '../../src/core/errors.ts';
import { openSigner } from '../../src/sign/signer.ts';
import { buildDeb } from '../rig/deb.ts';
import { runCommand } from '../rig/run.ts';
import { makeSite } from '../rig/site.ts';
import { testWith } from '../rig/skip.ts';
import { serve } from '../rig/server.ts';
import { tempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';
import { contentsOf } from '../rig/witness.ts';
import { gpgHome, haveGpg } from './gpg.ts';

const withGpg = testWith(haveGpg, 'needs gpg and gpg-agent', { serial: true });

withGpg('S04 an agent that does not answer is given up, and its gpg is stopped', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const fingerprint = await gpg.makeKey('hung');
  // A gpg that hangs as soon as it is to sign: what one does that waits for an agent.
  const real = (await runCommand('sh', ['-c', 'command -v gpg'])).stdout.trim();
  await mkdir(dir.join('bin'));
  await writeFile(dir.join('bin/gpg'), `#!/bin/sh\ncase "$*" in *--detach-sign*) echo $$ > ${dir.join('pid')}; exec sleep 600;; esac\nexec ${real} "$@"\n`);
  await chmod(dir.join('bin/gpg'), 0o755);
  const path = process.env['PATH'];
  process.env['PATH'] = `${dir.join('bin')}:${path}`;
  try {
    const error = await t.throwsAsync(openSigner([{ kind: 'agent', fingerprint, home: gpg.home, patience: 2000 }], () => new Date()));

    t.true(isArtifactsError(error, 'E_NO_KEY'), String(error));
    t.regex(error?.message ?? '', new RegExp(`^gpg did not answer within 2 s for the key ${fingerprint}$`));
    // A process that was killed has its number until it is waited for.
    const look = 'pid=$(cat "$1") || exit 1; for _ in $(seq 100); do kill -0 "$pid" 2> /dev/null || exit 1; sleep 0.1; done';
    t.is((await runCommand('sh', ['-c', look, 'sh', dir.join('pid')])).status, 1, 'the process is gone');
  } finally {
    process.env['PATH'] = path;
  }
});

withGpg('S07 S08 S10 an agent that loses its key: nothing is published, and what was served stays; when it is back, all goes on', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const fingerprint = await gpg.makeKey('token');
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'one' })] } });
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { up: { upstream, url: server.url } }, signed: false, vars: { signing: { keys: [{ agent: fingerprint, home: gpg.home }] } } });
  const freeze = async (name: string): Promise<void> => {
    await site.json(['mirror', 'update', 'up']);
    await site.json(['snapshot', 'create', name, '--from-mirror', 'up']);
  };
  await freeze('one');
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  await upstream.republish({ components: { main: [buildDeb({ name: 'two' })] } });
  await freeze('two');
  const before = contentsOf(site.publicRoot);
  const keys = join(gpg.home, 'private-keys-v1.d');
  await runCommand('gpgconf', ['--homedir', gpg.home, '--kill', 'all']);
  await runCommand('mv', [keys, `${keys}.away`]);

  const { status, stderr } = await site.run(['publish', 'switch', 'rig', 'two', '--quiet']);

  t.is(status, 2, stderr);
  t.regex(stderr, /^artifacts: E_NO_KEY: gpg cannot sign with the key [0-9A-F]{40}[^\n]*\n/);
  t.deepEqual(contentsOf(site.publicRoot), before);
  await runCommand('gpgconf', ['--homedir', gpg.home, '--kill', 'all']);
  await rm(keys, { recursive: true, force: true });
  await runCommand('mv', [`${keys}.away`, keys]);
  t.is((await site.run(['publish', 'switch', 'rig', 'two'])).status, 0);
});
