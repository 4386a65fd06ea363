"""Rows of the facts that ask what a technology has and no oracle can judge."""

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call, Failed, Returned
from simulator.machine.abi.constants import SIGKILL
from simulator.machine.abi.errno import Errno

COLUMNS = (
    "none", "chroot", "jail", "vserver", "zone", "openvz", "cgroups", "lxc", "lxc-unpriv",
    "warden", "docker", "docker --userns-remap=default",
)  # fmt: skip
BLIND = {"vserver"}
"""Where the host's root neither sees nor reaches a guest's process: contexts 0 and 1."""
ENTER = {
    "jail": "jexec guest hostname",
    "vserver": "vserver guest exec hostname",
    "zone": "zlogin guest hostname",
    "openvz": "vzctl exec 101 hostname",
    "lxc": "lxc-attach -n guest -- hostname",
    "lxc-unpriv": "lxc-attach -n guest -- hostname",
}


def session_of(spec: str) -> SimSession:
    return open_session(load_world(), parse_spec(spec))


@pytest.mark.parametrize("spec", COLUMNS)
def test_the_hosts_root_sees_and_kills_every_guest_but_a_vservers(spec: str) -> None:
    """B5, B6: kernel/signal.c of Linux-VServer says ESRCH to its own host too."""
    session = session_of(spec)
    guest = session.constants()["GUEST_PID"]
    for signo in (0, SIGKILL):
        answer = session.call("host", Call("kill", (guest, signo)))
        if spec in BLIND:
            assert isinstance(answer, Failed)
            assert answer.errno is Errno.ESRCH
        else:
            assert isinstance(answer, Returned), answer
    assert session.alive("guest") == (spec in BLIND)


@pytest.mark.parametrize("spec", COLUMNS)
def test_root_inside_may_chroot_again(spec: str) -> None:
    """A12: to narrow a view further is nobody's harm; each product leaves the right."""
    session = session_of(spec)
    session.call("guest", Call("mkdir", ("/tmp/inner", 0o755)))
    assert isinstance(session.call("guest", Call("chroot", ("/tmp/inner",))), Returned)
    assert isinstance(session.call("guest", Call("chdir", ("/",))), Returned)


@pytest.mark.parametrize("spec", ENTER)
def test_the_products_own_tool_enters_a_running_guest(spec: str) -> None:
    """K1: what is printed is what the guest itself is called."""
    session = session_of(spec)
    own = session.shell("guest", "hostname")
    entered = session.shell("host", ENTER[spec])
    assert isinstance(own, Returned)
    assert isinstance(entered, Returned)
    assert entered.data == own.data
