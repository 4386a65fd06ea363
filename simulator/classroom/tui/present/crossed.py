"""Whose object was reached, as a sentence."""

import re

from simulator.experiment.probes.observation import Crossing
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.i18n import gettext as _

_ACTION_NAMES = {
    "read": N_("read"),
    "write": N_("changed"),
    "name": N_("learnt of"),
    "connect": N_("connected to"),
    "signal": N_("signalled"),
    "trace": N_("traced"),
    "exhaust": N_("used up"),
    "privilege": N_("had a right over"),
}

_OBJECT_NAMES = {
    "file": N_("the file"),
    "process": N_("the process"),
    "mount": N_("the mount"),
    "hostname": N_("the host name"),
    "shm": N_("the shared memory"),
    "sem": N_("the semaphore"),
    "msg": N_("the message queue"),
    "socket": N_("the socket"),
    "port": N_("the port"),
    "interface": N_("the interface"),
    "device": N_("the device"),
    "clock": N_("the clock"),
    "kernel": N_("the kernel"),
    "kernel-log": N_("the kernel's log"),
    "module": N_("the kernel module"),
    "reboot": N_("the machine's power"),
    "sysctl": N_("the kernel setting"),
    "cgroup": N_("the control group"),
    "memory": N_("the memory"),
    "pids": N_("the process numbers"),
    "disk": N_("the disk"),
    "cpu": N_("the processor"),
    "keyring": N_("the keyring"),
}
"""Kinds of object, as a sentence names them; a kind without words of its own shows its name."""

_OWNER_NAMES = {
    "host": N_("the host"),
    "guest": N_("the guest"),
    "neighbour": N_("the neighbour"),
    "runtime": N_("the runtime"),
}

_LONG_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def crossed(crossing: Crossing) -> str:
    """What was done to what of whose."""
    text = _("It {action} {kind} {name}, which belongs to {owner}.").format(
        action=_(_ACTION_NAMES[crossing.operation]),
        kind=_(_OBJECT_NAMES.get(crossing.kind, crossing.kind)),
        name=_short(crossing.name),
        owner=owned(crossing.owner),
    )
    granted = _("An operator granted that.")
    return f"{text} {granted}" if crossing.granted else text


def owned(owner: str) -> str:
    """Whose: ``the host``."""
    return _(_OWNER_NAMES.get(owner, _short(owner)))


def acted(operation: str) -> str:
    """What was done: ``changed``."""
    said = _(_ACTION_NAMES.get(operation, operation))
    return f"{said[:1].lower()}{said[1:]}"


def named(thing: str) -> str:
    """``file /etc/passwd`` with its kind in words."""
    kind, space, name = thing.partition(" ")
    return f"{_(_OBJECT_NAMES.get(kind, kind))}{space}{_short(name)}"


def _short(text: str) -> str:
    """With a container's long id as docker(1) shortens it."""
    return _LONG_ID.sub(r"\1", text)
