"""Making a container: its configuration completed by the image's, its layer, its mounts.

moby ``daemon/create.go``, ``daemon/commit.go`` (merge), ``volume/mounts/linux_parser.go``.
"""

import contextlib
import posixpath
from typing import TYPE_CHECKING, Any

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, NotFound
from simulator.isolation.control.docker.engine import (
    files,
    mounts,
    populating,
    technology,
    times,
    verifying,
)
from simulator.isolation.control.docker.engine.config import (
    ContainerConfig,
    CreateRequest,
    EndpointSettings,
    HealthConfig,
    HostSettings,
    plain,
    words,
)
from simulator.isolation.control.docker.engine.container import Container, Record
from simulator.isolation.control.docker.engine.ids import new_id
from simulator.isolation.control.docker.engine.networks import PREDEFINED
from simulator.isolation.control.docker.images.store import Image
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.runtime import GapError

if TYPE_CHECKING:
    from simulator.isolation.control.docker.engine.engine import Engine

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


async def create(
    sys: Process, engine: "Engine", name: str, request: CreateRequest
) -> tuple[Container, list[str]]:
    """A new container and the warnings about it. Raises ``ApiError``."""
    host = request.HostConfig or HostSettings()
    config = plain(request)
    verifying.decoded(config, host)
    warnings = verifying.verify(config, host, engine.facts)
    verifying.verify_networks(request)
    verifying.verify_others(engine, host)
    image = _image(engine, config)
    merge(config, image)
    if not (words(config.Entrypoint) or words(config.Cmd)):
        raise BadRequest("no command specified")
    _complete(host)
    verifying.verify_log(host.LogConfig)
    technology.configured(host, "x")  # what the model can't do is refused before anything is made
    ident = await new_id(sys)
    while ident in engine.containers:
        ident = await new_id(sys)
    name = await engine.reserve_name(sys, name, ident)
    command = [*(words(config.Entrypoint) or []), *(words(config.Cmd) or [])]
    _own_hostname(engine, config, host, ident)
    record = Record(
        ID=ident,
        Name=name,
        Created=times.rfc3339(await times.now(sys)),
        Path=command[0],
        Args=command[1:],
        Config=config,
        Image=image.id if image is not None else "",
        Layers=engine.images.lower(image) if image is not None else [],
    )
    container = Container(record, host)
    try:
        await _make(sys, engine, container, request)
    except (ApiError, SysError, ValueError, GapError):
        engine.names.pop(name, None)
        for path in (container.layer, f"{container.layer}-init", container.root):
            await files.remove(sys, path)
        raise
    engine.enter(container)
    await engine.tell(sys, container, "create")
    return container, warnings


async def _make(
    sys: Process, engine: "Engine", container: Container, request: CreateRequest
) -> None:
    """What there is of it on disk. Raises ``ApiError``, ``SysError``."""
    await mounts.register(sys, engine, container)
    verifying.verify_links(engine, container.host)
    container.record.Networks = _networks(engine, container.host, request)
    await _make_layer(sys, container)
    await populating.fill_new_volumes(sys, engine, container)
    await files.make(sys, container.root, 0o710)
    await engine.save_host(sys, container)
    await engine.save(sys, container)


def _own_hostname(
    engine: "Engine", config: ContainerConfig, host: HostSettings, ident: str
) -> None:
    """That of the container whose network it shares, or else the beginning of its id."""
    if host.NetworkMode.startswith("container:"):
        with contextlib.suppress(NotFound):  # its start says so
            config.Hostname = engine.find(host.NetworkMode.partition(":")[2]).config.Hostname
    if not config.Hostname and host.NetworkMode != "host" and host.UTSMode != "host":
        config.Hostname = ident[:12]


def _image(engine: "Engine", config: ContainerConfig) -> Image | None:
    if not config.Image:
        raise BadRequest("no image specified")
    try:
        return engine.images.find(config.Image)
    except NotFound as error:
        raise NotFound(error.message) from None


def merge(config: ContainerConfig, image: Image | None) -> None:
    """What the container's configuration leaves out is the image's (moby ``commit.go``)."""
    base: dict[str, Any] = dict(image.run_config) if image is not None else {}
    if not config.User:
        config.User = base.get("User") or ""
    config.ExposedPorts = {
        **(base.get("ExposedPorts") or {}),
        **(config.ExposedPorts or {}),
    } or None
    own = {pair.partition("=")[0] for pair in config.Env or []}
    below: list[str] = base.get("Env") or []
    inherited = [one for one in below if one.partition("=")[0] not in own]
    config.Env = [*(config.Env or []), *inherited]
    config.Labels = {**(base.get("Labels") or {}), **(config.Labels or {})}
    if not words(config.Entrypoint):
        if not words(config.Cmd):
            config.Cmd = words(base.get("Cmd"))
        if config.Entrypoint is None:
            config.Entrypoint = words(base.get("Entrypoint"))
    if config.Entrypoint == [""] or config.Entrypoint == "":
        config.Entrypoint = None
    config.Cmd, config.Entrypoint = words(config.Cmd), words(config.Entrypoint)
    config.Shell = words(config.Shell)
    config.Healthcheck = _health(config.Healthcheck, base.get("Healthcheck"))
    if not config.WorkingDir:
        config.WorkingDir = base.get("WorkingDir") or ""
    config.Volumes = {**(base.get("Volumes") or {}), **(config.Volumes or {})} or None
    if not config.StopSignal:
        config.StopSignal = base.get("StopSignal") or ""
    if not any(pair.startswith("PATH=") for pair in config.Env):
        config.Env.append(PATH)


