"""Configurations as the Engine API writes them: moby ``api/types/container``.

Fields have the API's own names. What a client leaves out has Go's zero value.
"""

from typing import Any, TypeAlias

import msgspec

Words: TypeAlias = "str | list[str] | None"
"""strslice.StrSlice: one word may stand for a list of it."""


def words(value: Words) -> list[str] | None:
    """A StrSlice as a list."""
    return [value] if isinstance(value, str) else value


class HealthConfig(msgspec.Struct, omit_defaults=True):
    """How a container is asked whether it is well; durations in nanoseconds, 0 the default."""

    Test: list[str] | None = None
    Interval: int = 0
    Timeout: int = 0
    StartPeriod: int = 0
    StartInterval: int = 0
    Retries: int = 0


class ContainerConfig(msgspec.Struct):
    """What is the same on every host: moby container.Config."""

    Hostname: str = ""
    Domainname: str = ""
    User: str = ""
    AttachStdin: bool = False
    AttachStdout: bool = False
    AttachStderr: bool = False
    ExposedPorts: dict[str, Any] | None = None
    Tty: bool = False
    OpenStdin: bool = False
    StdinOnce: bool = False
    Env: list[str] | None = None
    Cmd: Words = None
    Healthcheck: HealthConfig | None = None
    ArgsEscaped: bool = False
    Image: str = ""
    Volumes: dict[str, Any] | None = None
    WorkingDir: str = ""
    Entrypoint: Words = None
    NetworkDisabled: bool = False
    MacAddress: str = ""
    OnBuild: list[str] | None = None
    Labels: dict[str, str] | None = None
    StopSignal: str = ""
    StopTimeout: int | None = None
    Shell: Words = None


_OMITTED = (
    "ExposedPorts", "Healthcheck", "ArgsEscaped", "NetworkDisabled", "MacAddress", "StopSignal",
    "StopTimeout", "Shell",
)  # fmt: skip


def shown(config: ContainerConfig) -> dict[str, Any]:
    """``config`` as the API writes it: some fields only when set."""
    told: dict[str, Any] = msgspec.to_builtins(config)
    for name in _OMITTED:
        if (not told[name] and name != "StopTimeout") or told[name] is None:
            del told[name]
    return told


class RestartRule(msgspec.Struct):
    """``no``, ``always``, ``unless-stopped`` or ``on-failure`` at most so often."""

    Name: str = ""
    MaximumRetryCount: int = 0


class LogSettings(msgspec.Struct):
    """The logging driver."""

    Type: str = ""
    Config: dict[str, str] | None = None


class PortBinding(msgspec.Struct):
    """Where a port of a container is published on the host."""

    HostIp: str = ""
    HostPort: str = ""


class Ulimit(msgspec.Struct):
    """One resource limit."""

    Name: str = ""
    Hard: int = 0
    Soft: int = 0


class Mount(msgspec.Struct, omit_defaults=True):
    """One entry of HostConfig.Mounts."""

    Type: str = ""
    Source: str = ""
    Target: str = ""
    ReadOnly: bool = False
    Consistency: str = ""
    BindOptions: dict[str, Any] | None = None
    VolumeOptions: dict[str, Any] | None = None
    TmpfsOptions: dict[str, Any] | None = None


class Resources(msgspec.Struct):
    """What ``POST /containers/{id}/update`` may change, and what else limits."""

    CpuShares: int = 0
    Memory: int = 0
    NanoCpus: int = 0
    CgroupParent: str = ""
    BlkioWeight: int = 0
    BlkioWeightDevice: list[Any] | None = None
    BlkioDeviceReadBps: list[Any] | None = None
    BlkioDeviceWriteBps: list[Any] | None = None
    BlkioDeviceReadIOps: list[Any] | None = None
    BlkioDeviceWriteIOps: list[Any] | None = None
    CpuPeriod: int = 0
    CpuQuota: int = 0
    CpuRealtimePeriod: int = 0
    CpuRealtimeRuntime: int = 0
    CpusetCpus: str = ""
    CpusetMems: str = ""
    Devices: list[dict[str, str]] | None = None
    DeviceCgroupRules: list[str] | None = None
    DeviceRequests: list[Any] | None = None
    MemoryReservation: int = 0
    MemorySwap: int = 0
    MemorySwappiness: int | None = None
    OomKillDisable: bool | None = None
    PidsLimit: int | None = None
    Ulimits: list[Ulimit] | None = None
    CpuCount: int = 0
    CpuPercent: int = 0
    IOMaximumIOps: int = 0
    IOMaximumBandwidth: int = 0


