"""The daemon's configuration: config/linux.yml of Warden, read line by line."""

import msgspec

from simulator.isolation.technologies.defaults import warden as defaults
from simulator.machine.userland.process import Process

PATH = "/etc/warden/linux.yml"

LINUX_YML = f"""---
server:
  container_klass: Warden::Container::Linux
  container_grace_time: 300
  unix_domain_path: /tmp/warden.sock
  unix_domain_permissions: 0777
  container_rootfs_path: {defaults.ROOTFS}
  container_depot_path: {defaults.DEPOT}
  container_rlimits:
    as: 4294967296
    nofile: 8192
    nproc: 512
  job_output_limit: 10485760
  quota:
    disk_quota_enabled: false
  allow_nested_warden: false

network:
  pool_start_address: 10.254.0.0
  pool_size: 256

user:
  pool_start_uid: 10000
  pool_size: 256
"""
"""As in Warden's repository, save that disk quotas by user, which the model lacks, are off."""


_RLIMITS = {name: most for name, (_number, most) in defaults.LIMITS.items()}


class Config(msgspec.Struct, frozen=True):
    """What of the file the daemon uses."""

    socket: str = "/tmp/warden.sock"
    mode: int = 0o777
    rootfs: str = defaults.ROOTFS
    depot: str = defaults.DEPOT
    grace_time: int | None = 300
    rlimits: dict[str, int] = msgspec.field(default_factory=lambda: dict(_RLIMITS))
    pool: str = "10.254.0.0"
    first_uid: int = 10_000
    nested: bool = False


async def load(sys: Process, path: str) -> Config:
    """The file's settings over the defaults. Raises ``SysError`` where it can't be read."""
    given: dict[str, str] = {}
    for line in (await sys.text(path)).splitlines():
        key, colon, value = line.partition(":")
        if colon and value.strip():
            given[key.strip()] = value.strip()
    base = Config()
    grace = given.get("container_grace_time", "300")
    return Config(
        socket=given.get("unix_domain_path", base.socket),
        mode=int(given.get("unix_domain_permissions", "0777"), 8),
        rootfs=given.get("container_rootfs_path", base.rootfs),
        depot=given.get("container_depot_path", base.depot),
        grace_time=None if grace == "~" else int(grace),
        rlimits={name: int(given.get(name, most)) for name, most in base.rlimits.items()},
        pool=given.get("pool_start_address", base.pool),
        first_uid=int(given.get("pool_start_uid", base.first_uid)),
        nested=given.get("allow_nested_warden") == "true",
    )
