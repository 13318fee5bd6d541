// What `npm run quickstart` runs: sets everything up, builds the release `demo` of this machine's own Debian or Ubuntu,
// and says how to use it. A second run finds all of that done. Needs nothing but Node and npm to begin with.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { makeDemoRepository } from './demo-repository.mjs';
import { makeDemoRpms, RPM_TOOLS } from './demo-rpms.mjs';
import { build, install, isBuilt, isInstalled, missingTools, nodeProblem, packagesOf, ROOT } from './setup.mjs';

const KEY = join(ROOT, 'keys', 'demo.key.asc');
const STATE = join(ROOT, 'state');
/** Command -> Debian package: what the program starts on this way, and apt-get to try the result with. */
const TOOLS = { 'apt-get': 'apt', 'apt-config': 'apt', dpkg: 'dpkg', git: 'git', sync: 'coreutils', xz: 'xz-utils' };
/** What makes root filesystems, which wheels are built in and images consist of. */
const ROOT_TOOLS = { mmdebstrap: 'mmdebstrap', perl: 'perl', getcap: 'libcap2-bin', setpriv: 'util-linux' };
/** Variables that would lead the program elsewhere than the demo. */
const FOREIGN = new Set([
  'GPG_PRIVATE',
  'GPG_PUBLIC',
  'PUBLISH_SNAPSHOT',
  'PUSH_TO_MIRROR',
  'REPLACE_ARTIFACTS',
  'RPC_ARTIFACTS_FOLDER',
  'RPC_ARTIFACTS_PUBLIC_FOLDER',
  'RPC_RELEASE',
]);

checkPlace();
const only = chooseKinds();
/** What is made with rpm's tools has a release of its own, so that `demo` needs none of them. */
const hasRpms = only?.includes('rpm') === true;
const RELEASE = hasRpms ? 'demo-rpm' : 'demo';
provideTools();
provideProgram();
await provideKey();
provideRepository();
if (hasRpms) await provideRpms();
buildRelease();
explain(servedDistributions());

function checkPlace() {
  const problem = nodeProblem();
  if (problem !== undefined) giveUp(problem, 2);
  // A source line has no way to write them in the path of its key.
  if (!/^[\w/.+~-]+$/.test(ROOT)) giveUp(`apt cannot be told of a key in ${ROOT}: move this folder to a path of plain characters.`, 2);
}

/** All kinds, unless somebody asks for fewer or this user cannot make root filesystems. */
function chooseKinds() {
  const at = process.argv.indexOf('--only');
  if (at !== -1) return process.argv[at + 1]?.split(',') ?? giveUp('--only needs kinds: apt,git', 2);
  const lacking = missingTools({ ...ROOT_TOOLS, newuidmap: 'uidmap' });
  if (process.getuid?.() === 0 || (lacking.length === 0 && hasSubordinateIds())) return undefined;
  say('kinds', `apt and git only: wheels and images need root, or ${lacking.join(', ') || 'ranges'} and your name in /etc/subuid`);
  return ['apt', 'git'];
}

/** subuid(5): an ordinary user becomes many in a namespace of its own. */
function hasSubordinateIds() {
  const { username, uid } = userInfo();
  const text = existsSync('/etc/subuid') ? readFileSync('/etc/subuid', 'utf8') : '';
  return text.split('\n').some((line) => [username, String(uid)].includes(line.split(':')[0]));
}

