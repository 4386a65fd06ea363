"""docker stats, system df, update, import and the prunes: how much things take, and taking it back.

docker/cli ``container/stats_helpers.go``, ``formatter/disk_usage.go``, ``system/prune.go``.
"""

from typing import Any

from simulator.isolation.control.docker.client import listing
from simulator.isolation.control.docker.client.flags import Flag, Parsed, need, parse
from simulator.isolation.control.docker.client.tables import elided, short, size, table
from simulator.isolation.control.docker.client.wire import Api, ClientError
from simulator.isolation.control.docker.units import human_size
from simulator.machine.userland.process import Process

_FORMAT = Flag("text")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")


def binary(count: float) -> str:
    """units.BytesSize(): ``1.5MiB``."""
    for unit in _BINARY:
        if count < 1024 or unit == _BINARY[-1]:
            return f"{count:.4g}{unit}"
        count /= 1024
    return ""


async def stats(sys: Process, api: Api, words: list[str]) -> int:
    """docker stats: without ``--no-stream`` until the containers are gone."""
    flags = {"all": Flag(short="a"), "no-stream": Flag(), "no-trunc": Flag(), "format": _FORMAT}
    given = parse("stats", flags, words)
    while True:
        names: list[str] = given.words or [
            one["Id"]
            for one in await api.ask(
                "GET", "/containers/json", {"all": 1} if given.on("all") else None
            )
        ]
        told = [await api.ask("GET", f"/containers/{name}/stats", {"stream": 0}) for name in names]
        rows = [taken(one, whole=given.on("no-trunc")) for one in told]
        for row, name in zip(rows, given.words, strict=False):
            row["Container"] = name
        await listing.show(sys, given, STATS, rows)
        if given.on("no-stream") or not names:
            return 0


STATS = {
    "ID": "CONTAINER ID", "Name": "NAME", "CPUPerc": "CPU %",
    "MemUsage": "MEM USAGE / LIMIT", "MemPerc": "MEM %", "NetIO": "NET I/O",
    "BlockIO": "BLOCK I/O", "PIDs": "PIDS",
}  # fmt: skip
"""The columns of docker stats, with their titles."""


def taken(told: dict[str, Any], *, whole: bool) -> dict[str, str]:
    """One row, from two samples of the counters."""
    cpu, before = told["cpu_stats"], told["precpu_stats"]
    worked = cpu["cpu_usage"]["total_usage"] - before["cpu_usage"]["total_usage"]
    passed = cpu.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    share = worked / passed * cpu.get("online_cpus", 0) * 100 if passed > 0 < worked else 0.0
    memory = told["memory_stats"]
    used = memory.get("usage", 0)
    cached = memory.get("stats", {}).get("inactive_file", 0)
    used -= cached if cached < used else 0
    limit = memory.get("limit", 0)
    nets: dict[str, dict[str, int]] = told.get("networks") or {}
    blocks: list[dict[str, Any]] = told["blkio_stats"]["io_service_bytes_recursive"] or []
    moved = {
        way: sum(one["value"] for one in blocks if one["op"].lower() == way)
        for way in ("read", "write")
    }
    ident = told["id"] if whole else told["id"][:12]
    net = [sum(one[f"{way}_bytes"] for one in nets.values()) for way in ("rx", "tx")]
    return {
        "Container": ident, "ID": ident, "Name": told["name"].removeprefix("/"),
        "CPUPerc": f"{share:.2f}%", "MemUsage": f"{binary(used)} / {binary(limit)}",
        "MemPerc": f"{used / limit * 100 if limit else 0:.2f}%",
        "NetIO": f"{size(net[0])} / {size(net[1])}",
        "BlockIO": f"{size(moved['read'])} / {size(moved['write'])}",
        "PIDs": str(told["pids_stats"].get("current", 0)),
    }  # fmt: skip


# -- docker system df


