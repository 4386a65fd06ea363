"""Reading a SPEC: a technology and its product's own options."""

from pathlib import Path

import pytest

from simulator import machine
from simulator.isolation.mechanisms.base import PlanError
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.prison import Prison
from simulator.isolation.mechanisms.volumes import Volume, Volumes
from simulator.isolation.technologies.base import SpecError, change, plan, without
from simulator.isolation.technologies.registry import MECHANISMS, TECHNOLOGIES, parse_spec
from simulator.machine.abi.errors import VitrinaError
from simulator.machine.kernel.cred import names


def test_host_pid_option_takes_the_namespace_away_and_shares_processes_on_purpose() -> None:
    docker = parse_spec("docker --pid=host")
    assert "pid-ns" not in docker.ids
    assert "process" in docker.shared


def test_an_option_may_have_its_value_in_the_next_word() -> None:
    assert parse_spec("docker --network none") == parse_spec("docker --network none")
    assert parse_spec("docker --pid host").ids == parse_spec("docker --pid=host").ids


def test_docker_keeps_the_fourteen_capabilities_of_moby() -> None:
    held = parse_spec("docker").get("capabilities")
    assert isinstance(held, Capabilities)
    assert len(names(held.keep)) == 14
    assert "CAP_SYS_CHROOT" in names(held.keep)
    assert "CAP_SYS_ADMIN" not in names(held.keep)


def test_capability_options_apply_in_their_order() -> None:
    held = parse_spec("docker --cap-drop ALL --cap-add NET_ADMIN").get("capabilities")
    assert isinstance(held, Capabilities)
    assert names(held.keep) == ("CAP_NET_ADMIN",)


def test_a_volume_is_read_with_its_mode() -> None:
    volumes = parse_spec("docker -v /srv/x:/data:ro").get("volumes")
    assert isinstance(volumes, Volumes)
    assert volumes.binds == (Volume("/srv/x", "/data", read_only=True, propagation="rprivate"),)


def test_sizes_have_units() -> None:
    limits = parse_spec("docker -m 64m --pids-limit 20 --cpus 1.5").get("cgroup-limits")
    assert isinstance(limits, CgroupLimits)
    assert (limits.memory, limits.pids, limits.cpus) == (64 << 20, 20, 1500)


def test_jail_parameters_are_written_as_jail_does() -> None:
    prison = parse_spec("jail allow.raw_sockets children.max=3").get("prison")
    assert isinstance(prison, Prison)
    assert dict(prison.params)["allow.raw_sockets"] == 1
    assert dict(prison.params)["children.max"] == 3


