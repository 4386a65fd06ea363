"""The commands that change something: up, down, create, start, stop, build, scale and others."""

from collections.abc import Awaitable, Callable
from typing import Any

from simulator.isolation.control.docker.client.flags import Flag, Parsed
from simulator.isolation.control.docker.client.wire import DaemonError
from simulator.isolation.control.docker.compose import (
    configuring,
    hearing,
    moving,
    plan,
    showing,
)
from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.following import Attached, follow
from simulator.isolation.control.docker.compose.main import Sitting, Table, version
from simulator.isolation.control.docker.compose.plan import Action, Options, Seen
from simulator.isolation.control.docker.compose.project import VERSION, dependencies
from simulator.isolation.control.docker.compose.tree import part
from simulator.isolation.control.docker.compose.work import Worker

_TIME = Flag("number", "t")
_UP = {
    "detach": Flag(short="d"), "build": Flag(), "no-build": Flag(), "force-recreate": Flag(),
    "no-recreate": Flag(), "no-deps": Flag(), "no-start": Flag(), "scale": Flag("list"),
    "remove-orphans": Flag(), "wait": Flag(), "pull": Flag("text"), "quiet-pull": Flag(),
    "abort-on-container-exit": Flag(), "no-log-prefix": Flag(), "no-color": Flag(),
    "timeout": _TIME, "yes": Flag(short="y"), "renew-anon-volumes": Flag(short="V"),
    "abort-on-container-failure": Flag(), "exit-code-from": Flag("text"), "attach": Flag("list"),
    "no-attach": Flag("list"), "attach-dependencies": Flag(), "timestamps": Flag(),
    "always-recreate-deps": Flag(), "wait-timeout": Flag("number"), "watch": Flag(short="w"),
    "menu": Flag(),
}  # fmt: skip


def _scales(given: Parsed) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in given.listed("scale"):
        name, _, number = text.partition("=")
        if not number.isdigit():
            raise ComposeError(f"invalid --scale option {text!r}. Should be SERVICE=NUM")
        found[name] = int(number)
    return found


async def up(sitting: Sitting, given: Parsed) -> int:
    """Make and start everything; without -d, show what it prints until it ends."""
    wanted = tuple(given.words)
    project, world, worker = await sitting.seen(wanted)
    _check_up(given)
    options = Options(
        services=wanted,
        scales=_scales(given),
        force=given.on("force-recreate"),
        keep=given.on("no-recreate"),
        build=given.on("build"),
        no_build=given.on("no-build"),
        no_deps=given.on("no-deps"),
        start=not given.on("no-start"),
        pull=given.text("pull"),
        remove_orphans=given.on("remove-orphans"),
    )
    for name in options.scales:
        if name not in project.services:
            raise ComposeError(f"no such service: {name}")
    strays = plan.orphans(project, world)
    if strays and not options.remove_orphans:
        names = ", ".join(one.name for one in strays)
        await sitting.err(
            f"WARN[0000] Found orphan containers ([{names}]) for this project. If you removed or"
            " renamed this service in your compose file, you can run this command with the"
            " --remove-orphans flag to clean it up.\n"
        )
    worker.seconds = given.given.get("timeout")
    await worker.carry_out(plan.up(project, world, options))
    order = project.order(wanted, alone=options.no_deps)
    if given.on("wait"):
        await _until_well(sitting, worker, order)
    if given.on("detach") or given.on("wait") or given.on("no-start"):
        return 0
    if given.on("watch"):
        await moving.changes(sitting, worker, moving.rules(project.services, wanted))
    return await _attached(sitting, given, wanted, order)


def _check_up(given: Parsed) -> None:
    """Options that contradict each other (``up.go`` validateFlags())."""
    ends = ("abort-on-container-exit", "abort-on-container-failure")
    attaching = any(given.on(name) for name in (*ends, "attach", "attach-dependencies", "watch"))
    if all(given.on(name) for name in ends):
        told = "--abort-on-container-failure cannot be combined with --abort-on-container-exit"
        raise ComposeError(told)
    if given.on("build") and given.on("no-build"):
        raise ComposeError("--build and --no-build are incompatible")
    if given.on("detach") and attaching:
        raise ComposeError(
            "--detach cannot be combined with --abort-on-container-exit,"
            " --abort-on-container-failure, --attach, --attach-dependencies or --watch"
        )
    if given.on("no-recreate") and given.on("renew-anon-volumes"):
        raise ComposeError("--no-recreate and --renew-anon-volumes are incompatible")
    if given.on("force-recreate") and given.on("no-recreate"):
        raise ComposeError("--force-recreate and --no-recreate are incompatible")


