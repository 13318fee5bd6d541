import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether an upstream of this machine has the file, asked by apt's own means: with its proxy, certificates and patience. */
export function aptReaches(url: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'artifacts-test-'));
  const options = ['-o', 'Acquire::Retries=0', '-o', 'Acquire::http::Timeout=10'];
  const { status } = spawnSync('/usr/lib/apt/apt-helper', [...options, 'download-file', url, join(folder, 'file')], { stdio: 'ignore' });
  rmSync(folder, { recursive: true });
  return status === 0;
}