function provideTools() {
  const makesRoots = only === undefined || only.some((kind) => kind === 'python' || kind === 'container');
  const needed = { ...TOOLS, ...(makesRoots ? ROOT_TOOLS : {}), ...(hasRpms ? RPM_TOOLS : {}) };
  const missing = missingTools(needed);
  if (missing.length === 0) return say('tools', 'there');
  const packages = packagesOf(missing, needed);
  const words = ['apt-get', 'install', '--yes', '--no-install-recommends', ...packages];
  if (packages.includes('apt')) giveUp('This is no Debian or Ubuntu: there is no apt.', 2);
  if (process.getuid?.() !== 0) giveUp(`Not installed: ${missing.join(', ')}. As root: ${words.join(' ')}`, 2);
  say('tools', `installing ${packages.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], words.slice(1)]) {
    const { status } = spawnSync('apt-get', args, { stdio: 'inherit', env });
    if (status !== 0) giveUp(`apt-get ${args[0]} failed. Install ${packages.join(' ')}, then run this again.`);
  }
}

function provideProgram() {
  if (isInstalled()) {
    say('dependencies', 'there');
  } else {
    say('dependencies', 'installing them (npm ci)');
    if (!install()) giveUp('The dependencies could not be installed (npm ci failed).');
  }
  if (isBuilt()) return say('program', 'built');
  say('program', 'building it');
  if (!build()) giveUp('The program could not be built.');
}

async function provideKey() {
  if (existsSync(KEY)) return say('signing key', 'there');
  const { generateKey } = await import('../build/src/sign/generate-key.js');
  const { clockFrom } = await import('../build/src/core/context.js');
  try {
    mkdirSync(join(ROOT, 'keys'), { recursive: true, mode: 0o700 });
    const { fingerprint } = await generateKey({ name: 'Artifacts demo', file: KEY, date: clockFrom(process.env)() });
    say('signing key', `made ${fingerprint} (keys/demo.key.asc)`);
  } catch (error) {
    giveUp(`The signing key could not be made: ${error.message}`);
  }
}

function provideRepository() {
  try {
    const { commit, changed } = makeDemoRepository(ROOT);
    say('git', `${changed ? 'made' : 'there'}: demo/greeter.git, ${commit.slice(0, 12)}`);
  } catch (error) {
    giveUp(`The git repository of the demo could not be made: ${error.message}`);
  }
}

async function provideRpms() {
  try {
    say('rpms', `${(await makeDemoRpms(ROOT)) ? 'made' : 'there'}: demo/rpms`);
  } catch (error) {
    giveUp(`The rpm repository of the demo could not be made: ${error.message}`);
  }
}

/** The program tells what went wrong itself; its exit status is ours. */
function buildRelease() {
  const words = ['build', '--release', RELEASE, ...(only ?? []).flatMap((kind) => ['--only', kind])];
  say('release', `artifacts ${words.join(' ')}`);
  const { status, signal } = artifacts(words, 'inherit');
  if (status === 0) return;
  giveUp(`The release ${RELEASE} was not built${signal === null ? '' : ` (${signal})`}.`, status ?? 1);
}

/** The codename is this machine's, so what the distribution is called is known only now. */
function servedDistributions() {
  const { status, stdout } = artifacts(['release', 'show', RELEASE, '--json'], ['ignore', 'pipe', 'inherit']);
  if (status !== 0) giveUp(`The release ${RELEASE} cannot be shown.`, status ?? 1);
  const { published } = JSON.parse(stdout);
  if (published.length === 0) giveUp(`The release ${RELEASE} is built and not published.`);
  return published;
}

function artifacts(words, stdio) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.has(name)));
  const program = [join(ROOT, 'bin', 'artifacts.js'), '--root', ROOT, '--state', STATE];
  return spawnSync(process.execPath, [...program, ...words], { stdio, env, encoding: 'utf8' });
}

function explain(published) {
  const folder = join(STATE, 'public');
  const of = (top) => published.find(({ prefix }) => prefix.startsWith(top));
  const [apt, rpm] = [of('apt-mirror/'), of('rpm-mirror/')];
  console.log(`
The release is served from ${folder}.${apt === undefined ? '' : explainApt(folder, apt)}${rpm === undefined ? '' : explainDnf(folder, rpm)}
${made(folder)}
For other machines, serve the folder: python3 -m http.server --directory ${folder} 8000
What else there is: node bin/artifacts.js --help`);
}

function explainApt(folder, { prefix, distribution, components }) {
  const key = join(folder, 'apt-mirror', 'release-signing-key.asc');
  const names = components.map(({ component }) => component).join(' ');
  const source = (base) => `deb [signed-by=${key}] ${base}/${prefix} ${distribution} ${names}`;
  const config = writeTrial(source(`copy:${folder}`));
  const apt = `APT_CONFIG=${config} apt-get`;
  return ` Its source line, for this machine:

  ${source(`file:${folder}`)}

Try it, without root and without touching this machine's apt:

  ${apt} update && ${apt} install --yes --download-only hello jq nginx-light
`;
}

/** A client of its own that trusts the demo's key and nothing else. As root, since rpm installs as nobody else. */
function explainDnf(folder, { prefix, distribution }) {
  const architecture = readdirSync(join(folder, prefix, distribution)).find((name) => name !== 'source');
  const place = join(STATE, 'try-dnf');
  mkdirSync(place, { recursive: true });
  const main = ['[main]', `cachedir=${place}/cache`, `persistdir=${place}/persist`, `logdir=${place}`, `reposdir=${place}/none`, 'gpgcheck=0'];
  const repository = [`[demo]`, 'name=demo', `baseurl=file://${folder}/${prefix}/${distribution}/${architecture}/`, 'repo_gpgcheck=1', `gpgkey=file://${folder}/rpm-mirror/release-signing-key.asc`];
  writeFileSync(join(place, 'dnf.conf'), `${[...main, ...repository].join('\n')}\n`);
  return `
Its rpms, with dnf, as root and into a folder of their own:

  dnf -c ${place}/dnf.conf --installroot=${place}/root --releasever=9 --forcearch=${architecture} --assumeyes install greeting
`;
}

/** What else there is to look at, where it was made. */
function made(folder) {
  const places = {
    [`git-archives/${RELEASE}`]: 'the service of the demo from git, with its history',
    [`os-releases/${RELEASE}`]: 'its wheel, compiled against the zlib that was just frozen, and an index for pip',
    [`venvs/${RELEASE}`]: 'its virtualenv',
    'meta/1.0/index-system': 'an image with it, as lxc-create and incus find it',
  };
  const there = Object.entries(places).filter(([place]) => existsSync(join(folder, place)));
  return there.length === 0 ? '' : `\nBesides packages it holds:\n\n${there.map(([place, what]) => `  ${place.padEnd(24)}${what}\n`).join('')}`;
}

/** A complete apt client of its own that trusts the demo's key and nothing else. Returns its apt.conf. */
function writeTrial(source) {
  const folder = join(STATE, 'try-apt');
  for (const name of ['lists/partial', 'cache/archives/partial', 'log']) mkdirSync(join(folder, name), { recursive: true });
  const file = (name, text) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const settings = {
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::Etc::sourcelist': file('sources.list', `${source}\n`),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::Etc::trusted': '/dev/null',
    'Dir::Etc::trustedparts': '/dev/null',
    'Dir::State': folder,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': file('status', ''),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Log': join(folder, 'log'),
    // Reads the release as whoever runs it, who may be the only one to see this folder.
    'APT::Sandbox::User': '',
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
    'Debug::NoLocking': 'true',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  return file('apt.conf', lines.join(''));
}

function say(what, text) {
  console.log(`${`${what}:`.padEnd(14)}${text}`);
}

function giveUp(message, status = 1) {
  console.error(`quickstart: ${message}`);
  process.exit(status);
}
