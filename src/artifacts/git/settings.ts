/** Everything that is set for git: nothing of the system, the user or a repository decides besides it. */

/**
 * A configuration file for git. It also counts for the git that serves a repository on this machine. `trusted` are folders
 * that may belong to somebody else: the repositories the configuration names, and our own caches.
 */
export function gitSettings(trusted: readonly string[]): string {
  return `${SETTINGS}[safe]\n${trusted.map((folder) => `\tdirectory = ${quoted(folder)}\n`).join('')}`;
}

const SETTINGS = `[core]
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	autocrlf = false
	fsmonitor = false
	untrackedCache = false
	commitGraph = false
	protectHFS = true
	protectNTFS = true
	bigFileThreshold = 512m
	compression = 6
	deltaBaseCacheLimit = 256m
[transfer]
	fsckObjects = true
	advertiseSID = false
[fetch]
	unpackLimit = 1
	recurseSubmodules = false
	writeCommitGraph = false
${harmless()}[http]
	followRedirects = false
	lowSpeedLimit = 1
	lowSpeedTime = 300
[uploadpack]
	allowAnySHA1InWant = true
[maintenance]
	auto = false
[gc]
	autoDetach = false
[index]
	version = 2
	threads = 1
	skipHash = false
[pack]
	compression = 6
	indexVersion = 2
	writeReverseIndex = false
	windowMemory = 1g
	deltaCacheLimit = 60000
	useSparse = false
	useBitmaps = false
[submodule]
	recurse = false
`;

/** Old slips of the pen in histories that cannot be mended any more; none of them can do harm. */
function harmless(): string {
  const ids = ['badTimezone', 'missingEmail', 'missingNameBeforeEmail', 'missingSpaceBeforeDate', 'missingSpaceBeforeEmail', 'zeroPaddedDate', 'zeroPaddedFilemode'];
  const lines = ids.map((id) => `\t${id} = ignore\n`).join('');
  return `[fetch "fsck"]\n${lines}[fsck]\n${lines}`;
}

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, String.raw`\$&`)}"`;
}
