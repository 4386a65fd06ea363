"""The commands that show something, or put a process into a container."""

from typing import Any

import msgspec

from simulator.isolation.control.docker.client.flags import Flag, Parsed
from simulator.isolation.control.docker.client.rows import port_text
from simulator.isolation.control.docker.client.running import ports
from simulator.isolation.control.docker.client.tables import short, size, table
from simulator.isolation.control.docker.compose import plan, request, rows
from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.following import together
from simulator.isolation.control.docker.compose.main import Sitting, Table
from simulator.isolation.control.docker.compose.plan import Options, Seen
from simulator.isolation.control.docker.compose.project import LABEL, digest
from simulator.isolation.control.docker.engine import times

_NEVER_RAN = ("created",)


async def members(
    sitting: Sitting, wanted: tuple[str, ...], *, every: bool, known: bool = True
) -> list[dict[str, Any]]:
    """The project's containers as the engine lists them, by name; of ``wanted`` services only.

    Raises ``ComposeError`` for a service that is none, when it must be ``known``.
    """
    project = await sitting.project(wanted)
    for name in wanted:
        if known and name not in project.services:
            raise ComposeError(f"no such service: {name}")
    named = msgspec.json.encode({"label": [f"{LABEL}project={project.name}"]}).decode()
    query: dict[str, Any] = {"filters": named} | ({"all": 1} if every else {})
    listed = await sitting.desk.api.ask("GET", "/containers/json", query)
    kept = [one for one in listed if not wanted or Seen.of(one).service in wanted]
    return sorted(kept, key=lambda one: one["Names"][0])


async def ps(sitting: Sitting, given: Parsed) -> int:
    """The project's containers."""
    states = given.listed("status")
    if given.text("filter"):
        key, equals, value = given.text("filter").partition("=")
        if not equals:
            raise ComposeError("arguments to --filter should be in form KEY=VAL")
        if key != "status":
            raise ComposeError(f"unknown filter {key}")
        states.append(value)
    every = given.on("all") or bool(states)
    listed = await members(sitting, tuple(given.words), every=every)
    listed = [one for one in listed if not states or one["State"] in states]
    if not (given.on("all") or states):
        listed = [one for one in listed if not Seen.of(one).oneoff]
    if given.on("services"):
        names = dict.fromkeys(Seen.of(one).service for one in listed)
        await sitting.out("".join(f"{name}\n" for name in names))
        return 0
    if given.on("quiet"):
        await sitting.out("".join(f"{one['Id']}\n" for one in listed))
        return 0
    now = times.parse((await sitting.desk.api.ask("GET", "/info"))["SystemTime"]) or 0
    found: list[dict[str, Any]] = []
    for one in listed:
        told = await sitting.desk.api.ask("GET", f"/containers/{one['Id']}/json")
        found.append(rows.row(one, told, now, whole=given.on("no-trunc")))
    await sitting.out(rows.shown(found, given.text("format", "table")))
    return 0


async def logs(sitting: Sitting, given: Parsed) -> int:
    """What containers have printed; -f goes on."""
    listed = await members(sitting, tuple(given.words), every=True)
    query: dict[str, Any] = {"stdout": 1, "stderr": 1, "tail": given.text("tail", "all")}
    for name in ("follow", "timestamps"):
        if given.on(name):
            query[name] = 1
    query |= await sitting.between(given)
    shown = [Seen.of(one) for one in listed if one["State"] not in _NEVER_RAN]
    await together(sitting, shown, query, prefix=not given.on("no-log-prefix"))
    return 0


_EXEC = {
    "detach": Flag(short="d"), "env": Flag("list", "e"), "user": Flag("text", "u"),
    "workdir": Flag("text", "w"), "no-TTY": Flag(short="T"), "index": Flag("number"),
    "interactive": Flag(short="i"), "tty": Flag(short="t"), "privileged": Flag(),
}  # fmt: skip


async def execute(sitting: Sitting, given: Parsed) -> int:
    """A further process in a service's container."""
    if len(given.words) < 2:
        raise ComposeError('"docker compose exec" requires at least 2 arguments')
    name, *cmd = given.words
    number = int(given.given.get("index", 0))
    there = await members(sitting, (name,), every=False, known=False)
    listed = [Seen.of(one) for one in there]
    found = [one for one in listed if not one.oneoff and (not number or one.number == number)]
    if not found:
        raise ComposeError(f'service "{name}" is not running')
    api = sitting.desk.api
    detached, tty = given.on("detach"), given.on("tty") and not given.on("no-TTY")
    body = {
        "User": given.text("user"), "Privileged": given.on("privileged"), "Tty": tty,
        "AttachStdin": not detached, "AttachStdout": not detached, "AttachStderr": not detached,
        "Env": given.listed("env"), "WorkingDir": given.text("workdir"), "Cmd": cmd,
    }  # fmt: skip
    made = (await api.ask("POST", f"/containers/{found[0].id}/exec", None, body))["Id"]
    path = f"/exec/{made}/start"
    if detached:
        await api.ask("POST", path, None, {"Detach": True, "Tty": tty})
        return 0
    fd, early = await api.hijack(path, None, {"Detach": False, "Tty": tty})
    await sitting.desk.converse(fd, early, stdin=True, tty=tty)
    return int((await api.ask("GET", f"/exec/{made}/json"))["ExitCode"] or 0)