async def disk(sys: Process, api: Api, words: list[str]) -> int:
    """docker system df."""
    given = parse("system df", {"verbose": Flag(short="v"), "format": _FORMAT}, words)
    told = await api.ask("GET", "/system/df")
    if given.on("verbose") and not given.text("format"):
        return await _in_detail(sys, told)
    rows = [
        _kind("Images", told["Images"], told["LayersSize"],
              sum(one["Size"] - one["SharedSize"] for one in told["Images"] if one["Containers"]),
              sum(one["Containers"] > 0 for one in told["Images"])),
        _kind("Containers", told["Containers"],
              sum(one.get("SizeRw", 0) for one in told["Containers"]),
              sum(one.get("SizeRw", 0) for one in told["Containers"] if _active(one)),
              sum(_active(one) for one in told["Containers"])),
        _kind("Local Volumes", told["Volumes"],
              sum(one["UsageData"]["Size"] for one in told["Volumes"]),
              sum(one["UsageData"]["Size"] for one in told["Volumes"]
                  if one["UsageData"]["RefCount"]),
              sum(one["UsageData"]["RefCount"] > 0 for one in told["Volumes"])),
        _kind("Build Cache", [], 0, 0, 0) | {"Reclaimable": "0B"},
    ]  # fmt: skip
    titles = {"Type": "TYPE", "TotalCount": "TOTAL", "Active": "ACTIVE", "Size": "SIZE",
              "Reclaimable": "RECLAIMABLE"}  # fmt: skip
    return await listing.show(sys, given, titles, rows)


def _active(container: dict[str, Any]) -> bool:
    return container["State"] in ("running", "paused", "restarting")


def _kind(name: str, every: list[Any], total: int, used: int, active: int) -> dict[str, str]:
    left = total - used
    share = f" ({left * 100 // total}%)" if total > 0 else ""
    return {"Type": name, "TotalCount": str(len(every)), "Active": str(active),
            "Size": human_size(total), "Reclaimable": f"{human_size(left)}{share}"}  # fmt: skip


async def _in_detail(sys: Process, told: dict[str, Any]) -> int:
    images: list[list[str]] = []
    for one in told["Images"]:
        shared, whole = one["SharedSize"], one["Size"]
        for name in one["RepoTags"] or ["<none>:<none>"]:
            repository, _, mark = name.rpartition(":")
            images.append(
                [repository, mark, short(one["Id"]), await listing.ago(sys, one["Created"]),
                 size(whole), human_size(shared), human_size(whole - shared),
                 str(one["Containers"])]
            )  # fmt: skip
    containers = [
        [one["Id"][:12], one["Image"], f'"{elided(one["Command"], 20)}"',
         str(sum(m["Type"] == "volume" for m in one["Mounts"])), size(one.get("SizeRw", 0)),
         await listing.ago(sys, one["Created"]), one["Status"], one["Names"][0].removeprefix("/")]
        for one in told["Containers"]
    ]  # fmt: skip
    volumes = [
        [one["Name"], str(one["UsageData"]["RefCount"]), human_size(one["UsageData"]["Size"])]
        for one in told["Volumes"]
    ]
    for title, heads, rows in (
        ("Images space usage", "REPOSITORY|TAG|IMAGE ID|CREATED|SIZE|SHARED SIZE|UNIQUE SIZE"
         "|CONTAINERS", images),
        ("Containers space usage", "CONTAINER ID|IMAGE|COMMAND|LOCAL VOLUMES|SIZE|CREATED|STATUS"
         "|NAMES", containers),
        ("Local Volumes space usage", "VOLUME NAME|LINKS|SIZE", volumes),
    ):  # fmt: skip
        await sys.out(f"{title}:\n\n{table(heads.split('|'), rows)}\n")
    await sys.out("Build cache usage: 0B\n\nCACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED"
                  "   USAGE     SHARED\n")  # fmt: skip
    return 0


# -- taking it back


_PRUNE = {"all": Flag(short="a"), "force": Flag(short="f"), "filter": Flag("list"),
          "volumes": Flag()}  # fmt: skip
_GONE = {"Containers": "ContainersDeleted", "Networks": "NetworksDeleted",
         "Volumes": "VolumesDeleted", "Images": "ImagesDeleted"}  # fmt: skip


