"""What the model is told of the runtimes of a machine: a default that is not the model's shows."""

import msgspec

from simulator.cli.calibration import BRIEF, Calibration, of_docker, of_lxc, of_profile
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.language import parse
from simulator.experiment.real.defaults import Defaults
from simulator.experiment.real.filters import Program
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.masked_paths import MaskedPaths
from simulator.isolation.mechanisms.readonly_paths import ReadonlyPaths
from simulator.isolation.technologies.defaults import lxc_files
from simulator.isolation.technologies.registry import TECHNOLOGIES
from simulator.machine.abi.x86_64 import NUMBERS

PROFILE = """2
denylist
reject_force_umount  # comment this to allow umount -f;  not recommended
[all]
kexec_load errno 1
open_by_handle_at errno 1
init_module errno 1
finit_module errno 1
delete_module errno 1
"""


def usual() -> Defaults:
    docker = TECHNOLOGIES["docker"]
    masked, readonly = docker.get("masked-paths"), docker.get("readonly-paths")
    kept = docker.get("capabilities")
    assert isinstance(masked, MaskedPaths)
    assert isinstance(readonly, ReadonlyPaths)
    assert isinstance(kept, Capabilities)
    return Defaults(masked.paths, readonly.paths, kept.keep, seccomp=True)


def refusing(name: str) -> Program:
    """A filter that answers ``name`` with EPERM and lets the rest through."""
    return (
        (0x20, 0, 0, 0),
        (0x15, 0, 1, NUMBERS[name]),
        (6, 0, 0, 0x50001),
        (6, 0, 0, 0x7FFF0000),
    )


def test_what_an_engine_does_as_the_model_is_not_told(monkeypatch) -> None:
    monkeypatch.setattr("simulator.cli.calibration.here", lambda keep: keep)
    assert list(of_docker(usual())) == []


def test_another_default_of_an_engine_is_told(monkeypatch) -> None:
    monkeypatch.setattr("simulator.cli.calibration.here", lambda keep: keep)
    changed = msgspec.structs.replace(
        usual(),
        masked=(*usual().masked, "/proc/new"),
        readonly=usual().readonly[1:],
        capabilities=usual().capabilities | 1 << 21,
        filter=refusing("getpid"),
    )
    told = "\n".join(of_docker(changed))
    assert "masked paths of this version: +/proc/new" in told
    assert f"read-only paths of this version: -{usual().readonly[0]}" in told
    assert "capabilities of this version: +CAP_SYS_ADMIN" in told
    assert "+getpid EPERM" in told
    assert "-kexec_load EPERM" in told
    off = msgspec.structs.replace(usual(), seccomp=False)
    assert list(of_docker(off)) == ["docker: no filter of calls is on here"]


def test_the_model_is_given_what_was_read_unless_an_option_says_otherwise() -> None:
    found = msgspec.structs.replace(usual(), masked=("/proc/uptime",), filter=refusing("getpid"))
    calibration = Calibration(found, ("docker: something",))
    program = parse('guest.getpid()\nf = guest.open("/proc/uptime", O_RDONLY)\nguest.read(f, 64)\n')

    def answers(spec: str) -> list[object]:
        trace = traced(program, load_world(), calibration.technology(spec))
        first, second, third = trace.entries
        return [first.errno, second.errno, third.value == 0]

    assert answers("docker") == ["EPERM", None, True]
    assert answers("docker --security-opt seccomp=unconfined") == [None, None, True]
    assert answers("docker --cap-add SYS_ADMIN")[0] is None
    said = calibration.stamp()
    assert said["differing"] == ["docker: something"]
    assert said["docker"]["masked"] == ["/proc/uptime"]  # type: ignore[index]


def test_another_file_of_lxc_is_told() -> None:
    assert list(of_profile(PROFILE)) == []
    more = PROFILE.replace("finit_module errno 1\n", "mount errno 1\n")
    assert list(of_profile(more)) == [
        "lxc: common.seccomp of this version: +mount errno 1 -finit_module errno 1"
    ]
    assert list(of_lxc(lxc_files.COMMON)) == []
    assert "+lxc.cap.drop = kill" in "".join(of_lxc(lxc_files.COMMON + "lxc.cap.drop = kill\n"))


def test_a_terminal_is_shown_the_beginning_of_a_long_list_and_where_all_of_it_is() -> None:
    long = "docker: filter of calls of this version: " + " ".join(f"+call{n}" for n in range(300))
    found = Calibration(told=("lxc: short", long))

    short, cut, where = found.brief()
    assert short == "lxc: short"
    assert cut.startswith("docker: filter of calls of this version: +call0 ")
    assert cut.endswith(" ...")
    assert len(cut) <= BRIEF
    assert "stamp.defaults" in where
    assert found.stamp()["differing"] == ["lxc: short", long]
    assert list(Calibration(told=("lxc: short",)).brief()) == ["lxc: short"]
