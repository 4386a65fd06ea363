"""Limits reach the files of both versions of control groups: at the start and by an update."""

import pytest
from engine_client import REALTIME, Client

from simulator.experiment.engine_api.hosts import HOSTS
from simulator.experiment.engine_api.machine import Machine

MB = 1 << 20
ASKED = {
    "Memory": 20 * MB, "MemorySwap": 20 * MB, "MemoryReservation": 10 * MB, "PidsLimit": 10,
    "CpuShares": 512, "CpuQuota": 5000, "CpuPeriod": 20_000, "CpusetCpus": "1",
    "BlkioDeviceReadBps": [{"Path": "/dev/sda", "Rate": MB}],
}  # fmt: skip


def client_of(host: str) -> Client:
    client = Client(Machine(REALTIME, host=HOSTS[host]))
    client.pull()
    return client


@pytest.fixture(scope="module")
def old() -> Client:
    """A machine whose control groups are version 1's."""
    return client_of("ubuntu-20.04")


def shown(engine: Client, name: str, *files: str) -> list[str]:
    paths = (f"/sys/fs/cgroup/{file}" for file in files)
    return engine.execute(name, "cat", *paths).decode().splitlines()


def test_all_limits_of_a_start_are_the_groups_of_version_2(engine: Client) -> None:
    engine.run("sleep", "1000", name="two", HostConfig=ASKED)
    files = ("memory.max", "memory.swap.max", "memory.low", "pids.max", "cpu.weight", "cpu.max",
             "cpuset.cpus", "io.max")  # fmt: skip
    assert shown(engine, "two", *files) == [
        str(20 * MB), "0", str(10 * MB), "10", "50", "5000 20000", "1",
        f"8:0 rbps={MB} wbps=max riops=max wiops=max",
    ]  # fmt: skip


def test_all_limits_of_a_start_are_the_groups_of_version_1(old: Client) -> None:
    host = ASKED | {"MemorySwappiness": 0, "OomKillDisable": True}
    old.run("sleep", "1000", name="one", HostConfig=host)
    files = ("memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes",
             "memory/memory.soft_limit_in_bytes", "memory/memory.swappiness", "pids/pids.max",
             "cpu/cpu.shares", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us",
             "cpuset/cpuset.cpus", "blkio/blkio.throttle.read_bps_device")  # fmt: skip
    assert shown(old, "one", *files) == [
        str(20 * MB), str(20 * MB), str(10 * MB), "0", "10", "512", "5000", "20000", "1",
        f"8:0 {MB}",
    ]  # fmt: skip
    assert "oom_kill_disable 1" in shown(old, "one", "memory/memory.oom_control")


def test_a_start_is_warned_of_what_version_2_has_not(engine: Client) -> None:
    host = {"OomKillDisable": True, "MemorySwappiness": 10}
    answer = engine.post("/containers/create", {"Image": "busybox", "HostConfig": host})
    assert answer.json()["Warnings"] == [
        "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted."
        " Memory swappiness discarded.",
        "Your kernel does not support OomKillDisable. OomKillDisable discarded.",
    ]


def test_an_update_writes_memory_and_swap_in_the_order_that_version_1_takes(old: Client) -> None:
    old.run("sleep", "1000", name="changed", HostConfig={"Memory": 20 * MB})
    both = ("memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes")
    assert shown(old, "changed", *both) == [str(20 * MB), str(40 * MB)]
    for memory in (100 * MB, 10 * MB):  # up, the swap first; down, the memory first
        asked = {"Memory": memory, "MemorySwap": memory, "PidsLimit": 7, "NanoCpus": 500_000_000}
        assert old.post("/containers/changed/update", asked).status == 200
        assert shown(old, "changed", *both) == [str(memory)] * 2
    assert shown(old, "changed", "pids/pids.max", "cpu/cpu.cfs_quota_us") == ["7", "50000"]
    assert old.post("/containers/changed/update", {"PidsLimit": -1}).status == 200
    assert shown(old, "changed", "pids/pids.max") == ["max"]


def test_an_update_of_the_memory_alone_stays_below_the_swap(engine: Client) -> None:
    made = engine.run("sleep", "1000", name="grows", HostConfig={"Memory": 20 * MB})
    refused = engine.post("/containers/grows/update", {"Memory": 41 * MB})
    assert (refused.status, refused.message) == (
        409,
        f"Cannot update container {made}: Memory limit should be smaller than already set"
        " memoryswap limit, update the memoryswap at the same time",
    )
    assert engine.post("/containers/grows/update", {"Memory": 40 * MB}).status == 200
    assert shown(engine, "grows", "memory.max") == [str(40 * MB)]


def test_an_update_agrees_with_what_there_is(engine: Client) -> None:
    begun = "Conflicting options: "
    engine.run("sleep", "1000", name="nano", HostConfig={"NanoCpus": 500_000_000})
    engine.run("sleep", "1000", name="quota", HostConfig={"CpuQuota": 5000})
    engine.run("sleep", "1000", name="goes", HostConfig={"AutoRemove": True})
    for name, asked, why in (
        ("nano", {"CpuQuota": 5000},
         f"{begun}CPU Quota cannot be updated as NanoCPUs has already been set"),
        ("quota", {"NanoCpus": 500_000_000},
         f"{begun}Nano CPUs cannot be updated as CPU Quota has already been set"),
        ("goes", {"RestartPolicy": {"Name": "always"}},
         "Restart policy cannot be updated because AutoRemove is enabled for the container"),
    ):  # fmt: skip
        refused = engine.post(f"/containers/{name}/update", asked)
        assert (refused.status, refused.message.partition(": ")[2]) == (409, why)
    kept = {"RestartPolicy": {"Name": "no"}}
    assert engine.post("/containers/goes/update", kept).status == 200


def test_statistics_are_read_from_version_1_too(old: Client) -> None:
    old.run("sleep", "1000", name="counted", HostConfig={"Memory": 30 * MB, "PidsLimit": 9})
    told = old.get("/containers/counted/stats", stream=0).json()
    assert told["memory_stats"]["limit"] == 30 * MB
    assert told["memory_stats"]["stats"]["hierarchical_memory_limit"] == 30 * MB
    assert told["pids_stats"] == {"current": 1, "limit": 9}


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ({"Memory": MB}, "Minimum memory limit allowed is 6MB"),
        ({"MemoryReservation": MB}, "Minimum memory reservation allowed is 6MB"),
        ({"CpuPeriod": 10}, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s"
                            " (i.e. 1000000)"),
        ({"CpuQuota": 10}, "CPU cfs quota can not be less than 1ms (i.e. 1000)"),
        ({"CpusetCpus": "0-3"}, "Requested CPUs are not available - requested 0-3, available: 0-1"),
        ({"BlkioWeight": 5}, "Range of blkio weight is from 10 to 1000"),
        ({"NanoCpus": 1, "CpuQuota": 2000},
         "Conflicting options: Nano CPUs and CPU Quota cannot both be set"),
    ],
)  # fmt: skip
def test_limits_that_are_none_are_refused(
    engine: Client, host: dict[str, object], message: str
) -> None:
    answer = engine.post("/containers/create", {"Image": "busybox", "HostConfig": host})
    assert (answer.status, answer.message) == (400, message)
