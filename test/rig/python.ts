import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { PythonSpec } from '../../src/artifacts/python/spec.ts';
import { tar, type TarEntry } from './archive.ts';

export interface SdistOptions {
  readonly name: string;
  /** Default `1.0`. */
  readonly version?: string;
  /** Further lines of METADATA: `Requires-Dist: other`. */
  readonly metadata?: readonly string[];
  /** C source of an extension module `_<name>`, and the libraries it is linked with. */
  readonly extension?: { readonly source: string; readonly libraries: readonly string[] };
  /** Python that runs at the beginning of the build. */
  readonly hook?: string;
  /** Python that may change `files`, the content of the wheel by path, and `record`, a list of lines. */
  readonly spoil?: string;
  /** What the build needs of an index. */
  readonly buildRequires?: readonly string[];
  /** Names in entry_points.txt. */
  readonly scripts?: readonly string[];
  /** Further entries of the archive. */
  readonly entries?: readonly TarEntry[];
}

export interface PythonFile {
  readonly file: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/**
 * A source archive with a build backend of its own, so that it needs nothing of any index. Each build of it comes out
 * differently: other dates, another order.
 */
export function sdist(options: SdistOptions): PythonFile {
  const { name, version = '1.0' } = options;
  const folder = `${name}-${version}/`;
  const entry = (path: string, text: string): TarEntry => ({ path: `${folder}${path}`, bytes: Buffer.from(text) });
  const bytes = gzipSync(
    tar([
      { path: folder },
      entry('pyproject.toml', `[build-system]\nrequires = ${JSON.stringify(options.buildRequires ?? [])}\nbuild-backend = "backend"\nbackend-path = ["."]\n`),
      entry('PKG-INFO', metadata(options)),
      entry(`${name}.py`, `VERSION = "${version}"\n\ndef main():\n    print("${name} ${version}")\n`),
      entry('backend.py', backend(options)),
      ...(options.extension === undefined ? [] : [entry('extension.c', options.extension.source)]),
      ...(options.entries ?? []),
    ]),
  );
  return pythonFile(`${name}-${version}.tar.gz`, bytes);
}

export function pythonFile(file: string, bytes: Buffer): PythonFile {
  return { file, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Pages of an index at `/simple/` by path, and the files at `/files/`. */
export function indexFiles(projects: Readonly<Record<string, readonly PythonFile[]>>): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const [name, versions] of Object.entries(projects)) {
    const links = versions.map(({ file, sha256 }) => `<a href="../../files/${file}#sha256=${sha256}">${file}</a>\n`);
    files.set(`simple/${name}/`, Buffer.from(`<!DOCTYPE html><html><body>${links.join('')}</body></html>`));
    for (const { file, bytes } of versions) files.set(`files/${file}`, bytes);
  }
  return files;
}

function metadata({ name, version = '1.0', metadata: further = [] }: SdistOptions): string {
  return ['Metadata-Version: 2.1', `Name: ${name}`, `Version: ${version}`, ...further].map((line) => `${line}\n`).join('');
}

function backend(options: SdistOptions): string {
  const { name, version = '1.0', extension, hook = '', spoil = '', scripts = [] } = options;
  const info = `${name}-${version}.dist-info`;
  const tag = extension === undefined ? "'py3-none-any'" : "'cp%d%d-cp%d%d-linux_' % (sys.version_info[:2] * 2) + os.uname().machine";
  const entryPoints = scripts.length === 0 ? '' : `[console_scripts]\n${scripts.map((script) => `${script} = ${name}:main\n`).join('')}`;
  const compile =
    extension === undefined
      ? ''
      : `
    include = sysconfig.get_paths()["include"]
    flags = os.environ.get("CFLAGS", "").split()
    subprocess.check_call(["gcc", "-g", "-O1", *flags, "-shared", "-fPIC", "-I" + include, "-o", "built.so", os.path.abspath("extension.c"), ${extension.libraries.map((library) => `"-l${library}"`).join(', ')}])
    files["_${name}" + sysconfig.get_config_var("EXT_SUFFIX")] = open("built.so", "rb").read()
`;
  return `import base64, hashlib, os, random, subprocess, sys, sysconfig, time, zipfile
${hook}
TAG = ${tag}

def prepare_metadata_for_build_wheel(folder, settings=None):
    os.makedirs(os.path.join(folder, "${info}"))
    open(os.path.join(folder, "${info}", "METADATA"), "w").write(open("PKG-INFO").read())
    return "${info}"

def build_wheel(folder, settings=None, metadata=None):
    files = {"${name}.py": open("${name}.py", "rb").read(), "${info}/METADATA": open("PKG-INFO", "rb").read()}
    files["${info}/WHEEL"] = ("Wheel-Version: 1.0\\nGenerator: rig\\nRoot-Is-Purelib: true\\nTag: %s\\n" % TAG).encode()
    if ${JSON.stringify(entryPoints)}: files["${info}/entry_points.txt"] = ${JSON.stringify(entryPoints)}.encode()
${compile}
    sums = lambda data: "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    record = ["%s,%s,%d" % (path, sums(data), len(data)) for path, data in files.items()] + ["${info}/RECORD,,"]
    wheel = "${name}-${version}-%s.whl" % TAG
${spoil
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
    random.shuffle(record)
    files["${info}/RECORD"] = ("\\n".join(record) + "\\n").encode()
    with zipfile.ZipFile(os.path.join(folder, wheel), "w") as out:
        for path in random.sample(sorted(files), len(files)):
            out.writestr(zipfile.ZipInfo(path, (2000 + random.randrange(20), 1, 1, 0, 0, 0)), files[path])
    return wheel
`;
}

/** What a release wants of Python, nothing yet. */
export function pythonSpec(changes: Partial<PythonSpec> = {}): PythonSpec {
  return {
    release: 'r1.0.0',
    series: 'r1',
    codename: 'rig',
    architecture: 'amd64',
    distro: 'rig-1-x86_64',
    publication: { node: 'publish apt-mirror/integrated r1.0.0-rig', prefix: 'apt-mirror/integrated', suite: 'r1.0.0-rig', components: ['main'], key: 'apt-mirror/release-signing-key.asc' },
    base: { described: [], resolve: async () => [] },
    proxies: {},
    buildPackages: [],
    requirements: [],
    overrides: [],
    constraints: [],
    buildConstraints: [],
    noBinary: [],
    isolation: true,
    git: [],
    indexes: [],
    fallbackIndex: undefined,
    getPip: undefined,
    services: [],
    ...changes,
  };
}

/** A wheel as an index would have it, made by the backend of an archive on this machine. */
export function builtWheel(name: string): PythonFile {
  const program = `import base64, hashlib, io, sys, zipfile
name = sys.argv[1]
files = {name + ".py": b"", name + "-1.0.dist-info/METADATA": ("Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n" % name).encode(), name + "-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\\nGenerator: rig\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
record = "".join("%s,sha256=%s,%d\\n" % (path, base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode(), len(data)) for path, data in files.items())
files[name + "-1.0.dist-info/RECORD"] = (record + name + "-1.0.dist-info/RECORD,,\\n").encode()
out = io.BytesIO()
with zipfile.ZipFile(out, "w") as archive:
    for path, data in files.items(): archive.writestr(path, data)
sys.stdout.buffer.write(out.getvalue())
`;
  return pythonFile(`${name}-1.0-py3-none-any.whl`, spawnSync('/usr/bin/python3', ['-c', program, name]).stdout);
}
