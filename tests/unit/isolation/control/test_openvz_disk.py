"""vzctl's quotas, snapshots, passwords and processors: what is done, and what is said instead."""

import pytest
from mistakes import host, said, typed

from simulator.experiment.engine.session import SimSession

_BUSY = (
    "vzquota : (error) Quota off syscall for id 101: Device or resource busy\n"
    "vzquota : (error) \tPossible reasons:\n"
    "vzquota : (error) \t- Container's root is not unmounted\n"
    "vzquota : (error) \t- there are opened files inside container's root/private area\n"
    "vzquota : (error) \t- your current working directory is inside a container directory\n"
    "vzquota : (error) \t  root/private area\n"
    "vzquota off failed [3]\n"
)
_PLOOP = "Snapshot feature is only available for ploop-based CTs\n"
_UUID = "{0123abcd-0123-4567-89ab-0123456789ab}"


@pytest.fixture
def vz() -> SimSession:
    return host("openvz")


def test_a_quota_is_not_turned_off_while_the_container_is_mounted(vz: SimSession) -> None:
    assert typed(vz, "vzctl quotaoff 101") == (66, _BUSY)
    assert typed(vz, "vzctl quotainit 101") == (
        61,
        "vzquota : (error) Quota is running, stop it first\nvzquota init failed [5]\n",
    )
    assert typed(vz, "vzctl quotaon 101") == (
        0,
        "vzquota : (warning) Quota is running for id 101 already\n",
    )


def test_quotaon_gives_a_running_container_the_limits_of_its_file(vz: SimSession) -> None:
    said(vz, "sed -i 's/^DISKSPACE.*/DISKSPACE=\"1000:1000\"/' /etc/vz/conf/101.conf")
    said(vz, "vzctl quotaon 101")
    assert typed(vz, "vzctl exec 101 dd if=/dev/zero of=/big bs=1024 count=2000")[0] == 8
    assert "1000           1000" in said(vz, "cat /proc/vz/vzaquota")


def test_a_quota_of_what_is_not_mounted_goes_on_and_off(vz: SimSession) -> None:
    said(vz, "vzctl stop 101")
    assert "101:" not in said(vz, "cat /proc/vz/vzaquota")
    again = "vzquota : (warning) Quota file exists, it will be overwritten\n"
    assert said(vz, "vzctl quotainit 101") == again
    assert said(vz, "vzctl quotaon 101") == ""
    assert "101:" in said(vz, "cat /proc/vz/vzaquota")
    assert said(vz, "vzctl quotaoff 101") == ""
    off = "vzquota : (error) Quota is not running for id 101\n"
    assert said(vz, "vzctl quotaoff 101") == off


def test_a_quota_without_its_file_is_made_when_it_is_wanted(vz: SimSession) -> None:
    said(vz, "vzctl stop 101; rm /var/vzquota/quota.101")
    assert typed(vz, "vzctl quotaoff 101") == (
        66,
        "vzquota : (error) Can't open quota file for id 101, maybe you need to reinitialize quota:"
        " No such file or directory\nvzquota off failed [11]\n",
    )
    assert said(vz, "vzctl mount 101") == "Initializing quota ...\nContainer is mounted\n"


@pytest.mark.parametrize(("command", "status"), [("on", 60), ("off", 66), ("init", 61)])
def test_where_quotas_are_off_nothing_is_done(vz: SimSession, command: str, status: int) -> None:
    said(vz, "echo DISK_QUOTA=no >> /etc/vz/conf/101.conf")
    told = "Disk quota is not enabled, skipping operation\n"
    assert typed(vz, f"vzctl quota{command} 101") == (status, told)


@pytest.mark.parametrize(
    ("name", "word", "status"),
    [("DISKSPACE", "diskspace", 63), ("DISKINODES", "diskinodes", 64)],
)
def test_a_quota_needs_both_limits(vz: SimSession, name: str, word: str, status: int) -> None:
    said(vz, f"vzctl stop 101; sed -i /^{name}/d /etc/vz/conf/101.conf")
    told = f"Error: Not enough parameters, {word} quota not set\n"
    assert typed(vz, "vzctl quotainit 101") == (status, told)


