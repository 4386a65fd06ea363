"""Input and output of block devices: blkio of version 1, io of version 2.

The values are kept here; what they do to whoever reads and writes is the block layer's business.
Source: block/blk-throttle.c, block/bfq-cgroup.c, block/blk-cgroup.c.
"""

import re

from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel.fs.cgroupfs import counted
from simulator.machine.kernel.fs.cgroupfs.spec import (
    READ_ONLY,
    READ_WRITE,
    WRITE_ONLY,
    FileSpec,
    Read,
    Write,
    integer,
    invalid,
    out_of_range,
    setting,
    whole,
)
from simulator.machine.kernel.resource.group import Cgroup, put_setting
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.inode import Superblock

_DEVICE = re.compile(r"(\d+):(\d+)\Z")
_V2_KEYS = ("rbps", "wbps", "riops", "wiops")


def _disk(trap: Trap, word: str) -> str:
    """``MAJOR:MINOR`` of a whole disk of this machine. EINVAL, ENODEV (blkg_conf_open_bdev())."""
    match = _DEVICE.match(word)
    if match is None:
        invalid(trap)
    number = int(match[1]) << 8 | int(match[2])
    disks = {sb.device & ~0xF for sb in trap.store.all(Superblock) if sb.device >> 8 == 8}
    if number not in disks:
        trap.fail(Errno.ENODEV, N_("No disk has this number."), "cgroups(7)")
    return word


def entries(group: Cgroup, name: str) -> dict[str, str]:
    """The lines of a file with one line a device: what is written for each ``MAJOR:MINOR``."""
    return dict(
        line.split(" ", 1) for line in group.settings.get(name, "").split("\n") if " " in line
    )


def _put(trap: Trap, group: Cgroup, name: str, lines: dict[str, str]) -> None:
    text = "\n".join(f"{device} {value}" for device, value in lines.items())
    put_setting(trap.store, group, name, text)


def _lines(name: str) -> Read:
    return lambda _trap, group: "".join(
        f"{device} {value}\n" for device, value in entries(group, name).items()
    )


def _throttle(name: str) -> Write:
    """``MAJOR:MINOR VALUE``; 0 takes the limit away (tg_set_conf())."""

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        words = text.split()
        if len(words) != 2:
            invalid(trap)
        device, value = _disk(trap, words[0]), integer(trap, words[1])
        lines = entries(group, name)
        lines.pop(device, None)
        if value:
            lines = {device: str(value), **lines}
        _put(trap, group, name, lines)

    return write


def _set_io_max(trap: Trap, group: Cgroup, text: str) -> None:
    """io.max: ``MAJOR:MINOR rbps=N wbps=N riops=N wiops=N``. EINVAL, ENODEV, ERANGE."""
    words = text.split()
    if not words:
        invalid(trap)
    device = _disk(trap, words[0])
    lines = entries(group, "io.max")
    limits = dict.fromkeys(_V2_KEYS, "max")
    limits |= dict(word.split("=", 1) for word in lines.get(device, "").split())
    for word in words[1:]:
        key, found, value = word.partition("=")
        if not found or key not in _V2_KEYS:
            invalid(trap)
        if value != "max" and integer(trap, value) <= 0:
            out_of_range(trap)
        limits[key] = value
    lines[device] = " ".join(f"{key}={value}" for key, value in limits.items())
    if all(value == "max" for value in limits.values()):
        del lines[device]
    _put(trap, group, "io.max", lines)


def _set_weight(name: str, most: int) -> Write:
    """``WEIGHT``, ``default WEIGHT`` or ``MAJOR:MINOR WEIGHT``. EINVAL, ENODEV, ERANGE."""

    def write(trap: Trap, group: Cgroup, text: str) -> None:
        words = text.split()
        if words[:1] == ["default"] or len(words) == 1:
            value = integer(trap, words[-1])
            if not 1 <= value <= most:
                out_of_range(trap)
            put_setting(trap.store, group, name, f"default {value}")
            return
        if len(words) != 2:
            invalid(trap)
        _disk(trap, words[0])
        if not 1 <= integer(trap, words[1]) <= most:
            out_of_range(trap)

    return write


def _counted(name: str, *what: str) -> FileSpec:
    return FileSpec(name, READ_ONLY, counted.io_service(*what), since=(2, 6, 37))


BLKIO = (
    FileSpec("blkio.bfq.weight", READ_WRITE, setting("blkio.bfq.weight", "100"),
             whole("blkio.bfq.weight", 1, 1000), root=False, since=(4, 12)),
    FileSpec("blkio.reset_stats", WRITE_ONLY, None, lambda _trap, _group, _text: None,
             since=(2, 6, 35)),
    _counted("blkio.throttle.io_service_bytes", "read", "written"),
    _counted("blkio.throttle.io_serviced", "reads", "writes"),
    *(
        FileSpec(name, READ_WRITE, _lines(name), _throttle(name), since=(2, 6, 37))
        for name in (
            "blkio.throttle.read_bps_device",
            "blkio.throttle.read_iops_device",
            "blkio.throttle.write_bps_device",
            "blkio.throttle.write_iops_device",
        )
    ),
    FileSpec("blkio.weight", READ_WRITE, setting("blkio.weight", "500"),
             whole("blkio.weight", 10, 1000, errno_range=False), until=(5, 0)),
)  # fmt: skip

IO = (
    FileSpec("io.max", READ_WRITE, _lines("io.max"), _set_io_max, root=False),
    FileSpec("io.stat", READ_ONLY, counted.io_stat),
    FileSpec("io.weight", READ_WRITE, setting("io.weight", "default 100"),
             _set_weight("io.weight", 10_000), root=False),
)  # fmt: skip
