"""``docker run``'s options about resources: processors, memory, tasks, disks.

Bounds as the daemon has them (moby daemon/daemon_unix.go, verifyPlatformContainerResources()).
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.technologies.base import Technology, put
from simulator.isolation.technologies.options.reading import (
    Apply,
    Option,
    OptionError,
    number,
    size,
)
from simulator.machine.abi.i18n import gettext as _

_LEAST_MEMORY = 6 << 20
DISKS = {"/dev/sda": "8:0"}
"""Disks that a bandwidth may be named for, by their device number."""


def limits_of(technology: Technology) -> CgroupLimits:
    """The limits as they stand."""
    held = technology.get("cgroup-limits")
    return held if isinstance(held, CgroupLimits) else CgroupLimits()


def limit(field: str, convert: Callable[[str], Any]) -> Apply:
    """An option that sets one limit."""

    def set_(technology: Technology, value: str) -> Technology:
        changed = replace(limits_of(technology), **{field: convert(value)})
        return put(technology, _agreeing(changed))

    return set_


def _agreeing(limits: CgroupLimits) -> CgroupLimits:
    both, memory = limits.both, limits.memory
    if both is not None and both >= 0 and memory is not None and both < memory:
        raise OptionError(_("memory and swap together can't be less than the memory"))
    return limits


def _memory(text: str) -> int | None:
    value = size(text)
    if value and value < _LEAST_MEMORY:
        raise OptionError(_("6m at least"))
    return value or None


def _memory_swap(text: str) -> int:
    return -1 if text == "-1" else size(text)


def _pids(text: str) -> int | None:
    wanted = number(text)
    return wanted if wanted > 0 else None


def _cpus(text: str) -> int | None:
    try:
        value = round(float(text) * 1000)
    except ValueError:
        raise OptionError(_("a number such as 1.5 was expected")) from None
    if value < 0 or 0 < value < 10:
        raise OptionError(_("0.01 at least"))
    return value or None


def _between(least: int, most: int) -> Callable[[str], int | None]:
    def convert(text: str) -> int | None:
        value = number(text)
        if value and not least <= value <= most:
            raise OptionError(
                _("a number from {least} to {most} was expected").format(least=least, most=most)
            )
        return value or None

    return convert


def _list(text: str) -> str:
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise OptionError(_("a list such as 0-1,3 was expected"))
    return text


def _swappiness(text: str) -> int | None:
    value = number(text)
    if not -1 <= value <= 100:
        raise OptionError(
            _("a number from {least} to {most} was expected").format(least=0, most=100)
        )
    return None if value < 0 else value


def _throttle(word: str, convert: Callable[[str], int]) -> Apply:
    """``/dev/sda:1mb``: what may be read or written of a disk in a second."""

    def set_(technology: Technology, value: str) -> Technology:
        path, found, text = value.partition(":")
        if not found or path not in DISKS:
            raise OptionError(_("such as /dev/sda:1mb was expected"))
        held = limits_of(technology)
        one = (word, DISKS[path], convert(text))
        return put(technology, replace(held, throttles=(*held.throttles, one)))

    return set_


_SHARES = Option(limit("shares", _between(2, 262_144)))
_MEMORY = Option(limit("memory", _memory))

TABLE: dict[str, Option] = {
    "-m": _MEMORY,
    "--memory": _MEMORY,
    "--memory-swap": Option(limit("both", _memory_swap)),
    "--memory-reservation": Option(limit("reserved", size)),
    "--memory-swappiness": Option(limit("swappiness", _swappiness)),
    "--oom-kill-disable": Option(limit("oom_kill", lambda _text: False), value=False),
    "--pids-limit": Option(limit("pids", _pids)),
    "--cpus": Option(limit("cpus", _cpus)),
    "-c": _SHARES,
    "--cpu-shares": _SHARES,
    "--cpu-quota": Option(limit("quota", _between(1000, 1 << 40))),
    "--cpu-period": Option(limit("period", _between(1000, 1_000_000))),
    "--cpuset-cpus": Option(limit("cpuset", _list)),
    "--blkio-weight": Option(limit("blkio_weight", _between(10, 1000))),
    "--device-read-bps": Option(_throttle("read_bps", size)),
    "--device-write-bps": Option(_throttle("write_bps", size)),
    "--device-read-iops": Option(_throttle("read_iops", number)),
    "--device-write-iops": Option(_throttle("write_iops", number)),
}
