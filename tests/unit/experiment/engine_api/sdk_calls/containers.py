"""Containers: made, started, ended, listed, changed."""

import re
from typing import Any

from tests.unit.experiment.engine_api.sdk_calls.suite import BOX, Sdk

SLEEP = ["sleep", "1000"]


def _made(s: Sdk, name: str, command: Any = "true", **more: Any) -> Any:
    one = s.client.containers.create(BOX, command, name=name, **more)
    return (one.name, one.status)


def _names(s: Sdk, **more: Any) -> list[str]:
    made_up = re.compile("[a-z]+_[a-z]+")
    names = (one.name for one in s.client.containers.list(**more))
    return sorted("<name>" if made_up.fullmatch(name) else name for name in names)


def _state(s: Sdk, name: str) -> tuple[Any, ...]:
    state = s.one(name).attrs["State"]
    return tuple(state[key] for key in ("Status", "Running", "Paused", "ExitCode", "OOMKilled"))


def _host(s: Sdk, name: str, *keys: str) -> list[Any]:
    host = s.one(name).attrs["HostConfig"]
    return [host[key] for key in keys]


def _config(s: Sdk, name: str, *keys: str) -> list[Any]:
    config = s.one(name).attrs["Config"]
    return [config[key] for key in keys]


CALLS: tuple[tuple[str, Any], ...] = (
    ("run", lambda s: s.run("echo hi", remove=True)),
    ("run with stderr", lambda s: s.run(["sh", "-c", "echo e >&2"], stderr=True, remove=True)),
    ("run that fails", lambda s: s.run(["sh", "-c", "echo no >&2; exit 3"], remove=True)),
    ("run of no program", lambda s: s.run("nosuch", remove=True)),
    ("run of no image", lambda s: s.client.containers.run("nosuch/image:1", "true")),
    ("run with environment", lambda s: s.run(
        ["sh", "-c", "echo $A $B"], environment={"A": "1", "B": "2"}, remove=True)),
    ("run with a list of environment", lambda s: s.run(
        ["sh", "-c", "echo $A"], environment=["A=x y"], remove=True)),
    ("run in a directory", lambda s: s.run("pwd", working_dir="/some/where", remove=True)),
    ("run as a user", lambda s: s.run("id -u", user="1234:55", remove=True)),
    ("run as no user", lambda s: s.run("id -u", user="nobody-here", remove=True)),
    ("run with a hostname", lambda s: s.run("hostname", hostname="box", remove=True)),
    ("run with an entrypoint", lambda s: s.run("b c", entrypoint=["echo", "a"], remove=True)),
    ("run read-only", lambda s: s.run("touch /x", read_only=True, remove=True)),
    ("run with tmpfs", lambda s: s.run(
        ["sh", "-c", "echo t > /t/f; cat /t/f"], tmpfs={"/t": "size=1m"}, remove=True)),
    ("run with a terminal", lambda s: s.run("echo hi", tty=True, remove=True)),
    ("run with init", lambda s: s.run("echo hi", init=True, remove=True)),
    ("create", lambda s: _made(s, "c1", ["sh", "-c", "exit 7"], labels={"k": "v", "of": "suite"})),
    ("create again", lambda s: _made(s, "c1")),
    ("create with a bad name", lambda s: _made(s, "bad name")),
    ("create in a relative directory", lambda s: _made(s, "c9", working_dir="here")),
    ("create with little memory", lambda s: _made(s, "c9", mem_limit="1k")),
    ("create with swap below memory", lambda s: _made(
        s, "c9", mem_limit="32m", memswap_limit="16m")),
    ("create with a bad restart policy", lambda s: _made(
        s, "c9", restart_policy={"Name": "sometimes"})),
    ("create with retries and always", lambda s: _made(
        s, "c9", restart_policy={"Name": "always", "MaximumRetryCount": 3})),
    ("create with a bad port", lambda s: _made(s, "c9", ports={"80/xyz": 80})),
    ("create on no network", lambda s: _made(s, "c9", network="nosuch")),
    ("create in the place of nobody", lambda s: _made(s, "c9", network_mode="container:nosuch")),
    ("create with volumes from nobody", lambda s: _made(s, "c9", volumes_from=["nosuch"])),
    ("create with a bad volume", lambda s: _made(s, "c9", volumes=["v:relative"])),
    ("create with one place twice", lambda s: _made(s, "c9", volumes=["a:/x", "b:/x"])),
    ("create with a bad capability", lambda s: _made(s, "c9", cap_add=["NOSUCH"])),
    ("create with a bad runtime", lambda s: _made(s, "c9", runtime="nosuch")),
    ("create with a bad signal", lambda s: _made(s, "c9", stop_signal="SIGNOSUCH")),
    ("get", lambda s: (s.one("c1").name, s.one("c1").status, s.one("c1").image.tags)),
    ("get nothing", lambda s: s.one("nosuch")),
    ("labels", lambda s: s.one("c1").labels),
    ("attrs of the state", lambda s: _state(s, "c1")),
    ("attrs of the configuration", lambda s: _config(
        s, "c1", "Cmd", "Env", "Entrypoint", "WorkingDir", "User", "Tty", "OpenStdin",
        "StdinOnce", "Image", "Volumes", "Labels", "OnBuild")),
    ("attrs of the host", lambda s: _host(
        s, "c1", "NetworkMode", "RestartPolicy", "AutoRemove", "Privileged", "PidMode", "IpcMode",
        "CgroupnsMode", "ShmSize", "Memory", "NanoCpus", "Runtime", "ReadonlyRootfs", "CapAdd",
        "CapDrop", "Dns", "ExtraHosts", "GroupAdd", "Links", "OomScoreAdj", "UTSMode",
        "UsernsMode", "VolumeDriver", "VolumesFrom", "ConsoleSize", "Binds", "LogConfig")),
    ("attrs are these", lambda s: set(s.one("c1").attrs)),
    ("attrs of the configuration are these", lambda s: set(s.one("c1").attrs["Config"])),
    ("start and wait", lambda s: (s.one("c1").start(), s.one("c1").wait(timeout=20))),
    ("state after the end", lambda s: _state(s, "c1")),
    ("stop what has ended", lambda s: s.one("c1").stop()),
    ("kill what has ended", lambda s: s.one("c1").kill()),
    ("pause what has ended", lambda s: s.one("c1").pause()),
    ("exec in what has ended", lambda s: s.one("c1").exec_run("true")),
    ("top of what has ended", lambda s: s.one("c1").top()),
    ("resize what has ended", lambda s: s.one("c1").resize(10, 10)),
    ("run detached", lambda s: s.run(SLEEP, name="long", detach=True).status),
    ("reload", lambda s: (s.one("long").reload(), s.one("long").status)),
    ("start what runs", lambda s: s.one("long").start()),
    ("remove what runs", lambda s: s.one("long").remove()),
    ("top", lambda s: [row[-1] for row in s.one("long").top(ps_args="-o pid,args")["Processes"]]),
    ("top's titles", lambda s: s.one("long").top()["Titles"]),
    ("stats", lambda s: set(s.one("long").stats(stream=False))),
    ("stats of memory", lambda s: s.one("long").stats(stream=False)["memory_stats"]["usage"] > 0),
    ("stats of the network", lambda s: {
        name: set(told) for name, told in s.one("long").stats(stream=False)["networks"].items()}),
    ("stats as a stream", lambda s: next(s.one("long").stats(
        decode=True))["pids_stats"]["current"]),
    ("pause", lambda s: (s.one("long").pause(), _state(s, "long"))),
    ("pause again", lambda s: s.one("long").pause()),
    ("exec in what is paused", lambda s: s.one("long").exec_run("true")),
    ("unpause", lambda s: (s.one("long").unpause(), _state(s, "long"))),
    ("unpause again", lambda s: s.one("long").unpause()),
    ("rename", lambda s: (s.one("long").rename("longer"), s.one("longer").name)),
    ("rename to a name that is taken", lambda s: s.one("longer").rename("c1")),
    ("rename to itself", lambda s: s.one("longer").rename("longer")),
    ("rename to nothing", lambda s: s.api.rename("longer", "")),
    ("update", lambda s: (
        s.one("longer").update(mem_limit="64m", memswap_limit="128m", cpu_shares=512),
        _host(s, "longer", "Memory", "MemorySwap", "CpuShares"))),
    ("update the restart policy", lambda s: (
        s.one("longer").update(restart_policy={"Name": "on-failure", "MaximumRetryCount": 2}),
        _host(s, "longer", "RestartPolicy"))),
    ("update to little memory", lambda s: s.one("longer").update(mem_limit="1k")),
    ("restart", lambda s: (s.one("longer").restart(timeout=0), _state(s, "longer"))),
    ("kill with a bad signal", lambda s: s.one("longer").kill(signal="SIGNOSUCH")),
    ("kill", lambda s: (s.one("longer").kill(), s.one("longer").wait(timeout=20))),
    ("restart what has ended", lambda s: (s.one("longer").restart(timeout=0),
                                          _state(s, "longer"))),
    ("stop", lambda s: (s.one("longer").stop(timeout=0), _state(s, "longer"))),
    ("wait for what has ended", lambda s: s.one("longer").wait()),
    ("wait with a bad condition", lambda s: s.one("longer").wait(condition="nosuch")),
    ("list", _names),
    ("list all", lambda s: _names(s, all=True)),
    ("list exited", lambda s: _names(s, filters={"status": "exited"})),
    ("list by exit status", lambda s: _names(s, all=True, filters={"exited": 7})),
    ("list by a label", lambda s: _names(s, all=True, filters={"label": "k=v"})),
    ("list by another label", lambda s: _names(s, all=True, filters={"label": "k=w"})),
    ("list by name", lambda s: _names(s, all=True, filters={"name": "ong"})),
    ("list by ancestor", lambda s: _names(s, all=True, filters={"ancestor": BOX})),
    ("list since", lambda s: _names(s, all=True, filters={"since": "c1"})),
    ("list before", lambda s: _names(s, all=True, filters={"before": "longer"})),
    ("list at most", lambda s: _names(s, limit=1)),
    ("list by a bad status", lambda s: _names(s, filters={"status": "nosuch"})),
    ("list by a bad filter", lambda s: _names(s, filters={"nosuch": "1"})),
    ("list with sizes", lambda s: [
        {"SizeRw", "SizeRootFs"} & set(one) for one in s.api.containers(all=True, size=True)]),
    ("list's elements", lambda s: set(s.api.containers(all=True)[0])),
    ("list's element", lambda s: [
        {key: one[key] for key in ("Names", "Image", "Command", "State", "Ports", "Labels",
                                   "Mounts", "HostConfig")}
        for one in s.api.containers(all=True, filters={"name": "c1"})]),
    ("publish", lambda s: (
        s.run(SLEEP, name="pub", detach=True, ports={"80/tcp": ("127.0.0.1", 18080)}) and None,
        s.one("pub").ports, s.api.port("pub", 80))),
    ("publish the same port again", lambda s: s.run(
        SLEEP, name="pub2", detach=True, ports={"80/tcp": ("127.0.0.1", 18080)})),
    ("publish datagrams", lambda s: (
        s.run(SLEEP, name="pub3", detach=True, ports={"53/udp": ("127.0.0.1", 18053)}) and None,
        s.one("pub3").ports)),
    ("ports in the list", lambda s: s.api.containers(filters={"name": "^/pub$"})[0]["Ports"]),
    ("share a network namespace", lambda s: s.run(
        "hostname", network_mode="container:pub", remove=True) == s.one("pub").id[:12].encode()
        + b"\n"),
    ("host's network", lambda s: s.run("true", network_mode="host", remove=True)),
    ("no network", lambda s: s.run("cat /proc/net/dev", network_mode="none", remove=True)
        .decode().count(":")),
    ("extra hosts", lambda s: b"10.0.0.1\tmine" in s.run(
        "cat /etc/hosts", extra_hosts={"mine": "10.0.0.1"}, remove=True)),
    ("dns", lambda s: b"nameserver 9.9.9.9" in s.run(
        "cat /etc/resolv.conf", dns=["9.9.9.9"], remove=True)),
    ("health", lambda s: s.one(s.run(
        SLEEP, detach=True, name="well",
        healthcheck={"test": ["CMD", "true"], "interval": 3600 * 10**9}).id)
        .attrs["State"]["Health"]["Status"]),
    ("a bad health check", lambda s: _made(s, "c9", healthcheck={"test": "x", "interval": 5})),
    ("links", lambda s: b"alias" in s.run("cat /etc/hosts", links={"pub": "alias"}, remove=True)),
    ("remove by force", lambda s: [s.one(name).remove(force=True) for name in
                                   ("pub", "pub2", "pub3", "well")]),
    ("remove", lambda s: s.one("c1").remove()),
    ("remove again", lambda s: s.api.remove_container("c1")),
    ("prune", lambda s: {key: len(value) if isinstance(value, list) else value for key, value
                         in s.client.containers.prune(filters={"label": "nosuch"}).items()}),
    ("prune all", lambda s: (
        len(s.client.containers.prune()["ContainersDeleted"]), _names(s, all=True))),
    ("prune by a bad filter", lambda s: s.client.containers.prune(filters={"nosuch": "1"})),
)  # fmt: skip
