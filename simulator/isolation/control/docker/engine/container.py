"""A container's record, as it is kept in ``config.v2.json`` and ``hostconfig.json``."""

from typing import Any

import msgspec

from simulator.isolation.control.docker.engine.config import (
    ContainerConfig,
    EndpointSettings,
    HostSettings,
)
from simulator.isolation.control.docker.engine.files import Kept
from simulator.isolation.control.docker.engine.streams import Streams
from simulator.isolation.control.docker.engine.sync import Bell, Lock

NEVER = "0001-01-01T00:00:00Z"


class HealthResult(msgspec.Struct):
    """What one probe said."""

    Start: str
    End: str
    ExitCode: int
    Output: str


class HealthState(msgspec.Struct):
    """``starting``, ``healthy`` or ``unhealthy``, and the last probes."""

    Status: str = "starting"
    FailingStreak: int = 0
    Log: list[HealthResult] = []


class ContainerState(msgspec.Struct):
    """The life of a container: moby container.State. Times are RFC 3339."""

    Running: bool = False
    Paused: bool = False
    Restarting: bool = False
    OOMKilled: bool = False
    RemovalInProgress: bool = False
    Dead: bool = False
    Pid: int = 0
    ExitCode: int = 0
    Error: str = ""
    StartedAt: str = NEVER
    FinishedAt: str = NEVER
    Health: HealthState | None = None

    @property
    def status(self) -> str:
        """One word (moby State.StateString)."""
        if self.Running:
            return "paused" if self.Paused else "restarting" if self.Restarting else "running"
        if self.RemovalInProgress:
            return "removing"
        if self.Dead:
            return "dead"
        return "created" if self.StartedAt == NEVER else "exited"


class MountPoint(msgspec.Struct):
    """Something mounted into a container: what inspect lists, and where it really is."""

    Type: str = "bind"
    Name: str = ""
    Source: str = ""
    Destination: str = ""
    Driver: str = ""
    Mode: str = ""
    RW: bool = True
    Propagation: str = ""
    Subpath: str = ""
    """Of a volume: the part of it that is mounted."""

    @property
    def place(self) -> str:
        """What is mounted, on the host."""
        return f"{self.Source}/{self.Subpath}" if self.Subpath else self.Source


class Record(msgspec.Struct):
    """What outlives the daemon."""

    ID: str
    Name: str
    Created: str
    Path: str
    Args: list[str]
    Config: ContainerConfig
    Image: str
    ImageName: str = ""
    State: ContainerState = msgspec.field(default_factory=ContainerState)
    Networks: dict[str, EndpointSettings] = {}
    Mounts: list[MountPoint] = []
    Layers: list[str] = []
    RestartCount: int = 0
    HasBeenManuallyStopped: bool = False
    Ports: dict[str, list[dict[str, str]] | None] = {}


class Container:
    """A container that the daemon knows: its record, and what lives only while it runs."""

    def __init__(self, record: Record, host: HostSettings) -> None:
        self.record = record
        self.host = host
        self.lock = Lock()
        self.kept = Kept()
        self.kept_host = Kept()
        self.changed = Bell()
        """Rung when its state changes: starts, exits, is removed."""
        self.streams = Streams()
        """The kernel's number of its first process, for driving calls."""
        self.removed = False
        self.stranger = False
        """Launched by another hand: the daemon is not its parent (``strangers.py``)."""
        self.stat = -1
        """A stranger's /proc/PID/stat, once it was looked at."""
        self.stopping = False
        """Somebody asked for its end, so no restart policy brings it back."""
        self.delay = 0
        """Nanoseconds before its policy starts it the next time, 0 for the first time."""
        self.execs: list[str] = []
        self.generation = 0
        """Counts its starts."""
        self.proxies: list[int] = []
        self.port_rules: list[dict[str, Any]] = []
        """What is in the host's packet filter for its published ports."""
        self.oom_watch: tuple[int, int] = (0, -1)
        """The worker that is told of its OOMs, and the descriptor that tells it."""
        self.ooms = 0
        """How often the OOM killer has ended something in it since its start."""
        self.oom_lock = Lock()
        self.resolver: tuple[int, int] = (0, -1)
        """The worker that answers its questions for names, and its socket."""

    @property
    def id(self) -> str:
        """64 hexadecimal digits."""
        return self.record.ID

    @property
    def name(self) -> str:
        """Its name, without a slash."""
        return self.record.Name

    @property
    def state(self) -> ContainerState:
        """How it is."""
        return self.record.State

    @property
    def config(self) -> ContainerConfig:
        """What it runs."""
        return self.record.Config

    @property
    def root(self) -> str:
        """The daemon's directory about it."""
        return f"/var/lib/docker/containers/{self.id}"

    @property
    def layer(self) -> str:
        """The directory of its own layer."""
        return f"/var/lib/docker/overlay2/{self.id}"

    @property
    def log_path(self) -> str:
        """What it printed (the json-file driver)."""
        return f"{self.root}/{self.id}-json.log"
