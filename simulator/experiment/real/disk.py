"""The scratch machine's disk: a loop device over memory, gone with its last opener."""

import contextlib
import os
import struct
from pathlib import Path

import msgspec

from simulator.experiment.probes.world import World

_GET_FREE, _CONFIGURE = 0x4C82, 0x4C0A
_AUTOCLEAR = 4
_SIZE = 1 << 20
NAME = "vitrina-disk"


class Scratch(msgspec.Struct, frozen=True):
    """An attached loop device: its number, and the descriptor that keeps it attached."""

    major: int
    minor: int
    descriptor: int


def attach(world: World, machine: str) -> Scratch | None:
    """The first disk of ``machine``'s world, or ``None`` where this kernel has no loop devices."""
    if not world.disks:
        return None
    content = world.disks[0].text.replace("{secret}", world.secret).encode()
    with contextlib.suppress(OSError):
        memory = os.memfd_create(f"{NAME}-{machine}-")
        try:
            os.ftruncate(memory, _SIZE)
            os.pwrite(memory, content, 0)
            return _configure(memory)
        finally:
            os.close(memory)
    return None


def _configure(memory: int) -> Scratch | None:
    import fcntl

    with open("/dev/loop-control", "rb") as control:
        for _attempt in range(8):
            number = fcntl.ioctl(control, _GET_FREE)
            descriptor = os.open(f"/dev/loop{number}", os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(descriptor, _CONFIGURE, _request(memory))
            except OSError:
                # Another session took the number in between.
                os.close(descriptor)
                continue
            return Scratch(7, number, descriptor)
    return None


def _request(memory: int) -> bytes:
    """``struct loop_config`` (linux/loop.h)."""
    info = struct.pack("<5Q4I", 0, 0, 0, 0, 0, 0, 0, 0, _AUTOCLEAR).ljust(232, b"\0")
    return struct.pack("<II", memory, 512) + info + bytes(64)


def ours(device: int, pid: int) -> bool:
    """Whether a block device is the disk of the scratch machine on which a process is.

    Its control groups are called like its machine, and so is what the disk lies in.
    """
    if os.major(device) != 7:
        return False
    with contextlib.suppress(OSError):
        path = Path(f"/sys/block/loop{os.minor(device)}/loop/backing_file")
        _before, found, machine = path.read_text().partition(f"{NAME}-")
        name = machine.rpartition("-")[0]
        return bool(found and name) and f"/{name}" in Path(f"/proc/{pid}/cgroup").read_text()
    return False
