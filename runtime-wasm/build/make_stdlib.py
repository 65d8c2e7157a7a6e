"""Packs the standard library, the guest modules of runtime-wasm/python and the time zones into one archive of stored
(not compressed) files: `make_stdlib.py LIB GUEST ZONEINFO OUT`. Same inputs, same bytes. Runs on the Python just built,
because byte code belongs to one version."""

import importlib.util
import marshal
import struct
import sys
import zipfile
from pathlib import Path

ARCHIVE = "/lib/python313.zip/"
SKIPPED_FOLDERS = {
    "test", "tests", "idlelib", "tkinter", "ensurepip", "turtledemo", "pydoc_data", "lib2to3", "__pycache__", "site-packages",
    "venv", "curses", "dbm", "sqlite3", "ctypes", "__phello__", "_pyrepl",
}
SKIPPED_FILES = {
    "turtle.py", "pydoc.py", "antigravity.py", "this.py", "doctest.py", "cProfile.py", "pdb.py", "tty.py", "pty.py",
    "webbrowser.py", "_pydecimal.py", "_pydatetime.py", "_pyio.py", "_aix_support.py", "_osx_support.py", "_android_support.py",
    "_ios_support.py", "_apple_support.py", "mailbox.py", "rlcompleter.py", "__hello__.py", "zipapp.py", "trace.py",
    "tabnanny.py", "pyclbr.py", "symtable.py",
}
# zoneinfo asks sysconfig for TZPATH; the generated module would carry paths of the machine that built it.
SYSCONFIG = "build_time_vars = {'TZPATH': '', 'prefix': '/', 'Py_GIL_DISABLED': 0}\n"
# What is added at the end of files of the library.
ADDED_LINES = {"asyncio/unix_events.py": b"\nfrom _tidemark import event_loop\n"}
SKIPPED_ZONES = {"posix", "right", "posixrules", "localtime"}


def byte_code(source: bytes, name: str) -> bytes:
    """A hash-based .pyc that is never checked against a source."""
    code = compile(source, ARCHIVE + name, "exec", dont_inherit=True, optimize=0)
    return importlib.util.MAGIC_NUMBER + struct.pack("<I", 1) + importlib.util.source_hash(source) + marshal.dumps(code)


def library_files(lib: Path):
    for path in sorted(lib.rglob("*.py")):
        relative = path.relative_to(lib)
        if SKIPPED_FOLDERS.intersection(relative.parts[:-1]) or str(relative) in SKIPPED_FILES:
            continue
        yield str(relative), path.read_bytes() + ADDED_LINES.get(str(relative), b"")


def slim(data: bytes) -> bytes:
    """A TZif file of version 2 or later without the 32-bit block that only version-1 readers need (RFC 9636 §3.1)."""
    if data[:4] != b"TZif" or data[4:5] < b"2":
        return data
    isut, isstd, leap, times, types, characters = struct.unpack(">6I", data[20:44])
    second = 44 + times * 5 + types * 6 + characters + leap * 8 + isstd + isut
    empty = data[:20] + struct.pack(">6I", 0, 0, 0, 0, 1, 1) + bytes(7)
    return empty + data[second:]


def zone_files(root: Path):
    """The package `tzdata` that zoneinfo reads through importlib.resources."""
    names = []
    folders = {"tzdata", "tzdata/zoneinfo"}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if not path.is_file() or relative.parts[0] in SKIPPED_ZONES:
            continue
        data = path.read_bytes()
        if data[:4] == b"TZif":
            names.append(str(relative))
            folders.update("tzdata/zoneinfo/" + str(parent) for parent in list(relative.parents)[:-1])
            yield f"tzdata/zoneinfo/{relative}", slim(data)
    yield "tzdata/zones", "".join(name + "\n" for name in names).encode()
    for folder in sorted(folders):
        yield f"{folder}/__init__.pyc", byte_code(b"", f"{folder}/__init__.py")


def all_files(lib: Path, guest: Path, zones: Path):
    for name, source in library_files(lib):
        yield name + "c", byte_code(source, name)
    yield "_sysconfigdata__wasi_wasm32-wasi.pyc", byte_code(SYSCONFIG.encode(), "_sysconfigdata__wasi_wasm32-wasi.py")
    for path in sorted(guest.glob("*.py")):
        name = f"_tidemark/{path.name}"
        yield name + "c", byte_code(path.read_bytes(), name)
    # Modules that plugins import by their own names.
    for path in sorted(guest.glob("modules/*.py")):
        yield path.name + "c", byte_code(path.read_bytes(), path.name)
    yield from zone_files(zones)


def main(lib: str, guest: str, zones: str, out: str) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in all_files(Path(lib), Path(guest), Path(zones)):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


if __name__ == "__main__":
    main(*sys.argv[1:])
