"""What is refused before a container is made, in the daemon's order and words.

moby ``runconfig/config.go`` (decodeContainerConfig()), ``daemon/container.go``
(verifyContainerSettings()), ``daemon/create.go`` (validateNetworkingConfig()),
``daemon/logger/factory.go`` (ValidateLogOpts()).
"""

import ipaddress
from typing import TYPE_CHECKING

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, NotFound
from simulator.isolation.control.docker.engine import mounts, resources
from simulator.isolation.control.docker.engine.config import (
    ContainerConfig,
    CreateRequest,
    EndpointSettings,
    HealthConfig,
    HostSettings,
    LogSettings,
    RestartRule,
    words,
)
from simulator.isolation.control.docker.engine.networks import PREDEFINED
from simulator.machine.abi.constants import CAPABILITY_NAMES, SIGNAL_NAMES

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

_SIGNALS = {name: number for number, name in SIGNAL_NAMES.items()}
_MILLISECOND = 1_000_000
_LOG_OPTIONS = frozenset(
    ("compress", "env", "env-regex", "labels", "labels-regex", "max-file", "max-size", "tag")
)
"""Of the driver json-file (``jsonfilelog.go``)."""
_OF_ANY_LOG = frozenset(("mode", "max-buffer-size"))


def decoded(config: ContainerConfig, host: HostSettings) -> None:
    """decodeContainerConfig(): what contradicts itself. Raises ``BadRequest``."""
    if config == ContainerConfig():
        raise BadRequest("config cannot be empty in order to create a container")
    mode = host.NetworkMode
    if mode.split(":")[0] == "container":
        if not mode.partition(":")[2]:
            raise BadRequest("Invalid network mode: invalid container format container:<name|id>")
        links = (
            "container type network can't be used with links. This would result in undefined"
            " behavior"
        )
        for wrong, why in (
            (config.Hostname, "hostname and the network mode"),
            (host.Links, links),
            (host.Dns, "dns and the network mode"),
            (host.ExtraHosts, "custom host-to-IP mapping and the network mode"),
            (
                host.PortBindings or host.PublishAllPorts,
                "port publishing and the container type network mode",
            ),
            (config.ExposedPorts, "port exposing and the container type network mode"),
        ):
            if wrong:
                raise BadRequest(f"conflicting options: {why}")
    if host.UTSMode == "host" and config.Hostname:
        raise BadRequest("conflicting options: hostname and the UTS mode")
    if mode == "host" and host.Links:
        raise BadRequest(
            "conflicting options: host type networking can't be used with links. This would result"
            " in undefined behavior"
        )
    if host.Isolation.lower() not in ("", "default"):
        raise BadRequest(f"Invalid isolation: \"{host.Isolation}\" - linux only supports 'default'")


def verify(config: ContainerConfig, host: HostSettings, facts: frozenset[str]) -> list[str]:
    """Raise ``BadRequest`` for what moby's verifyContainerSettings() refuses; the warnings."""
    if config.WorkingDir and not config.WorkingDir.startswith("/"):
        raise BadRequest(
            f"the working directory '{config.WorkingDir}' is invalid, it needs to be an absolute"
            " path"
        )
    if config.StopSignal and signal_number(config.StopSignal) is None:
        raise BadRequest(f"invalid signal: {config.StopSignal}")
    for pair in config.Env or []:
        if not pair or pair.startswith("="):
            raise BadRequest(f"invalid environment variable: {pair}")
    _verify_health(config.Healthcheck)
    if host.AutoRemove and host.RestartPolicy.Name not in ("", "no"):
        raise BadRequest("can't create 'AutoRemove' container with restart policy")
    _verify_ports(host)
    verify_restart(host.RestartPolicy)
    for field in ("CapAdd", "CapDrop"):
        for one in words(getattr(host, field)) or []:
            if not _is_capability(one):
                name = f"CAP_{one.upper().removeprefix('CAP_')}"
                raise BadRequest(f'invalid {field}: unknown capability: "{name}"')
    warnings = resources.verify(host, facts)
    _verify_modes(host)
    if host.NetworkMode == "host" and host.PortBindings:
        warnings.append("Published ports are discarded when using host network mode")
    if host.Runtime not in ("", "runc"):
        raise BadRequest(f"unknown or invalid runtime name: {host.Runtime}")
    for path in host.Tmpfs or {}:
        mounts.check_tmpfs(path)
    if host.CgroupnsMode not in ("", "private", "host"):
        raise BadRequest(f"invalid cgroup namespace mode: {host.CgroupnsMode}")
    return warnings


def _verify_ports(host: HostSettings) -> None:
    for bindings in (host.PortBindings or {}).values():
        for one in bindings or []:
            numbers = one.HostPort.split("-", 1) if one.HostPort else ["0"]
            if not all(text.isdigit() and int(text) < 1 << 16 for text in numbers) or (
                int(numbers[0]) > int(numbers[-1])
            ):
                raise BadRequest(f'invalid port specification: "{one.HostPort}"')


def _verify_modes(host: HostSettings) -> None:
    """Whose namespaces it may have."""
    ipc = ("", "none", "private", "host", "shareable")
    if host.IpcMode not in ipc and not host.IpcMode.startswith("container:"):
        raise BadRequest(f"invalid IPC mode: {host.IpcMode}")
    of_another = host.PidMode.startswith("container:") and host.PidMode != "container:"
    if host.PidMode not in ("", "host") and not of_another:
        raise BadRequest(f"invalid PID mode: {host.PidMode}")
    if host.ShmSize < 0:
        raise BadRequest("SHM size can not be less than 0")
    if host.UTSMode not in ("", "host"):
        raise BadRequest(f"invalid UTS mode: {host.UTSMode}")
    if not -1000 <= host.OomScoreAdj <= 1000:
        raise BadRequest(
            f"Invalid value {host.OomScoreAdj}, range for oom score adj is [-1000, 1000]"
        )