def test_a_jail_parameter_may_be_negated_by_name() -> None:
    prison = parse_spec("jail allow.noset_hostname").get("prison")
    assert isinstance(prison, Prison)
    assert dict(prison.params)["allow.set_hostname"] == 0


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("doker", "docker"),
        ("docker --pidd=host", "--pid"),
        ("docker --pid", "--pid"),
        ("docker --pid=other", "host"),
        ("docker --privileged=maybe", "--privileged"),
        ("docker --cap-add NOTHING", "NOTHING"),
        ("docker -m much", "64m"),
        ("docker -v /a", "/source/path"),
        ("docker --security-opt seccomp=/x.json", "unconfined"),
        ("jail allow.foo=1", "allow.foo"),
        ("jail enforce_statfs=7", "enforce_statfs"),
        ("sealed --x", "--x"),
        ("docker 'x", "quotation"),
        ("", "none"),
    ],
)
def test_a_bad_spec_is_one_line_that_names_what_is_wrong(spec: str, word: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lifting_pivot_root_leaves_plain_chroot_in_its_role() -> None:
    docker = parse_spec("docker", ["pivot-root"])
    assert "pivot-root" not in docker.ids
    assert "chroot" in docker.ids


def test_lifting_both_root_switches_leaves_the_hosts_root() -> None:
    docker = parse_spec("docker", ["pivot-root", "chroot"])
    assert not {"pivot-root", "chroot"} & set(docker.ids)


def test_lifting_what_others_need_names_them() -> None:
    with pytest.raises(PlanError, match="pivot-root needs mount-ns"):
        parse_spec("docker", ["mount-ns"])


def test_an_unknown_mechanism_is_answered_with_the_list() -> None:
    with pytest.raises(SpecError, match="did you mean pid-ns"):
        parse_spec("docker", ["pid-n"])
    with pytest.raises(SpecError, match="none has no mechanism"):
        parse_spec("none", ["pid-ns"])


def test_lifted_mechanisms_are_remembered() -> None:
    assert without(parse_spec("docker"), ["seccomp"]).removed == ("seccomp",)


@pytest.mark.parametrize("name", list(TECHNOLOGIES))
def test_every_technology_has_a_plan_whose_steps_are_by_mechanisms_it_has(name: str) -> None:
    technology = parse_spec(name)
    steps = plan(technology)
    assert steps[-1].name == "execve"
    tagged = {word for step in steps for word in step.mechanism.split()}
    assert tagged <= set(technology.ids)


def test_phases_never_go_back() -> None:
    phases = [step.phase for step in plan(parse_spec("docker"))]
    assert phases == sorted(phases)


def test_the_filter_is_loaded_before_capabilities_go_unless_no_new_privs() -> None:
    def position(spec: str, name: str) -> int:
        return [step.name for step in plan(parse_spec(spec))].index(name)

    assert position("docker", "seccomp") < position("docker", "capset")
    free = "docker --security-opt no-new-privileges"
    assert position(free, "seccomp") > position(free, "capset")


def test_every_mechanism_says_what_it_hides_how_it_refuses_or_where_it_is_switched() -> None:
    for about in MECHANISMS.values():
        assert about.title
        assert about.hides or about.walls or about.real, about.id


def test_every_error_of_this_room_is_a_persons_mistake() -> None:
    assert issubclass(SpecError, VitrinaError)
    assert issubclass(PlanError, VitrinaError)


def test_every_wall_that_a_mechanism_owns_is_said_by_the_kernel_somewhere() -> None:
    sources = Path(machine.__file__).parent.rglob("*.py")
    text = "\n".join(path.read_text() for path in sources)
    for about in MECHANISMS.values():
        for wall in about.walls:
            assert f'"{wall}"' in text, (about.id, wall)


def test_an_era_is_the_same_product_at_another_time(monkeypatch: pytest.MonkeyPatch) -> None:
    today = TECHNOLOGIES["docker"]
    old = change(today, mechanisms=today.mechanisms[:5], era="0.0.1", year=2012, eras=())
    monkeypatch.setitem(TECHNOLOGIES, "docker", change(today, eras=(old,)))
    read = parse_spec("docker@0.0.1 --pid=host")
    assert (read.id, read.name, read.spec) == ("docker", "docker@0.0.1", "docker@0.0.1 --pid=host")
    assert set(read.ids) < set(today.ids)
    with pytest.raises(SpecError, match=r"no era '2\.0'; it has: docker@0\.0\.1"):
        parse_spec("docker@2.0")


def test_a_product_without_eras_says_so() -> None:
    with pytest.raises(SpecError, match="none has no eras"):
        parse_spec("none@1979")


@pytest.mark.parametrize(
    "name", [era.name for today in TECHNOLOGIES.values() for era in today.eras]
)
def test_every_era_has_its_year_and_its_own_name(name: str) -> None:
    technology = parse_spec(name)
    assert technology.year
    assert technology.name == name
    assert plan(technology)[-1].name == "execve"


@pytest.mark.parametrize(
    "spec",
    [
        "cgroups memory.limit_in_bytes=x",
        "cgroups pids.max=-5",
        "cgroups cpuset.cpus=x",
        "cgroups devices.deny=x",
        "cgroups freezer.state=x",
        "cgroups cpu.max=50000:100000",
        "docker --memory=x",
        "docker --pids-limit=x",
        "docker --cpus=x",
        "docker -u 99999999999",
        "docker --ulimit nofile=5:3",
        "jail children.max=x",
        "lxc lxc.cgroup2.memory.max=x",
        "lxc lxc.tty.max=x",
        "openvz --numproc=x",
        "runc linux.resources.memory.limit=x",
        "vserver rlimits/nproc=x",
        "warden limit_memory=x",
        "zone max-lwps=x",
    ],
)
def test_a_value_that_the_option_does_not_take_is_said_when_the_spec_is_read(spec: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value) or "soft limit" in str(caught.value)