async def _attached(
    sitting: Sitting, given: Parsed, wanted: tuple[str, ...], order: list[str]
) -> int:
    """Show what the containers print until they end."""
    chosen = given.listed("attach") or (order if given.on("attach-dependencies") else [])
    chosen = [one for one in chosen or wanted or order if one not in given.listed("no-attach")]
    listed = await showing.members(sitting, (), every=True)
    shown = [one for one in map(Seen.of, listed) if one.service in chosen and not one.oneoff]
    source = given.text("exit-code-from")
    attached = Attached(
        shown,
        aborts=given.on("abort-on-container-exit") or bool(source),
        failing=given.on("abort-on-container-failure"),
        source=source,
    )
    return await follow(
        sitting, attached, prefix=not given.on("no-log-prefix"), timestamps=given.on("timestamps")
    )


async def _until_well(sitting: Sitting, worker: Worker, order: list[str]) -> None:
    """--wait: until all run, and are well where they can be asked."""
    for name in order:
        ident = worker.ids.get((name, 1))
        told: Any = await sitting.desk.api.ask("GET", f"/containers/{ident}/json")
        if part(told["State"], "Health").get("Status"):
            await worker.carry_out([Action("healthy", name)])
            continue
        own = [worker.project.container_name(name, n) for key, n in worker.ids if key == name]
        for word in ("Waiting", "Healthy"):
            for one in own:
                await worker.say(f"Container {one}", word)


async def create(sitting: Sitting, given: Parsed) -> int:
    """Make everything and start nothing."""
    return await up(sitting, Parsed({**given.given, "no-start": True}, given.words))


async def down(sitting: Sitting, given: Parsed) -> int:
    """End everything and take it away; -v the volumes too, --rmi images."""
    project, world, worker = await sitting.seen()
    worker.seconds = given.given.get("timeout")
    actions = plan.down(
        project, world, volumes=given.on("volumes"), remove_orphans=given.on("remove-orphans")
    )
    await worker.carry_out(actions)
    if given.text("rmi"):
        for name in sorted(project.services):
            built = not project.services[name].get("image")
            if given.text("rmi") == "all" or built:
                await _remove_image(sitting, worker, project.image(name))
    if not actions and not project.networks and not project.volumes:
        await sitting.err("Warning: No resource found to remove for project"
                          f' "{project.name}".\n')  # fmt: skip
    return 0


async def _remove_image(sitting: Sitting, worker: Worker, name: str) -> None:
    await worker.say(f"Image {name}", "Removing")
    try:
        await sitting.desk.api.ask("DELETE", f"/images/{name}")
        await worker.say(f"Image {name}", "Removed")
    except DaemonError as error:
        await worker.say(f"Image {name}", f"Warning: {error}")


async def _chosen(sitting: Sitting, wanted: tuple[str, ...]) -> tuple[Worker, list[Seen]]:
    """The containers of some services, or of all, in the order of dependencies."""
    project, world, worker = await sitting.seen(wanted)
    ranked = {name: at for at, name in enumerate(project.order())}
    chosen = [
        one
        for one in world.containers
        if one.service in (wanted or ranked) and one.service in ranked and not one.oneoff
    ]
    return worker, sorted(chosen, key=lambda one: (ranked[one.service], one.number))


def _action(verb: str, one: Seen) -> Action:
    return Action(verb, one.service, one.number, one.name, one.id)


async def _act(
    sitting: Sitting, verb: str, wanted: tuple[str, ...], given: Parsed | None = None
) -> int:
    worker, chosen = await _chosen(sitting, wanted)
    worker.seconds = given.given.get("timeout") if given is not None else None
    if verb == "stop":
        chosen = [
            one for one in reversed(chosen) if one.state in ("running", "restarting", "paused")
        ]
    await worker.carry_out([_action(verb, one) for one in chosen])
    return 0


async def start(sitting: Sitting, given: Parsed) -> int:
    """Start what was made, each after what it waits for."""
    wanted = tuple(given.words)
    worker, chosen = await _chosen(sitting, wanted)
    services = worker.project.services
    if wanted and not chosen:
        raise ComposeError(f'service "{wanted[0]}" has no container to start')
    actions: list[Action] = []
    for name in dict.fromkeys(one.service for one in chosen):
        for other, how in dependencies(services[name]).items():
            if how["condition"] != "service_started" and (not wanted or other in wanted):
                verb = "healthy" if how["condition"] == "service_healthy" else "completed"
                actions.append(Action(verb, other))
        actions += [_action("start", one) for one in chosen
                    if one.service == name and one.state != "running"]  # fmt: skip
    await worker.carry_out(actions)
    return 0


async def stop(sitting: Sitting, given: Parsed) -> int:
    """End what runs, who depends first."""
    return await _act(sitting, "stop", tuple(given.words), given)


