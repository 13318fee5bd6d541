/** The audit log: who did what is not done by the way, one JSON object a line, never rewritten. */
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import * as durable from '../util/durable.ts';
import type { Settings } from './app.ts';

export interface AuditEntry {
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Appends the entry to `audit.log` of the state; it lasts when this returns. */
export function writeAudit({ action, details }: AuditEntry, { state, command }: Settings, now: Date): void {
  const entry = { at: now.toISOString(), user: userName(), host: hostname(), command, action, ...details };
  durable.appendLine(join(state, 'audit.log'), JSON.stringify(entry));
}

/** The number where the account has no name, as in a container. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
