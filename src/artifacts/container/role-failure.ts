/** Why a role failed, in one line. */
import { ArtifactsError, isArtifactsError } from '../../core/errors.ts';
import { hideTexts } from './secrets.ts';

const LONGEST = 600;

/** The same failure told by the task that failed, without secrets: neither here nor in what it keeps. */
export function explainFailure(error: unknown, secrets: readonly string[]): unknown {
  if (!isArtifactsError(error)) return error;
  const output = hideTexts(String(error.details?.['output'] ?? ''), secrets);
  const why = failedTask(output) ?? hideTexts(error.message, secrets);
  return new ArtifactsError(error.code, why.slice(0, LONGEST), {
    hint: 'Roles see the image and the repositories it is made of, and no other network or file; docs/container-images.md says more.',
    details: { ...error.details, output },
  });
}

/** By what Ansible's default callback prints. */
function failedTask(output: string): string | undefined {
  const failure = [...output.matchAll(/^(?:fatal|failed): \[[^\]]+\].*? => (\{.*)$/gm)].at(-1);
  if (failure === undefined) return /^ERROR! .*/m.exec(output)?.[0].replace('ERROR! ', 'Ansible cannot apply the roles: ');
  const task = [...output.slice(0, failure.index).matchAll(/^TASK \[(.*)\] \**$/gm)].at(-1)?.[1] ?? '';
  return `Task "${task}" of an Ansible role failed: ${reason(failure[1] ?? '')}`;
}

function reason(json: string): string {
  const text = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');
  try {
    const { msg, stderr, module_stderr: broken } = JSON.parse(json) as Readonly<Record<string, unknown>>;
    return [text(msg), text(stderr) || text(broken)].filter((part) => part !== '').join(': ').replaceAll(/\s*\n\s*/g, ' ');
  } catch {
    return json;
  }
}
