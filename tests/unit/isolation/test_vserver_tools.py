"""util-vserver's tools, typed on a host: they build, start, look into and stop guests."""

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call, Returned, Silent, Value
from simulator.machine.abi.constants import (
    LINUX_REBOOT_CMD_RESTART,
    LINUX_REBOOT_MAGIC1,
    LINUX_REBOOT_MAGIC2,
    RB_POWER_OFF,
)


class Host:
    """Root's shell on the host of a session."""

    def __init__(self, spec: str) -> None:
        self.session: SimSession = open_session(load_world(), parse_spec(spec))

    def says(self, line: str, actor: str = "host") -> tuple[int, str]:
        """The status and the output of a shell line."""
        result = self.session.shell(actor, line)
        assert isinstance(result, Returned), result
        data = result.data
        text = data if isinstance(data, bytes) else str(data).encode()
        return result.value, text.decode("utf-8", "replace")


@pytest.fixture
def host() -> Host:
    return Host("vserver")


def test_the_session_s_own_sandbox_is_a_running_guest(host: Host) -> None:
    status, text = host.says("vserver guest status")
    assert (status, "running at context '101'" in text) == (0, True)


def test_the_host_s_root_can_neither_see_nor_kill_a_guest_s_process(host: Host) -> None:
    assert "guest" not in host.says("ps aux | grep -c /bin/sh")[1]
    number = host.session.actors["guest"].pid
    assert "No such process" in host.says(f"kill -9 {number}")[1]
    assert host.says(f"vkill --xid 101 -s KILL {number}")[0] == 0


def test_context_1_sees_everything_and_kills_nobody(host: Host) -> None:
    assert "101 guest" in host.says("vps aux")[1]
    assert "ERR" not in host.says("vps ax")[1]
    number = host.session.actors["guest"].pid
    assert "No such process" in host.says(f"chcontext --ctx 1 kill -9 {number}")[1]


def test_exec_runs_with_the_guest_s_name_and_without_its_rights(host: Host) -> None:
    assert "guest.vitrina.example" in host.says("vserver guest exec hostname")[1]
    assert host.says("vserver guest exec mount -t tmpfs none /mnt")[0] != 0


def test_a_cloned_guest_is_built_started_stopped_and_deleted(host: Host) -> None:
    build = "vserver two build -m clone --hostname two --context 200 -- --source /srv/guest"
    assert host.says(build)[0] == 0
    assert host.says("cat /etc/vservers/two/context")[1].strip().startswith("200")
    assert host.says("vserver two start")[0] == 0
    assert "two" in host.says("vserver two exec hostname")[1]
    assert "two" in host.says("vserver-stat")[1]
    assert host.says("vserver two stop")[0] == 0
    assert host.says("vserver two status")[0] == 3
    assert host.says("vserver --silent two delete")[0] == 0
    assert host.says("vserver two status")[0] == 5


def test_the_files_of_a_guest_s_directory_say_what_its_root_may_do(host: Host) -> None:
    host.says("vserver two build -m clone --context 200 -- --source /srv/guest")
    host.says("echo SYS_TIME > /etc/vservers/two/bcapabilities")
    host.says("vserver two start")
    assert "sys_time" in host.says("vattribute --xid two --get")[1]


def test_a_word_that_no_file_of_util_vserver_has_stops_the_start(host: Host) -> None:
    host.says("vserver two build -m clone --context 200 -- --source /srv/guest")
    host.says("echo NET_RAWW > /etc/vservers/two/bcapabilities")
    status, text = host.says("vserver two start")
    assert (status, "net_raww" in text.lower()) == (1, True)


def test_unified_files_are_one_file_that_a_guest_may_only_unlink(host: Host) -> None:
    host.says("vserver two build -m clone --context 200 -- --source /srv/guest")
    assert "busybox" in host.says("vunify -v two guest")[1]
    assert "UI" in host.says("showattr -d /srv/guest/bin/busybox")[1]


def test_the_tools_of_2003_find_their_guest_in_a_file_of_variables() -> None:
    host = Host("vserver@2.4")
    assert "running at context '101'" in host.says("vserver guest status")[1]
    assert "Operation not permitted" in host.says("reducecap --secure hostname foo")[1]
    assert host.says("vserver guest stop")[0] == 0
    assert host.says("vserver guest status")[0] == 3


