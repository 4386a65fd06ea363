"""The finer rules of who may: classes of a file's mode, mapped ids, what ids and execve(2) change.

Each answer is a real Linux 6.18's. path_resolution(7), capabilities(7), fs/namei.c, fs/attr.c.
"""

from struct import pack

import msgspec
import pytest

from simulator.machine.abi.constants import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    O_CREAT,
    O_DIRECTORY,
    O_RDONLY,
    O_WRONLY,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_RAISE,
    PR_GET_DUMPABLE,
    PR_GET_KEEPCAPS,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
)
from simulator.machine.abi.ids import KGid, KUid, Pid
from simulator.machine.kernel.cred import capability
from simulator.machine.kernel.namespace import Extent, UserNs
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from tests.unit.machine.bare import Machine

ELF = b"\x7fELF program\n"
NET_BIND_SERVICE = 10


@pytest.fixture
def host() -> Machine:
    it = Machine()
    tree.mkdirs(it.store, 1, "/d")
    tree.file(it.store, 1, "/d/x", b"")
    return it


def owned(it: Machine, path: str, mode: int, uid: int, gid: int) -> None:
    tree.file(it.store, 1, path, b"", mode=0o600)
    it.do("chown", path, KUid(uid), KGid(gid))
    it.do("chmod", path, mode)


def with_only(it: Machine, uid: int, *capabilities: str) -> Pid:
    """A process of user ``uid`` with these capabilities and no others."""
    pid = it.become(it.fork(), uid)
    bits = 0
    for name in capabilities:
        bits |= capability(name)
    task = it.store.row(Task, pid)
    cred = msgspec.structs.replace(task.cred, effective=bits, permitted=bits)
    it.store.put(msgspec.structs.replace(task, cred=cred))
    return pid


def test_an_owner_who_may_not_does_not_count_as_anybody_else(host: Machine) -> None:
    owned(host, "/f", 0o077, 1000, 1000)
    assert host.do("open", "/f", O_RDONLY, pid=host.become(host.fork(), 1000)) == "EACCES"
    assert host.do("open", "/f", O_RDONLY, pid=host.become(host.fork(), 2000)) == 0


def test_the_right_to_read_and_search_goes_through_a_closed_directory(host: Machine) -> None:
    host.do("chmod", "/d", 0)
    host.do("chmod", "/d/x", 0o600)
    reader = with_only(host, 1000, "DAC_READ_SEARCH")
    assert host.do("stat", "/d/x", pid=reader) == 0
    assert host.do("open", "/d", O_RDONLY | O_DIRECTORY, pid=reader) == 0
    assert host.do("open", "/d/x", O_RDONLY, pid=reader) == 1
    assert host.do("open", "/d/x", O_WRONLY, pid=reader) == "EACCES"
    assert host.do("open", "/d/new", O_CREAT | O_WRONLY, 0o644, pid=reader) == "EACCES"


@pytest.fixture
def inside(host: Machine) -> Pid:
    """Root of a user namespace that maps users 0 to 1999, and of groups 0 alone."""
    pid = Pid(host.do("clone", CLONE_NEWUSER))
    row = host.store.row(UserNs, host.store.row(Task, pid).cred.user_ns)
    maps = {"uid_map": (Extent(0, 0, 2000),), "gid_map": (Extent(0, 0, 1),)}
    host.store.put(msgspec.structs.replace(row, **maps))
    return pid


@pytest.mark.parametrize(
    ("uid", "gid", "opened", "changed"),
    [
        (1000, 0, 0, 0),
        (1000, 3000, "EACCES", 0),
        (3000, 0, "EACCES", "EPERM"),
        (0, 3000, 0, 0),
        (65534, 0, "EACCES", "EPERM"),
    ],
)
def test_a_right_over_a_file_asks_for_both_its_ids_and_its_owners_right_for_one(
    host: Machine, inside: Pid, uid: int, gid: int, opened: int | str, changed: int | str
) -> None:
    """capable_wrt_inode_uidgid(), and inode_owner_or_capable() for chmod(2)."""
    owned(host, "/f", 0o600, uid, gid)
    assert host.do("open", "/f", O_RDONLY, pid=inside) == opened
    assert host.do("chmod", "/f", 0o640, pid=inside) == changed


