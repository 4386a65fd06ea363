"""What must be swept if a coordinator is killed: one small file for each scratch machine."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from simulator.experiment.real import cgroups
from simulator.machine.abi.i18n import gettext as _

_AGENT = re.compile(rb"vitrina-(\d+)-\w+(?=/agent\.pyz)")
"""In the command line of the agent from which a process's machines are forked."""


class Record(msgspec.Struct, frozen=True):
    """One scratch machine: who runs it, and what the kernel does not clean up by itself.

    ``keys`` are serial numbers in root's user keyring; ``label`` marks containers of an engine
    that is not ours.
    """

    name: str
    coordinator: int
    directory: str
    groups: tuple[str, ...] = ()
    started: int = 0
    keys: tuple[int, ...] = ()
    label: str = ""


def _place() -> Path:
    base = Path("/run") if os.access("/run", os.W_OK) else Path(tempfile.gettempdir())
    place = base / f"vitrina-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def start_time(pid: int) -> int:
    """When a process started, in clock ticks since boot; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields[19])


def write(record: Record) -> None:
    """Write or rewrite a machine's file."""
    record = msgspec.structs.replace(record, started=start_time(record.coordinator))
    target = _place() / f"{record.name}.json"
    partial = target.with_suffix(".new")
    partial.write_bytes(msgspec.json.encode(record))
    partial.replace(target)


def add_key(record: Record, serial: int) -> Record:
    """Remember a key of the user keyring."""
    record = msgspec.structs.replace(record, keys=(*record.keys, serial))
    write(record)
    return record


def erase(record: Record) -> None:
    """The machine ended in order."""
    with contextlib.suppress(OSError):
        (_place() / f"{record.name}.json").unlink()


def sweep() -> list[str]:
    """Clean what killed coordinators left behind; one sentence for each thing cleaned."""
    said: list[str] = []
    for path in sorted(_place().glob("*.json")):
        try:
            record = msgspec.json.decode(path.read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError):
            continue
        if record.started and start_time(record.coordinator) == record.started:
            continue
        said.extend(_sweep_one(record))
        if not any(os.path.isdir(group) for group in record.groups):
            path.unlink(missing_ok=True)
    strays = _strays()
    said += [_("ended process {pid} of {name}").format(pid=pid, name=name) for pid, name in _lost()]
    said += [
        _("removed the directory {path}").format(path=path) for path in strays if _remove(path)
    ]
    return said


def _lost() -> list[tuple[int, str]]:
    """End agents that were started, but whose coordinator was killed before it found them."""
    found: list[tuple[int, str]] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            match = _AGENT.search(path.read_bytes())
            if match and not start_time(int(match[1])):
                pid = int(path.parent.name)
                os.kill(pid, signal.SIGKILL)
                found.append((pid, match[0].decode()))
    return found


def _strays() -> list[Path]:
    """Directories of ours in which nothing was ever recorded, made by a process that is gone."""
    found = Path(tempfile.gettempdir()).glob("vitrina-*-*")
    makers = [(path, path.name.split("-")[1]) for path in found if path.is_dir()]
    return [path for path, pid in makers if pid.isdigit() and not start_time(int(pid))]


def _remove(directory: Path) -> bool:
    """Whether a directory was there and is gone now; one in which something is mounted stays."""
    if not directory.is_dir() or directory.is_symlink() or _mounted_in(directory):
        return False
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()


def _mounted_in(directory: Path) -> bool:
    """Whether this process sees a mount on ``directory`` or below it."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:  # not Linux: nothing of ours is mounted there
        return False
    places = (Path(line.split()[4].replace(r"\040", " ")) for line in lines)
    return any(place.is_relative_to(directory) for place in places)


def _sweep_one(record: Record) -> list[str]:
    said: list[str] = []
    for pid in members(record):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
            said.append(_("ended process {pid} of {name}").format(pid=pid, name=record.name))
    for serial in record.keys:
        if unlink_key(serial):
            said.append(_("removed the key {serial}").format(serial=serial))
    said += [
        _("removed the container {name}").format(name=ident) for ident in _containers(record.label)
    ]
    present = [group for group in record.groups if os.path.isdir(group)]
    left = cgroups.remove(present)
    said += [
        _("removed the cgroup {path}").format(path=group) for group in present if group not in left
    ]
    if _remove(Path(record.directory)):
        said.append(_("removed the directory {path}").format(path=record.directory))
    return said


def foreign_keys(name: str) -> list[tuple[int, int]]:
    """(serial, owner) of keys that guests of machine ``name`` made as other users: proc_keys(5)."""
    found: list[tuple[int, int]] = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/keys").read_text().splitlines():
            words = line.split()
            if f"-{name}:" in line and words[5] != "0":
                found.append((int(words[0], 16), int(words[5])))
    return found


def unlink_key(serial: int) -> bool:
    """Take a key out of root's user keyring: keyctl(2) KEYCTL_UNLINK."""
    import ctypes

    number, unlink, user_keyring = 250, 9, -4
    answer = ctypes.CDLL(None).syscall(
        number, unlink, ctypes.c_long(serial), ctypes.c_long(user_keyring), 0, 0
    )
    return answer == 0


def _containers(label: str) -> list[str]:
    """Remove the containers of a running engine that carry ``label``; their names."""
    program = shutil.which("docker")
    if not label or program is None:
        return []
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        listed = subprocess.run(
            [program, "ps", "-aq", "--filter", f"label={label}"],
            capture_output=True,
            check=False,
            timeout=20,
        )
        found = listed.stdout.decode().split()
        if found:
            command = [program, "rm", "-f", *found]
            subprocess.run(command, capture_output=True, check=False, timeout=60)
        return found
    return []


def members(record: Record, groups: Iterable[str] | None = None) -> set[int]:
    """Processes in the machine's cgroups, or in those of them that ``groups`` names."""
    found: set[int] = set()
    for group in record.groups if groups is None else groups:
        for directory in cgroups.below(group):
            with contextlib.suppress(OSError), open(f"{directory}/cgroup.procs") as file:
                found.update(int(word) for word in file.read().split() if int(word) > 1)
    return found
