import { spawnSync } from 'node:child_process';
import test, { type ImplementationFn } from 'ava';

type Register = (title: string, implementation: ImplementationFn<[]>) => void;

/** ava's `test` when the requirement is met; otherwise registers a skipped test whose title says why. */
export function testWith(requirement: boolean, reason: string, { serial = false }: { readonly serial?: boolean } = {}): Register {
  const register = serial ? test.serial : test;
  if (requirement) return (title, implementation) => register(title, implementation);
  return (title, implementation) => register.skip(`${title} [skipped: ${reason}]`, implementation);
}

/** True when the command can be started. */
export function hasCommand(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

export const isRoot = process.getuid?.() === 0;
