/**
 * Unpacks a source archive inside the sandbox: `unpack.py ARCHIVE FOLDER`. It refuses what a source archive has no
 * reason to hold instead of leaving it out: somebody made it so. (reliability table P, P06)
 */
export const UNPACK_SCRIPT = String.raw`
import os, shutil, stat, sys, tarfile, zipfile

FILES, BYTES = 200000, 4 << 30

def refuse(reason):
    sys.exit("refused: " + reason)

def parts_of(name):
    if name.startswith("/") or "\\" in name or any(ord(c) < 32 for c in name):
        refuse("the archive holds the path %r" % name)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        refuse("the archive holds the path %r" % name)
    return parts

def inside(folder, target):
    if target.startswith("/"):
        return False
    path = os.path.normpath("/".join(folder + [target]))
    return path != ".." and not path.startswith("../")

def safe_target(root, parts):
    """Nothing is written through a link."""
    path = root
    for part in parts[:-1]:
        path = os.path.join(path, part)
        if os.path.islink(path):
            refuse("the archive writes through the link %r" % part)
    os.makedirs(path, exist_ok=True)
    path = os.path.join(root, *parts)
    if os.path.lexists(path) and not os.path.isdir(path):
        os.unlink(path)
    return path

def write(source, path, mode):
    with open(path, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    os.chmod(path, 0o755 if mode & 0o111 else 0o644)

def members(items, size):
    count = total = 0
    for item in items:
        count, total = count + 1, total + max(size(item), 0)
        if count > FILES or total > BYTES:
            refuse("the archive holds more than %d files or %d bytes" % (FILES, BYTES))
        yield item

def from_tar(archive, root):
    for item in members(archive, lambda item: item.size):
        parts = parts_of(item.name)
        if not parts:
            continue
        if item.mode & (stat.S_ISUID | stat.S_ISGID) and not item.isdir():
            refuse("%r is setuid or setgid" % item.name)
        if item.isdir():
            os.makedirs(safe_target(root, parts + ["."]), exist_ok=True)
        elif item.issym():
            if not inside(parts[:-1], item.linkname) or not inside(parts[1:-1], item.linkname):
                refuse("the link %r leads out of the archive" % item.name)
            os.symlink(item.linkname, safe_target(root, parts))
        elif item.islnk():
            source = os.path.join(root, *parts_of(item.linkname))
            if os.path.islink(source) or not os.path.isfile(source):
                refuse("the hard link %r leads to no file of the archive" % item.name)
            with open(source, "rb") as data:
                write(data, safe_target(root, parts), item.mode)
        elif item.isfile():
            write(archive.extractfile(item), safe_target(root, parts), item.mode)
        else:
            refuse("%r is a device or a pipe" % item.name)

def from_zip(archive, root):
    for item in members(archive.infolist(), lambda item: item.file_size):
        parts, mode = parts_of(item.filename), item.external_attr >> 16
        if not parts or item.is_dir():
            continue
        if stat.S_ISLNK(mode):
            refuse("%r is a link in a zip archive" % item.filename)
        with archive.open(item) as data:
            write(data, safe_target(root, parts), mode)

def main(archive, folder):
    os.makedirs(folder)
    try:
        if zipfile.is_zipfile(archive) and archive.endswith(".zip"):
            with zipfile.ZipFile(archive) as opened:
                from_zip(opened, folder)
        else:
            with tarfile.open(archive) as opened:
                from_tar(opened, folder)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, UnicodeError, ValueError) as error:
        refuse("%s: %s" % (type(error).__name__, error))

if __name__ == "__main__":
    main(*sys.argv[1:])
`;
