"""Networks, volumes, events, the system, and what only a swarm has."""

from typing import Any

from tests.unit.experiment.engine_api.sdk_calls.suite import BOX, Sdk


def _networks(s: Sdk, **more: Any) -> list[str]:
    return sorted(one.name for one in s.client.networks.list(**more))


def _volumes(s: Sdk, **more: Any) -> list[str]:
    return sorted(one.name for one in s.client.volumes.list(**more))


def _network(s: Sdk, name: str) -> Any:
    return s.client.networks.list(names=[name], greedy=True)[0]


def _ipam(subnet: str, **more: str) -> dict[str, Any]:
    return {"Driver": "default", "Config": [{"Subnet": subnet, **more}]}


def _events(s: Sdk) -> Any:
    stream = s.client.events(decode=True, filters={"type": ["container", "network"]})
    one = s.client.containers.create(BOX, "true", name="eventful")
    one.start()
    one.wait(timeout=20)
    one.remove()
    seen: list[Any] = []
    for event in stream:
        seen.append((event["Type"], event["Action"], sorted(event["Actor"]["Attributes"])))
        if event["Action"] == "destroy":
            break
    stream.close()
    return sorted(seen)


def _past(s: Sdk) -> Any:
    return list(s.client.events(since=1, until=2, decode=True))


def _resolved(s: Sdk) -> Any:
    settings = s.one("onnet").attrs["NetworkSettings"]["Networks"]
    return {name: (one["IPPrefixLen"], one["Gateway"], "a1" in (one["Aliases"] or []))
            for name, one in settings.items()}  # fmt: skip