def test_who_leaves_uid_0_keeps_no_ambient_capability(host: Machine) -> None:
    bit = 1 << NET_BIND_SERVICE
    task = host.task()
    cred = msgspec.structs.replace(task.cred, inheritable=bit)
    host.store.put(msgspec.structs.replace(task, cred=cred))
    assert host.do("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, NET_BIND_SERVICE, 0, 0) == 0
    host.do("prctl", PR_SET_KEEPCAPS, 1)
    host.do("setresuid", 1000, 1000, 1000)
    cred = host.task().cred
    assert (cred.ambient, cred.inheritable) == (0, bit)
    assert cred.permitted & bit


def test_coming_back_to_fsuid_0_gives_no_right_that_was_not_permitted(host: Machine) -> None:
    pid = with_only(host, 0, "CHOWN", "SETUID")
    host.do("setfsuid", 1000, pid=pid)
    assert host.store.row(Task, pid).cred.effective == capability("SETUID")
    host.do("setfsuid", 0, pid=pid)
    cred = host.store.row(Task, pid).cred
    assert cred.effective == cred.permitted == capability("CHOWN") | capability("SETUID")


@pytest.mark.parametrize("name", ["setfsuid", "setfsgid", "seteuid", "setegid"])
def test_a_process_that_changes_an_id_that_it_acts_by_is_not_dumped(
    host: Machine, name: str
) -> None:
    host.do("prctl", PR_SET_DUMPABLE, 1)
    assert host.do("prctl", PR_GET_DUMPABLE) == 1
    args = {"seteuid": ("setresuid", -1, 1000, -1), "setegid": ("setresgid", -1, 1000, -1)}
    host.do(*args.get(name, (name, 1000)))
    assert host.do("prctl", PR_GET_DUMPABLE) == 0


def runs_as(it: Machine, pid: Pid, path: str) -> int:
    it.raw("execve", path, [path], [], pid=pid)
    assert it.store.row(Task, pid).argv == (path,)
    return it.store.row(Task, pid).cred.euid


def test_a_set_uid_program_of_another_mount_namespace_is_an_ordinary_one(host: Machine) -> None:
    """mnt_may_suid(): check_mnt()."""
    tree.file(host.store, 1, "/d/su", ELF, mode=0o4755)
    user = host.fork()
    fd = host.do("open", "/d", O_RDONLY | O_DIRECTORY, pid=user)
    assert runs_as(host, host.become(host.fork(user), 1000), "/d/su") == 0
    assert host.do("unshare", CLONE_NEWNS, pid=user) == 0
    assert host.do("fchdir", fd, pid=user) == 0
    assert runs_as(host, host.become(user, 1000), "./su") == 1000


def test_a_set_uid_program_of_a_lesser_user_namespaces_filesystem_is_an_ordinary_one(
    host: Machine, inside: Pid
) -> None:
    """mnt_may_suid(): current_in_userns() of whoever made the superblock."""
    tree.file(host.store, 1, "/d/su", ELF, mode=0o4755)
    sb = host.store.row(Superblock, 1)
    owner = host.store.row(Task, inside).cred.user_ns
    host.store.put(msgspec.structs.replace(sb, owner=owner))
    assert runs_as(host, host.become(host.fork(), 1000), "/d/su") == 1000


@pytest.mark.parametrize(
    ("mode", "egid"), [(0o2755, 3000), (0o2745, 1000), (0o2705, 1000), (0o755, 1000)]
)
def test_the_set_group_bit_counts_where_the_group_may_run_the_program(
    host: Machine, mode: int, egid: int
) -> None:
    """bprm_fill_uid(): without S_IXGRP the bit once meant mandatory locking."""
    tree.file(host.store, 1, "/d/p", ELF)
    host.do("chown", "/d/p", 0, 3000)
    host.do("chmod", "/d/p", mode)
    user = host.become(host.fork(), 1000)
    runs_as(host, user, "/d/p")
    assert host.store.row(Task, user).cred.egid == egid


def with_ambient(it: Machine, uid: int) -> Pid:
    pid = it.become(it.fork(), uid)
    bit = 1 << NET_BIND_SERVICE
    task = it.store.row(Task, pid)
    sets = dict.fromkeys(("effective", "permitted", "inheritable", "ambient"), bit)
    it.store.put(msgspec.structs.replace(task, cred=msgspec.structs.replace(task.cred, **sets)))
    return pid


@pytest.mark.parametrize(("capable", "ambient"), [(False, 1 << NET_BIND_SERVICE), (True, 0)])
def test_a_file_with_capabilities_of_its_own_cancels_the_ambient_ones(
    host: Machine, capable: bool, ambient: int
) -> None:
    made = tree.file(host.store, 1, "/d/p", ELF, mode=0o755)
    if capable:
        value = pack("<5I", 0x02000001, capability("CHOWN"), 0, 0, 0)
        inode = host.store.row(Inode, made.id)
        host.store.put(msgspec.structs.replace(inode, xattrs={"security.capability": value}))
    pid = with_ambient(host, 1000)
    runs_as(host, pid, "/d/p")
    cred = host.store.row(Task, pid).cred
    assert cred.ambient == ambient
    assert cred.effective == (capability("CHOWN") if capable else ambient)


def test_keeping_capabilities_is_for_one_program(host: Machine) -> None:
    tree.file(host.store, 1, "/d/p", ELF, mode=0o755)
    host.do("prctl", PR_SET_KEEPCAPS, 1)
    assert host.do("prctl", PR_GET_KEEPCAPS) == 1
    runs_as(host, host.pid, "/d/p")
    assert host.do("prctl", PR_GET_KEEPCAPS) == 0