_RUN = {
    "rm": Flag(), "detach": Flag(short="d"), "env": Flag("list", "e"), "name": Flag("text"),
    "no-deps": Flag(), "no-TTY": Flag(short="T"), "entrypoint": Flag("text"), "build": Flag(),
    "user": Flag("text", "u"), "workdir": Flag("text", "w"), "service-ports": Flag(short="P"),
    "interactive": Flag(short="i"), "volume": Flag("list", "v"), "quiet-pull": Flag(),
    "tty": Flag(short="t"), "publish": Flag("list", "p"), "label": Flag("list", "l"),
    "cap-add": Flag("list"), "cap-drop": Flag("list"), "remove-orphans": Flag(),
    "use-aliases": Flag(), "quiet": Flag(short="q"), "pull": Flag("text"),
}  # fmt: skip


async def run(sitting: Sitting, given: Parsed) -> int:
    """One container more of a service, for one command."""
    if not given.words:
        raise ComposeError('"docker compose run" requires at least 1 argument')
    name, *cmd = given.words
    project, world, worker = await sitting.seen((name,))
    tree = project.services[name]
    options = Options(services=(name,), build=given.on("build"), no_deps=given.on("no-deps"))
    actions = plan.up(project, world, options)
    mine = ("create", "start", "recreate", "running", "remove", "stop")
    await worker.carry_out([one for one in actions if one.key != name or one.verb not in mine])
    api = sitting.desk.api
    tree = {**tree, "container_name": given.text("name") or None}
    first = {service: ident for (service, number), ident in worker.ids.items() if number == 1}
    body = request.body(project, name, 1, first)
    body["Labels"] = request.labels(project, name, 1, oneoff=True)
    body["Cmd"] = cmd or body["Cmd"]
    body["Env"] += [e if "=" in e else f"{e}={sitting.env.get(e, '')}" for e in given.listed("env")]
    body["User"] = given.text("user") or body.get("User", "")
    body["WorkingDir"] = given.text("workdir") or body.get("WorkingDir", "")
    if "entrypoint" in given.given:
        body["Entrypoint"] = [given.text("entrypoint")]
    body["HostConfig"]["Binds"] += [one for one in given.listed("volume") if ":" in one]
    body["HostConfig"]["RestartPolicy"] = {"Name": "no"}
    body["HostConfig"]["AutoRemove"] = given.on("rm") and given.on("detach")
    if not given.on("service-ports"):
        body["HostConfig"]["PortBindings"] = {}
    if given.listed("publish"):
        exposed, bound = ports(given.listed("publish"), [])
        body["ExposedPorts"] = {**(body.get("ExposedPorts") or {}), **exposed}
        body["HostConfig"]["PortBindings"] |= bound
    for pair in given.listed("label"):
        key, _, value = pair.partition("=")
        body["Labels"][key] = value
    for flag, field in (("cap-add", "CapAdd"), ("cap-drop", "CapDrop")):
        if given.listed(flag):
            body["HostConfig"][field] = given.listed(flag)
    body |= {"OpenStdin": True, "StdinOnce": True, "AttachStdin": True, "Tty": False}
    ident = msgspec.json.encode([name, cmd, len(world.containers), list(worker.ids.values())])
    title = given.text("name") or f"{project.name}-{name}-run-{_digits(ident)}"
    for endpoint in body["NetworkingConfig"]["EndpointsConfig"].values():
        endpoint["Aliases"] = [title]
    made = (await api.ask("POST", "/containers/create", {"name": title}, body))["Id"]
    if given.on("detach"):
        await api.ask("POST", f"/containers/{made}/start")
        await sitting.out(f"{title}\n")
        return 0
    query = {"stream": 1, "stdout": 1, "stderr": 1, "stdin": 1}
    fd, early = await api.hijack(f"/containers/{made}/attach", query)
    await api.ask("POST", f"/containers/{made}/start")
    await sitting.desk.converse(fd, early, stdin=True, tty=False)
    status = int((await api.ask("POST", f"/containers/{made}/wait"))["StatusCode"])
    if given.on("rm"):
        await worker.api.ask("DELETE", f"/containers/{made}", {"force": 1, "v": 1})
    return status


def _digits(content: bytes) -> str:
    return digest({"of": content.decode()})[:12]


