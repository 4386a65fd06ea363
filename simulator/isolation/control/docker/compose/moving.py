"""``compose cp`` and ``compose watch``: files from here into containers, and back."""

import io
import posixpath
import tarfile
from typing import NamedTuple

from simulator.isolation.control.docker.building import ignore
from simulator.isolation.control.docker.client.flags import Flag, Parsed
from simulator.isolation.control.docker.client.wire import ClientError, DaemonError
from simulator.isolation.control.docker.compose.desk import Desk
from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.main import Sitting, Table
from simulator.isolation.control.docker.compose.plan import Action, Options, Seen, up
from simulator.isolation.control.docker.compose.showing import members
from simulator.isolation.control.docker.compose.tree import Tree, listed, part
from simulator.isolation.control.docker.compose.work import Worker
from simulator.isolation.control.docker.images import tarball
from simulator.machine.userland.process import SysError

_TICK = 0.5
_LEAD = f"{'':7} ⦿ "
_DOCS = "https://docs.docker.com/compose/how-tos/file-watch/"


def _parted(text: str) -> tuple[str, str]:
    """``service:path``, or a path of this machine (splitCpArg())."""
    if text.startswith(("/", ".")) or ":" not in text:
        return "", text
    service, _, path = text.partition(":")
    return service, path


async def copy(sitting: Sitting, given: Parsed) -> int:
    """``cp SERVICE:PATH PATH|-`` and ``cp PATH SERVICE:PATH``."""
    if len(given.words) != 2:
        raise ComposeError('"docker compose cp" requires exactly 2 arguments.')
    (source, path), (target, place) = map(_parted, given.words)
    if source and target:
        raise ComposeError("copying between services is not supported")
    if not source and not target:
        raise ComposeError("unknown copy direction")
    service, number = source or target, int(given.given.get("index", 0))
    there = await members(sitting, (service,), every=True, known=False)
    found = [one for one in map(Seen.of, there) if given.on("all") or not one.oneoff]
    found = [one for one in found if number in (0, one.number)]
    if not found:
        raise ComposeError(f'no container found for service "{service}"')
    for one in found[:1] if source else found:
        told = (
            f"copy {one.name}:{path} to {place}" if source else f"copy {path} to {one.name}:{place}"
        )
        await sitting.err(f" {one.name} {told} Copying\n")
        if source:
            await _out_of(sitting.desk, one.id, path, place)
        else:
            await _into(sitting.desk, one.id, path, place)
        await sitting.err(f" {one.name} {told} Copied\n")
    return 0


async def _out_of(desk: Desk, ident: str, path: str, place: str) -> None:
    content = await desk.api.data("GET", f"/containers/{ident}/archive", {"path": path})
    if place == "-":
        await desk.write(1, content)
        return
    target = posixpath.normpath(posixpath.join(desk.cwd, place))
    if await desk.kind(target) == "directory":
        await desk.unpack(content, target)
        return
    above, name = posixpath.split(target)
    if await desk.kind(above) != "directory":
        raise ClientError(f"invalid output path: directory {above!r} does not exist", 1)
    entries = tarball.members(content)
    first = next((info.name.split("/")[0] for info, _ in tarball.members(content)), "")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info, data in entries:
            info.name = name + info.name[len(first) :]
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    await desk.unpack(out.getvalue(), above)


async def _into(desk: Desk, ident: str, path: str, place: str) -> None:
    source = posixpath.normpath(posixpath.join(desk.cwd, path))
    kind = await desk.kind(source)
    if not kind:
        raise ComposeError(f"lstat {source}: no such file or directory")
    above, name = place, posixpath.basename(source)
    try:
        await desk.api.data(
            "GET", f"/containers/{ident}/archive", {"path": f"{place.rstrip('/')}/."}
        )
    except DaemonError:
        above, name = posixpath.dirname(place.rstrip("/")) or "/", posixpath.basename(place)
    packed = await desk.pack(source, "." if path.endswith("/.") else name)
    await desk.api.ask("PUT", f"/containers/{ident}/archive", {"path": above}, packed)


# -- watch


class _Rule(NamedTuple):
    service: str
    action: str
    path: str
    target: str
    ignored: list[str]
    command: tuple[str, ...] = ()


def rules(services: dict[str, Tree], wanted: tuple[str, ...] = ()) -> list[_Rule]:
    """What ``develop.watch`` of the services says. Raises ``ComposeError``."""
    found: list[_Rule] = []
    for name, tree in services.items():
        for one in listed(part(tree, "develop"), "watch") if name in (wanted or services) else ():
            if one["action"] == "rebuild" and not tree.get("build"):
                told = f"service {name} doesn't have a build section, can't apply rebuild on watch"
                raise ComposeError(told)
            command = part(one, "exec").get("command") or ()
            words = command.split() if isinstance(command, str) else command
            ignored = list(listed(one, "ignore"))
            target = str(one.get("target") or "")
            found.append(_Rule(name, one["action"], one["path"], target, ignored, tuple(words)))
    if not found:
        raise ComposeError(
            f"none of the selected services is configured for watch, see {_DOCS}"
            if wanted
            else "none of the selected services is configured for watch, consider setting an"
            " 'develop' section"
        )
    return found


