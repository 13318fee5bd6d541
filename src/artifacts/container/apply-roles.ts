/**
 * Applying Ansible roles to an image in the making. Ansible itself runs in the image's sandbox, beside its tree, and so do
 * lookups, `delegate_to: localhost` and `connection: local`: a role finds the image, what it is given, the programs of this
 * machine, and the repositories the image is made of; no other file, key, variable or network of this machine.
 */
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { keysFolder, sourcesElsewhere, type AptFolder } from '../../sandbox/apt-folder.ts';
import type { RootSpec } from '../../sandbox/root.ts';
import { runIn, type Bind, type RunOptions } from '../../sandbox/run-in.ts';
import { readConfigured } from '../../util/role-variables.ts';
import { CONNECTION, CONNECTION_PLUGIN } from './connection-plugin.ts';
import { HANDED_IN, runInTree, type ImageTree } from './layers.ts';
import { ansibleEnvironment, inventory, playbook } from './playbook.ts';
import { explainFailure } from './role-failure.ts';
import { copyRoles, tagsToSkip } from './role-folders.ts';
import { serveSources } from './source-server.ts';
import type { ImageRoles } from './spec.ts';

export interface Applying {
  /** Roles know it as `rpc_release`. */
  readonly release: string;
  /** What the image is called. */
  readonly host: string;
  readonly roles: ImageRoles;
  /** Texts that no message may have in it. */
  readonly secrets: readonly string[];
  /** Where its packages come from. */
  readonly spec: RootSpec;
  readonly apt: AptFolder;
  /** A folder for what is handed in; it is made. */
  readonly folder: string;
}

/** Seen at this path by Ansible, and in the image while roles are applied. */
const GIVEN = `${HANDED_IN}/given`;

/** Of the sandbox's loopback interface, which has nothing else. */
const PORT = 8087;

const PROGRAM = 'ansible-playbook';

/**
 * Applies the roles; what they do to the tree stays, and nothing of Ansible. Throws E_TOOL when a task fails or Ansible is not
 * installed, E_NOT_FOUND.
 */
export async function applyRoles(tree: ImageTree, applying: Applying, ctx: Context): Promise<void> {
  const { roles, secrets, spec, apt, folder } = applying;
  requireAnsible();
  const binds = handIn(tree, applying);
  await using served = await serveSources({ sources: spec.sources, apt, folder: join(folder, 'served') }, ctx);
  const inSandbox: RunOptions = { temporary: tree.temporary, keep: true, user: 'root', binds, network: { socket: served.socket, port: PORT } };
  await runIn(tree, ['sh', '-ec', BEFORE], { ...inSandbox, log: tree.log }, ctx);
  try {
    await runIn(tree, [PROGRAM, ...wordsFor(roles)], { ...inSandbox, beside: true, environment: ansibleEnvironment(GIVEN) }, ctx);
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw explainFailure(error, secrets);
  }
  await runInTree(tree, AFTER, {}, ctx);
}

/** The sandbox has the machine's /usr and nothing else of it. Throws E_TOOL. */
export function requireAnsible(folders: readonly string[] = ['/usr/bin', '/usr/local/bin']): void {
  if (folders.some((folder) => existsSync(join(folder, PROGRAM)))) return;
  throw new ArtifactsError('E_TOOL', `The tool "${PROGRAM}" is not installed`, {
    hint: 'Images with Ansible roles need it below /usr: install ansible-core with the system package manager.',
  });
}

