"""docker run, create, start, exec, attach: a process and its streams."""

import re
from typing import Any

from simulator.isolation.control.docker.client import mounting
from simulator.isolation.control.docker.client.flags import Flag, Parsed, need, parse
from simulator.isolation.control.docker.client.helping import Misused
from simulator.isolation.control.docker.client.wire import Api, ClientError, DaemonError
from simulator.isolation.control.docker.engine.sync import go, stop
from simulator.machine.abi.constants import MSG_NOSIGNAL, SHUT_WR
from simulator.machine.userland.process import Process, SysError

_TEXT, _LIST = Flag("text"), Flag("list")
RUN: dict[str, Flag] = {
    "add-host": _LIST, "cap-add": _LIST, "cap-drop": _LIST, "cgroupns": _TEXT,
    "cpus": _TEXT, "detach": Flag(short="d"), "device": _LIST, "dns": _LIST,
    "entrypoint": _TEXT, "env": Flag("list", "e"), "env-file": _LIST, "expose": _LIST,
    "group-add": _LIST, "health-cmd": _TEXT, "hostname": Flag("text", "h"), "init": Flag(),
    "interactive": Flag(short="i"), "ip": _TEXT, "ipc": _TEXT, "label": Flag("list", "l"),
    "link": _LIST, "memory": Flag("text", "m"), "mount": _LIST, "name": _TEXT, "net": _TEXT,
    "network": _TEXT, "network-alias": _LIST, "pid": _TEXT, "pids-limit": Flag("number"),
    "platform": _TEXT, "privileged": Flag(), "publish": Flag("list", "p"),
    "publish-all": Flag(short="P"), "pull": _TEXT, "quiet": Flag(short="q"),
    "read-only": Flag(), "restart": _TEXT, "rm": Flag(), "runtime": _TEXT,
    "security-opt": _LIST, "shm-size": _TEXT,
    "stop-signal": _TEXT, "stop-timeout": Flag("number"), "sysctl": _LIST, "tmpfs": _LIST,
    "tty": Flag(short="t"), "ulimit": _LIST, "user": Flag("text", "u"), "userns": _TEXT,
    "uts": _TEXT, "volume": Flag("list", "v"), "volumes-from": _LIST,
    "workdir": Flag("text", "w"), "no-healthcheck": Flag(), "attach": Flag("list", "a"),
}  # fmt: skip
_SIZES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def bytes_of(text: str) -> int:
    """``64m`` in bytes (units.RAMInBytes). Raises ``ClientError``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)b?", text.lower())
    if found is None:
        raise ClientError(f"invalid size: '{text}'", 125)
    return int(float(found[1]) * _SIZES[found[2]])


async def configuration(sys: Process, given: Parsed, image: str, cmd: list[str]) -> dict[str, Any]:
    """The body of ``POST /containers/create`` (docker/cli ``container/opts.go``)."""
    env = list(given.listed("env"))
    for path in given.listed("env-file"):
        lines = (await sys.text(path)).splitlines()
        env += [line for line in lines if line.strip() and not line.startswith("#")]
    env = [one if "=" in one else f"{one}={sys.env.get(one, '')}" for one in env]
    exposed, bindings = ports(given.listed("publish"), given.listed("expose"))
    network = given.text("network") or given.text("net") or "default"
    config = _config(given) | {"Env": env, "Cmd": cmd or None, "Image": image}
    config["ExposedPorts"] = exposed
    host = _host(given) | {"NetworkMode": network, "PortBindings": bindings}
    endpoint: dict[str, Any] = {}
    if given.listed("network-alias"):
        endpoint["Aliases"] = given.listed("network-alias")
    if given.text("ip"):
        endpoint["IPAMConfig"] = {"IPv4Address": given.text("ip")}
    networking = {"EndpointsConfig": {network: endpoint}} if endpoint else {}
    return config | {"HostConfig": host, "NetworkingConfig": networking}


def _config(given: Parsed) -> dict[str, Any]:
    """What is the same on every host."""
    attached, interactive = not given.on("detach"), given.on("interactive")
    anonymous: dict[str, Any] = {one: {} for one in given.listed("volume") if ":" not in one}
    config: dict[str, Any] = {
        "Hostname": given.text("hostname"),
        "User": given.text("user"),
        "AttachStdin": interactive and attached,
        "AttachStdout": attached,
        "AttachStderr": attached,
        "Tty": given.on("tty"),
        "OpenStdin": interactive,
        "StdinOnce": interactive and attached,
        "WorkingDir": given.text("workdir"),
        "Entrypoint": [given.text("entrypoint")] if "entrypoint" in given.given else None,
        "Labels": pairs(given.listed("label")),
        "Volumes": anonymous,
        "StopSignal": given.text("stop-signal"),
        "StopTimeout": given.given.get("stop-timeout"),
    }
    if given.text("health-cmd"):
        config["Healthcheck"] = {"Test": ["CMD-SHELL", given.text("health-cmd")]}
    if given.on("no-healthcheck"):
        config["Healthcheck"] = {"Test": ["NONE"]}
    return config


_HOST_TEXTS = {
    "CgroupnsMode": "cgroupns", "IpcMode": "ipc", "PidMode": "pid", "UTSMode": "uts",
    "UsernsMode": "userns",
}  # fmt: skip
_HOST_LISTS = {
    "VolumesFrom": "volumes-from", "CapAdd": "cap-add", "CapDrop": "cap-drop", "Dns": "dns",
    "ExtraHosts": "add-host", "GroupAdd": "group-add", "Links": "link",
    "SecurityOpt": "security-opt",
}  # fmt: skip


def _host(given: Parsed) -> dict[str, Any]:
    """What belongs to this host."""
    policy, _, most = (given.text("restart") or "no").partition(":")
    host: dict[str, Any] = {name: given.text(flag) for name, flag in _HOST_TEXTS.items()}
    host |= {name: given.listed(flag) for name, flag in _HOST_LISTS.items()}
    return host | {
        "Binds": [one for one in given.listed("volume") if ":" in one],
        "RestartPolicy": {"Name": policy, "MaximumRetryCount": int(most or 0)},
        "AutoRemove": given.on("rm"),
        "Privileged": given.on("privileged"),
        "PublishAllPorts": given.on("publish-all"),
        "ReadonlyRootfs": given.on("read-only"),
        "Tmpfs": dict(_pair(one, ":") for one in given.listed("tmpfs")),
        "Sysctls": pairs(given.listed("sysctl")),
        "Ulimits": [_ulimit(one) for one in given.listed("ulimit")],
        "Devices": [_device(one) for one in given.listed("device")],
        "Mounts": [mounting.read(one, bytes_of) for one in given.listed("mount")],
        "Memory": bytes_of(given.text("memory")) if given.text("memory") else 0,
        "ShmSize": bytes_of(given.text("shm-size")) if given.text("shm-size") else 0,
        "NanoCpus": int(float(given.text("cpus", "0")) * 1e9),
        "PidsLimit": given.given.get("pids-limit", 0),
        "Init": True if given.on("init") else None,
    }


def pairs(texts: list[str]) -> dict[str, str]:
    """``key=value`` each."""
    return dict(_pair(text) for text in texts)


def _pair(text: str, mark: str = "=") -> tuple[str, str]:
    key, _, value = text.partition(mark)
    return key, value


def ports(published: list[str], exposed: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """ExposedPorts and PortBindings of ``-p`` and ``--expose``. Raises ``ClientError``."""
    found: dict[str, Any] = {one if "/" in one else f"{one}/tcp": {} for one in exposed}
    bindings: dict[str, Any] = {}
    for text in published:
        place, _, kind = text.partition("/")
        *outside, inside = place.split(":")
        key = f"{inside}/{kind or 'tcp'}"
        if not inside.isdigit():
            raise ClientError(f"invalid containerPort: {inside}", 125)
        found[key] = {}
        number = outside[-1] if outside else ""
        address = ":".join(outside[:-1])
        bindings.setdefault(key, []).append({"HostIp": address, "HostPort": number})
    return found, bindings


def _ulimit(text: str) -> dict[str, Any]:
    name, _, values = text.partition("=")
    soft, _, hard = values.partition(":")
    return {"Name": name, "Soft": int(soft), "Hard": int(hard or soft)}


def _device(text: str) -> dict[str, str]:
    path, _, rest = text.partition(":")
    target, _, mode = rest.partition(":")
    return {
        "PathOnHost": path,
        "PathInContainer": target or path,
        "CgroupPermissions": mode or "rwm",
    }


async def create(sys: Process, api: Api, words: list[str], command: str) -> tuple[str, Parsed]:
    """Make a container, pulling its image when it is missing; its id."""
    given = parse(command, RUN, words, stop_early=True)
    need(command, given.words, 1)
    image, *cmd = given.words
    body = await configuration(sys, given, image, cmd)
    platform = given.text("platform")
    query = {"name": given.text("name"), "platform": platform}
    query = {key: value for key, value in query.items() if value}
    try:
        made = await api.ask("POST", "/containers/create", query, body)
    except DaemonError as error:
        if error.code != 404 or "No such image" not in str(error):
            raise
        tagged = image if ":" in image or "@" in image else f"{image}:latest"
        await sys.err(f"Unable to find image '{tagged}' locally\n")
        await pull(api, image, to=sys.err, platform=platform, told_tag=False)
        made = await api.ask("POST", "/containers/create", query, body)
    for warning in made["Warnings"]:
        await sys.err(f"WARNING: {warning}\n")
    return made["Id"], given


async def pull(
    api: Api,
    image: str,
    *,
    to: Any,
    quiet: bool = False,
    platform: str = "",
    told_tag: bool = True,
) -> None:
    """Pull, telling each layer's progress once it has changed; ``told_tag``: and a default tag."""
    name, _, mark = image.rpartition(":") if ":" in image.rpartition("/")[2] else (image, "", "")
    query = {"fromImage": name, "tag": mark or "latest"}
    query |= {"platform": platform} if platform else {}
    if not mark and not quiet and told_tag:
        await to("Using default tag: latest\n")
    async for told in api.lines("POST", "/images/create", query):
        if "error" in told:
            raise ClientError(str(told["error"]))
        if quiet or told.get("progressDetail"):
            continue
        prefix = f"{told['id']}: " if told.get("id") else ""
        await to(f"{prefix}{told['status']}\n")