@pytest.mark.parametrize(("command", "status"), [("RESTART", 0), ("POWER_OFF", 3)])
def test_a_guest_that_reboots_is_started_again_by_vshelper(command: str, status: int) -> None:
    host = Host("vserver")
    word = LINUX_REBOOT_CMD_RESTART if command == "RESTART" else RB_POWER_OFF
    magic = (LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2)
    host.session.call("guest", Call("reboot", (*magic, word, None)))
    assert not host.session.alive("guest")
    assert host.says("sleep 1; vserver guest status >/dev/null")[0] == status
    assert host.says("vserver neighbour status >/dev/null")[0] == 0


def test_vshelper_can_be_turned_off() -> None:
    host = Host("vserver")
    host.says("mkdir -p /etc/vservers/guest/apps/vshelper")
    host.says("touch /etc/vservers/guest/apps/vshelper/disabled")
    host.says("vserver guest stop")
    assert host.says("vshelper restart 101")[0] == 0
    assert host.says("vserver guest status >/dev/null")[0] == 3
    assert host.says("vshelper restart 4711")[0] == 1
    assert host.says("vshelper")[0] == 1


def test_the_session_s_own_guest_starts_again_after_a_stop(host: Host) -> None:
    assert host.says("vserver guest stop; vserver guest status")[0] == 3
    assert host.says("vserver guest condrestart; vserver guest running")[0] == 1
    assert host.says("vserver guest start") == (0, "")
    assert host.says("vserver guest condrestart") == (0, "")
    assert host.says("vserver guest exec id -u") == (0, "0\n")


def test_a_guest_is_hashified_and_its_files_stand_in_the_store(host: Host) -> None:
    assert host.says("vserver guest hashify") == (0, "")
    assert host.says("stat -c %h /srv/guest/bin/busybox")[1].strip() != "1"
    assert host.says("showattr -d /srv/guest/bin/busybox")[1].split()[0].endswith("UI")


def test_an_interface_that_the_host_lacks_is_told_as_ip_tells_it(host: Host) -> None:
    host.says("vserver new build -m skeleton --interface eth0:10.0.0.5/24")
    status, text = host.says("vserver new start")
    assert status == 1
    assert text.splitlines()[0] == 'Cannot find device "eth0"'


def test_vlimit_limits_a_guest_that_runs_and_shows_it(host: Host) -> None:
    assert host.says("vlimit --xid guest --nproc 3") == (0, "")
    assert "NPROC       N/A                 3" in host.says("vlimit --xid guest --all -d")[1]
    assert "can't fork" in host.says("vserver guest exec sh -c 'sleep 9 & sleep 9 & sleep 9'")[1]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("--nproc many", 255, "Can not parse limit 'many'"),
        ("--xid nobody --all", 255, "Invalid context number 'nobody': vserver does not exist"),
        ("--fsize 3", 255, "vlimit: fsize: the simulated kernel lacks this parameter"),
        ("--width 3", 255, "unrecognized option '--width'"),
    ],
)
def test_vlimit_says_what_it_can_t_do(host: Host, words: str, status: int, told: str) -> None:
    found = host.says(f"vlimit {words}")
    assert (found[0], found[1].splitlines()[0]) == (status, told)


def test_a_flag_that_the_kernel_of_the_model_lacks_is_not_called_unknown(host: Host) -> None:
    told = host.says("vattribute --set --xid guest --flag hide_mount")[1]
    assert told == "vattribute: hide_mount: the simulated kernel lacks this parameter\n"
    assert host.says("vattribute --set --xid guest --flag bogus")[1] == "Unknown flag 'bogus'\n"
    assert host.says("vattribute --set --xid guest --ccap mount")[0] == 0


@pytest.mark.parametrize(
    "tool", ["chcontext", "chbind", "reducecap", "vattribute", "vkill", "vlimit", "vps"]
)
def test_help_is_a_usage_and_no_failure(host: Host, tool: str) -> None:
    status, text = host.says(f"{tool} --help")
    assert (status, text.startswith("Usage:"), tool in text) == (0, True, True)


def test_a_flag_on_a_file_that_is_computed_is_kept_nowhere(host: Host) -> None:
    assert host.says("setattr --iunlink --barrier /sys/kernel") == (0, "")
    assert host.says("showattr -d /sys/kernel")[1].split()[0] == "---bui"


def test_a_disk_limit_of_a_computed_tree_is_beyond_the_model_and_no_crash(host: Host) -> None:
    asked: dict[str, Value] = {"name": "/proc", "space_total": 1 << 20}
    call = Call("vserver", ("VCMD_add_dlimit", 101, asked))
    assert isinstance(host.session.call("host", call), Silent)