/** Writes what Ansible is given to a folder; that and the files of variables, to be bound. */
function handIn(tree: ImageTree, { release, host, roles, spec, apt, folder }: Applying): readonly Bind[] {
  const given = join(folder, 'given');
  const write = (path: string, text: string | Buffer, mode = 0o644): void => {
    mkdirSync(dirname(join(given, path)), { recursive: true });
    writeFileSync(join(given, path), text);
    chmodSync(join(given, path), mode);
  };
  const python = hasPython(tree);
  const interpreter = python ? '/usr/bin/python3' : `${GIVEN}/python`;
  const texts = { 'playbook.json': playbook(roles), 'hosts.json': inventory(host, { interpreter, groups: roles.groups }), 'vars.json': JSON.stringify({ rpc_release: release, ...roles.vars }) };
  for (const [path, text] of Object.entries(texts)) write(path, text);
  write(`plugins/${CONNECTION}.py`, CONNECTION_PLUGIN);
  write('python', PYTHON, 0o755);
  write('policy-rc.d', POLICY, 0o755);
  write('apt/sources.list', sourcesElsewhere(spec, { address: `http://127.0.0.1:${PORT}`, keys: `${GIVEN}/apt/keys` }));
  write('apt/preferences', readConfigured(apt.preferences, 'container_images'));
  write('apt/apt.conf', APT_SETTINGS);
  cpSync(keysFolder(apt), join(given, 'apt/keys'), { recursive: true });
  copyRoles(roles, join(given, 'roles'));
  for (const path of ['.', 'apt', 'apt/keys', 'plugins', 'roles']) chmodSync(join(given, path), 0o755);
  return [
    { from: given, to: GIVEN },
    ...filesOfVariables(roles).map(({ path, to }) => ({ from: path, to })),
    ...(python ? [] : [{ from: '/usr', to: `${HANDED_IN}/usr` }]),
  ];
}

/** Their values are copied nowhere. Secrets come last, and win. */
function filesOfVariables({ varsFiles, secrets }: ImageRoles): readonly { readonly path: string; readonly to: string }[] {
  return [...varsFiles, ...secrets].map((path, index) => ({ path, to: `${HANDED_IN}/vars-${index}.yml` }));
}

function wordsFor(roles: ImageRoles): readonly string[] {
  const skipped = tagsToSkip(roles);
  const variables = [`${GIVEN}/vars.json`, ...filesOfVariables(roles).map(({ to }) => to)].flatMap((path) => ['--extra-vars', `@${path}`]);
  return ['--inventory', `${GIVEN}/hosts.json`, ...variables, ...(skipped.length === 0 ? [] : ['--skip-tags', skipped.join(',')]), `${GIVEN}/playbook.json`];
}

function hasPython({ path }: ImageTree): boolean {
  return lstatSync(join(path, 'usr/bin/python3'), { throwIfNoEntry: false }) !== undefined;
}

/** For an image that has no python: this machine's, with its own loader and libraries, which what it starts does not inherit. */
const PYTHON = `#!/bin/sh
usr=${HANDED_IN}/usr
for loader in "$usr"/lib/"$(uname -m)"-*/ld-linux-*; do
  exec "$loader" --library-path "\${loader%/*}" "$usr/bin/python3" "$@"
done
`;

/** What /usr/share/doc/sysv-rc/README.policy-rc.d describes: packages start no services. */
const POLICY = `#!/bin/sh
# artifacts: while roles are applied, nothing is started
exit 101
`;

/** Requests that apt makes ahead are fetched at once. */
const APT_SETTINGS = 'APT::Install-Recommends "false";\nAcquire::Languages "none";\nAcquire::http { Proxy "DIRECT"; Pipeline-Depth "4"; };\n';

/** Roles install from where the image's packages came, by apt as they know it. */
const BEFORE = `
if [ -d /usr/sbin ] && ! [ -e /usr/sbin/policy-rc.d ]; then cp ${GIVEN}/policy-rc.d /usr/sbin/; fi
command -v apt-get > /dev/null || exit 0
mkdir -p /etc/apt/sources.list.d /etc/apt/preferences.d /etc/apt/apt.conf.d
cp ${GIVEN}/apt/sources.list /etc/apt/sources.list.d/artifacts-roles.list
cp ${GIVEN}/apt/preferences /etc/apt/preferences.d/artifacts-roles
cp ${GIVEN}/apt/apt.conf /etc/apt/apt.conf.d/99artifacts-roles
apt-get update --quiet --error-on=any
`;

const AFTER = `
if grep -q '^# artifacts: ' /usr/sbin/policy-rc.d 2> /dev/null; then rm /usr/sbin/policy-rc.d; fi
rm -f /etc/apt/sources.list.d/artifacts-roles.list /etc/apt/preferences.d/artifacts-roles /etc/apt/apt.conf.d/99artifacts-roles
`;
