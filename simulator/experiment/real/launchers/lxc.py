"""LXC: the container's own configuration file, and ``lxc-start`` with the agent as its init."""

import contextlib
import shutil
import time
from pathlib import Path

from simulator.experiment.real import rootfs
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.launchers.operator import Operator, last_words, newest_init
from simulator.experiment.real.link import Link, attach
from simulator.isolation.mechanisms.lxc_config import LxcConfig
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.technologies.base import Technology

_PLACE = "var/lib/lxc"
_OF_THE_PARENT = ("af_unix", "commands", "commands_utils", "lxccontainer", "lxc_start")
"""The parts of lxc that speak in the process that waits for the container: src/lxc/log.h."""


def config(technology: Technology, actor: str, ordinal: int, *, apparmor: bool) -> str:
    """The file's text: the model's own lines, less a profile that this kernel can't load."""
    held = technology.get("lxc-config")
    lines = list(held.lines) if isinstance(held, LxcConfig) else []
    if not apparmor:
        lines = [line for line in lines if not line.startswith("lxc.apparmor")]
    network = technology.get("net-ns")
    if isinstance(network, NetNs) and network.bridge:
        subnet = f"{network.subnet}.{ordinal + 1}"
        lines += [
            f"lxc.net.0.ipv4.address = {subnet}/24",
            f"lxc.net.0.ipv4.gateway = {network.subnet}.1",
        ]
    root = technology.image.root.format(name=actor)
    text = "".join(f"{line}\n" for line in lines)
    return text.replace("{name}", actor).replace("{root}", root)


def launch(
    operator: Operator,
    technology: Technology,
    actor: str,
    *,
    apparmor: bool,
    own_file: bool = True,
) -> Link:
    """``lxc-start -d``; the container's first process is the agent.

    ``own_file``: whether the configuration is the container's own file, else one named by ``-f``.
    """
    machine = operator.machine
    place = machine.root / _PLACE / actor
    place.mkdir(parents=True, exist_ok=True)
    ordinal = 1 if actor == "guest" else 2
    text = config(technology, actor, ordinal, apparmor=apparmor)
    path = f"/{_PLACE}/{actor}/config" if own_file else f"/run/vitrina/{actor}.conf"
    (machine.root / path.lstrip("/")).write_text(text)
    program = shutil.which("lxc-start", path="/usr/bin:/bin")
    if program is None:
        raise RealError.not_here("lxc-start is not installed")
    before = machine.members()
    argv = [program, "-n", actor, "-P", f"/{_PLACE}", "-d", "-l", "ERROR"]
    argv += [] if own_file else ["-f", path]
    agent = ["--", *rootfs.interpreter_arguments()]
    try:
        # A log would stay open for writing on the file system of the container's root
        operator.run([*argv, "-o", "none", *agent])
    except RealError as error:
        with contextlib.suppress(RealError):
            operator.run([*argv, "-o", f"/{_PLACE}/{actor}/log", *agent])
        raise RealError.broken("lxc-start", _why(place / "log") or str(error)) from error
    pid = newest_init(machine, before)
    if pid is None:
        raise RealError.broken("lxc-start", last_words(""))
    return machine.keep(attach(pid))


def _why(log: Path, seconds: float = 1.0) -> str:
    """The first error of the container's own side, which may still be writing when its parent ends.

    The parent's words only tell that the other side is gone.
    """
    deadline = time.monotonic() + seconds
    while True:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        told = [line.partition("ERROR")[2].strip() for line in lines if "ERROR" in line]
        for one in told:
            if one.partition(" ")[0] not in _OF_THE_PARENT:
                return one
        if time.monotonic() > deadline:
            return told[0] if told else ""
        time.sleep(0.005)
