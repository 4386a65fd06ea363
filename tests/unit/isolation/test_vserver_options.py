"""Linux-VServer's technology in util-vserver's own words, and what its kernels refuse."""

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.mechanisms.bounding_set import SECURE, BoundingSet
from simulator.isolation.mechanisms.context_limits import ContextLimits
from simulator.isolation.technologies.base import SpecError
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call, Failed, Killed, Result, Returned, Value
from simulator.machine.abi.constants import O_RDONLY, O_RDWR, PROT_READ, PROT_WRITE
from simulator.machine.kernel.cred import capability


def session(spec: str = "vserver") -> SimSession:
    return open_session(load_world(), parse_spec(spec))


def errno(result: Result) -> str:
    return str(result.errno) if isinstance(result, Failed) else "none"


def guest(of: SimSession, name: str, *args: Value) -> Result:
    return of.call("guest", Call(name, args))


def test_a_capability_is_added_and_taken_away_as_in_the_file() -> None:
    held = parse_spec("vserver bcapabilities=NET_RAW,~KILL").get("bounding-set")
    assert isinstance(held, BoundingSet)
    assert held.bcaps == (SECURE | capability("NET_RAW")) & ~capability("KILL")


def test_limits_of_memory_are_counted_in_pages() -> None:
    held = parse_spec("vserver rlimits/as.hard=10 --nproc 7").get("context-limits")
    assert isinstance(held, ContextLimits)
    assert dict(held.limits) == {"as": 40960, "nproc": 7}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("vserver bcapabilities=FLY", "no capability FLY"),
        ("vserver rlimits/cows.hard=3", "no cows"),
        ("vserver apps/init/style=fancy", "plain or sysv"),
        ("vserver contxt=3", "did you mean context"),
        ("vserver@2.4 S_COPS=x", "did you mean S_CAPS"),
    ],
)
def test_a_word_that_util_vserver_does_not_have_is_one_clear_line(spec: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        parse_spec(spec)


def test_without_cap_context_the_system_call_is_as_if_it_were_not_there() -> None:
    assert errno(guest(session(), "vserver", "VCMD_ctx_create", 300, {})) == "ENOSYS"


def test_a_guest_that_may_administer_the_machine_still_may_not_enter_a_neighbour() -> None:
    result = guest(session("vserver --insecure"), "vserver", "VCMD_ctx_migrate", 102, {})
    assert errno(result) == "EPERM"


def test_ptrace_tells_what_kill_does_not() -> None:
    of = session()
    pid = 412  # the first daemon of the world
    assert errno(guest(of, "kill", pid, 0)) == "ESRCH"
    assert errno(guest(of, "ptrace", 16, pid, 0, 0)) == "EPERM"


def test_the_kernel_s_log_is_empty_and_no_error() -> None:
    result = guest(session(), "syslog", 3, 4096)
    assert isinstance(result, Returned)
    assert result.value == 0


def test_the_barrier_refuses_a_path_and_not_the_root_of_the_guest() -> None:
    of = session()
    assert errno(guest(of, "chdir", "/")) == "none"
    guest(of, "mkdir", "/d", 0o755)
    guest(of, "chroot", "/d")
    guest(of, "chdir", "..")
    assert errno(guest(of, "chdir", "..")) == "EACCES"


def test_the_limit_of_processes_is_the_context_s_and_says_eagain() -> None:
    of = session("vserver rlimits/nproc.hard=3")
    told = [errno(guest(of, "fork")) for _ in range(4)]
    assert told == ["none", "none", "EAGAIN", "EAGAIN"]


def test_the_limit_of_memory_says_enomem() -> None:
    of = session("vserver rlimits/as.hard=16")
    both = PROT_READ | PROT_WRITE
    assert errno(guest(of, "mmap", 0, 1 << 20, both, 0x22, -1, 0)) == "ENOMEM"


def test_a_page_beyond_the_limit_of_resident_memory_ends_who_touched_it() -> None:
    of = session("vserver rlimits/rss.hard=4")
    both = PROT_READ | PROT_WRITE
    populated = guest(of, "mmap", 0, 1 << 20, both, 0x8022, -1, 0)
    assert errno(populated) == "none"
    assert errno(guest(of, "getpid")) == "none"
    place = guest(of, "mmap", 0, 1 << 20, both, 0x22, -1, 0)
    assert isinstance(place, Returned)
    assert isinstance(guest(of, "@touch", place.value, 1 << 20), Killed)


def test_a_plain_init_is_pid_1_to_its_own_context_only() -> None:
    of = session("vserver apps/init/style=plain")
    result = guest(of, "getpid")
    assert isinstance(result, Returned)
    assert result.value == 1
    assert of.actors["guest"].pid != 1


def test_a_terminal_bears_the_tag_of_its_context() -> None:
    of = session()
    assert errno(of.call("host", Call("open", ("/dev/ptmx", O_RDWR)))) == "none"
    assert errno(guest(of, "open", "/dev/pts/0", O_RDONLY)) == "EACCES"


def test_reboot_ends_the_context_and_not_the_machine() -> None:
    of = session()
    guest(of, "reboot", 0xFEE1DEAD, 672274793, 0x4321FEDC)  # a restart has vshelper start it again
    assert errno(of.call("host", Call("getpid", ()))) == "none"
    assert errno(of.call("host", Call("vserver", ("VCMD_vx_info", 101, None)))) == "ESRCH"


def test_on_2_4_nobody_needs_a_right_and_nobody_comes_back() -> None:
    of = session("vserver@2.4")
    assert errno(guest(of, "new_s_context", 0, 0, ())) == "EPERM"
    assert errno(guest(of, "set_ipv4root", "192.0.2.10", None)) == "EPERM"
    assert errno(guest(of, "vserver", 0, 0, None)) == "ENOSYS"
