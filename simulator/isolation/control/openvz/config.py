"""A container's file, /etc/vz/conf/CTID.conf: shell assignments, read into the words of vzctl set.

Source: ctid.conf(5), vzctl src/lib/config.c.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from simulator.isolation.control import files
from simulator.isolation.control.openvz.samples import word
from simulator.isolation.mechanisms.beancounters import UNLIMITED, Beancounters
from simulator.isolation.technologies import openvz
from simulator.isolation.technologies.base import SpecError, Technology, change, drop, put
from simulator.isolation.technologies.options import openvz as options
from simulator.isolation.technologies.options.openvz import BYTES, PAGES, PIECES
from simulator.isolation.technologies.options.openvz_samples import vswap
from simulator.machine.userland.process import SysError

if TYPE_CHECKING:
    from simulator.machine.userland.process import Process

DIRECTORY = "/etc/vz/conf"
GLOBAL = "/etc/vz/vz.conf"
DUMPS = "/var/lib/vz/dump"
LARGEST = 2_147_483_644
"""VEID_MAX."""

_ASSIGNMENT = re.compile(r'^\s*([A-Z_0-9]+)=("?)(.*?)\2\s*(?:#.*)?$')
_RESOURCES = frozenset(name.upper() for name in PAGES | BYTES | PIECES)
_WORDS = {
    "CAPABILITY": "--capability",
    "FEATURES": "--features",
    "DISKSPACE": "--diskspace",
    "DISKINODES": "--diskinodes",
    "DISK_QUOTA": "--diskquota",
    "CPUUNITS": "--cpuunits",
    "CPULIMIT": "--cpulimit",
    "CPUS": "--cpus",
    "HOSTNAME": "--hostname",
    "NETFILTER": "--netfilter",
    "MEMINFO": "--meminfo",
    "DEVICES": "--devices",
    "DEVNODES": "--devnodes",
    "IP_ADDRESS": "--ipadd",
    "NETIF": "--netif_add",
}
"""Names of the file and the parameter of ``vzctl set`` that each is."""
_MANY = frozenset(("CAPABILITY", "FEATURES", "DEVICES", "DEVNODES", "IP_ADDRESS", "NETIF"))
"""Those that hold several values, with blanks or semicolons between them."""


class Container(msgspec.Struct, frozen=True):
    """A container as its file, over the global one, describes it."""

    veid: int
    own: Mapping[str, str]
    defaults: Mapping[str, str]

    def get(self, name: str, default: str = "") -> str:
        """A value, with ``$VEID`` filled in."""
        found = self.own.get(name, self.defaults.get(name, default))
        return re.sub(r"\$\{?VEID\}?", str(self.veid), found)

    @property
    def root(self) -> str:
        """VE_ROOT, where the container is mounted."""
        return self.get("VE_ROOT")

    @property
    def private(self) -> str:
        """VE_PRIVATE, where its files are."""
        return self.get("VE_PRIVATE")

    @property
    def dump(self) -> str:
        """Where ``vzctl suspend`` leaves it."""
        return f"{self.get('DUMPDIR', DUMPS)}/Dump.{self.veid}"


def path_of(veid: int) -> str:
    """The container's file."""
    return f"{DIRECTORY}/{veid}.conf"


def parse(text: str) -> dict[str, str]:
    """Assignments, the last of each name."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _ASSIGNMENT.match(line)
        if match is not None:
            found[match[1]] = match[3]
    return found


def spell(values: Mapping[str, str]) -> str:
    """Assignments as vzctl writes them."""
    return "".join(f'{name}="{value}"\n' for name, value in values.items())


async def load(sys: "Process", veid: int) -> Container | None:
    """The container of this number; None when it has no file."""
    defaults = parse(await sys.text_or_empty(GLOBAL))
    try:
        own = parse(await sys.text(path_of(veid)))
    except SysError:
        return None
    return Container(veid, own, defaults)


async def save(sys: "Process", veid: int, values: Mapping[str, str]) -> None:
    """Write the container's file."""
    await files.write(sys, path_of(veid), spell(values))


async def known(sys: "Process") -> list[int]:
    """The numbers of all containers that have a file."""
    names = [name.removesuffix(".conf") for name in await sys.names(DIRECTORY)]
    return sorted(int(name) for name in names if name.isdigit() and name != "0")


async def checked(sys: "Process", container: Container) -> Container:
    """vps_parse_config(): a value that can't be read is warned of and left out."""
    path = path_of(container.veid)
    lines = (await sys.text_or_empty(path)).splitlines()
    own = dict(container.own)
    for name, value in container.own.items():
        try:
            options.read(openvz.TECHNOLOGY, words({name: value}))
        except SpecError:
            number = next((n for n, line in enumerate(lines, 1) if line.startswith(name)), 0)
            text = f'invalid value for {name} ("{value}"), skipped'
            await sys.err(f"Warning at {path}:{number}: {text}\n")
            del own[name]
    return msgspec.structs.replace(container, own=own)


def words(values: Mapping[str, str]) -> list[str]:
    """The file as parameters of ``vzctl set``."""
    found: list[str] = []
    for name, value in values.items():
        option = f"--{name.lower()}" if name in _RESOURCES else _WORDS.get(name)
        if option is None or not value:
            continue
        parts = re.split(r"[\s;]+", value) if name in _MANY else [value]
        for part in filter(None, parts):
            found += [option, _interface(part) if name == "NETIF" else part]
    return found


def _interface(text: str) -> str:
    """``ifname=eth0,mac=...`` of the file is ``eth0,...`` on the command line."""
    return text.removeprefix("ifname=")


def technology(container: Container, release: str = "") -> Technology:
    """What ``vzctl start`` launches. Raises ``SpecError`` for a file that can't be read."""
    base = openvz.TECHNOLOGY
    for era in base.eras:
        base = era if era.release == release else base
    base = put(options.read(base, ["--ipdel", "all"]), Beancounters())
    changed = options.read(base, [*words(container.own), "--ctid", str(container.veid)])
    changed = put(changed, _filled(changed))
    changed = options.read(changed, ["--root", container.root])
    image = msgspec.structs.replace(changed.image, root=container.private)
    return change(drop(changed, "ve-config"), image=image)


def _filled(changed: Technology) -> Beancounters:
    """fill_vswap_ub(): where physpages is limited, the secondary limits follow it."""
    counters = options.of(changed, Beancounters)
    limits = dict(counters.limits)
    ram = limits.get("physpages", (0, UNLIMITED))[1]
    if ram >= UNLIMITED:
        return counters
    swap = limits.get("swappages", (0, 0))[1]
    return Beancounters(vswap(ram, swap, counters.limits))


def saved(option: str, value: str) -> tuple[str, str] | None:
    """The assignment that ``--save`` writes for a parameter: a name and how it is spelt."""
    name = option.removeprefix("--").upper()
    if name in _RESOURCES:
        lower = name.lower()
        divisor = 4096 if lower in PAGES else 1 if lower in BYTES else 0
        low, high = options.pair(value, divisor)
        if lower in ("physpages", "swappages") and ":" not in value:
            low = 0
        return name, f"{word(low)}:{word(high)}"
    if option == "--ram":
        return "PHYSPAGES", f"0:{word(options.amount(value, 4096))}"
    if option == "--swap":
        return "SWAPPAGES", f"0:{word(options.amount(value, 4096))}"
    for key, known_option in _WORDS.items():
        if known_option == option:
            return key, value
    return None
