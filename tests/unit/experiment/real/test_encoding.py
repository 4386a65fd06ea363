"""Arguments of the probe language as the kernel gets them, without making a call."""

import ctypes
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.experiment.real import pack, spec
from simulator.experiment.real.agent import address, calls, wire
from simulator.experiment.real.agent.frame import BadArgumentError
from simulator.experiment.real.errors import RealError
from simulator.machine.abi.x86_64 import NUMBERS

COVERAGE = """open openat openat2 creat close read write lseek dup dup2 fcntl flock ioctl pipe
eventfd2 memfd_create stat lstat fstat statfs access faccessat2 chmod chown truncate ftruncate link
linkat symlink readlink unlink unlinkat mkdir rmdir rename renameat2 mknod getdents64 getcwd chdir
fchdir chroot umask setxattr lsetxattr getxattr mount umount2 pivot_root open_tree move_mount fsopen
fsconfig fsmount mount_setattr open_by_handle_at fork clone execve exit waitpid getpid getppid
gettid kill tkill tgkill pidfd_open pidfd_send_signal rt_sigaction rt_sigprocmask setsid getsid
setpgid getpgid getpgrp setpriority getpriority sched_setscheduler ptrace process_vm_readv kcmp
prctl seccomp personality setrlimit getrlimit prlimit64 getuid geteuid getgid setuid setgid setreuid
setresuid setresgid getresuid getresgid setgroups getgroups capget capset unshare setns sethostname
setdomainname uname shmget shmat shmdt shmctl semget semop semctl msgget msgsnd msgrcv msgctl socket
socketpair bind listen accept connect sendto recvfrom shutdown getsockname getpeername setsockopt
add_key keyctl adjtimex clock_settime settimeofday syslog reboot swapon swapoff acct quotactl
delete_module init_module kexec_load bpf perf_event_open io_uring_setup userfaultfd fanotify_init
iopl vhangup"""


def memory(where: int, size: int) -> bytes:
    return ctypes.string_at(where, size)


@pytest.mark.parametrize("name", COVERAGE.split())
def test_every_call_of_the_contract_is_known(name: str) -> None:
    assert calls.known(name)


def test_a_call_outside_the_list_is_refused() -> None:
    with pytest.raises(BadArgumentError):
        calls.encode("arch_prctl", [0, 0])


def test_output_buffers_are_left_out_and_sizes_kept() -> None:
    number, frame = calls.encode("read", [3, 64])
    assert (number, frame.args[0], frame.args[2], len(frame.args)) == (0, 3, 64, 3)


def test_missing_arguments_are_zero() -> None:
    _number, frame = calls.encode("open", ["/x", 0])
    assert frame.args[1:] == [0, 0]
    assert memory(frame.args[0], 3) == b"/x\0"


def test_none_is_the_null_pointer() -> None:
    _number, frame = calls.encode("mount", [None, "/", None, 5, None])
    assert [frame.args[0], frame.args[2], frame.args[3], frame.args[4]] == [0, 0, 5, 0]


def test_capset_is_version_three_with_sets_of_64_bits() -> None:
    _number, frame = calls.encode("capset", [0, [0, 33], [0], []])
    assert struct.unpack("<Ii", memory(frame.args[0], 8)) == (0x20080522, 0)
    assert struct.unpack("<6I", memory(frame.args[1], 24)) == (1, 1, 0, 2, 0, 0)


def test_semop_takes_a_list_of_triples_and_counts_it() -> None:
    _number, frame = calls.encode("semop", [7, [(0, -1, 2048)]])
    assert frame.args[2] == 1
    assert struct.unpack("<HhH", memory(frame.args[1], 6)) == (0, -1, 2048)


def test_timex_is_laid_out_by_field_name() -> None:
    _number, frame = calls.encode("adjtimex", [{"modes": 0x4000, "tick": 9}])
    raw = memory(frame.args[0], 208)
    assert struct.unpack_from("<I", raw)[0] == 0x4000
    assert struct.unpack_from("<q", raw, 88)[0] == 9


@pytest.mark.parametrize(
    "value",
    ["/run/x", "\0abstract", ("127.0.0.1", 80), ("::1", 443)],
)
def test_addresses_go_there_and_back(value: object) -> None:
    raw = address.pack(value)
    assert address.unpack(raw.ljust(128, b"\0"), len(raw)) == value


@pytest.mark.parametrize("value", [("a",), 5.0, ("zz::zz", 1)])
def test_a_bad_address_is_refused(value: object) -> None:
    with pytest.raises((BadArgumentError, ValueError)):
        address.pack(value)


@pytest.mark.parametrize(
    "value",
    [None, 5, "text", b"\xff\0", (1, "a", None), [1, (2,)], {"modes": 1}, {"a": {1: b"x"}}],
)
def test_values_cross_the_wire_unchanged(value: object) -> None:
    assert wire.unpack(wire.pack(value)) == value


def test_specs_are_split_as_a_shell_would() -> None:
    found = spec.parse('docker -v "/a b:/c" --pid=host')
    assert (found.technology, found.options) == ("docker", ("-v", "/a b:/c", "--pid=host"))


@pytest.mark.parametrize("text", ["", "docker 'open"])
def test_a_bad_spec_is_one_clear_line(text: str) -> None:
    with pytest.raises(RealError) as caught:
        spec.parse(text)
    assert "\n" not in str(caught.value)


def test_the_archive_of_the_agent_holds_the_models_numbers_of_calls(tmp_path: Path) -> None:
    archive = tmp_path / "agent.zip"
    archive.write_bytes(pack.archive())
    program = (
        f"import sys; sys.path = [{str(archive)!r}, *sys.path]\n"
        "from vitrina_agent.numbers import NUMBERS\n"
        "print(NUMBERS, [name for name in sys.modules if 'simulator' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == (f"{NUMBERS} []\n", "")
