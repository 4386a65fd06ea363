"""Trees to live in: the scratch machine's, the guest's, and an image with an interpreter.

The trees hold busybox and a handful of files with fixed content. The image adds the running
interpreter with the modules that the agent imports (asked of the agent itself) and the shared
libraries that ldd(1) names, so no image is ever pulled.
"""

import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import uuid
from pathlib import Path

from simulator.experiment.probes.layout import DIRECTORIES
from simulator.experiment.probes.world import User
from simulator.experiment.real import pack
from simulator.experiment.real.errors import RealError

AGENT_PATH = "/usr/lib/vitrina/agent.pyz"
PYTHON_PATH = "/usr/lib/vitrina/python"


@functools.cache
def busybox() -> Path | None:
    """A statically linked busybox, or ``None``."""
    found = shutil.which("busybox") or "/bin/busybox"
    return Path(found) if Path(found).exists() else None


@functools.cache
def _applets() -> tuple[str, ...]:
    listing = subprocess.run([str(_need_busybox()), "--list"], capture_output=True, check=True)
    return tuple(name for name in listing.stdout.decode().split() if name != "busybox")


def _need_busybox() -> Path:
    found = busybox()
    if found is None:
        raise RealError.not_here("busybox-static is not installed")
    return found


def populate(tree: Path, host_name: str, users: tuple[User, ...]) -> None:
    """Fill an empty directory with busybox, users and the usual directories."""
    for name, mode in DIRECTORIES:
        (tree / name).mkdir(exist_ok=True)
        (tree / name).chmod(mode)
    program = tree / "bin/busybox"
    shutil.copyfile(_need_busybox(), program)
    program.chmod(0o755)
    place = os.open(tree / "bin", os.O_PATH | os.O_DIRECTORY)
    try:
        for applet in _applets():
            os.link("busybox", applet, src_dir_fd=place, dst_dir_fd=place)
    finally:
        os.close(place)
    _user_files(tree, host_name, users)


def _user_files(tree: Path, host_name: str, users: tuple[User, ...]) -> None:
    passwd = "".join(
        f"{user.name}:x:{user.uid}:{user.gid}:{user.name}:{user.home}:{user.shell}\n"
        for user in users
    )
    group = "".join(f"{_group_name(user)}:x:{user.gid}:\n" for user in users)
    shadow = "".join(f"{user.name}:!:19000:0:99999:7:::\n" for user in users)
    for name, content, mode in (
        ("passwd", passwd, 0o644),
        ("group", group, 0o644),
        ("shadow", shadow, 0o600),
        ("hostname", host_name + "\n", 0o644),
    ):
        path = tree / "etc" / name
        path.write_text(content)
        path.chmod(mode)
    for user in users:
        home = tree / user.home.lstrip("/")
        if user.uid and user.home != "/" and not home.exists():
            home.mkdir(parents=True)
            os.chown(home, user.uid, user.gid)


def _group_name(user: User) -> str:
    return "nogroup" if user.name == "nobody" else user.name


def interpreter() -> str:
    """The interpreter itself, behind any virtual environment."""
    return os.path.realpath(sys.executable)


def _modules(agent: Path) -> list[Path]:
    """Files of the standard library that the agent imports."""
    command = [*interpreter_arguments(str(agent)), "--modules"]
    listing = subprocess.run(command, capture_output=True, check=True)
    lines = listing.stdout.decode().splitlines()
    return [Path(line) for line in lines if line.startswith("/") and "agent.pyz" not in line]


def _libraries(programs: list[Path]) -> list[Path]:
    """Shared libraries, with the loader, by the paths that ldd(1) gives."""
    found: set[Path] = set()
    for program in programs:
        listing = subprocess.run(["ldd", str(program)], capture_output=True, check=False)
        for line in listing.stdout.decode().splitlines():
            words = [word for word in line.split() if word.startswith("/")]
            found.update(Path(word) for word in words[:1])
    return sorted(found)


def image(users: tuple[User, ...]) -> Path:
    """A tar of the guest's tree with the interpreter, built once and cached by content."""
    cached = _cache_directory() / f"image-{_content(repr(users))}.tar"
    if not cached.exists():
        with tempfile.TemporaryDirectory() as scratch:
            tree = Path(scratch) / "tree"
            tree.mkdir()
            _build_image(tree, users)
            partial = cached.with_suffix(f".{uuid.uuid4().hex}")
            _write_tar(tree, partial)
            partial.replace(cached)
    return cached


