"""FreeBSD without a prison: devfs, sysctl, mounts, modules, flags, chroot, priorities."""

from typing import Any

import msgspec
import pytest

from simulator.machine.abi.call import Silent
from simulator.machine.abi.constants import (
    O_RDONLY,
    O_WRONLY,
    S_IFBLK,
    S_IFCHR,
    S_IFIFO,
    S_IFMT,
    S_IFREG,
    SIGCONT,
    SIGTERM,
)
from simulator.machine.abi.ids import KUid
from simulator.machine.families.freebsd import FREEBSD
from simulator.machine.families.freebsd.numbers import ERRNO_NUMBERS
from simulator.machine.families.linux.numbers import ERRNO_NUMBERS as LINUX_NUMBERS
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.bare import Machine


@pytest.fixture
def bsd() -> Machine:
    machine = Machine(FREEBSD)
    for path in ("/dev", "/a/b/c", "/mnt"):
        tree.mkdirs(machine.store, 1, path)
    tree.file(machine.store, 1, "/etc/rc", b"go")
    return machine


def wall(machine: Machine, name: str, *args: Any, pid: Any = None) -> tuple[str, str]:
    denial = machine.raw(name, *args, pid=pid).denial
    return str(denial.errno), denial.wall


LINUX_ONLY = [
    "unshare",
    "setns",
    "pivot_root",
    "capset",
    "capget",
    "prctl",
    "seccomp",
    "keyctl",
    "add_key",
    "clone",
    "clone3",
    "iopl",
    "bpf",
    "kexec_load",
    "pidfd_open",
    "personality",
    "setxattr",
    "quotactl",
    "setdomainname",
]


@pytest.mark.parametrize("name", LINUX_ONLY)
def test_a_call_of_linux_is_not_in_the_table(bsd: Machine, name: str) -> None:
    assert isinstance(bsd.raw(name), Silent)


def test_errors_have_freebsds_numbers() -> None:
    assert (ERRNO_NUMBERS["EAGAIN"], LINUX_NUMBERS["EAGAIN"]) == (35, 11)


def test_the_first_chroot_is_where_dotdot_ends(bsd: Machine) -> None:
    bsd.do("chroot", "/a")
    bsd.do("chdir", "/")
    bsd.do("chroot", "/b")
    bsd.do("chdir", "../../../..")
    assert bsd.do("chroot", ".") == 0
    assert bsd.do("open", "/etc/rc", O_RDONLY) == "ENOENT"
    assert bsd.do("stat", "/b/c") == 0


def test_a_working_directory_left_outside_the_first_chroot_is_not_held(bsd: Machine) -> None:
    bsd.do("chroot", "/a")
    assert bsd.do("chdir", "..") == 0
    assert isinstance(bsd.do("open", "etc/rc", O_RDONLY), int)


def test_the_first_chroot_is_allowed_with_a_directory_open(bsd: Machine) -> None:
    bsd.do("open", "/", O_RDONLY)
    assert bsd.do("chroot", "/a") == 0


