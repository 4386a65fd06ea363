"""A service's container as the body of ``POST /containers/create``: compose ``create.go``."""

import io
import tarfile
from typing import Any

from simulator.isolation.control.docker.compose.errors import Invalid
from simulator.isolation.control.docker.compose.normal import nanoseconds, size
from simulator.isolation.control.docker.compose.project import (
    LABEL,
    Project,
    dependencies,
    digest,
)
from simulator.isolation.control.docker.compose.tree import Tree, listed, part, texts

_TEXTS = {
    "hostname": "Hostname", "domainname": "Domainname", "user": "User",
    "working_dir": "WorkingDir", "stop_signal": "StopSignal", "mac_address": "MacAddress",
}  # fmt: skip
_SAME = {
    "cap_add": "CapAdd", "cap_drop": "CapDrop", "dns": "Dns", "dns_search": "DnsSearch",
    "dns_opt": "DnsOptions", "extra_hosts": "ExtraHosts", "security_opt": "SecurityOpt",
    "privileged": "Privileged", "read_only": "ReadonlyRootfs", "init": "Init", "uts": "UTSMode",
    "userns_mode": "UsernsMode", "cgroup": "CgroupnsMode", "runtime": "Runtime",
    "oom_score_adj": "OomScoreAdj", "oom_kill_disable": "OomKillDisable",
    "cpu_shares": "CpuShares", "cpu_quota": "CpuQuota", "cpu_period": "CpuPeriod",
    "cpuset": "CpusetCpus", "cgroup_parent": "CgroupParent",
}  # fmt: skip
_SIZES = {
    "mem_limit": "Memory", "memswap_limit": "MemorySwap", "mem_reservation": "MemoryReservation",
    "shm_size": "ShmSize",
}  # fmt: skip


def labels(project: Project, service: str, number: int, *, oneoff: bool = False) -> dict[str, str]:
    """By which a container is known to belong to the project."""
    tree = project.services[service]
    on = [
        f"{name}:{how['condition']}:{str(bool(how.get('restart'))).lower()}"
        for name, how in dependencies(tree).items()
    ]
    own = {
        "config-hash": digest(tree),
        "container-number": str(number),
        "depends_on": ",".join(on),
        "image": "",
        "oneoff": str(oneoff),
        "project.config_files": ",".join(project.files),
        "project.working_dir": project.directory,
        "service": service,
    }
    given = texts(tree, "labels")
    return given | project.labels() | {f"{LABEL}{key}": value for key, value in own.items()}


def body(project: Project, service: str, number: int, containers: dict[str, str]) -> Tree:
    """The request. ``containers``: the id of a container of each service (for ``service:x``)."""
    tree = project.services[service]
    environment: dict[str, Any] = part(tree, "environment")
    config: Tree = {name: tree[key] for key, name in _TEXTS.items() if tree.get(key)}
    config |= {
        "Image": project.image(service),
        "Cmd": tree.get("command"),
        "Entrypoint": tree.get("entrypoint"),
        "Env": [f"{key}={value}" for key, value in environment.items()],
        "Labels": labels(project, service, number),
        "Tty": bool(tree.get("tty")),
        "OpenStdin": bool(tree.get("stdin_open")),
        "AttachStdout": True,
        "AttachStderr": True,
        "Healthcheck": _health(tree.get("healthcheck")),
        "Volumes": {
            one["target"]: {}
            for one in listed(tree, "volumes")
            if one["type"] == "volume" and not one.get("source")
        },
    }
    if tree.get("stop_grace_period"):
        config["StopTimeout"] = nanoseconds(tree["stop_grace_period"]) // 1_000_000_000
    ports, bindings = _ports(tree)
    host = _host(project, tree) | {"PortBindings": bindings}
    mode, endpoints = _networks(project, service, number, containers)
    host["NetworkMode"] = mode
    networking = {"EndpointsConfig": endpoints}
    return config | {"ExposedPorts": ports, "HostConfig": host, "NetworkingConfig": networking}


def _health(check: Tree | None) -> Tree | None:
    if not check:
        return None
    if check.get("disable"):
        return {"Test": ["NONE"]}
    names = {
        "interval": "Interval", "timeout": "Timeout", "start_period": "StartPeriod",
        "start_interval": "StartInterval",
    }  # fmt: skip
    found: Tree = {name: nanoseconds(check[key]) for key, name in names.items() if key in check}
    found["Test"] = check.get("test")
    found["Retries"] = int(check.get("retries") or 0)
    return found


