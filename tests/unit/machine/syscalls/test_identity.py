"""Ids and capabilities: setuid(2), setresuid(2), capset(2), execve(2), capabilities(7)."""

from struct import pack

import msgspec
import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWUSER,
    MS_NOSUID,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_RAISE,
    PR_CAPBSET_DROP,
    PR_SET_KEEPCAPS,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECUREBITS,
    SECBIT_KEEP_CAPS_LOCKED,
    SECBIT_NO_SETUID_FIXUP,
    SECBIT_NOROOT,
)
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.cred import capability
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Inode
from tests.unit.machine.bare import Machine

ELF = b"\x7fELF program\n"
CHOWN, KILL, NET_RAW, SETPCAP = 0, 5, 13, 8


@pytest.fixture
def machine() -> Machine:
    made = Machine()
    tree.file(made.store, 1, "/bin/sh", ELF, mode=0o755)
    tree.file(made.store, 1, "/bin/su", ELF, mode=0o4755)
    return made


def with_capabilities(machine: Machine, path: str, permitted: int, *, effective: bool) -> None:
    inode = tree.file(machine.store, 1, path, ELF, mode=0o755)
    value = pack("<5I", 0x02000000 | effective, permitted, 0, 0, 0)
    xattrs = {"security.capability": value}
    machine.store.put(msgspec.structs.replace(machine.store.row(Inode, inode.id), xattrs=xattrs))


def test_root_becomes_somebody_else_for_good(machine: Machine) -> None:
    machine.do("setuid", 1000)
    assert machine.data("getresuid") == (1000, 1000, 1000)
    assert machine.do("setuid", 0) == "EPERM"


def test_leaving_uid_0_drops_every_capability(machine: Machine) -> None:
    machine.do("setuid", 1000)
    assert (machine.task().cred.permitted, machine.task().cred.effective) == (0, 0)


def test_keepcaps_keeps_the_permitted_set(machine: Machine) -> None:
    machine.do("prctl", PR_SET_KEEPCAPS, 1)
    machine.do("setuid", 1000)
    cred = machine.task().cred
    assert cred.permitted
    assert not cred.effective


