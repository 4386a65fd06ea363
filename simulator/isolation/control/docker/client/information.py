"""``docker info`` in words: docker/cli ``command/system/info.go``."""

from collections.abc import Iterator
from typing import Any

from simulator.isolation.control.docker.units import human_size

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    return told.get(name) or {}


def text(told: dict[str, Any]) -> str:
    """What ``GET /info`` says."""
    return "".join(f"{line}\n" for line in (*_client(told), *_server(told)))


def _client(told: dict[str, Any]) -> Iterator[str]:
    yield "Client:"
    yield f" Version:    {told['ServerVersion']}"
    yield " Context:    default"
    yield " Debug Mode: false"
    yield ""


def _server(told: dict[str, Any]) -> Iterator[str]:
    yield "Server:"
    yield f" Containers: {told['Containers']}"
    for word in ("Running", "Paused", "Stopped"):
        yield f"  {word}: {told[f'Containers{word}']}"
    yield f" Images: {told['Images']}"
    yield f" Server Version: {told['ServerVersion']}"
    yield f" Storage Driver: {told['Driver']}"
    for name, value in told.get("DriverStatus") or ():
        yield f"  {name}: {value}"
    yield f" Logging Driver: {told['LoggingDriver']}"
    yield f" Cgroup Driver: {told['CgroupDriver']}"
    yield f" Cgroup Version: {told['CgroupVersion']}"
    plugins: dict[str, list[str]] = _part(told, "Plugins")
    yield " Plugins:"
    for name in ("Volume", "Network", "Log"):
        yield f"  {name}: {' '.join(plugins.get(name) or ())}"
    yield f" Swarm: {_part(told, 'Swarm').get('LocalNodeState') or 'inactive'}"
    yield f" Runtimes: {' '.join(sorted(told.get('Runtimes') or ()))}"
    yield f" Default Runtime: {told.get('DefaultRuntime', '')}"
    yield f" Init Binary: {told.get('InitBinary', '')}"
    for title, key in (("containerd", "ContainerdCommit"), ("runc", "RuncCommit"),
                       ("init", "InitCommit")):  # fmt: skip
        yield f" {title} version: {_part(told, key).get('ID', '')}"
    yield " Security Options:"
    for one in told.get("SecurityOptions") or ():
        first, *rest = one.split(",")
        yield f"  {first.removeprefix('name=')}"
        for pair in rest:
            key, _, value = pair.partition("=")
            yield f"   {key.capitalize()}: {value}"
    yield from _machine(told)


def _machine(told: dict[str, Any]) -> Iterator[str]:
    for title, key in (
        ("Kernel Version", "KernelVersion"), ("Operating System", "OperatingSystem"),
        ("OSType", "OSType"), ("Architecture", "Architecture"), ("CPUs", "NCPU"),
    ):  # fmt: skip
        yield f" {title}: {told[key]}"
    yield f" Total Memory: {_bytes(told.get('MemTotal', 0))}"
    yield f" Name: {told['Name']}"
    yield f" ID: {told['ID']}"
    yield f" Docker Root Dir: {told['DockerRootDir']}"
    yield f" Debug Mode: {str(bool(told.get('Debug'))).lower()}"
    yield f" Experimental: {str(bool(told.get('ExperimentalBuild'))).lower()}"
    yield " Insecure Registries:"
    for place in _part(told, "RegistryConfig").get("InsecureRegistryCIDRs") or ():
        yield f"  {place}"
    yield f" Live Restore Enabled: {str(bool(told.get('LiveRestoreEnabled'))).lower()}"
    yield ""
    warnings: list[str] = told.get("Warnings") or []
    yield from warnings


def _bytes(count: float) -> str:
    """units.BytesSize()."""
    for unit in _BINARY:
        if count < 1024 or unit == _BINARY[-1]:
            return f"{count:.4g}{unit}"
        count /= 1024
    return human_size(count)