def _ports(tree: Tree) -> tuple[Tree, Tree]:
    ports: Tree = {}
    bindings: Tree = {}
    for text in listed(tree, "expose"):
        ports[text if "/" in text else f"{text}/tcp"] = {}
    for one in listed(tree, "ports"):
        key = f"{one['target']}/{one['protocol']}"
        ports[key] = {}
        place = {"HostIp": one.get("host_ip", ""), "HostPort": one.get("published", "")}
        bindings.setdefault(key, []).append(place)
    return ports, bindings


def _host(project: Project, tree: Tree) -> Tree:
    host: Tree = {name: tree[key] for key, name in _SAME.items() if tree.get(key) is not None}
    host |= {name: size(tree[key]) for key, name in _SIZES.items() if tree.get(key)}
    host |= {"Binds": _binds(project, tree), "Mounts": _mounts(project, tree)}
    host["Tmpfs"] = dict(_tmpfs(text) for text in listed(tree, "tmpfs"))
    host["Sysctls"] = texts(tree, "sysctls")
    host["GroupAdd"] = [str(one) for one in listed(tree, "group_add")]
    host["RestartPolicy"] = _restart(tree)
    host["Devices"] = [_device(one) for one in listed(tree, "devices")]
    host["Ulimits"] = [
        {"Name": name, "Soft": one["soft"], "Hard": one["hard"]}
        for name, one in part(tree, "ulimits").items()
    ]
    if tree.get("cpus"):
        host["NanoCpus"] = int(float(tree["cpus"]) * 1e9)
    if tree.get("pids_limit"):
        host["PidsLimit"] = int(tree["pids_limit"])
    for key, name in (("ipc", "IpcMode"), ("pid", "PidMode")):
        if tree.get(key):
            host[name] = tree[key]
    return host | _resources(part(part(tree, "deploy"), "resources"))


def _resources(tree: Tree) -> Tree:
    limits, reserved = part(tree, "limits"), part(tree, "reservations")
    host: Tree = {}
    if limits.get("cpus"):
        host["NanoCpus"] = int(float(limits["cpus"]) * 1e9)
    if limits.get("memory"):
        host["Memory"] = size(limits["memory"])
    if limits.get("pids"):
        host["PidsLimit"] = int(limits["pids"])
    if reserved.get("memory"):
        host["MemoryReservation"] = size(reserved["memory"])
    return host


def _restart(tree: Tree) -> Tree:
    text = tree.get("restart")
    policy: Tree | None = part(tree, "deploy").get("restart_policy")
    if text is None and policy is not None:
        known = {"none": "no", "on-failure": "on-failure", "any": "always"}
        name = known.get(policy.get("condition", "any"), "always")
        most = int(policy.get("max_attempts") or 0) if name == "on-failure" else 0
        return {"Name": name, "MaximumRetryCount": most}
    name, _, most = str(text or "no").partition(":")
    if most and not most.isdigit():
        raise Invalid(f"invalid restart policy: {text}")
    return {"Name": name, "MaximumRetryCount": int(most or 0)}


def _binds(project: Project, tree: Tree) -> list[str]:
    """Named volumes, and bind mounts whose source is made when it is missing."""
    found: list[str] = []
    for one in listed(tree, "volumes"):
        mode = "ro" if one.get("read_only") else "rw"
        if one["type"] == "volume" and one.get("source"):
            mode += ",nocopy" if part(one, "volume").get("nocopy") else ""
            found.append(f"{project.volume_name(one['source'])}:{one['target']}:{mode}")
        elif one["type"] == "bind" and part(one, "bind").get("create_host_path"):
            found.append(f"{one['source']}:{one['target']}:{mode}")
    return found


def _mounts(project: Project, tree: Tree) -> list[Tree]:
    found: list[Tree] = []
    for one in listed(tree, "volumes"):
        mount: Tree = {"Type": one["type"], "Target": one["target"]}
        mount["ReadOnly"] = bool(one.get("read_only"))
        if one["type"] == "tmpfs":
            options = part(one, "tmpfs")
            mount["TmpfsOptions"] = (
                {"SizeBytes": size(options["size"])} if "size" in options else {}
            )
            found.append(mount)
        elif one["type"] == "bind" and not part(one, "bind").get("create_host_path"):
            options = part(one, "bind")
            named = {"Propagation": options["propagation"]} if "propagation" in options else {}
            found.append(mount | {"Source": one["source"], "BindOptions": named})
    for section, place in (("secrets", "/run/secrets/"), ("configs", "/")):
        for used in listed(tree, section):
            kept = getattr(project, section)[used["source"]]
            if kept.get("file"):
                target = _target(used, place)
                mount = {"Type": "bind", "Source": kept["file"], "Target": target}
                found.append(mount | {"ReadOnly": True})
    return found