@pytest.mark.parametrize(
    ("line", "status", "output"),
    [
        ("snapshot 101", 156, _PLOOP),
        (f"snapshot 101 --id {_UUID} --name one --description why --skip-suspend", 156, _PLOOP),
        (f"snapshot-delete 101 --id {_UUID}", 158, _PLOOP),
        (f"snapshot-switch 101 --uuid {_UUID} --must-resume", 159, _PLOOP),
        (f"snapshot-mount 101 --id {_UUID} --target /mnt", 160, _PLOOP),
        (f"snapshot-umount 101 --id {_UUID}", 161, _PLOOP),
        ("snapshot-list 101", 167, _PLOOP),
        ("snapshot-delete 101", 20, "Invalid syntax: snapshot id is missing\n"),
        ("snapshot-delete 101 --id 7", 21, "Bad parameter for --id: 7\n"),
        (f"snapshot-mount 101 --id {_UUID}", 20, "Invalid syntax: mount target is missing\n"),
        (
            f"snapshot-switch 101 --id {_UUID} --skip-resume --must-resume",
            20,
            "Invalid syntax: --skip-resume and --must-resume can not be used together\n",
        ),
        ("snapshot 101 more", 20, "Invalid extra arguments: more \n"),
        ("snapshot 101 --bogus", 21, "vzctl: unrecognized option '--bogus'\n"),
        ("snapshot-list 101 -o nope", 21, "Unknown field: nope\n"),
        ("snapshot-list 101 -u 7", 21, "Invalid guid is specified: 7\n"),
        ("compact 101", 0, "Compact only makes sense for ploop containers\n"),
        ("convert 101 --layout simfs", 21, "Only conversion to ploop is supported\n"),
        ("quotaon 101 more", 20, "Invalid options: more \n"),
        ("set 101 --userpasswd root", 74, "Password change failed\n"),
        ("set 101 --userpasswd root:", 74, "Password change failed\n"),
        ("create 110 --userpasswd a:b", 20, "vzctl: unrecognized option '--userpasswd'\n"),
    ],
)
def test_what_is_for_ploop_is_refused_in_vzctl_s_words(
    vz: SimSession, line: str, status: int, output: str
) -> None:
    assert typed(vz, f"vzctl {line}") == (status, output)


def test_a_kernel_without_ploop_says_so_of_a_container_that_is_one(vz: SimSession) -> None:
    missing = "No ploop support in the kernel, or kernel is way too old.\n"
    status, output = typed(vz, "vzctl convert 101")
    assert status == 99
    assert output.startswith(missing)
    said(vz, "echo VE_LAYOUT=ploop >> /etc/vz/conf/101.conf")
    status, output = typed(vz, "vzctl snapshot 101")
    assert status == 156
    assert output.startswith(missing)


def test_a_password_is_set_inside_and_a_user_made_for_it(vz: SimSession) -> None:
    assert said(vz, "vzctl set 101 --userpasswd root:secret") == ""
    line = said(vz, "vzctl exec 101 grep ^root /etc/shadow")
    assert line.startswith("root:$6$")
    assert "secret" not in line
    said(vz, "vzctl set 101 --userpasswd joe:one")
    first = said(vz, "vzctl exec 101 grep ^joe /etc/shadow")
    assert said(vz, "vzctl exec 101 id joe") == "uid=500(joe) gid=500(joe) groups=500(joe)\n"
    said(vz, "vzctl set 101 --userpasswd joe:two")
    assert said(vz, "vzctl exec 101 grep ^joe /etc/shadow") != first
    assert said(vz, "vzctl exec 101 grep -c ^joe /etc/passwd") == "1\n"
    assert "joe" not in said(vz, "cat /etc/passwd")


def test_a_container_that_is_down_runs_for_its_password_only(vz: SimSession) -> None:
    said(vz, "vzctl stop 101")
    assert said(vz, "vzctl set 101 --userpasswd joe:one").splitlines() == [
        "Starting container...",
        "Container is mounted",
        "Container start in progress...",
        "Killing container ...",
        "Container was stopped",
        "Container is unmounted",
    ]
    assert said(vz, "vzctl status 101") == "CTID 101 exist unmounted down\n"
    assert "joe:$6$" in said(vz, "cat /srv/guest/etc/shadow")


def test_a_container_sees_the_processors_that_it_may_use(vz: SimSession) -> None:
    assert said(vz, "vzctl exec 101 grep -c ^cpu[0-9] /proc/stat") == "2\n"
    assert said(vz, "vzctl set 101 --cpus 1 --save").startswith("Setting CPUs: 1\n")
    assert said(vz, "vzctl exec 101 grep -c ^cpu[0-9] /proc/stat") == "1\n"
    assert said(vz, "vzctl exec 101 grep -c processor /proc/cpuinfo") == "1\n"
    assert said(vz, "vzctl exec 102 grep -c ^cpu[0-9] /proc/stat") == "2\n"
    assert said(vz, "grep -c processor /proc/cpuinfo") == "2\n"


def test_the_processors_given_at_the_start_are_those_in_proc() -> None:
    guest = host("openvz --cpus 1")
    assert said(guest, "grep -c ^cpu[0-9] /proc/stat", "guest") == "1\n"
