/** Where repositories may lie, and what may be asked of them: a closed grammar, checked before anything is handed to git. */
import { isAbsolute, join } from 'node:path';
import type { GitAddress } from './spec.ts';

export type ParsedAddress = { readonly address: GitAddress } | { readonly problem: string };

const ALLOWED = 'must begin with https://, http://, ssh:// or file://, or be a path';
const HOST = String.raw`(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?`;

/**
 * Takes https, http, ssh and file URLs, absolute paths, and paths relative to `root`. Everything else git knows stays out:
 * `ext::` and `fd::` run commands, `host:path` and words that begin with `-` can be taken for something else. The problem
 * never repeats what was written: it may hold a password.
 */
export function parseAddress(text: string, root: string): ParsedAddress {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0020\u007f\\]/.test(text)) return { problem: 'must not hold blanks, control characters or backslashes' };
  if (text.split('/').includes('..')) return { problem: 'must not hold ".."' };
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
  switch (scheme) {
    case undefined:
      return parsePath(text, root);
    case 'https':
    case 'http':
      return parseHttp(text);
    case 'ssh':
      return parseSsh(text);
    case 'file':
      return /^file:\/\/\/[^/%]([^%]*)$/.test(text) ? { address: { url: text, shown: text } } : { problem: 'must be file:/// and an absolute path without "%"' };
    default:
      return { problem: /^[A-Za-z0-9._-]+$/.test(scheme) && !text.includes('://') && !text.includes('::') ? `${ALLOWED}; write ssh://host/path for host:path` : ALLOWED };
  }
}

/** The folder or bundle on this machine, or undefined for what lies elsewhere. */
export function localPath({ url }: GitAddress): string | undefined {
  if (url.startsWith('/')) return url;
  return url.startsWith('file://') ? url.slice('file://'.length) : undefined;
}

/** Why this is no branch, tag or commit; git-check-ref-format(1), and no leading `-`. */
export function versionProblem(version: string): string | undefined {
  // oxlint-disable-next-line no-control-regex
  if (version === '' || version.length > 200 || /[\u0000-\u0020\u007f~^:?*[\\]|@\{|\.\./.test(version)) return 'is no branch, tag or commit';
  if (version === '@' || /^[-/.]|[/.]$|\/[/.]|\.lock(?:\/|$)/.test(version)) return 'is no branch, tag or commit';
  if (/^refs\/(?!(?:heads|tags)\/.)/.test(version)) return 'must be below refs/heads/ or refs/tags/';
  return undefined;
}

function parsePath(text: string, root: string): ParsedAddress {
  if (!/^[A-Za-z0-9._/]/.test(text) || text.startsWith('//') || text.includes(':')) return { problem: ALLOWED };
  return { address: { url: isAbsolute(text) ? text : join(root, text), shown: text } };
}

function parseHttp(text: string): ParsedAddress {
  if (!new RegExp(`^https?://(?:[^/@]*@)?${HOST}/.`).test(text) || !URL.canParse(text)) return { problem: 'must be an URL with a host and a path' };
  const parsed = new URL(text);
  if (parsed.search !== '' || parsed.hash !== '') return { problem: 'must be an URL without "?" and "#"' };
  const { username, password } = parsed;
  const url = text.replace(/\/\/[^/@]*@/, '//');
  if (username === '' && password === '') return { address: { url, shown: url } };
  try {
    return { address: { url, shown: url, login: { user: decodeURIComponent(username), password: decodeURIComponent(password) } } };
  } catch {
    return { problem: 'has a user or password with a wrong "%"' };
  }
}

/** The key is ssh's own business: its configuration, its agent. The user is no secret. */
function parseSsh(text: string): ParsedAddress {
  if (/^ssh:\/\/[^/@]*:[^/@]*@/.test(text)) return { problem: 'must not hold a password; let ssh use a key' };
  if (!new RegExp(`^ssh://(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?${HOST}/[^-]`).test(text)) return { problem: 'must be ssh://user@host/path' };
  return { address: { url: text, shown: text } };
}
