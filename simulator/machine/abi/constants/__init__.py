"""Flags and constants by their C names, with the numbers of Linux on x86-64.

The model uses one numbering inside, whatever the family: numbers differ only at the border of a
real kernel. Plain integers rather than ``enum.Flag``: a system call tests several flags, and a
test on an ``int`` costs a tenth of one on a ``Flag``.

A module holds what one subject's header files hold; all of them are imported from here. ``BY_NAME``
is what a probe program may name.
"""

from simulator.machine.abi.constants import (
    clocks,
    files,
    freebsd,
    interfaces,
    ipc,
    keys,
    limits,
    memory,
    mounts,
    openvz,
    requests,
    signals,
    sockets,
    sunos,
    system,
    tasks,
)
from simulator.machine.abi.constants.capabilities import CAPABILITY_NAMES
from simulator.machine.abi.constants.clocks import *
from simulator.machine.abi.constants.files import *
from simulator.machine.abi.constants.freebsd import *
from simulator.machine.abi.constants.interfaces import *
from simulator.machine.abi.constants.ipc import *
from simulator.machine.abi.constants.keys import *
from simulator.machine.abi.constants.limits import *
from simulator.machine.abi.constants.memory import *
from simulator.machine.abi.constants.mounts import *
from simulator.machine.abi.constants.openvz import *
from simulator.machine.abi.constants.requests import *
from simulator.machine.abi.constants.signals import *
from simulator.machine.abi.constants.sockets import *
from simulator.machine.abi.constants.sunos import *
from simulator.machine.abi.constants.system import *
from simulator.machine.abi.constants.tasks import *

_SUBJECTS = (
    files,
    mounts,
    tasks,
    signals,
    limits,
    ipc,
    memory,
    sockets,
    interfaces,
    requests,
    clocks,
    keys,
    system,
    freebsd,
    sunos,
    openvz,
)

BY_NAME: dict[str, int] = {
    name: value
    for subject in _SUBJECTS
    for name, value in vars(subject).items()
    if name.isupper() and isinstance(value, int)
} | {name: number for number, name in enumerate(CAPABILITY_NAMES)}
"""Every constant that a probe program may name."""

SIGNAL_NAMES: dict[int, str] = {
    value: name
    for name, value in BY_NAME.items()
    if name.startswith("SIG") and not name.startswith("SIG_")
}
