// Writes the code cache of the bundle (bin/load-bundle.js): runs commands in this process and keeps what V8 compiled for
// them, so that each start need not. Run by build.mjs; needs nothing but loopback.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadBundle } from '../bin/load-bundle.js';

/** What is run often and ends soon, so that its start counts. How it ends does not: the upstream has nothing. */
const COMMANDS = [
  '--help',
  'mirror update nothing',
  'repo create empty',
  'snapshot create a --from-repo empty',
  'snapshot list',
  'snapshot merge b a a',
  'snapshot filter a c any --with-deps --architectures amd64',
  'snapshot search a any',
  'snapshot verify a --architectures amd64',
];

const bundle = fileURLToPath(new URL('../build/bundle/cli/main.cjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'artifacts-code-cache-'));
const upstream = createServer((_, answer) => answer.writeHead(404).end());
try {
  await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  writeConfiguration(`http://127.0.0.1:${upstream.address().port}/`);
  const { program, script, digest } = loadBundle(bundle);
  const where = ['--quiet', '--root', folder, '--state', join(folder, 'state')];
  for (const command of COMMANDS) await program.main([...where, ...command.split(' ')]);
  writeFileSync(bundle.replace(/cjs$/, 'cache'), Buffer.concat([Buffer.from(digest), script.createCachedData()]));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0); // whatever a command left open

/** JSON is YAML. */
function writeConfiguration(url) {
  for (const name of ['vars', 'mappings']) mkdirSync(join(folder, name));
  const mirror = { name: 'nothing', archive_url: url, distribution: 'stable', components: ['main'], gpg: { key: ['0'.repeat(40)], keyring: 'none.asc' } };
  writeFileSync(join(folder, 'none.asc'), '');
  writeFileSync(join(folder, 'vars', 'aptly.yml'), JSON.stringify({ aptly_mirrors: [mirror], aptly_repos: [{ name: 'empty' }] }));
}