def _target(used: Tree, place: str) -> str:
    target = str(used.get("target") or used["source"])
    return target if target.startswith("/") else place + target


def contents(project: Project, service: str, env: dict[str, str]) -> bytes:
    """Secrets and configs that are no files, as an archive for ``/``; empty when there are none."""
    tree = project.services[service]
    kept = io.BytesIO()
    count = 0
    with tarfile.open(fileobj=kept, mode="w") as archive:
        for section, place in (("secrets", "/run/secrets/"), ("configs", "/")):
            for used in listed(tree, section):
                source = getattr(project, section)[used["source"]]
                text = source.get("content")
                if text is None and source.get("environment"):
                    text = env.get(source["environment"])
                    if text is None:
                        raise Invalid(
                            f'environment variable "{source["environment"]}" required by'
                            f" {section[:-1]} {used['source']} is not set"
                        )
                if text is None:
                    continue
                info = tarfile.TarInfo(_target(used, place).lstrip("/"))
                data = text.encode()
                info.size, info.mode = len(data), int(str(used.get("mode") or "444"), 8)
                archive.addfile(info, io.BytesIO(data))
                count += 1
    return kept.getvalue() if count else b""


def _tmpfs(text: str) -> tuple[str, str]:
    place, _, options = text.partition(":")
    return place, options


def _device(one: Any) -> Tree:
    source, target, mode = [*str(one).split(":"), "", ""][:3] if isinstance(one, str) else (
        one["source"], one.get("target", ""), one.get("permissions", ""),
    )  # fmt: skip
    return {
        "PathOnHost": source,
        "PathInContainer": target or source,
        "CgroupPermissions": mode or "rwm",
    }


def _networks(
    project: Project, service: str, number: int, containers: dict[str, str]
) -> tuple[str, Tree]:
    tree = project.services[service]
    mode = str(tree.get("network_mode") or "")
    if mode.startswith("service:"):
        return f"container:{containers[mode.partition(':')[2]]}", {}
    if mode:
        return mode, {}
    given: dict[str, Tree | None] = tree["networks"]
    ordered = sorted(given, key=lambda key: -int((given[key] or {}).get("priority") or 0))
    endpoints: Tree = {}
    for key in ordered:
        one = given[key] or {}
        names = [project.container_name(service, number), service, *(listed(one, "aliases"))]
        endpoint: Tree = {"Aliases": list(dict.fromkeys(names))}
        if one.get("ipv4_address"):
            endpoint["IPAMConfig"] = {"IPv4Address": one["ipv4_address"]}
        if one.get("mac_address"):
            endpoint["MacAddress"] = one["mac_address"]
        links = [_link(project, text) for text in listed(tree, "links")]
        endpoints[project.network_name(key)] = endpoint | ({"Links": links} if links else {})
    return project.network_name(ordered[0]), endpoints


def _link(project: Project, text: str) -> str:
    target, _, alias = text.partition(":")
    return f"{project.container_name(target, 1)}:{alias or target}"


def network(project: Project, key: str) -> Tree:
    """The body of ``POST /networks/create``."""
    tree = project.networks[key]
    ipam = part(tree, "ipam")
    names = {"subnet": "Subnet", "gateway": "Gateway", "ip_range": "IPRange"}
    config = [
        {names[name]: value for name, value in one.items() if name in names}
        for one in listed(ipam, "config")
    ]
    own = texts(tree, "labels")
    return {
        "Name": project.network_name(key),
        "Driver": tree.get("driver") or "bridge",
        "Internal": bool(tree.get("internal")),
        "Attachable": bool(tree.get("attachable")),
        "Options": texts(tree, "driver_opts"),
        "IPAM": {"Driver": ipam.get("driver") or "default", "Config": config} if ipam else None,
        "Labels": own | project.labels() | {f"{LABEL}network": key},
    }


def volume(project: Project, key: str) -> Tree:
    """The body of ``POST /volumes/create``."""
    tree = project.volumes[key]
    own = texts(tree, "labels")
    return {
        "Name": project.volume_name(key),
        "Driver": tree.get("driver") or "local",
        "DriverOpts": texts(tree, "driver_opts"),
        "Labels": own | project.labels() | {f"{LABEL}volume": key},
    }
