// Makes the bare git repository demo/greeter.git of the files in demo/greeter. The same files give the same commit, so that
// whoever builds the demo freezes the same thing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Nobody's name and no day in particular: they are part of the commit. */
const IDENTITY = {
  GIT_AUTHOR_NAME: 'Artifacts demo',
  GIT_AUTHOR_EMAIL: 'demo@localhost',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'Artifacts demo',
  GIT_COMMITTER_EMAIL: 'demo@localhost',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
};

/** Returns the commit its branch main is at, and whether that is new. Throws when git fails. */
export function makeDemoRepository(root) {
  const bare = join(root, 'demo', 'greeter.git');
  const git = (...words) => run(bare, words);
  if (!existsSync(join(bare, 'HEAD'))) git('init', '--quiet', '--bare', '--initial-branch=main', bare);
  git(`--work-tree=${join(root, 'demo', 'greeter')}`, 'add', '--all', '.');
  const tree = git('write-tree');
  const commit = git('commit-tree', '-m', 'The greeter', tree);
  const before = git('for-each-ref', '--format=%(objectname)', 'refs/heads/main');
  if (before !== commit) git('update-ref', 'refs/heads/main', commit);
  return { commit, changed: before !== commit };
}

/** The user's settings have no part in it. */
function run(bare, words) {
  const isolated = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_DIR: bare };
  const env = { ...process.env, ...IDENTITY, ...isolated };
  const { status, stdout, stderr, error } = spawnSync('git', ['-c', 'core.bare=false', '-c', 'core.autocrlf=false', '-c', 'core.fileMode=false', ...words], { env, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`git: ${error.message}`);
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1));
  return stdout.trim();
}
