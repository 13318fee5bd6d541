/**
 * Checks wheels inside the sandbox and writes those that were built here again, in one form: `wheel.py check FOLDER WHEEL…` and
 * `wheel.py finish FOLDER WHEEL`. What is known of each goes into `facts.jsonl` in the folder, a line each. (reliability table P, P02, P08, P09)
 */
export const WHEEL_SCRIPT = String.raw`
import base64, csv, hashlib, io, json, os, re, stat, subprocess, sys, tempfile, zipfile

ENTRIES, BYTES = 100000, 8 << 30
NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._]*)-([A-Za-z0-9_.!+]+)(?:-(\d[^-]*))?-([A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+)\.whl$")
# What a virtualenv cannot do without, or what everybody takes for something else.
TAKEN = re.compile(r"^(python|pypy)[0-9.]*$|^(activate.*|sh|bash|env)$")

current = "the wheel"

class Refused(Exception):
    pass

def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()

def same_version(one, other):
    try:
        from pip._vendor.packaging.version import Version
        return Version(one.replace("_", "-")) == Version(other.replace("_", "-"))
    except Exception:
        return one == other

def digest(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()

def check_entries(archive, size):
    infos, names, total = archive.infolist(), set(), 0
    if len(infos) > ENTRIES:
        raise Refused("it has more than %d entries" % ENTRIES)
    for info in infos:
        name, total = info.filename, total + info.file_size
        if name.startswith("/") or "\\" in name or any(ord(c) < 32 for c in name) or ".." in name.split("/") or "\0" in info.orig_filename:
            raise Refused("it holds the path %r" % info.orig_filename)
        if name.rstrip("/") in names:
            raise Refused("it holds %r twice" % name)
        names.add(name.rstrip("/"))
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Refused("%r is no plain file" % name)
        if info.flag_bits & 1:
            raise Refused("%r is encrypted" % name)
        if total > BYTES:
            raise Refused("it unpacks to more than %d bytes" % BYTES)
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise Refused("entries overlap, as in a zip bomb")
        end = info.header_offset + 30 + len(info.orig_filename.encode("utf-8")) + info.compress_size
    if end > size:
        raise Refused("an entry ends after the file")
    return [info for info in infos if not info.is_dir()]

def check_record(archive, infos, folder):
    rows = {}
    for row in csv.reader(io.StringIO(archive.read(folder + "/RECORD").decode("utf-8"))):
        if len(row) != 3:
            raise Refused("a line of RECORD has %d fields" % len(row))
        if row[0] in rows:
            raise Refused("RECORD lists %r twice" % row[0])
        rows[row[0]] = row[1:]
    exempt = {folder + "/RECORD", folder + "/RECORD.jws", folder + "/RECORD.p7s"}
    for info in infos:
        if info.filename in exempt:
            continue
        if info.filename not in rows:
            raise Refused("RECORD does not list %r" % info.filename)
        listed, size = rows[info.filename]
        if not listed.startswith(("sha256=", "sha384=", "sha512=")):
            raise Refused("RECORD has no strong digest of %r" % info.filename)
        hashed, length = hashlib.new(listed.split("=", 1)[0]), 0
        with archive.open(info) as data:
            for chunk in iter(lambda: data.read(1 << 20), b""):
                hashed.update(chunk)
                length += len(chunk)
        found = base64.urlsafe_b64encode(hashed.digest()).rstrip(b"=").decode()
        if found != listed.split("=", 1)[1].rstrip("=") or (size != "" and int(size) != length):
            raise Refused("%r is not what RECORD says" % info.filename)
    missing = set(rows) - {info.filename for info in infos} - exempt
    if missing:
        raise Refused("RECORD lists %r, which is not there" % sorted(missing)[0])

def check_scripts(archive, infos, folder, notices):
    scripts = []
    for info in infos:
        name = info.filename
        if name in ("sitecustomize.py", "usercustomize.py"):
            raise Refused("%s would run in every Python" % name)
        if re.match(r"^[^/]+\.pth$", name):
            notices.append("%s runs at the start of every Python" % name)
        data = re.match(r"^[^/]+\.data/([^/]+)/(.*)$", name)
        if data and data.group(1) not in ("purelib", "platlib", "headers", "scripts", "data"):
            raise Refused("%r has no place in an installation" % name)
        if data and data.group(1) == "scripts":
            scripts.append(data.group(2))
        elif data and data.group(1) == "data" and data.group(2).startswith(("bin/", "pyvenv.cfg")):
            scripts.append(data.group(2)[4:] or data.group(2))
    names = {info.filename for info in infos}
    if folder + "/entry_points.txt" in names:
        section = None
        for line in archive.read(folder + "/entry_points.txt").decode("utf-8").splitlines():
            heading = re.match(r"^\s*\[(.*)\]\s*$", line)
            section = heading.group(1).strip() if heading else section
            if not heading and section in ("console_scripts", "gui_scripts") and "=" in line and not line.lstrip().startswith(("#", ";")):
                scripts.append(line.split("=", 1)[0].strip())
    for script in scripts:
        if not re.match(r"^[A-Za-z0-9_][A-Za-z0-9._+ -]*$", script) or TAKEN.match(script):
            raise Refused("the script %r has a name it may not have" % script)

def libraries(archive, infos):
    own = {os.path.basename(info.filename) for info in infos}
    needed = set()
    for info in infos:
        with archive.open(info) as data:
            if data.read(4) != b"\x7fELF":
                continue
        with tempfile.NamedTemporaryFile() as copy:
            copy.write(archive.read(info))
            copy.flush()
            out = subprocess.run(["readelf", "-d", copy.name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        needed.update(re.findall(r"\(NEEDED\).*?\[(.*?)\]", out.decode("utf-8", "replace")))
    return owners(sorted(needed - own))

def output(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C"})
    return result.stdout.decode("utf-8", "replace")

def owners(names):
    """Each library with the package that has it; one question for all, for each reads the lists of all packages."""
    if not names:
        return []
    cache = dict(reversed(re.findall(r"^\s+(\S+) \(.*\) => (\S+)$", output("ldconfig", "-p"), re.M)))
    spellings = {}
    for name in names:
        if name in cache:
            path = os.path.realpath(cache[name])
            # Where /lib is a link to /usr/lib, dpkg may know the file by either name.
            spellings.update({path: name, re.sub(r"^/usr", "", path): name, cache[name]: name})
    found = {}
    for line in output("dpkg-query", "-S", *spellings).splitlines() if spellings else []:
        package, _, path = line.rpartition(": ")
        if path in spellings:
            found[spellings[path]] = package.split(",")[0].split(":")[0]
    form = "$" + "{Package} $" + "{Version}\n"
    versions = dict(line.split(" ", 1) for line in output("dpkg-query", "-W", "-f", form, *set(found.values())).splitlines()) if found else {}
    return [{"library": name, "package": found.get(name), "version": versions.get(found.get(name))} for name in names]

def header(text, field):
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    found = re.findall(r"(?im)^%s:[ \t]*(.*?)\s*$" % field, head)
    if len(found) > 1:
        raise Refused("METADATA has %s twice" % field)
    return found[0] if found else None

def describe(path, linked=True):
    global current
    current = file = os.path.basename(path)
    match = NAME.match(file)
    if not match:
        raise Refused("its name is no name of a wheel")
    with zipfile.ZipFile(path) as archive:
        infos = check_entries(archive, os.path.getsize(path))
        folders = {info.filename.split("/")[0] for info in infos if info.filename.split("/")[0].endswith(".dist-info")}
        if len(folders) != 1:
            raise Refused("it has %d .dist-info folders" % len(folders))
        folder, names = folders.pop(), {info.filename for info in infos}
        for name in ("METADATA", "WHEEL", "RECORD"):
            if folder + "/" + name not in names:
                raise Refused("it has no %s" % name)
        metadata = archive.read(folder + "/METADATA")
        text = metadata.decode("utf-8")
        name, version = header(text, "Name") or "", header(text, "Version") or ""
        stem = folder[:-len(".dist-info")].rsplit("-", 1)
        if normal(name) != normal(match.group(1)) or normal(stem[0]) != normal(name):
            raise Refused("it is named %s and says it is %s" % (match.group(1), name))
        if not same_version(version, match.group(2)) or len(stem) != 2 or not same_version(stem[1], version):
            raise Refused("it is version %s by its name and says it is %s" % (match.group(2), version))
        check_record(archive, infos, folder)
        notices = []
        check_scripts(archive, infos, folder, notices)
        return {
            "file": file, "name": normal(name), "title": name, "version": version, "requiresPython": header(text, "Requires-Python"),
            "metadata": text, "libraries": libraries(archive, infos) if linked else [], "notices": sorted(notices),
        }

def finish(path, folder):
    """The same content in one order, with one date and one compression; the name says which content it is."""
    describe(path, False)
    match = NAME.match(os.path.basename(path))
    with zipfile.ZipFile(path) as archive:
        infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}
        info_folder = next(name.split("/")[0] for name in infos if name.split("/")[0].endswith(".dist-info"))
        record, wheel = info_folder + "/RECORD", info_folder + "/WHEEL"
        names = sorted((name for name in infos if name != record), key=lambda name: (name.startswith(info_folder + "/"), name.encode()))
        text = re.sub(r"(?im)^Build:.*\r?\n", "", archive.read(wheel).decode("utf-8"))
        mode = lambda name: 0o755 if infos[name].external_attr >> 16 & 0o111 else 0o644
        content = lambda name: text.encode() if name == wheel else archive.read(name)
        whole = hashlib.sha256()
        for name in names:
            whole.update(("%s\0%o\0%s\n" % (name, mode(name), digest(content(name)))).encode())
        build = "0x" + whole.hexdigest()[:12]
        text = re.sub(r"\n*\Z", "\n", text) + "Build: %s\n" % build
        target = os.path.join(folder, "%s-%s-%s-%s.whl" % (match.group(1), match.group(2), build, match.group(4)))
        rows = io.StringIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
            def put(name, data, bits):
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, (stat.S_IFREG | bits) << 16
                out.writestr(info, data)
            writer = csv.writer(rows, lineterminator="\n")
            for name in names:
                data = content(name)
                put(name, data, mode(name))
                writer.writerow((name, digest(data), len(data)))
            writer.writerow((record, "", ""))
            put(record, rows.getvalue().encode("utf-8"), 0o644)
    os.chmod(target, 0o644)
    return target

def main(command, *arguments):
    folder, wheels = arguments[0], arguments[1:]
    with open(os.path.join(folder, "facts.jsonl"), "w") as facts:
        for wheel in wheels if command == "check" else [finish(wheels[0], folder)]:
            facts.write(json.dumps(describe(wheel), sort_keys=True) + "\n")

if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Refused as error:
        sys.exit("refused: %s: %s" % (current, error))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, UnicodeError, ValueError, NotImplementedError, csv.Error) as error:
        sys.exit("refused: %s: %s: %s" % (current, type(error).__name__, error))
`;