def verify_restart(policy: RestartRule) -> None:
    """ValidateRestartPolicy(). Raises ``BadRequest``."""
    begun, most = "invalid restart policy: ", policy.MaximumRetryCount
    if policy.Name not in ("", "no", "always", "unless-stopped", "on-failure"):
        raise BadRequest(
            f"{begun}unknown policy '{policy.Name}'; use one of 'no', 'always',"
            " 'on-failure', or 'unless-stopped'"
        )
    if most and policy.Name not in ("", "on-failure"):
        more = " and cannot be negative" if most < 0 else ""
        raise BadRequest(f"{begun}maximum retry count can only be used with 'on-failure'{more}")
    if most < 0 and policy.Name:
        raise BadRequest(f"{begun}maximum retry count cannot be negative")


def _is_capability(text: str) -> bool:
    name = text.upper().removeprefix("CAP_")
    return name == "ALL" or f"CAP_{name}" in {
        f"CAP_{known.removeprefix('CAP_')}" for known in CAPABILITY_NAMES
    }


def _verify_health(health: HealthConfig | None) -> None:
    for field in ("Interval", "Timeout", "StartPeriod", "StartInterval"):
        value = getattr(health, field) if health is not None else 0
        if value and value < _MILLISECOND:
            raise BadRequest(f"{field} in Healthcheck cannot be less than 1ms")
    if health is not None and health.Retries < 0:
        raise BadRequest("Retries in Healthcheck cannot be negative")


def signal_number(text: str) -> int | None:
    """``SIGTERM``, ``TERM`` or ``15``; None for no signal."""
    if text.isdigit():
        return int(text) if 0 < int(text) <= 64 else None
    name = text.upper()
    return _SIGNALS.get(name if name.startswith("SIG") else f"SIG{name}")


def verify_networks(request: CreateRequest) -> None:
    """validateNetworkingConfig(): addresses and aliases that can't be. Raises ``BadRequest``."""
    asked = (request.NetworkingConfig and request.NetworkingConfig.EndpointsConfig) or {}
    wrong: list[str] = []
    for name, settings in asked.items():
        if settings is not None and (why := _wrong_endpoint(name, settings)):
            wrong.append(
                f"invalid config for network {name}: invalid endpoint settings:\n{_joined(why)}"
            )
    if wrong:
        raise BadRequest(_joined(wrong))


def _wrong_endpoint(name: str, settings: EndpointSettings) -> list[str]:
    """validateEndpointSettings()."""
    wrong: list[str] = []
    addresses = settings.IPAMConfig
    if name in PREDEFINED or name == "default":
        if addresses and (addresses.IPv4Address or addresses.IPv6Address):
            wrong.append("user specified IP address is supported on user defined networks only")
        if settings.Aliases:
            wrong.append(
                "network-scoped alias is supported only for containers in user defined networks"
            )
    for kind, text in (
        (4, addresses.IPv4Address if addresses else ""),
        (6, addresses.IPv6Address if addresses else ""),
    ):
        try:
            good = not text or ipaddress.ip_address(text).version == kind
        except ValueError:
            good = False
        if not good or text in ("0.0.0.0", "::"):
            wrong.append(f"invalid IPv{kind} address: {text}")
    return wrong


def _joined(errors: list[str]) -> str:
    """multierror.Join()."""
    if len(errors) == 1:
        return errors[0].strip()
    return "* " + "\n* ".join(one.replace("\n", "\n\t") for one in errors)


def verify_log(log: LogSettings) -> None:
    """ValidateLogOpts(). Raises ``BadRequest``."""
    given = log.Config or {}
    if log.Type == "none":
        return
    mode = given.get("mode", "")
    if mode not in ("", "blocking", "non-blocking"):
        raise BadRequest(f"logger: logging mode not supported: {mode}")
    if "max-buffer-size" in given and mode != "non-blocking":
        raise BadRequest(
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'"
        )
    if log.Type != "json-file":
        raise BadRequest(
            f'error looking up logging plugin {log.Type}: plugin "{log.Type}" not found'
        )
    for name in sorted(given.keys() - _OF_ANY_LOG):
        if name not in _LOG_OPTIONS:
            raise BadRequest(f"unknown log opt '{name}' for json-file log driver")


def verify_others(engine: "Engine", host: HostSettings) -> None:
    """The containers whose namespaces it is to share are there (generateSecurityOpt()).

    Raises ``BadRequest``.
    """
    if "host" in (host.IpcMode, host.PidMode) or host.Privileged:
        return
    for mode in (host.IpcMode, host.PidMode):
        if mode.startswith("container:"):
            _known(engine, mode.partition(":")[2])


def verify_links(engine: "Engine", host: HostSettings) -> None:
    """registerLinks(), on the default network. Raises ``BadRequest``."""
    if host.NetworkMode not in (*PREDEFINED, "default", ""):
        return
    for link in host.Links or []:
        name = link.partition(":")[0]
        try:
            _known(engine, name)
        except ApiError as error:
            raise BadRequest(f"could not get container for {name}: {error.message}") from None


def _known(engine: "Engine", name: str) -> None:
    try:
        engine.find(name)
    except NotFound as error:  # told as it is, the client would look for an image
        raise BadRequest(error.message) from None