class HostSettings(Resources):
    """What belongs to this host: moby container.HostConfig."""

    Binds: list[str] | None = None
    ContainerIDFile: str = ""
    LogConfig: LogSettings = msgspec.field(default_factory=LogSettings)
    NetworkMode: str = ""
    PortBindings: dict[str, list[PortBinding] | None] | None = None
    RestartPolicy: RestartRule = msgspec.field(default_factory=RestartRule)
    AutoRemove: bool = False
    VolumeDriver: str = ""
    VolumesFrom: list[str] | None = None
    ConsoleSize: list[int] | None = None
    Annotations: dict[str, str] | None = None
    CapAdd: Words = None
    CapDrop: Words = None
    CgroupnsMode: str = ""
    Dns: list[str] | None = None
    DnsOptions: list[str] | None = None
    DnsSearch: list[str] | None = None
    ExtraHosts: list[str] | None = None
    GroupAdd: list[str] | None = None
    IpcMode: str = ""
    Cgroup: str = ""
    Links: list[str] | None = None
    OomScoreAdj: int = 0
    PidMode: str = ""
    Privileged: bool = False
    PublishAllPorts: bool = False
    ReadonlyRootfs: bool = False
    SecurityOpt: list[str] | None = None
    StorageOpt: dict[str, str] | None = None
    Tmpfs: dict[str, str] | None = None
    UTSMode: str = ""
    UsernsMode: str = ""
    ShmSize: int = 0
    Sysctls: dict[str, str] | None = None
    Runtime: str = ""
    Isolation: str = ""
    Mounts: list[Mount] | None = None
    MaskedPaths: list[str] | None = None
    ReadonlyPaths: list[str] | None = None
    Init: bool | None = None


_SHOWN = HostSettings.__struct_fields__
_LATER = _SHOWN.index("Mounts")
_ORDER = (
    *_SHOWN[len(Resources.__struct_fields__) : _LATER],
    *Resources.__struct_fields__,
    *_SHOWN[_LATER:],
)
"""moby embeds Resources in the middle of HostConfig; whoever reads an inspect sees that order."""


def host_shown(host: HostSettings) -> dict[str, Any]:
    """``host`` as the API writes it."""
    told: dict[str, Any] = {name: msgspec.to_builtins(getattr(host, name)) for name in _ORDER}
    for name in ("Annotations", "Mounts", "StorageOpt", "Tmpfs", "Sysctls", "Init"):
        if told[name] is None:
            del told[name]
    told["ConsoleSize"] = told["ConsoleSize"] or [0, 0]
    return told


class EndpointAddresses(msgspec.Struct, omit_defaults=True):
    """Addresses that an endpoint asks for."""

    IPv4Address: str = ""
    IPv6Address: str = ""
    LinkLocalIPs: list[str] | None = None


class EndpointSettings(msgspec.Struct):
    """A container on a network: what was asked for, and what it got."""

    IPAMConfig: EndpointAddresses | None = None
    Links: list[str] | None = None
    Aliases: list[str] | None = None
    MacAddress: str = ""
    DriverOpts: dict[str, str] | None = None
    NetworkID: str = ""
    EndpointID: str = ""
    Gateway: str = ""
    IPAddress: str = ""
    IPPrefixLen: int = 0
    IPv6Gateway: str = ""
    GlobalIPv6Address: str = ""
    GlobalIPv6PrefixLen: int = 0
    DNSNames: list[str] | None = None


class Networking(msgspec.Struct):
    """The networks that a new container is on."""

    EndpointsConfig: dict[str, EndpointSettings | None] | None = None


class CreateRequest(ContainerConfig):
    """The body of ``POST /containers/create``."""

    HostConfig: HostSettings | None = None
    NetworkingConfig: Networking | None = None


def plain(request: CreateRequest) -> ContainerConfig:
    """The Config of a request by itself."""
    return ContainerConfig(
        **{name: getattr(request, name) for name in ContainerConfig.__struct_fields__}
    )
