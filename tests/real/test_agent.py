"""The agent alone: stdlib only, isolated mode, one line in and one line out."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.experiment.real import pack, rootfs
from simulator.experiment.real.agent import wire
from simulator.experiment.real.link import Link, attach
from tests.real.conftest import requires

pytestmark = pytest.mark.real


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Link]:
    requires("linux", "x86-64")
    archive = tmp_path / "agent.pyz"
    archive.write_bytes(pack.archive())
    process = subprocess.Popen(
        rootfs.interpreter_arguments(str(archive)), cwd=tmp_path, stdin=subprocess.DEVNULL
    )
    link = attach(process.pid)
    yield link
    link.close()
    assert process.wait(5) == 0


def ask(link: Link, name: str, *args: object) -> dict[str, object]:
    return link.ask({"do": "call", "call": name, "args": [wire.pack(arg) for arg in args]})


def test_it_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    requires("linux", "x86-64")
    archive = tmp_path / "agent.pyz"
    archive.write_bytes(pack.archive())
    done = subprocess.run(
        [*rootfs.interpreter_arguments(str(archive)), "--modules"],
        capture_output=True,
        check=True,
        text=True,
    )
    foreign = [line for line in done.stdout.splitlines() if "site-packages" in line]
    assert foreign == []


def test_the_archive_is_the_same_for_the_same_sources() -> None:
    assert pack.archive() == pack.archive()


def test_calls_are_raw(agent: Link) -> None:
    assert ask(agent, "getpid")["value"] == agent.pid
    assert ask(agent, "getpriority", 0, 0)["value"] == 20 - os.getpriority(os.PRIO_PROCESS, 0)
    assert ask(agent, "setsid")["value"] == agent.pid


def test_data_is_what_the_kernel_wrote(agent: Link, tmp_path: Path) -> None:
    assert wire.unpack(ask(agent, "getcwd", 256)["data"]) == str(tmp_path)
    ask(agent, "mkdir", "d", 0o750)
    stat = wire.unpack(ask(agent, "stat", "d")["data"])
    assert stat["mode"] == 0o40750
    assert wire.unpack(ask(agent, "readlink", "/proc/self/fd/0", 64)["data"]) == "/dev/null"


def test_a_count_larger_than_the_data_pads_and_a_smaller_one_cuts(
    agent: Link, tmp_path: Path
) -> None:
    opened = ask(agent, "creat", "f", 0o600)["value"]
    assert ask(agent, "write", opened, "abc", 5)["value"] == 5
    assert ask(agent, "write", opened, "abc", 2)["value"] == 2
    assert (tmp_path / "f").read_bytes() == b"abc\0\0ab"


def test_errno_is_the_kernels(agent: Link) -> None:
    import errno

    assert ask(agent, "open", "/none/x", 0)["errno"] == errno.ENOENT
    assert ask(agent, "read", 99, 1)["errno"] == errno.EBADF


def test_sockets_speak_the_languages_addresses(agent: Link) -> None:
    server = ask(agent, "socket", 1, 1, 0)["value"]
    assert ask(agent, "bind", server, f"\0vitrina-test-{agent.pid}")["errno"] == 0
    name = wire.unpack(ask(agent, "getsockname", server)["data"])
    assert name == f"\0vitrina-test-{agent.pid}"


def test_a_wrong_argument_is_refused_not_guessed(agent: Link) -> None:
    assert "refused" in ask(agent, "open", {"a": 1}, 0)
    assert "refused" in ask(agent, "clone", 0x100)
    assert "refused" in ask(agent, "arch_prctl", 0x1002, 0)
