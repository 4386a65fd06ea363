"""A guest's configuration as the tools find it in the file system, and the technology it means."""

import posixpath
import shlex

import msgspec

from simulator.isolation.control.vserver import kernel
from simulator.isolation.mechanisms.network_context import NetworkContext
from simulator.isolation.technologies import vserver as product
from simulator.isolation.technologies.base import Technology, change, put
from simulator.isolation.technologies.options import vserver as options
from simulator.isolation.technologies.options import vserver_legacy as legacy
from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from simulator.machine.userland.process import Process, SysError

CONFDIR, RUNDIR, DEFAULT_BASE = "/etc/vservers", "/var/run/vservers", "/vservers"


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """A guest that is configured: its directory (or file) of settings, and where its files are."""

    name: str
    confdir: str
    vdir: str
    context: int
    address: str = ""
    old: bool = False

    @property
    def run(self) -> str:
        """The file that holds the number of the running context."""
        return f"{RUNDIR}/{self.name}.ctx" if self.old else f"{RUNDIR}/{self.name}"


async def find(sys: Process, name: str) -> Guest | None:
    """The guest called ``name``; None when nothing is configured under it."""
    name = name.rstrip("/")
    if await kernel.is_new(sys):
        return await _of_directory(sys, name)
    return await _of_file(sys, name)


async def configured(sys: Process) -> list[Guest]:
    """Every guest of the host, by name."""
    new = await kernel.is_new(sys)
    names = [
        word if new else word.removesuffix(".conf")
        for word in sorted(await sys.names(CONFDIR))
        if not word.startswith(".") and (new or word.endswith(".conf"))
    ]
    found = [await find(sys, name) for name in names]
    return [one for one in found if one is not None]


async def _line(sys: Process, path: str, default: str = "") -> str:
    return (await sys.text_or_empty(path)).strip() or default


async def _of_directory(sys: Process, name: str) -> Guest | None:
    confdir = name if name.startswith("/") else f"{CONFDIR}/{name}"
    if not await is_directory(sys, confdir):
        return None
    name = posixpath.basename(confdir)
    base = await _line(sys, f"{confdir}/vdirbase", DEFAULT_BASE)
    number = await _line(sys, f"{confdir}/context", "0")
    return Guest(
        name=name,
        confdir=confdir,
        vdir=f"{base}/{name}",
        context=int(number) if number.isdigit() else 0,
        address=await _line(sys, f"{confdir}/interfaces/0/ip"),
    )


async def _of_file(sys: Process, name: str) -> Guest | None:
    path = f"{CONFDIR}/{name}.conf"
    if not await sys.succeeds("stat", path):
        return None
    variables = dict(await old_settings(sys, path))
    number = variables.get("S_CONTEXT", "0")
    base = "/srv" if await is_directory(sys, f"/srv/{name}") else DEFAULT_BASE
    return Guest(
        name=name,
        confdir=path,
        vdir=f"{base}/{name}",
        context=int(number) if number.isdigit() else 0,
        address=variables.get("IPROOT", ""),
        old=True,
    )


async def old_settings(sys: Process, path: str) -> list[tuple[str, str]]:
    """The variables of NAME.conf, in order, as the shell would read them."""
    found: list[tuple[str, str]] = []
    for number, line in enumerate((await sys.text(path)).splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            quote = "'" if "'" in line else '"'
            text = f"unexpected EOF while looking for matching `{quote}'"
            await sys.err(f"{path}: line {number}: {text}\n")
            break
        for word in words:
            name, equals, value = word.partition("=")
            if equals:
                found.append((name, value))
    return found


async def is_directory(sys: Process, path: str) -> bool:
    """Whether there is a directory at ``path``."""
    try:
        return (await sys.stat(path))["mode"] & S_IFMT == S_IFDIR
    except SysError:
        return False


async def settings(sys: Process, above: str, below: str = "") -> list[tuple[str, str]]:
    """Every file of a configuration directory as (name below it, content)."""
    found: list[tuple[str, str]] = []
    for name in sorted(await sys.names(posixpath.join(above, below))):
        inner = posixpath.join(below, name)
        path = posixpath.join(above, inner)
        if await is_directory(sys, path):
            if inner not in ("vdir", "run"):
                found += await settings(sys, above, inner)
        else:
            found.append((inner, await sys.text_or_empty(path)))
    return found


async def technology(sys: Process, guest: Guest) -> Technology:
    """What a start of ``guest`` is: the product's defaults changed by its files.

    Raises ``SpecError`` for a value that no file of util-vserver may have.
    """
    if guest.old:
        wanted = product.TECHNOLOGY.eras[0]
        words = [f"{name}={value}" for name, value in await old_settings(sys, guest.confdir)]
        known = [word for word in words if word.partition("=")[0] in legacy.TABLE]
        wanted = legacy.read(wanted, known)
    else:
        wanted = put(product.TECHNOLOGY, NetworkContext(addresses=()))
        wanted = options.setting(wanted, "context", str(guest.context))
        for name, content in await settings(sys, guest.confdir):
            if options.is_setting(name):
                wanted = options.setting(wanted, name, content.strip())
    image = msgspec.structs.replace(wanted.image, root=guest.vdir)
    return change(wanted, image=image)
