/** Our own Release files (Debian RepositoryFormat, "Release"). */
import type { RootPlan } from '../format.ts';

/** Writes a Release file. Only SHA256: apt since 1.0 and every tool in use reads it, and nothing weaker is trusted. */
export function writeRelease(plan: RootPlan): Buffer {
  const files = plan.files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const width = Math.max(1, ...files.map((file) => String(file.size).length));
  const lines = [
    `Origin: ${plan.origin}`,
    `Label: ${plan.label}`,
    `Suite: ${plan.distribution}`,
    `Codename: ${plan.distribution}`,
    `Date: ${plan.date.toUTCString().replace('GMT', 'UTC')}`,
    `Architectures: ${plan.architectures.join(' ')}`,
    `Components: ${plan.components.join(' ')}`,
    `Description: ${plan.description}`,
    'Acquire-By-Hash: yes',
    'SHA256:',
    ...files.map((file) => ` ${file.sha256} ${String(file.size).padStart(width)} ${file.path}`),
  ];
  return Buffer.from(`${lines.join('\n')}\n`);
}