def test_no_setuid_fixup_keeps_everything(machine: Machine) -> None:
    machine.do("prctl", PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    machine.do("setuid", 1000)
    assert machine.task().cred.effective


def test_coming_back_to_0_makes_the_permitted_effective(machine: Machine) -> None:
    machine.do("setresuid", -1, 1000, -1)
    assert not machine.task().cred.effective
    machine.do("setresuid", -1, 0, -1)
    assert machine.task().cred.effective == machine.task().cred.permitted != 0


def test_setfsuid_takes_only_the_rights_over_files(machine: Machine) -> None:
    assert machine.do("setfsuid", 1000) == 0
    cred = machine.task().cred
    assert not cred.effective & capability("DAC_OVERRIDE")
    assert cred.effective & capability("KILL")


def test_an_ordinary_user_may_swap_its_own_ids(machine: Machine) -> None:
    machine.do("setresuid", 1000, 1000, 1001)
    assert machine.do("setresuid", 1001, 1000, 1000) == 0


def test_setresuid_to_a_strange_id_is_eperm(machine: Machine) -> None:
    machine.do("setuid", 1000)
    assert machine.do("setresuid", -1, 1002, -1) == "EPERM"


def test_setreuid_sets_the_saved_id_with_the_real_one(machine: Machine) -> None:
    machine.do("setreuid", 1000, 1001)
    assert machine.data("getresuid") == (1000, 1001, 1001)


def test_an_unmapped_id_is_einval(machine: Machine) -> None:
    inside = Pid(machine.do("clone", CLONE_NEWUSER))
    assert machine.do("setuid", 5, pid=inside) == "EINVAL"


def test_an_unmapped_user_reads_as_nobody(machine: Machine) -> None:
    inside = Pid(machine.do("clone", CLONE_NEWUSER))
    assert machine.do("getuid", pid=inside) == 65534


def test_setgroups_waits_for_the_group_map(machine: Machine) -> None:
    inside = Pid(machine.do("clone", CLONE_NEWUSER))
    assert machine.do("setgroups", 0, [], pid=inside) == "EPERM"


def test_setgroups_sorts_and_getgroups_tells(machine: Machine) -> None:
    machine.do("setgroups", 2, [20, 10])
    assert machine.data("getgroups", 32) == [10, 20]


def test_getgroups_into_too_small_a_buffer_is_einval(machine: Machine) -> None:
    machine.do("setgroups", 2, [20, 10])
    assert machine.do("getgroups", 1) == "EINVAL"


def test_capset_permits_nothing_new(machine: Machine) -> None:
    machine.do("capset", 0, [KILL], [KILL], [])
    assert machine.do("capset", 0, [KILL], [KILL, CHOWN], []) == "EPERM"


def test_capset_makes_only_the_permitted_effective(machine: Machine) -> None:
    assert machine.do("capset", 0, [KILL, CHOWN], [KILL], []) == "EPERM"


def test_capset_is_for_oneself(machine: Machine) -> None:
    assert machine.do("capset", 1, [], [], []) == "EPERM"


def test_capset_inherits_within_the_bounding_set(machine: Machine) -> None:
    machine.do("prctl", PR_CAPBSET_DROP, NET_RAW)
    machine.do("capset", 0, [KILL, SETPCAP], [KILL, SETPCAP], [])
    assert machine.do("capset", 0, [KILL], [KILL], [NET_RAW]) == "EPERM"


def test_capget_of_a_negative_pid_is_einval(machine: Machine) -> None:
    assert machine.do("capget", -1) == "EINVAL"


def test_a_set_user_id_program_runs_as_its_owner(machine: Machine) -> None:
    machine.become(machine.pid, 1000)
    machine.raw("execve", "/bin/su", ["su"], [])
    assert machine.data("getresuid") == (1000, 0, 0)
    assert machine.task().cred.effective


def test_nosuid_mounts_make_nobody_root(machine: Machine) -> None:
    machine.become(machine.pid, 1000)
    machine.mount_flags(machine.task_mount(), MS_NOSUID)
    machine.raw("execve", "/bin/su", ["su"], [])
    assert machine.do("geteuid") == 1000


def test_no_new_privs_makes_nobody_root(machine: Machine) -> None:
    machine.become(machine.pid, 1000)
    machine.do("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    machine.raw("execve", "/bin/su", ["su"], [])
    assert machine.do("geteuid") == 1000


def test_a_set_user_id_program_is_not_dumpable(machine: Machine) -> None:
    machine.become(machine.pid, 1000)
    machine.raw("execve", "/bin/su", ["su"], [])
    assert not machine.task().dumpable


def test_a_file_gives_its_capabilities(machine: Machine) -> None:
    with_capabilities(machine, "/bin/ping", 1 << NET_RAW, effective=True)
    machine.become(machine.pid, 1000)
    machine.raw("execve", "/bin/ping", ["ping"], [])
    assert machine.task().cred.effective == 1 << NET_RAW


def test_the_bounding_set_withholds_what_a_file_must_have(machine: Machine) -> None:
    with_capabilities(machine, "/bin/ping", 1 << NET_RAW, effective=True)
    machine.do("prctl", PR_CAPBSET_DROP, NET_RAW)
    machine.become(machine.pid, 1000)
    assert machine.do("execve", "/bin/ping", ["ping"], []) == "EPERM"


def test_no_new_privs_withholds_file_capabilities(machine: Machine) -> None:
    with_capabilities(machine, "/bin/ping", 1 << NET_RAW, effective=True)
    machine.become(machine.pid, 1000)
    machine.do("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    machine.raw("execve", "/bin/ping", ["ping"], [])
    assert not machine.task().cred.permitted


def test_root_runs_with_the_whole_bounding_set(machine: Machine) -> None:
    machine.do("prctl", PR_CAPBSET_DROP, NET_RAW)
    machine.do("capset", 0, [], [], [])
    machine.raw("execve", "/bin/sh", ["sh"], [])
    cred = machine.task().cred
    assert cred.effective == cred.bounding
    assert not cred.effective & 1 << NET_RAW


def test_noroot_makes_uid_0_nobody_special(machine: Machine) -> None:
    machine.do("prctl", PR_SET_SECUREBITS, SECBIT_NOROOT)
    machine.raw("execve", "/bin/sh", ["sh"], [])
    assert not machine.task().cred.effective


def test_ambient_capabilities_survive_execve(machine: Machine) -> None:
    machine.do("capset", 0, [KILL, SETPCAP, 7], [KILL, SETPCAP, 7], [KILL])
    machine.do("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0)
    cred = msgspec.structs.replace(machine.task().cred, ruid=1000, euid=1000, suid=1000)
    machine.store.put(msgspec.structs.replace(machine.task(), cred=cred))
    machine.raw("execve", "/bin/sh", ["sh"], [])
    assert machine.task().cred.effective == 1 << KILL


def test_ambient_needs_permitted_and_inheritable(machine: Machine) -> None:
    assert machine.do("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, KILL, 0, 0) == "EPERM"


def test_locked_secure_bits_stay(machine: Machine) -> None:
    machine.do("prctl", PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED)
    assert machine.do("prctl", PR_SET_KEEPCAPS, 1) == "EPERM"


def test_dropping_a_bound_needs_setpcap_before_a_valid_number(machine: Machine) -> None:
    assert machine.do("prctl", PR_CAPBSET_DROP, 64) == "EINVAL"
    machine.become(machine.pid, 1000)
    assert machine.do("prctl", PR_CAPBSET_DROP, 64) == "EPERM"