def test_an_ordinary_user_may_not_chroot_wherever_the_path_leads(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert wall(bsd, "chroot", "/nowhere", pid=user) == ("EPERM", "superuser")


def test_a_device_node_on_a_disk_opens_nothing(bsd: Machine) -> None:
    assert bsd.do("mknod", "/mnt/disk", S_IFBLK | 0o600, 0x800) == 0
    assert wall(bsd, "open", "/mnt/disk", O_RDONLY) == ("EOPNOTSUPP", "devfs")


def test_mknod_makes_no_regular_file(bsd: Machine) -> None:
    assert bsd.do("mknod", "/mnt/file", S_IFREG | 0o600, 0) == "EINVAL"


def test_mknod_makes_a_pipe_for_everybody(bsd: Machine) -> None:
    bsd.do("chmod", "/mnt", 0o777)
    user = bsd.become(bsd.fork(), 1000)
    assert bsd.do("mknod", "/mnt/pipe", S_IFIFO | 0o600, 0, pid=user) == 0


def devfs(machine: Machine, ruleset: int) -> list[str]:
    assert machine.do("mount", "devfs", "/dev", 0, {"ruleset": ruleset}) == 0
    fd = machine.do("open", "/dev", O_RDONLY)
    return [name for name in machine.data("getdents64", fd, 4096) if name not in (".", "..")]


def test_devfs_without_rules_shows_disks_and_memory(bsd: Machine) -> None:
    assert {"null", "mem", "ada0"} <= set(devfs(bsd, 0))


def test_ruleset_1_hides_everything(bsd: Machine) -> None:
    assert devfs(bsd, 1) == []


def test_ruleset_4_leaves_what_a_prison_needs(bsd: Machine) -> None:
    names = devfs(bsd, 4)
    assert {"null", "zero", "random", "tty"} <= set(names)
    assert not {"mem", "kmem", "ada0", "bpf", "console"} & set(names)


def test_a_hidden_node_says_that_the_rules_hide_it(bsd: Machine) -> None:
    devfs(bsd, 4)
    assert wall(bsd, "open", "/dev/ada0", O_RDONLY) == ("ENOENT", "devfs-rules")


def test_a_node_that_no_machine_has_is_missing_plainly(bsd: Machine) -> None:
    devfs(bsd, 4)
    assert wall(bsd, "open", "/dev/sda", O_RDONLY) == ("ENOENT", "none")


def test_nothing_is_made_in_devfs(bsd: Machine) -> None:
    devfs(bsd, 4)
    assert bsd.do("mkdir", "/dev/new", 0o755) == "EPERM"


def test_a_disk_is_a_character_device(bsd: Machine) -> None:
    devfs(bsd, 0)
    assert bsd.data("stat", "/dev/ada0")["mode"] & S_IFMT == S_IFCHR


def test_null_swallows(bsd: Machine) -> None:
    devfs(bsd, 4)
    fd = bsd.do("open", "/dev/null", O_WRONLY)
    assert bsd.do("write", fd, "gone", 4) == 4


def test_a_type_that_freebsd_lacks_is_no_device(bsd: Machine) -> None:
    assert bsd.do("mount", "proc", "/mnt", 0, {}) == "ENODEV"


def test_mount_takes_linuxs_order_too(bsd: Machine) -> None:
    assert bsd.do("mount", "none", "/mnt", "tmpfs", 0, None) == 0
    assert bsd.do("umount2", "/mnt", 0) == 0


def test_nullfs_shows_a_directory_at_another_place(bsd: Machine) -> None:
    asked = {"fstype": "nullfs", "fspath": "/mnt", "from": "/etc"}
    assert bsd.do("nmount", asked, 0) == 0
    assert isinstance(bsd.do("open", "/mnt/rc", O_RDONLY), int)


def test_unmounting_what_is_no_mountpoint_is_invalid(bsd: Machine) -> None:
    assert bsd.do("unmount", "/mnt", 0) == "EINVAL"


def test_an_ordinary_user_mounts_nothing(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert wall(bsd, "mount", "tmpfs", "/mnt", 0, {}, pid=user) == ("EPERM", "superuser")


def test_sysctl_reads_a_setting_of_the_kernel(bsd: Machine) -> None:
    assert bsd.data("__sysctlbyname", "kern.ostype") == "FreeBSD"


def test_a_setting_that_nobody_has_is_missing(bsd: Machine) -> None:
    assert bsd.do("__sysctlbyname", "kern.nonsense") == "ENOENT"


def test_an_ordinary_user_changes_no_setting(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert bsd.do("__sysctlbyname", "kern.maxproc", "1", pid=user) == "EPERM"


def test_a_changed_setting_stays_changed(bsd: Machine) -> None:
    bsd.do("__sysctlbyname", "kern.maxproc", "100")
    assert bsd.data("__sysctlbyname", "kern.maxproc") == "100"


def test_hardware_is_only_read(bsd: Machine) -> None:
    assert wall(bsd, "__sysctlbyname", "hw.ncpu", "64") == ("EPERM", "read-only-sysctl")


def test_the_host_name_is_a_setting(bsd: Machine) -> None:
    bsd.do("__sysctlbyname", "kern.hostname", "renamed")
    assert bsd.data("uname")["nodename"] == "renamed"


def test_another_users_environment_is_not_shown(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert bsd.do("__sysctlbyname", f"kern.proc.env.{bsd.pid}", pid=user) == "EPERM"


def test_another_users_arguments_are_shown(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert bsd.do("__sysctlbyname", f"kern.proc.args.{bsd.pid}", pid=user) == 0


def test_the_securelevel_only_goes_up(bsd: Machine) -> None:
    bsd.do("__sysctlbyname", "kern.securelevel", "2")
    assert wall(bsd, "__sysctlbyname", "kern.securelevel", "1") == ("EPERM", "securelevel")


def test_above_securelevel_0_no_module_is_touched(bsd: Machine) -> None:
    bsd.do("__sysctlbyname", "kern.securelevel", "1")
    assert wall(bsd, "kldload", "linux") == ("EPERM", "securelevel")


def test_above_securelevel_0_memory_is_not_written(bsd: Machine) -> None:
    devfs(bsd, 0)
    bsd.do("__sysctlbyname", "kern.securelevel", "1")
    assert wall(bsd, "open", "/dev/mem", O_WRONLY) == ("EPERM", "securelevel")


def test_at_securelevel_2_no_disk_is_written(bsd: Machine) -> None:
    devfs(bsd, 0)
    bsd.do("__sysctlbyname", "kern.securelevel", "2")
    assert wall(bsd, "open", "/dev/ada0", O_WRONLY) == ("EPERM", "securelevel")


def test_above_securelevel_0_a_system_flag_stays(bsd: Machine) -> None:
    bsd.do("chflags", "/etc/rc", 0x20000)
    bsd.do("__sysctlbyname", "kern.securelevel", "1")
    assert wall(bsd, "chflags", "/etc/rc", 0) == ("EPERM", "securelevel")


def test_an_immutable_file_is_not_removed(bsd: Machine) -> None:
    bsd.do("chflags", "/etc/rc", 0x20000)
    assert wall(bsd, "unlink", "/etc/rc") == ("EPERM", "immutable")


def test_a_user_sets_no_system_flag(bsd: Machine) -> None:
    bsd.do("chown", "/etc/rc", 1000, 1000)
    user = bsd.become(bsd.fork(), 1000)
    assert bsd.do("chflags", "/etc/rc", 0x2, pid=user) == 0
    assert wall(bsd, "chflags", "/etc/rc", 0x20000, pid=user) == ("EPERM", "superuser")


def test_the_kernel_is_its_own_first_file(bsd: Machine) -> None:
    assert bsd.data("kldstat", 1)["name"] == "kernel"
    assert bsd.do("kldunload", 1) == "EBUSY"


def test_a_module_without_a_file_is_not_loaded(bsd: Machine) -> None:
    assert bsd.do("kldload", "nothing") == "ENOENT"


def test_an_ordinary_user_loads_no_module(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert wall(bsd, "kldload", "nothing", pid=user) == ("EPERM", "superuser")


def test_getpriority_gives_the_nice_value_itself(bsd: Machine) -> None:
    bsd.do("setpriority", 0, 0, 7)
    assert bsd.do("getpriority", 0, 0) == 7


def test_an_ordinary_user_does_not_raise_its_priority(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert wall(bsd, "setpriority", 0, 0, -1, pid=user) == ("EACCES", "superuser")


def test_a_user_signals_nobody_elses_process(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert wall(bsd, "kill", bsd.pid, SIGTERM, pid=user) == ("EPERM", "uid")


def test_within_a_session_everybody_may_continue(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert bsd.do("kill", bsd.pid, SIGCONT, pid=user) == 0


def test_a_user_traces_nobody_elses_process(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert wall(bsd, "ptrace", 16, bsd.pid, 0, 0, pid=user) == ("EPERM", "uid")


def test_reboot_in_linuxs_words_needs_a_magic_number(bsd: Machine) -> None:
    assert bsd.do("reboot", 0, 0, 0, None) == "EINVAL"


def test_an_ordinary_user_locks_memory(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    at = bsd.do("mmap", 0, 4096, 3, 0x22, -1, 0, pid=user)
    assert bsd.do("mlock", at, 4096, pid=user) == 0
    assert bsd.do("mlock", 0, 4096, pid=user) == "ENOMEM"


def test_unlink_of_a_directory_is_not_permitted(bsd: Machine) -> None:
    assert bsd.do("unlink", "/mnt") == "EPERM"


def test_with_open_directories_forbidden_no_process_chroots_with_one(bsd: Machine) -> None:
    bsd.do("__sysctlbyname", "kern.chroot_allow_open_directories", "0")
    bsd.do("open", "/", O_RDONLY)
    assert wall(bsd, "chroot", "/a") == ("EPERM", "chroot-open-directory")


def test_with_open_directories_free_a_saved_one_is_no_obstacle(bsd: Machine) -> None:
    bsd.do("__sysctlbyname", "kern.chroot_allow_open_directories", "2")
    bsd.do("chroot", "/a")
    bsd.do("open", "/", O_RDONLY)
    assert bsd.do("chroot", "/b") == 0


def test_see_other_uids_hides_other_users_processes(bsd: Machine) -> None:
    bsd.do("__sysctlbyname", "security.bsd.see_other_uids", "0")
    user = bsd.become(bsd.fork(), 1000)
    assert wall(bsd, "kill", bsd.pid, 0, pid=user) == ("ESRCH", "see-other-uids")


def test_the_message_buffer_may_be_roots_alone(bsd: Machine) -> None:
    user = bsd.become(bsd.fork(), 1000)
    assert bsd.do("__sysctlbyname", "kern.msgbuf", pid=user) == 0
    bsd.do("__sysctlbyname", "security.bsd.unprivileged_read_msgbuf", "0")
    assert bsd.do("__sysctlbyname", "kern.msgbuf", pid=user) == "EPERM"


def test_the_root_filesystem_is_ufs_on_an_ata_disk(bsd: Machine) -> None:
    assert bsd.data("getfsstat")[0] == {"fstype": "ufs", "from": "/dev/ada0p2", "on": "/"}


def test_curproc_is_the_reader_itself(bsd: Machine) -> None:
    bsd.do("mount", "procfs", "/mnt", 0, {})
    fd = bsd.do("open", "/mnt/curproc/status", O_RDONLY)
    assert bsd.data("read", fd, 256).split()[1] == str(bsd.pid).encode()


def test_nothing_in_procfs_leads_into_another_root(bsd: Machine) -> None:
    bsd.do("mount", "procfs", "/mnt", 0, {})
    assert bsd.do("open", f"/mnt/{bsd.pid}/root", O_RDONLY) == "ENOENT"


def test_a_ruleset_that_nobody_filled_hides_nothing(bsd: Machine) -> None:
    assert "mem" in devfs(bsd, 99)


def test_swap_needs_a_disk(bsd: Machine) -> None:
    devfs(bsd, 0)
    assert bsd.do("swapon", "/dev/null") == "ENOTBLK"
    assert bsd.do("swapon", "/etc/rc") == "ENOTBLK"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("clock_settime", (0, (0, -1))),
        ("clock_settime", (99, (0, 0))),
        ("settimeofday", ((0, -1),)),
        ("mlockall", (0,)),
    ],
)
def test_the_right_comes_before_the_arguments(
    bsd: Machine, name: str, args: tuple[object, ...]
) -> None:
    """kern_clock_settime(), kern_settimeofday(), sys_mlockall(); Linux does it the other way."""
    bsd.do("__sysctlbyname", "security.bsd.unprivileged_mlock", "0")
    user = bsd.become(bsd.fork(), 1000)
    assert bsd.do(name, *args) == "EINVAL"
    assert wall(bsd, name, *args, pid=user) == ("EPERM", "superuser")


def test_only_the_real_user_of_a_process_may_lower_its_priority(bsd: Machine) -> None:
    """p_cansched() compares with the target's real user id alone."""
    user = bsd.become(bsd.fork(), 1000)
    other = bsd.become(bsd.fork(), 1000)
    task = bsd.store.row(Task, other)
    cred = msgspec.structs.replace(task.cred, ruid=KUid(2000))
    bsd.store.put(msgspec.structs.replace(task, cred=cred))
    assert bsd.do("setpriority", 0, other, 5, pid=user) == "EPERM"
    assert bsd.do("setpriority", 0, user, 5, pid=user) == 0


def test_a_file_of_the_kernel_is_found_by_its_path(bsd: Machine) -> None:
    assert bsd.do("kldfind", "/boot/kernel/kernel") == 1
    assert bsd.do("kldfind", "kernel.ko") == 1
    assert bsd.do("kldfind", "nothing") == "ENOENT"
    assert bsd.do("kldunloadf", 1, 7) == "EINVAL"
    assert bsd.do("kldunloadf", 1, 1) == "EBUSY"


def test_a_flag_that_no_filesystem_knows_is_refused(bsd: Machine) -> None:
    assert bsd.do("chflags", "/etc/rc", 0x40000000) == "EOPNOTSUPP"


def test_the_securelevel_is_a_number(bsd: Machine) -> None:
    assert bsd.do("__sysctlbyname", "kern.securelevel", "high") == "EINVAL"