async def watch(sitting: Sitting, given: Parsed) -> int:
    """Start everything, then carry every change of a watched file over, until it is ended."""
    wanted = tuple(given.words)
    project, world, worker = await sitting.seen(wanted)
    watched = rules(project.services, wanted)
    if not given.on("no-up"):
        options = Options(services=wanted, build=any(one.action == "rebuild" for one in watched))
        await worker.carry_out(up(project, world, options))
    await changes(sitting, worker, watched)
    return 0


async def changes(sitting: Sitting, worker: Worker, watched: list[_Rule]) -> None:
    """Look at the files again and again; never returns by itself."""
    await sitting.out(f"{_LEAD}Watch enabled\n")
    before = [await _files(sitting.desk, one) for one in watched]
    while True:
        await sitting.desk.pause(_TICK)
        for at, rule in enumerate(watched):
            now = await _files(sitting.desk, rule)
            if now != before[at]:
                await _carry(sitting, worker, rule, before[at], now)
                before[at] = now


async def _files(desk: Desk, rule: _Rule) -> dict[str, bytes]:
    """What lies at a rule's path, by its name below it (``.`` for a file itself)."""
    try:
        packed = await desk.pack(rule.path)
    except (ClientError, SysError):  # it went while it was read: the next look tells more
        return {}
    if not packed:
        return {}
    left_out = ignore.read("\n".join([".git", *rule.ignored]))
    found: dict[str, bytes] = {}
    for info, data in tarball.members(packed):
        name = info.name.removeprefix("./") or "."
        if info.isreg() and not ignore.excluded(name, left_out):
            found[name] = data
    return found


async def _carry(
    sitting: Sitting,
    worker: Worker,
    rule: _Rule,
    before: dict[str, bytes],
    now: dict[str, bytes],
) -> None:
    """Do for one rule what its action says."""
    changed = {name: now[name] for name in now if now[name] != before.get(name)}
    gone = [name for name in before if name not in now]
    count = len(changed) + len(gone)
    if rule.action == "rebuild":
        await sitting.out(
            f'{_LEAD}Rebuilding service "{rule.service}" after changes were detected...\n'
        )
        await worker.build(Action("build", rule.service, name=worker.project.image(rule.service)))
        await sitting.out(f'{_LEAD}service "{rule.service}" successfully built\n')
        _project, world, fresh = await sitting.seen((rule.service,))
        options = Options(services=(rule.service,), force=True, no_deps=True)
        await fresh.carry_out(up(fresh.project, world, options))
        return
    doing = "Syncing and restarting" if "restart" in rule.action else "Syncing"
    await sitting.out(
        f'{_LEAD}{doing} service "{rule.service}" after {count} changes were detected\n'
    )
    there = await members(sitting, (rule.service,), every=False)
    for one in map(Seen.of, there):
        if rule.action.startswith("sync"):
            await _sync(sitting.desk, one.id, rule, changed, gone)
        if "restart" in rule.action:
            await worker.restart(Action("restart", one.service, one.number, one.name, one.id))
        if rule.action == "sync+exec":
            await _run(sitting.desk, one.id, list(rule.command))
    if "restart" in rule.action:
        await sitting.out(f'{_LEAD}service "{rule.service}" restarted\n')


async def _sync(
    desk: Desk, ident: str, rule: _Rule, changed: dict[str, bytes], gone: list[str]
) -> None:
    def inside(name: str) -> str:
        return rule.target if name == "." else posixpath.join(rule.target, name)

    if gone:
        await _run(desk, ident, ["rm", "-rf", *(inside(name) for name in gone)])
    if not changed:
        return
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in changed.items():
            info = tarfile.TarInfo(inside(name).strip("/"))
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    await desk.api.ask("PUT", f"/containers/{ident}/archive", {"path": "/"}, out.getvalue())


async def _run(desk: Desk, ident: str, command: list[str]) -> None:
    body = {"Cmd": command, "AttachStdout": True, "AttachStderr": True}
    made = (await desk.api.ask("POST", f"/containers/{ident}/exec", None, body))["Id"]
    fd, early = await desk.api.hijack(f"/exec/{made}/start", None, {"Detach": False, "Tty": False})
    await desk.converse(fd, early, stdin=False, tty=False)


COMMANDS: dict[str, Table] = {
    "cp": Table(copy, {
        "all": Flag(), "archive": Flag(short="a"), "follow-link": Flag(short="L"),
        "index": Flag("number"),
    }),
    "watch": Table(watch, {"no-up": Flag(), "quiet": Flag(), "prune": Flag()}),
}  # fmt: skip
