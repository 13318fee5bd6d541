/** Table P of the catalogue of bad inputs: what foreign code and foreign archives try, and what becomes of it. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { checkWheels } from '../../../src/artifacts/python/build-wheel.ts';
import { makeWheels } from '../../../src/artifacts/python/wheels.ts';
import type { Workshop } from '../../../src/artifacts/kind.ts';
import type { ArtifactsError } from '../../../src/core/errors.ts';
import type { Limits } from '../../../src/sandbox/run-in.ts';
import type { TarEntry } from '../../rig/archive.ts';
import { tar } from '../../rig/archive.ts';
import { indexFiles, pythonSpec, sdist, type SdistOptions } from '../../rig/python.ts';
import { runCommand } from '../../rig/run.ts';
import { serve } from '../../rig/server.ts';
import { testWith } from '../../rig/skip.ts';
import { tempDir, testContext, type TempDir } from '../../rig/temp.ts';
import { canBuild, testBench, TestRelease, testWorkshop, whyNot } from './workshop.ts';

const buildTest = testWith(canBuild, whyNot);

/** Builds one project from the index that a server is, as a release would. */
async function build(dir: TempDir, options: SdistOptions, limits: Limits = {}, archive = sdist(options)): Promise<{ readonly workshop: Workshop; readonly wheel: string }> {
  await using server = await serve(indexFiles({ [options.name]: [archive] }));
  const workshop = await testWorkshop(dir);
  const spec = pythonSpec({ requirements: [options.name], constraints: [`${options.name}==1.0`], indexes: [{ name: 'rig', url: `${server.url}/simple`, packages: ['*'] }] });
  const { wheels } = await makeWheels(spec, await testBench(workshop, limits), await new TestRelease(workshop).request(), testContext());
  return { workshop, wheel: wheels[0]?.path ?? '' };
}