async def restart(sitting: Sitting, given: Parsed) -> int:
    """Stop and start."""
    return await _act(sitting, "restart", tuple(given.words), given)


async def remove(sitting: Sitting, given: Parsed) -> int:
    """Take stopped containers away; -s stops them first."""
    worker, chosen = await _chosen(sitting, tuple(given.words))
    if given.on("stop"):
        await worker.carry_out([_action("stop", one) for one in reversed(chosen)])
    else:
        chosen = [one for one in chosen if one.state not in ("running", "paused")]
    if not chosen:
        await sitting.out("No stopped containers\n")
        return 0
    await sitting.out(f"Going to remove {', '.join(one.name for one in chosen)}\n")
    await worker.carry_out([_action("remove", one) for one in chosen])
    return 0


def _verb(path: str, doing: str, done: str) -> Callable[[Sitting, Parsed], Awaitable[int]]:
    async def run(sitting: Sitting, given: Parsed) -> int:
        worker, chosen = await _chosen(sitting, tuple(given.words))
        for one in chosen:
            await worker.verb(_action(path, one), path, doing, done, given.text("signal"))
        return 0

    return run


async def build(sitting: Sitting, given: Parsed) -> int:
    """Build the images of services that have something to build."""
    project, _world, worker = await sitting.seen(tuple(given.words))
    for name in project.order(given.words, alone=True):
        if project.services[name].get("build"):
            action = Action("build", name, name=project.image(name))
            own = project.services[name]["build"]
            for pair in given.listed("build-arg"):
                key, equals, value = pair.partition("=")
                found = value if equals else sitting.env.get(key)
                own["args"] = {**(own.get("args") or {}), key: found}
            await worker.build(action, no_cache=given.on("no-cache"), pull=given.on("pull"))
    return 0


async def pull(sitting: Sitting, given: Parsed) -> int:
    """Fetch the images of services."""
    project, _world, worker = await sitting.seen(tuple(given.words))
    for name in project.order(given.words, alone=True):
        tree = project.services[name]
        if tree.get("build"):
            await worker.say(name, "Skipped - No image to be pulled")
        else:
            await worker.pull(Action("pull", name, name=project.image(name)))
    return 0


async def scale(sitting: Sitting, given: Parsed) -> int:
    """``scale SERVICE=NUM...``."""
    texts = [one for one in given.words if "=" in one]
    if not texts or texts != given.words:
        raise ComposeError(f'invalid scale specifier "{" ".join(given.words)}"')
    names = [one.partition("=")[0] for one in texts]
    flags = {"detach": True, "scale": texts, "no-deps": given.on("no-deps")}
    return await up(sitting, Parsed(flags, names))


async def told_version(sitting: Sitting, given: Parsed) -> int:
    """``version``."""
    if given.text("format") == "json":
        await sitting.out(f'{{"version":"v{VERSION}"}}\n')
        return 0
    await sitting.out(version() if not given.on("short") else version().split("v")[-1])
    return 0


_DOWN = {
    "volumes": Flag(short="v"), "remove-orphans": Flag(), "rmi": Flag("text"), "timeout": _TIME,
}  # fmt: skip
COMMANDS: dict[str, Table] = {
    "build": Table(
        build,
        {
            "no-cache": Flag(),
            "pull": Flag(),
            "quiet": Flag(short="q"),
            "progress": Flag("text"),
            "build-arg": Flag("list"),
            "with-dependencies": Flag(),
        },
    ),
    "create": Table(create, _UP),
    "down": Table(down, _DOWN),
    "kill": Table(
        _verb("kill", "Killing", "Killed"),
        {"signal": Flag("text", "s"), "remove-orphans": Flag()},
    ),
    "pause": Table(_verb("pause", "", "Paused"), {}),
    "pull": Table(
        pull,
        {
            "quiet": Flag(short="q"),
            "include-deps": Flag(),
            "ignore-pull-failures": Flag(),
            "ignore-buildable": Flag(),
            "policy": Flag("text"),
        },
    ),
    "restart": Table(restart, {"timeout": _TIME, "no-deps": Flag()}),
    "rm": Table(
        remove, {"force": Flag(short="f"), "stop": Flag(short="s"), "volumes": Flag(short="v")}
    ),
    "scale": Table(scale, {"no-deps": Flag()}),
    "start": Table(start, {"wait": Flag()}),
    "stop": Table(stop, {"timeout": _TIME}),
    "unpause": Table(_verb("unpause", "", "Unpaused"), {}),
    "up": Table(up, _UP),
    "version": Table(told_version, {"short": Flag(), "format": Flag("text", "f")}),
    **configuring.COMMANDS,
    **hearing.COMMANDS,
    **moving.COMMANDS,
    **showing.COMMANDS,
}
