"""lxc.container.conf(5)'s keys as words of a SPEC."""

import pytest

from simulator.isolation.mechanisms.apparmor import Apparmor
from simulator.isolation.mechanisms.capabilities import Capabilities
from simulator.isolation.mechanisms.cgroup_limits import CgroupLimits
from simulator.isolation.mechanisms.default_mounts import DefaultMounts
from simulator.isolation.mechanisms.device_list import DeviceList
from simulator.isolation.mechanisms.lxc_config import LxcConfig
from simulator.isolation.mechanisms.net_ns import NetNs
from simulator.isolation.mechanisms.time_ns import TimeNs
from simulator.isolation.mechanisms.user_ns import UserNs
from simulator.isolation.mechanisms.volumes import Volume, Volumes
from simulator.isolation.technologies.base import SpecError, plan
from simulator.isolation.technologies.defaults import lxc_files as files
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.kernel.cred import ALL_CAPABILITIES, names


def kept(spec: str) -> tuple[str, ...]:
    held = parse_spec(spec).get("capabilities")
    return names(held.keep if isinstance(held, Capabilities) else ALL_CAPABILITIES)


def test_five_capabilities_are_dropped_by_common_conf() -> None:
    gone = set(names(ALL_CAPABILITIES)) - set(kept("lxc"))
    assert gone == {
        "CAP_MAC_ADMIN",
        "CAP_MAC_OVERRIDE",
        "CAP_SYS_TIME",
        "CAP_SYS_MODULE",
        "CAP_SYS_RAWIO",
    }


def test_an_empty_list_begins_anew_and_later_lines_add_to_it() -> None:
    assert kept("lxc lxc.cap.drop=") == names(ALL_CAPABILITIES)
    more = kept("lxc 'lxc.cap.drop=sys_admin net_raw'")
    assert not {"CAP_SYS_ADMIN", "CAP_NET_RAW", "CAP_SYS_TIME"} & set(more)


def test_what_to_keep_needs_an_empty_list_of_what_to_drop() -> None:
    assert kept("lxc lxc.cap.drop= lxc.cap.keep=net_admin lxc.cap.keep=chown") == (
        "CAP_CHOWN",
        "CAP_NET_ADMIN",
    )
    assert kept("lxc lxc.cap.drop= lxc.cap.keep=none") == ()
    with pytest.raises(SpecError, match=r"write lxc\.cap\.drop= before it"):
        parse_spec("lxc lxc.cap.keep=chown")


def test_mounts_are_mixed_until_said_otherwise() -> None:
    assert {"proc-mixed", "sys-mixed"} <= set(parse_spec("lxc").ids)
    assert "proc-mixed" not in parse_spec("lxc lxc.mount.auto=proc:rw").ids
    bare = parse_spec("lxc lxc.mount.auto=")
    mounts = bare.get("default-mounts")
    assert isinstance(mounts, DefaultMounts)
    assert not {"/proc", "/sys", "/sys/fs/cgroup"} & {one.path for one in mounts.mounts}


def test_the_includes_of_a_distribution_say_what_they_say() -> None:
    users = parse_spec(f"lxc lxc.include={files.CONFIG}/userns.conf")
    assert not {"device-list", "capabilities", "sys-mixed"} & set(users.ids)
    nested = parse_spec(f"lxc lxc.include={files.CONFIG}/nesting.conf")
    assert nested.get("apparmor") == Apparmor("lxc-container-default-with-nesting")
    assert "lxcfs" in parse_spec(f"lxc lxc.include={files.CONFIG}/common.conf.d").ids


def test_mapped_ids_move_the_files_too() -> None:
    mapped = parse_spec("lxc 'lxc.idmap=u 0 200000 1000' 'lxc.idmap=g 0 200000 1000'")
    assert mapped.get("user-ns") == UserNs(200_000, 1000)
    assert mapped.image.uid_shift == 200_000


def test_network_types() -> None:
    assert "net-ns" not in parse_spec("lxc lxc.net.0.type=none").ids
    assert "port" in parse_spec("lxc lxc.net.0.type=none").shared
    assert parse_spec("lxc lxc.net.0.type=empty").get("net-ns") == NetNs(bridge="", ipv6=True)
    linked = parse_spec("lxc lxc.net.0.link=br7").get("net-ns")
    assert isinstance(linked, NetNs)
    assert linked.bridge == "br7"


def test_limits_devices_clocks_and_binds() -> None:
    one = parse_spec(
        "lxc lxc.cgroup2.memory.max=64M lxc.cgroup2.pids.max=20 'lxc.cgroup2.cpu.max=50000 100000'"
        " 'lxc.cgroup2.devices.allow=b 8:0 r' lxc.time.offset.boot=-2h"
        " 'lxc.mount.entry=/srv/x srv/x none ro,bind 0 0' lxc.cgroup.memory.limit_in_bytes=32M"
    )
    limits, devices = one.get("cgroup-limits"), one.get("device-list")
    assert isinstance(limits, CgroupLimits)
    assert isinstance(devices, DeviceList)
    assert (limits.memory, limits.pids, limits.cpus) == (32 << 20, 20, 500)
    assert limits.group == "/lxc.payload.{name}"
    assert devices.rules[-1] == "b 8:0 r"
    assert one.get("time-ns") == TimeNs(boot=-7200 * 10**9)
    assert one.get("volumes") == Volumes((Volume("/srv/x", "/srv/x", read_only=True),))


def test_the_words_are_written_to_the_containers_file() -> None:
    written = parse_spec("lxc lxc.no_new_privs=1").get("lxc-config")
    assert isinstance(written, LxcConfig)
    assert written.lines[-1] == "lxc.no_new_privs = 1"
    texts = [step.args[1] for step in plan(parse_spec("lxc")) if step.name == "write"]
    assert any("lxc.rootfs.path = dir:/srv/guest\n" in text for text in texts if "lxc" in str(text))


def test_the_keyring_key_means_what_the_program_makes_of_it() -> None:
    assert "session-keyring" not in parse_spec("lxc lxc.keyring.session=1").ids
    assert "session-keyring" in parse_spec("lxc lxc.keyring.session=0").ids
    with pytest.raises(SpecError, match="0 or 1"):
        parse_spec("lxc lxc.keyring.session=no")


def test_keys_of_before_2_1_still_work() -> None:
    assert "net-ns" not in parse_spec("lxc lxc.network.type=none").ids
    assert parse_spec("lxc lxc.utsname=web").guest.hostname == "web"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lxc.capdrop=x", "did you mean lxc.cap.drop"),
        ("lxc.cap.drop=nothing", "nothing is no capability"),
        ("lxc.mount.auto=proc:maybe", "proc:mixed"),
        ("lxc.net.0.type=macvlan", "veth"),
        ("lxc.idmap=x", "u 0 100000 65536"),
        ("lxc.cgroup2.memory.max=much", "64m"),
        ("lxc.apparmor.profile=mine", "unconfined"),
        ("lxc.time.offset.boot=soon", "7200s"),
        ("lxc.include=/nowhere", "common.conf"),
        ("--privileged", "lxc.cap.drop=sys_admin"),
    ],
)
def test_a_bad_word_is_one_line(word: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(f"lxc '{word}'")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "word",
    [
        "lxc.net.0.ipv4.address=10.0.3",
        "lxc.net.0.ipv4.address=10.0.3.5/99",
        "lxc.net.0.ipv4.gateway=here",
        "lxc.cgroup2.cpu.weight=0",
        "lxc.cgroup2.cpuset.cpus=all",
    ],
)
def test_an_address_a_weight_or_a_list_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(SpecError):
        parse_spec(f"lxc {word}")