CALLS: tuple[tuple[str, Any], ...] = (
    ("ping", lambda s: s.client.ping()),
    ("version", lambda s: (s.client.version()["Os"], s.client.version()["Arch"])),
    ("version's words", lambda s: set(s.client.version())),
    ("info", lambda s: [s.client.info()[key] for key in
                        ("Driver", "OSType", "Containers", "ContainersRunning", "DefaultRuntime",
                         "LoggingDriver", "IndexServerAddress", "DockerRootDir", "InitBinary")]),
    ("info of the swarm", lambda s: s.client.info()["Swarm"]["LocalNodeState"]),
    ("df", lambda s: set(s.client.df())),
    ("networks", _networks),
    ("create a network", lambda s: s.client.networks.create(
        "n1", labels={"k": "v"}, ipam=_ipam("10.77.0.0/24", Gateway="10.77.0.1")).name),
    ("create a network with its name again", lambda s: s.client.networks.create(
        "n1", check_duplicate=True)),
    ("create a network over another", lambda s: s.client.networks.create(
        "n9", ipam=_ipam("10.77.0.0/24"))),
    ("create a network with a bad range", lambda s: s.client.networks.create(
        "n9", ipam=_ipam("10.77.0.300/24"))),
    ("create a network with no driver", lambda s: s.client.networks.create(
        "n9", driver="nosuch")),
    ("create a network with no name", lambda s: s.client.networks.create("")),
    ("create another host", lambda s: s.client.networks.create("n9", driver="host")),
    ("create an internal network", lambda s: s.client.networks.create(
        "n2", internal=True).attrs["Internal"]),
    ("networks by name", lambda s: _networks(s, names=["n1"])),
    ("networks by label", lambda s: _networks(s, filters={"label": "k=v"})),
    ("networks by driver", lambda s: _networks(s, filters={"driver": "null"})),
    ("networks by type", lambda s: _networks(s, filters={"type": "custom"})),
    ("networks by a bad filter", lambda s: _networks(s, filters={"nosuch": "1"})),
    ("get a network", lambda s: {key: _network(s, "n1").attrs[key] for key in
                                 ("Name", "Driver", "Scope", "Internal", "Attachable", "IPAM",
                                  "Labels", "Options", "Containers", "EnableIPv6")}),
    ("get no network", lambda s: s.client.networks.get("nosuch")),
    ("run on a network", lambda s: s.run(["sleep", "1000"], detach=True, name="onnet",
                                         network="n1").name),
    ("connect", lambda s: s.client.networks.get("n2").connect("onnet", aliases=["a1"])),
    ("connect again", lambda s: s.client.networks.get("n2").connect("onnet")),
    ("connect nobody", lambda s: s.client.networks.get("n2").connect("nosuch")),
    ("connect to the host", lambda s: s.client.networks.get("host").connect("onnet")),
    ("connect with an address", lambda s: s.client.networks.get("bridge").connect(
        "onnet", ipv4_address="172.17.0.99")),
    ("containers of a network", lambda s: [
        one.name for one in s.client.networks.get("n1").containers]),
    ("networks of a container", lambda s: set(_resolved(s))),
    ("the first network of a container", lambda s: _resolved(s)["n1"]),
    ("remove a network that is used", lambda s: s.client.networks.get("n1").remove()),
    ("disconnect", lambda s: (s.client.networks.get("n2").disconnect("onnet"),
                              set(_resolved(s)))),
    ("disconnect again", lambda s: s.client.networks.get("n2").disconnect("onnet")),
    ("remove a network that always is", lambda s: s.client.networks.get("bridge").remove()),
    ("remove a network", lambda s: (s.one("onnet").remove(force=True),
                                    s.client.networks.get("n1").remove())),
    ("remove a network again", lambda s: s.api.remove_network("n1")),
    ("prune networks", lambda s: s.client.networks.prune()),
    ("prune no networks", lambda s: s.client.networks.prune()),
    ("volumes", _volumes),
    ("create a volume", lambda s: s.client.volumes.create("v1", labels={"k": "v"}).name),
    ("create a volume again", lambda s: s.client.volumes.create("v1").name),
    ("create a volume with a bad name", lambda s: s.client.volumes.create("a/b")),
    ("create a volume with no driver", lambda s: s.client.volumes.create("v9", driver="nosuch")),
    ("create a volume with bad options", lambda s: s.client.volumes.create(
        "v9", driver_opts={"nosuch": "1"})),
    ("create a volume without a name", lambda s: len(s.keep(
        "anonymous", s.client.volumes.create()).name)),
    ("get a volume", lambda s: {key: s.client.volumes.get("v1").attrs[key] for key in
                                ("Name", "Driver", "Labels", "Options", "Scope", "Mountpoint")}),
    ("get no volume", lambda s: s.client.volumes.get("nosuch")),
    ("volumes by label", lambda s: _volumes(s, filters={"label": "k"})),
    ("volumes by name", lambda s: _volumes(s, filters={"name": "v"})),
    ("volumes that nobody uses", lambda s: len(_volumes(s, filters={"dangling": True}))),
    ("volumes by a bad filter", lambda s: _volumes(s, filters={"nosuch": "1"})),
    ("remove a volume that is used", lambda s: (
        s.client.containers.create(BOX, "true", name="holder", volumes=["v1:/v"]) and None,
        s.client.volumes.get("v1").remove())),
    ("remove a volume", lambda s: (s.one("holder").remove(), s.kept["anonymous"].remove(),
                                   s.client.volumes.get("v1").remove())),
    ("remove a volume again", lambda s: s.api.remove_volume("v1")),
    ("an anonymous volume goes with its container", lambda s: (
        s.run(["sh", "-c", "echo x > /anon/f"], volumes=["/anon"], remove=True), _volumes(s))),
    ("prune volumes", lambda s: s.client.volumes.prune()),
    ("events", _events),
    ("events of long ago", _past),
    ("events that end before they begin", lambda s: list(s.client.events(
        since=20, until=10, decode=True))),
    ("nodes", lambda s: s.client.nodes.list()),
    ("services", lambda s: s.client.services.list()),
    ("secrets", lambda s: s.client.secrets.list()),
    ("configs", lambda s: s.client.configs.list()),
    ("tasks", lambda s: s.api.tasks()),
    ("no service", lambda s: s.client.services.get("nosuch")),
    ("no secret", lambda s: s.client.secrets.get("nosuch")),
    ("no node", lambda s: s.client.nodes.get("nosuch")),
    ("create a secret", lambda s: s.client.secrets.create(name="x", data=b"y")),
    ("create a config", lambda s: s.client.configs.create(name="x", data=b"y")),
    ("create a service", lambda s: s.client.services.create(BOX)),
    ("swarm", lambda s: s.api.inspect_swarm()),
    ("leave a swarm", lambda s: s.client.swarm.leave()),
    ("plugins", lambda s: s.client.plugins.list()),
    ("no plugin", lambda s: s.client.plugins.get("nosuch")),
    ("no such page", lambda s: s.api._result(s.api._get(s.api._url("/nosuch")))),
    ("no such method", lambda s: s.api._result(s.api._delete(s.api._url("/info")))),
)  # fmt: skip