buildTest('P01: a build sees no secret of the environment, no network but the index, no process of the machine, and writes nowhere', async (t) => {
  await using dir = await tempDir();
  await using outside = await serve(new Map([['secret', Buffer.from('secret')]]));
  process.env['CANARY_TOKEN'] = 'canary-in-the-environment';
  await mkdir(dir.join('home'), { mode: 0o700 });
  await writeFile(dir.join('home', 'id_rsa'), 'canary-in-a-file', { mode: 0o600 });
  const hook = `
found = [repr(dict(os.environ)), open("/proc/self/mountinfo").read().replace("${dir.path}", "")]
for path in [os.path.expanduser("~root/.ssh"), "${dir.join('home', 'id_rsa')}", "/proc/1/environ"]:
    try: found.append(repr(os.listdir(path)) if os.path.isdir(path) else open(path, "rb").read().decode("latin-1"))
    except OSError as error: found.append(type(error).__name__)
import socket
try:
    socket.create_connection(("127.0.0.1", ${outside.port}), 5)
    found.append("REACHED")
except OSError: pass
for path in ["/usr/canary", "/canary", "/tmp/canary", os.path.expanduser("~/canary"), "/in/canary", "/tools/unpack.py", "${dir.join('canary')}"]:
    try: os.makedirs(os.path.dirname(path), exist_ok=True); open(path, "w").write("x")
    except OSError: pass
found.append("processes %d" % len([name for name in os.listdir("/proc") if name.isdigit()]))
FINDINGS = "\\n".join(found)
`;
  const spoil = 'files["findings.txt"] = FINDINGS.encode(); record.append("findings.txt,%s,%d" % (sums(files["findings.txt"]), len(files["findings.txt"])))';
  const { workshop, wheel } = await build(dir, { name: 'curious', hook, spoil });
  delete process.env['CANARY_TOKEN'];
  const findings = (await runCommand('/usr/bin/python3', ['-c', 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read("findings.txt").decode())', wheel])).stdout;

  t.regex(findings, /PIP_INDEX_URL/);
  t.notRegex(findings, /canary-in|REACHED/);
  t.true(Number(/processes (\d+)/.exec(findings)?.[1]) < 20, findings);
  t.deepEqual(outside.paths(), []);
  for (const path of ['/usr/canary', '/canary', '/tmp/canary', dir.join('canary'), join(homedir(), 'canary')]) t.false(existsSync(path), path);
  t.false(existsSync(join(workshop.publicRoot)));
});

buildTest('P01: a build that sleeps for ever is stopped, and says so', async (t) => {
  await using dir = await tempDir();

  await t.throwsAsync(build(dir, { name: 'sleepy', hook: 'time.sleep(100000)' }, { seconds: 6 }), { code: 'E_TOOL', message: /Building sleepy 1\.0: .*took longer than 6 seconds/ });
});

buildTest('P01: a fork bomb ends at its limit and leaves no process', async (t) => {
  await using dir = await tempDir();
  const sleeper = String(4_000_000 + process.pid);
  const hook = `
if os.fork() == 0:
    os.setsid()
    os.execvp("sleep", ["sleep", "${sleeper}"])
while True:
    if os.fork() == 0: os.execvp("sleep", ["sleep", "${sleeper}"])
`;

  await t.throwsAsync(build(dir, { name: 'bomb', hook }, { processes: 64, seconds: 8 }), { code: 'E_TOOL', message: /^Building bomb 1\.0: .*(?:temporarily unavailable|took longer)/ });
  t.is((await runCommand('pgrep', ['-f', sleeper])).stdout, '');
});

buildTest('P01: a build that fails or removes its folder fails with the line that says why', async (t) => {
  await using dir = await tempDir();
  const error = await t.throwsAsync(build(dir, { name: 'broken', hook: 'import shutil; shutil.rmtree(os.getcwd()); sys.exit("error: no compiler of mine")' }), { code: 'E_TOOL' });

  t.regex(error?.message ?? '', /^Building broken 1\.0: error: no compiler of mine/);
  t.regex((error as ArtifactsError).hint ?? '', /broken-1-0\.log/);
});

const WHEELS: Readonly<Record<string, readonly [program: string, expected: RegExp]>> = {
  good: ['', /^$/],
  changed: ['files["good.py"] = b"other"', /not what RECORD says/],
  unlisted: ['files["extra.py"] = b""', /does not list 'extra.py'/],
  missing: ['del files["good.py"]', /not there/],
  weak: ['record = record.replace("sha256=", "md5=")', /no strong digest/],
  above: ['add("../evil.py", b"")', /path '\.\.\/evil\.py'/],
  absolute: ['add("/etc/evil", b"")', /path '\/etc\/evil'/],
  backslash: ['add("a\\\\..\\\\b", b"")', /holds the path/],
  link: ['add("link", b"/etc/passwd"); modes["link"] = 0o120777', /no plain file/],
  twice: ['again.append("good.py")', /twice/],
  othername: ['info = info.replace("Name: good", "Name: evil")', /says it is evil/],
  otherversion: ['info = info.replace("Version: 1.0", "Version: 2.0")', /says it is 2\.0/],
  twonames: ['info = info.replace("Name: good", "Name: good\\nName: evil")', /Name twice/],
  norecord: ['norecord = True', /has no RECORD/],
  script: ['add("good-1.0.dist-info/entry_points.txt", b"[console_scripts]\\n../../bin/sh = good:main\\n")', /script '\.\.\/\.\.\/bin\/sh'/],
  python: ['add("good-1.0.dist-info/entry_points.txt", b"[console_scripts]\\npython3 = good:main\\n")', /script 'python3'/],
  datascript: ['add("good-1.0.data/scripts/activate", b"")', /script 'activate'/],
  datapython: ['add("good-1.0.data/data/bin/python", b"")', /script 'python'/],
  scheme: ['add("good-1.0.data/stdlib/os.py", b"")', /no place/],
  sitecustomize: ['add("sitecustomize.py", b"")', /every Python/],
  latin: ['add("good-1.0.dist-info/entry_points.txt", b"[console_scripts]\\n\\xff = a:b")', /UnicodeDecodeError/],
  overlapping: ['files["good.py"] = b"x" * 1000; record = record.replace("good.py,", "other.py,"); overlap = True', /overlap/],
  truncated: ['cut = 100', /BadZipFile/],
};

const WRITE_WHEELS = `import base64, copy, hashlib, io, json, sys, warnings, zipfile
warnings.simplefilter("ignore")
def write(path, program):
    space = {"files": {"good.py": b""}, "modes": {}, "again": [], "norecord": False, "overlap": False, "cut": None, "info": "Metadata-Version: 2.1\\nName: good\\nVersion: 1.0\\n"}
    lines = []
    def add(name, data):
        space["files"][name] = data
        lines.append("%s,sha256=%s,%d\\n" % (name, base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode(), len(data)))
    add("good.py", b"")
    add("good-1.0.dist-info/WHEEL", b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    space["add"] = add
    space["record"] = ""
    early = program if "info =" in program or "add(" in program else ""
    exec(early, space)
    add("good-1.0.dist-info/METADATA", space["info"].encode())
    space["record"] = "".join(lines) + "good-1.0.dist-info/RECORD,,\\n"
    if not early: exec(program, space)
    if not space["norecord"]: space["files"]["good-1.0.dist-info/RECORD"] = space["record"].encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in list(space["files"]) + space["again"]:
            info = zipfile.ZipInfo(name)
            info.filename = name
            info.external_attr = space["modes"].get(name, 0o100644) << 16
            archive.writestr(info, space["files"][name])
        if space["overlap"]:
            twin = copy.copy(archive.getinfo("good.py"))
            twin.filename = "other.py"
            archive.filelist.append(twin)
    open(path, "wb").write(out.getvalue()[:space["cut"]])
for name, program in json.load(sys.stdin).items():
    import os
    os.mkdir(os.path.join(sys.argv[1], name))
    write(os.path.join(sys.argv[1], name, "good-1.0-py3-none-any.whl"), program)
`;

buildTest('P02, P08: wheels that lie or reach out of their place are refused, each with its reason', async (t) => {
  await using dir = await tempDir();
  const workshop = await testWorkshop(dir);
  const bench = await testBench(workshop);
  const input = JSON.stringify(Object.fromEntries(Object.entries(WHEELS).map(([name, [program]]) => [name, program])));
  const written = await runCommand('/usr/bin/python3', ['-c', WRITE_WHEELS, dir.path], { input });
  t.is(written.status, 0, written.stderr);
  for (const [name, [, expected]] of Object.entries(WHEELS)) {
    const paths = new Map([['good-1.0-py3-none-any.whl', dir.join(name, 'good-1.0-py3-none-any.whl')]]);
    const check = checkWheels({ paths, bench, temporary: workshop.temporary }, testContext());
    if (name === 'good') t.like((await check)[0], { name: 'good', version: '1.0', notices: [] });
    else await t.throwsAsync(check, { code: 'E_FORMAT', message: expected }, name);
  }
});

const file = (path: string, more: Partial<TarEntry> = {}): TarEntry => ({ path, bytes: Buffer.from('x'), ...more });
const ARCHIVES: Readonly<Record<string, readonly [entries: readonly TarEntry[], expected: RegExp | undefined]>> = {
  good: [[file('a-1/setup.py'), { path: 'a-1/link', type: '2', linkName: 'setup.py' }, { path: 'a-1/sub/' }, { path: 'a-1/sub/up', type: '2', linkName: '../setup.py' }], undefined],
  above: [[file('../evil')], /path '\.\.\/evil'/],
  inside: [[file('a-1/x/../../../evil')], /holds the path/],
  absolute: [[file('/etc/evil')], /path '\/etc\/evil'/],
  link: [[{ path: 'a-1/link', type: '2', linkName: '/etc' }], /leads out/],
  relative: [[{ path: 'a-1/link', type: '2', linkName: '../../etc' }], /leads out/],
  through: [[{ path: 'a-1/link', type: '2', linkName: 'sub' }, file('a-1/link/file')], /through the link/],
  hard: [[{ path: 'a-1/hard', type: '1', linkName: '/etc/passwd' }], /path '\/etc\/passwd'/],
  hardlink: [[{ path: 'a-1/link', type: '2', linkName: 'x' }, { path: 'a-1/hard', type: '1', linkName: 'a-1/link' }], /no file of the archive/],
  device: [[{ path: 'a-1/null', type: '3' }], /device or a pipe/],
  fifo: [[{ path: 'a-1/fifo', type: '6' }], /device or a pipe/],
  setuid: [[file('a-1/su', { mode: 0o4755 })], /setuid/],
  newline: [[file('a-1/new\nline')], /holds the path/],
};

buildTest('P06: source archives that lead out, or hold what no source has, are refused', async (t) => {
  await using dir = await tempDir();
  const bench = await testBench(await testWorkshop(dir));
  for (const [name, [entries, expected]] of Object.entries(ARCHIVES)) {
    await writeFile(dir.join(`${name}.tar`), tar(entries));
    const work = { what: name, script: 'python3 -I /tools/unpack.py /in/a.tar /tmp/out; cat /tmp/out/a-1/sub/up', arguments: [], binds: [{ from: dir.join(`${name}.tar`), to: '/in/a.tar' }] };
    if (expected === undefined) t.is((await bench.run(work, testContext())).output, 'x');
    else await t.throwsAsync(bench.run(work, testContext()), { code: 'E_FORMAT', message: expected }, name);
  }
  await writeFile(dir.join('garbage.tar'), 'garbage');
  const garbage = { what: 'garbage', script: 'python3 -I /tools/unpack.py /in/a.tar /tmp/out', arguments: [], binds: [{ from: dir.join('garbage.tar'), to: '/in/a.tar' }] };
  await t.throwsAsync(bench.run(garbage, testContext()), { code: 'E_FORMAT', message: /ReadError/ });
});

buildTest('P09: an archive that builds a wheel of another project or version is refused', async (t) => {
  await using dir = await tempDir();
  const archive = { ...sdist({ name: 'honest', version: '2.0' }), file: 'honest-1.0.tar.gz' };

  await t.throwsAsync(build(dir, { name: 'honest' }, {}, archive), { code: 'E_FORMAT', message: /Building honest 1\.0 made a wheel of honest 2\.0/ });
});

buildTest('a failed build stops the others, and its reason is the one that is told', async (t) => {
  await using dir = await tempDir();
  const slow = Array.from({ length: 6 }, (_, index) => sdist({ name: `slow${index}`, hook: 'time.sleep(600)' }));
  await using server = await serve(indexFiles({ broken: [sdist({ name: 'broken', hook: 'sys.exit("error: broken")' })], ...Object.fromEntries(slow.map((one, index) => [`slow${index}`, [one]])) }));
  const workshop = await testWorkshop(dir);
  const requirements = ['broken==1.0', ...slow.map((_, index) => `slow${index}==1.0`)];
  const spec = pythonSpec({ requirements, indexes: [{ name: 'rig', url: `${server.url}/simple`, packages: ['*'] }] });
  const making = makeWheels(spec, await testBench(workshop, { seconds: 600 }), await new TestRelease(workshop).request(), testContext());

  await t.throwsAsync(making, { code: 'E_TOOL', message: /^Building broken 1\.0: / });
});