async def run(sys: Process, api: Api, words: list[str]) -> int:
    """Create, attach, start, wait."""
    try:
        ident, given = await create(sys, api, words, "run")
        if given.on("detach"):
            await api.ask("POST", f"/containers/{ident}/start")
            await sys.out(f"{ident}\n")
            return 0
        return await _attached(
            sys, api, ident, given.on("interactive"), given.on("tty"), start=True
        )
    except Misused as error:
        await sys.err(f"{error}\n")
        return error.status
    except ClientError as error:
        status = error.status if not isinstance(error, DaemonError) else _run_status(str(error))
        await sys.err(f"docker: {error}\n\nRun 'docker run --help' for more information\n")
        return status if status != 1 else 125


def _run_status(message: str) -> int:
    """runStartContainerErr(): 127 not found, 126 may not be run, else 125."""
    if "executable file not found" in message or "no such file or directory" in message:
        return 127
    return 126 if "permission denied" in message else 125


async def _attached(
    sys: Process, api: Api, ident: str, stdin: bool, tty: bool, *, start: bool
) -> int:
    query = {"stream": 1, "stdout": 1, "stderr": 1} | ({"stdin": 1} if stdin else {})
    fd, early = await api.hijack(f"/containers/{ident}/attach", query)
    waited: list[int] = []

    async def waiter(own: Process) -> None:
        told = await api.shared(own).ask(
            "POST", f"/containers/{ident}/wait", {"condition": "next-exit"}
        )
        waited.append(int(told["StatusCode"]) if told else 125)

    worker = await go(sys, waiter)
    if start:
        try:
            await api.ask("POST", f"/containers/{ident}/start")
        except ClientError:
            await stop(sys, worker)
            await sys.succeeds("wait4", worker, 0)
            await sys.close(fd)
            raise
    await copy(sys, fd, early, stdin=stdin, tty=tty)
    while not waited:
        try:
            await sys.call("wait4", worker, 0)
        except SysError:
            break
    return waited[0] if waited else 0