async def images(sitting: Sitting, given: Parsed) -> int:
    """The images that the containers are of."""
    found: list[dict[str, Any]] = []
    for one in await members(sitting, tuple(given.words), every=True):
        told = await sitting.desk.api.ask("GET", f"/images/{one['ImageID']}/json")
        name, _, tag = one["Image"].rpartition(":")
        repository, tag = (name, tag) if name and "/" not in tag else (one["Image"], "latest")
        found.append({
            "ID": told["Id"], "ContainerName": one["Names"][0].lstrip("/"),
            "Repository": repository, "Tag": tag,
            "Platform": f"{told['Os']}/{told['Architecture']}", "Size": told["Size"],
            "Created": told["Created"],
        })  # fmt: skip
    if given.on("quiet"):
        idents = dict.fromkeys(one["ID"].removeprefix("sha256:") for one in found)
        await sitting.out("".join(f"{ident}\n" for ident in idents))
        return 0
    if given.text("format") == "json":
        await sitting.out(rows.as_go(found) + "\n")
        return 0
    now = times.parse((await sitting.desk.api.ask("GET", "/info"))["SystemTime"]) or 0
    cells = [
        [one["ContainerName"], one["Repository"], one["Tag"], one["Platform"], short(one["ID"]),
         size(one["Size"]), f"{times.elapsed(now - (times.parse(one['Created']) or 0))} ago"]
        for one in found
    ]  # fmt: skip
    titles = ["CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"]
    await sitting.out(table(titles, cells))
    return 0


async def top(sitting: Sitting, given: Parsed) -> int:
    """The processes of each container."""
    titles: list[str] = []
    found: list[list[str]] = []
    for one in await members(sitting, tuple(given.words), every=False):
        told = await sitting.desk.api.ask("GET", f"/containers/{one['Id']}/top")
        seen = Seen.of(one)
        titles = ["SERVICE", "#", *told["Titles"]]
        found += [[seen.service, str(seen.number), *process] for process in told["Processes"]]
    if found:
        await sitting.out(table(titles, found))
    return 0


async def port(sitting: Sitting, given: Parsed) -> int:
    """Where a service's port is published."""
    if len(given.words) != 2:
        raise ComposeError('"docker compose port" requires 2 arguments')
    name, number = given.words
    there = await members(sitting, (name,), every=False)
    if not there:
        raise ComposeError(f'service "{name}" is not running')
    for one in there:
        for known in one["Ports"]:
            kind = given.text("protocol", "tcp")
            if (
                known["PrivatePort"] == int(number)
                and known["Type"] == kind
                and "PublicPort" in known
            ):
                await sitting.out(f"{known['IP']}:{known['PublicPort']}\n")
                return 0
    ports = ", ".join(port_text(port) for port in there[0]["Ports"])
    title = Seen.of(there[0]).name
    kind = given.text("protocol", "tcp")
    raise ComposeError(f"no port {number}/{kind} for container {title}: {ports}")


async def ls(sitting: Sitting, given: Parsed) -> int:
    """Every project that the engine has."""
    named = msgspec.json.encode({"label": [f"{LABEL}project"]}).decode()
    query: dict[str, Any] = {"filters": named} | ({"all": 1} if given.on("all") else {})
    projects: dict[str, list[dict[str, Any]]] = {}
    for one in await sitting.desk.api.ask("GET", "/containers/json", query):
        projects.setdefault(one["Labels"][f"{LABEL}project"], []).append(one)
    found: list[list[str]] = []
    wanted = [one.removeprefix("name=") for one in given.listed("filter")]
    for one in given.listed("filter"):
        if not one.startswith("name="):
            raise ComposeError(f"invalid filter '{one.partition('=')[0]}'")
    for name, those in sorted(projects.items()):
        if wanted and not any(part in name for part in wanted):
            continue
        states = [one["State"] for one in those]
        told = ", ".join(f"{state}({states.count(state)})" for state in sorted(set(states)))
        found.append([name, told, those[0]["Labels"].get(f"{LABEL}project.config_files", "")])
    if given.on("quiet"):
        await sitting.out("".join(f"{row[0]}\n" for row in found))
    elif given.text("format") == "json":
        names = ("Name", "Status", "ConfigFiles")
        await sitting.out(rows.as_go([dict(zip(names, row, strict=True)) for row in found]) + "\n")
    else:
        await sitting.out(table(["NAME", "STATUS", "CONFIG FILES"], found))
    return 0


COMMANDS: dict[str, Table] = {
    "exec": Table(execute, _EXEC, stop_early=True),
    "images": Table(images, {"quiet": Flag(short="q"), "format": Flag("text")}),
    "logs": Table(logs, {
        "follow": Flag(short="f"), "tail": Flag("text", "n"), "timestamps": Flag(short="t"),
        "no-log-prefix": Flag(), "no-color": Flag(), "since": Flag("text"), "until": Flag("text"),
        "index": Flag("number"),
    }),
    "ls": Table(ls, {
        "all": Flag(short="a"), "quiet": Flag(short="q"), "format": Flag("text"),
        "filter": Flag("list"),
    }),
    "port": Table(port, {"protocol": Flag("text"), "index": Flag("number")}),
    "ps": Table(ps, {
        "all": Flag(short="a"), "quiet": Flag(short="q"), "services": Flag(),
        "format": Flag("text"), "no-trunc": Flag(), "status": Flag("list"),
        "filter": Flag("text"), "orphans": Flag(),
    }),
    "run": Table(run, _RUN, stop_early=True),
    "top": Table(top, {}),
}  # fmt: skip
