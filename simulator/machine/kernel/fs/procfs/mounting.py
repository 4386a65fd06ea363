"""Mounting procfs: whose pids it shows, and what hidepid= hides. fs/proc/root.c."""

from typing import TYPE_CHECKING

from simulator.machine.abi.ids import NsId, SuperblockId
from simulator.machine.kernel.fs import options, stored
from simulator.machine.kernel.fs.registry import FilesystemType
from simulator.machine.kernel.namespace import PidNs
from simulator.machine.kernel.vfs.inode import Superblock

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

_HIDEPID = {"off": 0, "noaccess": 1, "invisible": 2, "ptraceable": 4}
_WORDS = {value: word for word, value in _HIDEPID.items()}


def _parse(trap: "Trap", text: str) -> dict[str, object]:
    wish: dict[str, object] = {}
    for key, value in options.split(text):
        match key:
            case "hidepid":
                number = _HIDEPID.get(value or "")
                number = options.number(trap, value) if number is None else number
                if number not in _WORDS:
                    options.refuse(trap)
                wish["hidepid"] = number
            case "gid":
                wish["gid"] = options.number(trap, value)
            case "subset" if value == "pid":
                wish["subset"] = "pid"
            case _:
                options.refuse(trap)
    return wish


def _check(trap: "Trap", text: str) -> None:
    _parse(trap, text)


def _spell(wish: dict[str, object]) -> str:
    """proc_show_options()."""
    words: list[str] = []
    if wish.get("gid"):
        words.append(f"gid={wish['gid']}")
    if wish.get("hidepid"):
        words.append(f"hidepid={_WORDS[wish['hidepid']]}")  # pyright: ignore[reportArgumentType]
    if wish.get("subset"):
        words.append("subset=pid")
    return ",".join(words)


def _make(trap: "Trap", source: str, text: str) -> Superblock:
    store = trap.store
    wish = _parse(trap, text)
    number = SuperblockId(store.new_id(Superblock))
    pid_ns = trap.task.ns.pid
    return stored.put_superblock(
        store,
        Superblock(
            id=number,
            fstype="proc",
            source=source,
            root=("proc", number),
            options=_spell(wish),
            owner=store.row(PidNs, pid_ns).owner,
            pid_ns=pid_ns,
            data=wish,
            domain=trap.task.domain,
        ),
    )


def _owner(trap: "Trap") -> NsId:
    return trap.store.row(PidNs, trap.task.ns.pid).owner


PROC = FilesystemType(
    name="proc", make=_make, userns_mount=True, owner=_owner, check=_check, may_reveal=True
)