async def prune(sys: Process, api: Api, what: tuple[str, ...], words: list[str]) -> int:
    """docker ... prune; ``what`` are ``Containers``, ``Networks``, ``Volumes``, ``Images``."""
    given = parse("prune", _PRUNE, words)
    if given.on("volumes"):
        what = (*what, "Volumes")
    space = 0
    for kind in what:
        told = await api.ask("POST", f"/{kind.lower()}/prune", _asked(given, kind))
        space += told.get("SpaceReclaimed", 0)
        gone: list[Any] = told[_GONE[kind]] or []
        if gone:
            lines = [line for one in gone for line in _told(one)]
            await sys.out(f"Deleted {kind}:\n" + "\n".join(lines) + "\n\n")
    if what != ("Networks",):
        await sys.out(f"Total reclaimed space: {human_size(space)}\n")
    return 0


def _asked(given: Parsed, kind: str) -> dict[str, str] | None:
    words = list(given.listed("filter"))
    if given.on("all"):
        words += {"Images": ["dangling=false"], "Volumes": ["all=true"]}.get(kind, [])
    return listing.filters(Parsed({"filter": words}, [])) or None


def _told(one: Any) -> list[str]:
    return [one] if isinstance(one, str) else [f"{k.lower()}: {v}" for k, v in one.items()]


# -- docker update, import


async def update(sys: Process, api: Api, words: list[str]) -> int:
    """docker update: other limits, another restart policy."""
    from simulator.isolation.control.docker.client.changing import each
    from simulator.isolation.control.docker.client.running import bytes_of

    flags = {"memory": Flag("text", "m"), "memory-swap": Flag("text"), "cpus": Flag("text"),
             "cpu-shares": Flag("number", "c"), "cpu-period": Flag("number"),
             "cpu-quota": Flag("number"), "cpuset-cpus": Flag("text"),
             "memory-reservation": Flag("text"), "pids-limit": Flag("number"),
             "restart": Flag("text")}  # fmt: skip
    given = parse("update", flags, words)
    need("update", given.words, 1)
    if not given.given:
        raise ClientError("you must provide one or more flags when using this command", 1)
    body: dict[str, Any] = {}
    for flag, name in (("memory", "Memory"), ("memory-swap", "MemorySwap"),
                       ("memory-reservation", "MemoryReservation")):  # fmt: skip
        if given.text(flag):
            body[name] = -1 if given.text(flag) == "-1" else bytes_of(given.text(flag))
    for flag, name in (("cpu-shares", "CpuShares"), ("cpu-period", "CpuPeriod"),
                       ("cpu-quota", "CpuQuota"), ("cpuset-cpus", "CpusetCpus"),
                       ("pids-limit", "PidsLimit")):  # fmt: skip
        if flag in given.given:
            body[name] = given.given[flag]
    if given.text("cpus"):
        body["NanoCpus"] = int(float(given.text("cpus")) * 1e9)
    if given.text("restart"):
        name, _, most = given.text("restart").partition(":")
        body["RestartPolicy"] = {"Name": name, "MaximumRetryCount": int(most or 0)}

    async def act(name: str) -> None:
        await api.ask("POST", f"/containers/{name}/update", None, body)

    return await each(sys, given.words, act)


async def bring(sys: Process, api: Api, words: list[str]) -> int:
    """docker import FILE|- [NAME]."""
    flags = {"change": Flag("list", "c"), "message": Flag("text", "m"), "platform": Flag("text")}
    given = parse("import", flags, words)
    need("import", given.words, 1)
    path = given.words[0]
    content = await sys.drain(0) if path == "-" else await sys.slurp(path)
    query: dict[str, Any] = {"fromSrc": "-", "message": given.text("message")}
    if given.listed("change"):
        query["changes"] = "\n".join(given.listed("change"))
    if len(given.words) > 1:
        query["repo"], _, query["tag"] = given.words[1].partition(":")
    async for told in api.lines("POST", "/images/create", query, content):
        if told.get("status"):
            await sys.out(f"{told['status']}\n")
    return 0
