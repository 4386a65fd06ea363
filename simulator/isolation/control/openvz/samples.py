"""The files that vzctl brings: /etc/vz/vz.conf and the sample configurations.

Source: vzctl etc/vz.conf.in and etc/conf/, without their comments.
"""

from simulator.isolation.technologies.options import openvz_samples as defaults

VZ_CONF = """## Global parameters
VIRTUOZZO=yes
LOCKDIR=/var/lib/vz/lock
DUMPDIR=/var/lib/vz/dump
VE0CPUUNITS=1000
VE_STOP_MODE=suspend

## Logging parameters
LOGGING=yes
LOGFILE=/var/log/vzctl.log
LOG_LEVEL=0
VERBOSE=0

## Disk quota parameters
DISK_QUOTA=yes

## Template parameters
TEMPLATE=/var/lib/vz/template

## Defaults for containers
VE_ROOT=/var/lib/vz/root/$VEID
VE_PRIVATE=/var/lib/vz/private/$VEID
CONFIGFILE="vswap-256m"
DEF_OSTEMPLATE="centos-6-x86"
VE_LAYOUT=simfs
"""

_UNLIMITED = 9223372036854775807
_DISK = (
    'DISKSPACE="2G:2.2G"',
    'DISKINODES="131072:144179"',
    'QUOTATIME="0"',
    'CPUUNITS="1000"',
    'NETFILTER="stateless"',
)
_DERIVED = frozenset(("lockedpages", "oomguarpages", "vmguarpages"))


def word(value: int) -> str:
    """A limit as the files have it."""
    return "unlimited" if value >= _UNLIMITED else str(value)


def _sample(name: str) -> str:
    limits = defaults.SAMPLES[name]
    vswap = name.startswith("vswap")
    lines = [
        f'{resource.upper()}="{word(low)}:{word(high)}"'
        for resource, (low, high) in limits
        if not (vswap and resource in _DERIVED)
    ]
    return "".join(f"{line}\n" for line in (*lines, *_DISK))


FILES: tuple[tuple[str, int, str], ...] = (
    ("/etc/vz/vz.conf", 0o644, VZ_CONF),
    ("/var/lib/vz/template/cache/centos-6-x86.tar.gz", 0o644, "an OS template\n"),
    ("/var/lib/vz/template/cache/debian-7.0-x86.tar.gz", 0o644, "an OS template\n"),
    *((f"/etc/vz/conf/ve-{name}.conf-sample", 0o644, _sample(name)) for name in defaults.SAMPLES),
)