async def copy(sys: Process, fd: int, early: bytes, *, stdin: bool, tty: bool) -> None:
    """The streams of a connection to the program's own, until the output ends."""

    async def typed(own: Process) -> None:
        while data := await own.read(0):
            await own.value("sendto", fd, data, len(data), MSG_NOSIGNAL)
        await own.succeeds("shutdown", fd, SHUT_WR)

    worker = await go(sys, typed) if stdin else 0
    left = early
    while True:
        if tty:
            await sys.write(1, left)
            left = b""
        while len(left) >= 8 and len(left) >= 8 + int.from_bytes(left[4:8], "big"):
            end = 8 + int.from_bytes(left[4:8], "big")
            await sys.write(2 if left[0] == 2 else 1, left[8:end])
            left = left[end:]
        data = await sys.read(fd)
        if not data:
            break
        left += data
    if worker:
        await stop(sys, worker)
        await sys.succeeds("wait4", worker, 0)
    await sys.close(fd)


EXEC = {
    "detach": Flag(short="d"), "env": Flag("list", "e"), "interactive": Flag(short="i"),
    "privileged": Flag(), "tty": Flag(short="t"), "user": Flag("text", "u"),
    "workdir": Flag("text", "w"),
}  # fmt: skip


async def execute(sys: Process, api: Api, words: list[str]) -> int:
    """A further process in a running container."""
    given = parse("exec", EXEC, words, stop_early=True)
    need("exec", given.words, 2)
    name, *cmd = given.words
    detached, tty = given.on("detach"), given.on("tty")
    body = {
        "User": given.text("user"),
        "Privileged": given.on("privileged"),
        "Tty": tty,
        "AttachStdin": given.on("interactive") and not detached,
        "AttachStdout": not detached,
        "AttachStderr": not detached,
        "Env": given.listed("env"),
        "WorkingDir": given.text("workdir"),
        "Cmd": cmd,
    }
    made = await api.ask("POST", f"/containers/{name}/exec", None, body)
    ident = made["Id"]
    if detached:
        await api.ask("POST", f"/exec/{ident}/start", None, {"Detach": True, "Tty": tty})
        return 0
    path = f"/exec/{ident}/start"
    fd, early = await api.hijack(path, None, {"Detach": False, "Tty": tty})
    await copy(sys, fd, early, stdin=given.on("interactive"), tty=tty)
    told = await api.ask("GET", f"/exec/{ident}/json")
    return int(told["ExitCode"] or 0)


