"""The commands that listen: ``events``, ``wait``, ``stats``, ``attach``."""

from typing import Any

import msgspec

from simulator.isolation.control.docker.client import usage
from simulator.isolation.control.docker.client.flags import Flag, Parsed
from simulator.isolation.control.docker.client.tables import layout, table, template
from simulator.isolation.control.docker.compose import plan, rows
from simulator.isolation.control.docker.compose.errors import ComposeError
from simulator.isolation.control.docker.compose.main import Sitting, Table
from simulator.isolation.control.docker.compose.plan import Seen
from simulator.isolation.control.docker.compose.project import LABEL
from simulator.isolation.control.docker.compose.showing import members
from simulator.isolation.control.docker.engine import times


async def events(sitting: Sitting, given: Parsed) -> int:
    """What happens to the project's containers, from now on or from ``--since``."""
    project = await sitting.project(tuple(given.words))
    label = f"{LABEL}project={project.name}"
    query = {"filters": msgspec.json.encode({"label": [label], "type": ["container"]}).decode()}
    query |= await sitting.between(given)
    async for told in sitting.desk.api.lines("GET", "/events", query):
        labels: dict[str, str] = told["Actor"]["Attributes"]
        service = labels.get(f"{LABEL}service", "")
        if labels.get(f"{LABEL}oneoff") == "True" or (given.words and service not in given.words):
            continue
        own = {key: labels[key] for key in sorted(labels) if not key.startswith(LABEL)}
        await sitting.out(_event(told, service, own, as_json=given.on("json")))
    return 0


def _event(told: dict[str, Any], service: str, own: dict[str, str], *, as_json: bool) -> str:
    action, ident = told["Action"], told["Actor"]["ID"]
    when = times.rfc3339(told["timeNano"])
    if as_json:
        row = {"action": action, "attributes": own, "id": ident, "service": service, "time": when,
               "type": "container"}  # fmt: skip
        return rows.as_go(row) + "\n"
    stamp = f"{when[:19].replace('T', ' ')}.{told['timeNano'] // 1000 % 1_000_000:06}"
    pairs = ", ".join(f"{key}={value}" for key, value in own.items())
    return f"{stamp} container {action} {ident} ({pairs})\n\n"


async def wait(sitting: Sitting, given: Parsed) -> int:
    """Until the containers of services end; the status of the last."""
    if not given.words:
        raise ComposeError('"docker compose wait" requires at least 1 argument.')
    there = await members(sitting, tuple(given.words), every=False)
    if not there:
        raise ComposeError(f'no containers for project "{(await sitting.project()).name}"')
    status = 0
    for one in there:
        told = await sitting.desk.api.ask("POST", f"/containers/{one['Id']}/wait")
        status = int(told["StatusCode"])
        await sitting.out(f'container "{one["Id"]}" exited with status code {status}\n')
    if given.on("down-project"):
        project, world, worker = await sitting.seen()
        await worker.carry_out(plan.down(project, world, volumes=False, remove_orphans=True))
    return status


async def stats(sitting: Sitting, given: Parsed) -> int:
    """How much the containers take; without ``--no-stream`` until they are gone."""
    if len(given.words) > 1:
        raise ComposeError('"docker compose stats" accepts at most 1 argument.')
    form = given.text("format", "table")
    while True:
        there = await members(sitting, tuple(given.words), every=given.on("all"))
        found: list[dict[str, Any]] = []
        for one in there:
            told = await sitting.desk.api.ask(
                "GET", f"/containers/{one['Id']}/stats", {"stream": 0}
            )
            found.append(usage.taken(told, whole=given.on("no-trunc")))
        await sitting.out(_shown(found, form))
        if given.on("no-stream") or not there:
            return 0


def _shown(found: list[dict[str, Any]], form: str) -> str:
    if form == "json":
        return "".join(f"{rows.as_go(row)}\n" for row in found)
    if form == "table":
        cells = ([row[name] for name in usage.STATS] for row in found)
        return table(list(usage.STATS.values()), cells)
    if form.startswith("table "):
        return layout(form.removeprefix("table ").strip(), usage.STATS, found)
    return "".join(template(form, row) + "\n" for row in found)


async def attach(sitting: Sitting, given: Parsed) -> int:
    """A service's own streams."""
    if len(given.words) != 1:
        raise ComposeError('"docker compose attach" requires exactly 1 argument.')
    name, number = given.words[0], int(given.given.get("index", 0))
    there = [Seen.of(one) for one in await members(sitting, (name,), every=False)]
    found = [one for one in there if not one.oneoff and number in (0, one.number)]
    if not found:
        raise ComposeError(f'service "{name}" is not running')
    api = sitting.desk.api
    told = await api.ask("GET", f"/containers/{found[0].id}/json")
    stdin = bool(told["Config"]["OpenStdin"]) and not given.on("no-stdin")
    query = {"stream": 1, "stdout": 1, "stderr": 1} | ({"stdin": 1} if stdin else {})
    fd, early = await api.hijack(f"/containers/{found[0].id}/attach", query)
    await sitting.desk.converse(fd, early, stdin=stdin, tty=told["Config"]["Tty"])
    told = await api.ask("GET", f"/containers/{found[0].id}/json")
    return int(told["State"]["ExitCode"])


COMMANDS: dict[str, Table] = {
    "attach": Table(attach, {
        "no-stdin": Flag(), "index": Flag("number"), "sig-proxy": Flag(),
        "detach-keys": Flag("text"),
    }),
    "events": Table(events, {"json": Flag(), "since": Flag("text"), "until": Flag("text")}),
    "stats": Table(stats, {
        "all": Flag(short="a"), "no-stream": Flag(), "no-trunc": Flag(), "format": Flag("text"),
    }),
    "wait": Table(wait, {"down-project": Flag()}),
}  # fmt: skip
