/**
 * Makes a virtualenv inside the sandbox and packs it: `venv.py PREFIX REQUIREMENTS CONSTRAINTS HASHES TARGET`. HASHES are
 * the release's absolute requirements; nothing but what they list is installed. Prints what is in it as JSON.
 */
export const VENV_SCRIPT = String.raw`
import filecmp, gzip, json, os, re, shutil, stat, subprocess, sys, tarfile

def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode != 0:
        text = result.stdout.decode("utf-8", "replace")
        sys.stdout.write(text)
        sys.exit(result.returncode)
    return result.stdout

def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()

def hashes(path):
    lines = [line for line in open(path, encoding="utf-8").read().splitlines() if line]
    return {normal(line.split("==")[0]): line for line in lines}

def resolve(python, requirements, constraints, absolute):
    report = "/tmp/report.json"
    run(python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-index", "--find-links", "/wheels",
        "--report", report, "-r", requirements, "-c", constraints)
    with open(report, encoding="utf-8") as data:
        names = sorted(normal(item["metadata"]["name"]) for item in json.load(data)["install"])
    missing = [name for name in names if name not in absolute]
    if missing:
        sys.exit("refused: the release has no wheel of %s" % missing[0])
    return [absolute[name] for name in names]

def pack(prefix, target):
    """The same tree gives the same bytes: names in order, one date, one owner."""
    with open(target, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as zipped, tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as out:
        for folder, folders, files in os.walk(prefix):
            folders.sort()
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for path in [folder] + [os.path.join(folder, name) for name in sorted(files + links)]:
                info = out.gettarinfo(path, "./" + os.path.relpath(path, prefix) if path != prefix else ".")
                info.mtime, info.uid, info.gid, info.uname, info.gname = int(os.environ["SOURCE_DATE_EPOCH"]), 0, 0, "root", "root"
                if info.islnk():
                    info.type, info.linkname, info.size = tarfile.REGTYPE, "", os.path.getsize(path)
                if not info.issym():
                    info.mode = 0o755 if info.isdir() or info.mode & 0o111 else 0o644
                if info.isfile():
                    with open(path, "rb") as data:
                        out.addfile(info, data)
                else:
                    out.addfile(info)

def link_twins(folder):
    """The interpreter is there under three names; one copy of it will do."""
    names = sorted((name for name in os.listdir(folder) if re.match(r"^python[0-9.]*$", name)), key=len)
    last = names[-1]
    for name in names[:-1]:
        path = os.path.join(folder, name)
        if not os.path.islink(path) and filecmp.cmp(path, os.path.join(folder, last), False):
            os.unlink(path)
            os.symlink(last, path)

def clean(prefix):
    """Compiled files differ from run to run, and are made again where they can be written."""
    for folder, folders, files in os.walk(prefix, topdown=False):
        if os.path.basename(folder) == "__pycache__":
            shutil.rmtree(folder)
        for name in files:
            if name.endswith(".pyc") and os.path.lexists(os.path.join(folder, name)):
                os.unlink(os.path.join(folder, name))

def check_paths(prefix):
    for folder, folders, files in os.walk(prefix):
        for path in (os.path.join(folder, name) for name in folders + files):
            shown = os.path.relpath(path, prefix)
            if os.path.islink(path):
                target = os.path.normpath(os.path.join(os.path.dirname(shown), os.readlink(path)))
                if os.path.isabs(os.readlink(path)) or target.split("/")[0] == "..":
                    sys.exit("refused: %s of the virtualenv leads to %s" % (shown, os.readlink(path)))
            elif os.path.isfile(path):
                with open(path, "rb") as data:
                    if re.search(rb"/tmp/(pip-|build/)", data.read()):
                        sys.exit("refused: %s of the virtualenv names a folder of its build" % shown)

def main(prefix, requirements, constraints, hashed, target):
    run("/usr/bin/python3", "-m", "venv", "--copies", prefix)
    python = os.path.join(prefix, "bin", "python3")
    lines = resolve(python, requirements, constraints, hashes(hashed))
    with open("/tmp/exact.txt", "w", encoding="utf-8") as exact:
        exact.write("".join(line + "\n" for line in lines))
    run(python, "-m", "pip", "install", "--no-index", "--find-links", "/wheels", "--require-hashes", "--no-deps", "--no-compile", "-r", "/tmp/exact.txt")
    run(python, "-m", "pip", "check")
    installed = json.loads(run(python, "-m", "pip", "list", "--format", "json"))
    clean(prefix)
    link_twins(os.path.join(prefix, "bin"))
    check_paths(prefix)
    pack(prefix, target)
    print(json.dumps({"installed": [{"name": normal(item["name"]), "version": item["version"]} for item in installed]}))

if __name__ == "__main__":
    main(*sys.argv[1:])
`;