async def start(sys: Process, api: Api, words: list[str]) -> int:
    """Start containers; with -a one, attached."""
    flags = {"attach": Flag(short="a"), "interactive": Flag(short="i")}
    given = parse("start", flags, words)
    need("start", given.words, 1)
    if given.on("attach"):
        told = await api.ask("GET", f"/containers/{given.words[0]}/json")
        tty = told["Config"]["Tty"]
        return await _attached(sys, api, told["Id"], given.on("interactive"), tty, start=True)
    status = 0
    for name in given.words:
        try:
            await api.ask("POST", f"/containers/{name}/start")
            await sys.out(f"{name}\n")
        except DaemonError as error:
            await sys.err(f"{error}\nError: failed to start containers: {name}\n")
            status = 1
    return status


async def attach(sys: Process, api: Api, words: list[str]) -> int:
    """A running container's streams."""
    given = parse("attach", {"no-stdin": Flag()}, words)
    need("attach", given.words, 1, 1)
    told = await api.ask("GET", f"/containers/{given.words[0]}/json")
    if not told["State"]["Running"]:
        raise ClientError("You cannot attach to a stopped container, start it first")
    stdin = told["Config"]["OpenStdin"] and not given.on("no-stdin")
    return await _attached(sys, api, told["Id"], stdin, told["Config"]["Tty"], start=False)


async def create_only(sys: Process, api: Api, words: list[str]) -> int:
    """docker create."""
    ident, _given = await create(sys, api, words, "create")
    await sys.out(f"{ident}\n")
    return 0