@functools.cache
def _content(more: str = "") -> str:
    """A name for what the interpreter, the agent, busybox and this file make."""
    key = hashlib.sha256(more.encode())
    for part in (pack.archive(), Path(interpreter()).read_bytes(), _need_busybox().read_bytes()):
        key.update(part)
    key.update(Path(__file__).read_bytes())
    return key.hexdigest()[:16]


def _cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for candidate in (Path(base) / "vitrina", Path(tempfile.gettempdir()) / "vitrina-cache"):
        try:
            candidate.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(candidate, os.W_OK):
            return candidate
    raise RealError.not_here("no cache directory is writable")


def _build_image(tree: Path, users: tuple[User, ...]) -> None:
    populate(tree, "", users)
    _build_interpreter(tree)


def _build_interpreter(tree: Path) -> None:
    agent = tree / AGENT_PATH.lstrip("/")
    agent.parent.mkdir(parents=True)
    agent.write_bytes(pack.archive())
    python = tree / PYTHON_PATH.lstrip("/")
    shutil.copyfile(interpreter(), python)
    python.chmod(0o755)
    modules = _modules(agent)
    home = Path(os.path.realpath(os.__file__)).parent
    for module in modules:
        if module.is_relative_to(home):
            _install(module, tree / "usr/lib/vitrina/lib" / home.name / module.relative_to(home))
    extensions = [module for module in modules if module.suffix == ".so"]
    for library in _libraries([Path(interpreter()), *extensions]):
        _copy(library, tree / _library_path(library))


def install_interpreter(machine: Path, tenants: tuple[str, ...]) -> None:
    """The interpreter and the agent into each tenant's tree below ``machine``'s /srv.

    One copy of the content: the trees hold hard links to it.
    """
    source = _interpreter_tree()
    first = machine / "srv" / tenants[0]
    shutil.copytree(source, first, dirs_exist_ok=True)
    for tenant in tenants[1:]:
        place = machine / "srv" / tenant
        for directory, _names, files in os.walk(source):
            where = os.path.relpath(directory, source)
            (place / where).mkdir(exist_ok=True)
            for name in files:
                os.link(first / where / name, place / where / name)


def _interpreter_tree() -> Path:
    """The interpreter's files as a tree, built once and cached by content."""
    cached = _cache_directory() / f"interpreter-{_content()}"
    if not cached.exists():
        partial = Path(tempfile.mkdtemp(dir=cached.parent))
        partial.chmod(0o755)
        _build_interpreter(partial)
        try:
            partial.rename(cached)
        except OSError:
            # Somebody else was quicker.
            shutil.rmtree(partial)
    return cached


def _library_path(library: Path) -> str:
    """Where the image keeps a library: a private place of this machine becomes /usr/lib."""
    if library.parts[1] in ("lib", "lib64", "usr"):
        return str(library).lstrip("/")
    return f"usr/lib/{library.name}"


def _install(module: Path, target: Path) -> None:
    """A module of the standard library with its bytecode beside it, as an installed one has."""
    _copy(module, target)
    if module.suffix == ".py":
        compiled = Path(importlib.util.cache_from_source(str(target)))
        compiled.parent.mkdir(parents=True, exist_ok=True)
        compiled.write_bytes(pack.bytecode(module.read_bytes(), str(module)))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(os.path.realpath(source), target)
    target.chmod(0o755)


def _write_tar(tree: Path, target: Path) -> None:
    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime, entry.uname, entry.gname = 0, "", ""
        return entry

    with tarfile.open(target, "w") as packed:
        for entry in sorted(tree.iterdir()):
            packed.add(entry, arcname=entry.name, filter=plain)


def interpreter_arguments(agent: str = "") -> list[str]:
    """The command line of an agent: inside the image, or here with the archive at ``agent``."""
    program, archive = (interpreter(), agent) if agent else (PYTHON_PATH, AGENT_PATH)
    return [program, "-I", "-S", "-c", pack.START.format(path=archive)]


def devices(directory: Path, nodes: tuple[tuple[str, int, int, int, int], ...]) -> None:
    """Make device nodes: (name, type, major, minor, mode)."""
    for name, kind, major, minor, mode in nodes:
        path = directory / name
        os.mknod(path, kind | mode, os.makedev(major, minor))
        path.chmod(mode)