def _health(own: HealthConfig | None, base: dict[str, Any] | None) -> HealthConfig | None:
    if base is None:
        return own
    inherited = HealthConfig(
        **{k: v for k, v in base.items() if k in HealthConfig.__struct_fields__}
    )
    if own is None:
        return inherited
    for field in HealthConfig.__struct_fields__:
        if not getattr(own, field):
            setattr(own, field, getattr(inherited, field))
    return own


def _complete(host: HostSettings) -> None:
    """adaptContainerSettings() and the daemon's defaults."""
    host.RestartPolicy.Name = host.RestartPolicy.Name or "no"
    host.LogConfig.Type = host.LogConfig.Type or "json-file"
    host.LogConfig.Config = host.LogConfig.Config or {}
    host.NetworkMode = "bridge" if host.NetworkMode in ("", "default") else host.NetworkMode
    host.IpcMode = host.IpcMode or "private"
    host.CgroupnsMode = host.CgroupnsMode or ("host" if host.Privileged else "private")
    host.Runtime = host.Runtime or "runc"
    host.ShmSize = host.ShmSize or 64 << 20
    host.ConsoleSize = host.ConsoleSize or [0, 0]
    if host.Memory > 0 and host.MemorySwap == 0:
        host.MemorySwap = host.Memory * 2
    if host.PidsLimit is not None and host.PidsLimit <= 0:
        host.PidsLimit = None
    if host.OomKillDisable is None:
        host.OomKillDisable = False
    if host.MaskedPaths is None:
        host.MaskedPaths = [] if host.Privileged else list(_MASKED)
    if host.ReadonlyPaths is None:
        host.ReadonlyPaths = [] if host.Privileged else list(_READONLY)


_MASKED = (
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys",
    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
    "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
)  # fmt: skip
_READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def _networks(
    engine: "Engine", host: HostSettings, request: CreateRequest
) -> dict[str, EndpointSettings]:
    """The networks that it will be on, by name; one that is not there is missed at its start."""
    mode = host.NetworkMode
    asked = (request.NetworkingConfig and request.NetworkingConfig.EndpointsConfig) or {}
    if mode.startswith("container:"):
        return {}
    main = _network(engine, mode)
    wanted = dict(asked)
    if not {mode, main[0], main[1]} & wanted.keys() and (mode != "bridge" or not wanted):
        # else the networks that were asked for take the place of the default one
        wanted = {mode: None, **wanted}
    found: dict[str, EndpointSettings] = {}
    for term, settings in wanted.items():
        name = _network(engine, "bridge" if term == "default" else term)[0]
        made = settings or EndpointSettings()
        if name not in PREDEFINED and term == mode and host.Links:
            made.Links = [*(made.Links or []), *host.Links]
        found[name] = made
    return found


def _network(engine: "Engine", term: str) -> tuple[str, str]:
    """Its name and id, as far as it is there."""
    try:
        network = engine.networks.find(term)
    except NotFound:
        return term, ""
    return network.Name, network.Id


async def _make_layer(sys: Process, container: Container) -> None:
    """The container's own layer, and below it the one with Docker's own files (``ID-init``).

    Raises ``ApiError``.
    """
    if container.host.StorageOpt:
        raise ApiError(
            "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"
        )
    init = f"{container.layer}-init/diff"
    for path in (container.layer, f"{container.layer}-init"):
        await sys.call("mkdir", path, 0o710)
    for name in ("/diff", "/work", "/merged"):
        await sys.call("mkdir", container.layer + name, 0o755)
    for name in ("", "/dev", "/dev/pts", "/dev/shm", "/etc", "/proc", "/sys"):
        await sys.call("mkdir", init + name, 0o755)
    for name in ("/.dockerenv", "/dev/console", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"):
        await sys.call("mknod", init + name, 0o100755, 0)
    await sys.call("symlink", "/proc/mounts", f"{init}/etc/mtab")
    container.record.Layers = [init, *container.record.Layers]


def working_directory(container: Container) -> str:
    """Cleaned; ``/`` when none is set."""
    return posixpath.normpath(container.config.WorkingDir or "/")
