"""vserver(2), the one system call of Linux-VServer's 2.6 patch: a command, an id and a structure.

Structures are dictionaries with the kernel's field names, lists of flags lists of util-vserver's
words. Source: kernel/vserver/{switch,context,network,space,cvirt,limit,signal}.c (vs2.3).
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel import clock, log, pids
from simulator.machine.kernel import signal as signals
from simulator.machine.kernel import vserver as vx
from simulator.machine.kernel.context import LIFTED, Context
from simulator.machine.kernel.cred import capability
from simulator.machine.kernel.net import address as ip
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux_vserver
from simulator.machine.syscalls.vserver_commands import BY_NUMBER, COMMANDS, Command

CAP_CONTEXT = 1 << 63
"""The capability that opens this call at all; only a set with every bit has it."""
EVERY_CAPABILITY = (1 << 64) - 1
CITE = "kernel/vserver/switch.c do_vserver()"

Handler = Callable[[Trap, int, Context | None, Mapping[str, Any]], Result | int]


@linux_vserver("vserver", partial="structures are dictionaries")
def vserver(trap: Trap, command: Any, ident: int = 0, data: Any = None) -> Result | int:
    """vserver(2): ENOSYS EPERM ESRCH EACCES, then what the command says."""
    one = COMMANDS.get(command) if isinstance(command, str) else BY_NUMBER.get(command)
    if one is None:
        trap.fail(Errno.ENOSYS, N_("vserver has no such command."), CITE)
    _need_capabilities(trap, one)
    if one.name in _SPECTATES and ident == vx.SPECTATOR:
        return _spectate(trap, one.of)
    row = _permitted(trap, one, ident)
    handler = HANDLERS.get(one.name)
    if handler is None:
        raise NotModelled(f"vserver: {one.name}")
    return handler(trap, ident, row, _fields(data))


def _need_capabilities(trap: Trap, one: Command) -> None:
    """CAP_CONTEXT, without which the call is not even there, SYS_ADMIN and SYS_RESOURCE."""
    row = vx.of(trap)
    masked = vx.is_guest(row) and not vx.has_flag(row, vx.STATE_SETUP)
    if not trap.cred.effective & capability("SYS_ADMIN") or (
        masked and not vx.count(row, "bcaps") & CAP_CONTEXT
    ):
        trap.deny(
            Errno.ENOSYS,
            "bounding-set",
            N_("Without CAP_CONTEXT the call is as if it were not there."),
            CITE,
        )
    if one.level > 1:
        trap.need(Privilege.NAMESPACE)
    if "ARES" in one.needs:
        trap.need(Privilege.RESOURCE_RAISE)


_SPECTATES = ("VCMD_ctx_migrate", "VCMD_net_migrate")


def _spectate(trap: Trap, kind: str) -> int:
    row = vx.spectator(trap, kind)
    trap.update(**{"context" if kind == vx.XID else "net_context": row.id})
    return 1


def _permitted(trap: Trap, one: Command, ident: int) -> Context | None:
    """Commands for administrators are the host's, or a context's that sets itself up."""
    mine = vx.of(trap)
    if one.needs & {"ADMIN", "ARES"} and mine.number != vx.HOST:
        setting_up = vx.has_flag(mine, vx.STATE_SETUP)
        if not ("SETUP" in one.needs and setting_up):
            trap.deny(
                Errno.EPERM,
                "context-visibility",
                N_("Contexts are administered from the host's context only."),
                CITE,
            )
    if not one.of:
        return None
    row = vx.lookup(trap.store, one.of, ident)
    if row is None:
        trap.fail(Errno.ESRCH, N_("No context has this number."), CITE)
    administered = one.needs & {"ADMIN", "ARES"} and one.name != "VCMD_ctx_kill"
    if administered and not vx.has_flag(row, vx.STATE_ADMIN):
        trap.fail(Errno.EACCES, N_("The context may not be administered any more."), CITE)
    return row


_NUMBERS = (
    "bcaps", "bmask", "maximum", "softlimit", "pid", "sig", "space_total", "inodes_total",
)  # fmt: skip
_WORDS = ("flagword", "mask", "ccaps", "cmask", "ncaps", "flags")


def _fields(data: Any) -> Mapping[str, Any]:
    """A command's structure; NULL is an empty one."""
    if not isinstance(data, Mapping):
        return {}
    found = cast("Mapping[str, Any]", data)
    decode.need_numbers(found, _NUMBERS, "vserver(2)'s structure")
    for name in _WORDS:
        if not isinstance(found.get(name, ""), (str, list, tuple)):
            raise NotModelled(f"{name} of vserver(2)'s structure is a list of words")
    return found


def _words(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    given = data.get(name, ())
    return (given,) if isinstance(given, str) else tuple(map(str, given))


def _lifted(data: Mapping[str, Any]) -> dict[str, int]:
    """Rules that the model leaves out of a context, for which the kernel has no switch."""
    return {LIFTED + name: 1 for name in _words(data, "@without")}


def _need_number(trap: Trap, kind: str, ident: int) -> None:
    if not 1 < ident <= vx.HIGHEST:
        trap.fail(Errno.EINVAL, N_("Contexts that can be made are numbered from 2."), CITE)
    if vx.lookup(trap.store, kind, ident) is not None:
        trap.fail(Errno.EEXIST, N_("A context already has this number."), CITE)


def _ctx_create(trap: Trap, ident: int, row: None, data: Mapping[str, Any]) -> int:
    """vc_ctx_create(): EEXIST EINVAL. The caller is in the context from now on."""
    del row
    _need_number(trap, vx.XID, ident)
    made = vx.create(
        trap,
        vx.XID,
        ident,
        flags=_words(data, "flagword") or vx.INIT_SET,
        bcaps=EVERY_CAPABILITY,
        ccaps=(),
        created=clock.monotonic(trap.store),
        **_lifted(data),
    )
    trap.store.put(log.KernelLog(id=int(made.id), lines=(), domain=trap.task.domain))
    trap.update(context=made.id)
    return ident


def _ctx_migrate(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vc_ctx_migrate(): EACCES for a private context."""
    del ident
    if vx.has_flag(row, "private") and not vx.has_flag(row, vx.STATE_SETUP):
        trap.deny(
            Errno.EACCES,
            "context-visibility",
            N_("The context is private: nobody may join it."),
            "kernel/vserver/context.c vx_migrate_task()",
        )
    trap.update(context=row.id)
    if "set_init" in _words(data, "flagword"):
        _become_init(trap, row)
    return 0


def _become_init(trap: Trap, row: Context) -> None:
    """vx_set_init(): the caller is what the context's processes call pid 1."""
    flags = tuple(word for word in vx.words(row, "flags") if word != vx.STATE_INIT)
    row = vx.put(trap.store, row, flags=flags, initpid=int(trap.task.id))
    if "fakeinit" in flags:
        trap.store.put(msgspec.structs.replace(row, init=trap.task.id))


def _net_create(trap: Trap, ident: int, row: None, data: Mapping[str, Any]) -> int:
    """vc_net_create(): the caller's network is this context's from now on."""
    del row
    _need_number(trap, vx.NID, ident)
    flags = _words(data, "flagword") or ("state_setup", "state_admin", "lback_remap", "hide_lback")
    made = vx.create(trap, vx.NID, ident, flags=flags, ncaps=(), **_lifted(data))
    # __alloc_nx_info(): CONFIG_VSERVER_AUTO_LBACK gives each context a loopback address
    own = f"127.{ident >> 8}.{ident & 0xFF}.1"
    trap.store.put(msgspec.structs.replace(made, loopback=own))
    trap.update(net_context=made.id)
    return ident


def _net_migrate(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vc_net_migrate()."""
    del ident, data
    trap.update(net_context=row.id)
    return 0


def _net_add(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vc_net_add(): an address, or the loopback address; EINVAL."""
    del ident
    text, kind = str(data.get("ip", "")), str(data.get("type", "IPV4"))
    if ip.parse(text) is None:
        trap.fail(Errno.EINVAL, N_("This is no internet address."), CITE)
    if "LBACK" in kind:
        trap.store.put(msgspec.structs.replace(row, loopback=text))
    else:
        addresses = tuple(dict.fromkeys((*row.addresses, text)))
        trap.store.put(msgspec.structs.replace(row, addresses=addresses))
    return 1


def _net_remove(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vc_net_remove(): one address, or with ``ANY`` all of them."""
    del ident
    gone = str(data.get("ip", ""))
    left = () if data.get("type") == "ANY" else tuple(one for one in row.addresses if one != gone)
    trap.store.put(msgspec.structs.replace(row, addresses=left))
    return 0


def _setter(parameter: str, value: str, mask: str) -> Handler:
    """A command that changes the words of one list under a mask."""

    def change(trap: Trap, ident: int, row: Context | None, data: Mapping[str, Any]) -> int:
        del ident
        assert row is not None
        wanted = vx.merge(vx.words(row, parameter), _words(data, value), _words(data, mask))
        vx.put(trap.store, row, **{parameter: wanted})
        return 0

    return change


def _getter(parameter: str) -> Handler:
    def tell(trap: Trap, ident: int, row: Context | None, data: Mapping[str, Any]) -> Result:
        del trap, ident, data
        assert row is not None
        return Returned(0, list(vx.words(row, parameter)))

    return tell


def _set_bcaps(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vc_set_bcaps(): masks of all 64 bits, as the structure holds them."""
    del ident
    value, mask = int(data.get("bcaps", 0)), int(data.get("bmask", EVERY_CAPABILITY))
    vx.put(trap.store, row, bcaps=vx.count(row, "bcaps") & ~mask | value & mask)
    return 0


def _get_bcaps(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> Result:
    del trap, ident, data
    return Returned(0, vx.count(row, "bcaps"))


def _set_cflags(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vc_set_cflags(): the states can be cleared, never set again."""
    del ident
    mask, value = _words(data, "mask"), _words(data, "flagword")
    held = vx.words(row, "flags")
    mask = tuple(word for word in mask if word not in vx.INIT_SET or word in held)
    if vx.STATE_INIT in mask and vx.STATE_INIT not in value and row.id == trap.task.context:
        _become_init(trap, row)
        row = trap.store.row(Context, row.id)
    vx.put(trap.store, row, flags=vx.merge(vx.words(row, "flags"), value, mask))
    return 0


def _set_rlimit(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vc_set_rlimit(): a hard and a soft limit of the whole context."""
    del ident
    name = str(data.get("id", ""))
    given = {
        part: data[key] for part, key in (("", "maximum"), (".soft", "softlimit")) if key in data
    }
    vx.put(trap.store, row, **{f"rlimit.{name}{part}": int(value) for part, value in given.items()})
    return 0


def _get_rlimit(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> Result:
    del trap, ident
    name = str(data.get("id", ""))
    hard = vx.count(row, f"rlimit.{name}")
    return Returned(0, {"maximum": hard, "softlimit": vx.count(row, f"rlimit.{name}.soft", hard)})


def _set_space(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vx_set_space(): the context keeps the caller's namespaces, root and directory."""
    del ident, data
    task = trap.task
    trap.store.put(vx.Spaces(id=row.id, ns=task.ns, root=task.root, cwd=task.cwd))
    return 0


def _enter_space(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vx_enter_space(): the caller gets what the context keeps."""
    del ident, data
    if vx.has_flag(row, "private"):
        trap.fail(Errno.EACCES, N_("The context is private: nobody may join it."), CITE)
    kept = trap.store.get(vx.Spaces, row.id)
    if kept is not None:
        ns = msgspec.structs.replace(
            trap.task.ns, mnt=kept.ns.mnt, uts=kept.ns.uts, ipc=kept.ns.ipc
        )
        trap.update(ns=ns, root=kept.root, cwd=kept.cwd)
    return 0


def _ctx_kill(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> int:
    """vx_info_kill(): pid 0 is all of the context, -1 all but its init, 1 its init. ESRCH."""
    del ident
    pid, signo = int(data.get("pid", 0)), int(data.get("sig", 0))
    init = vx.count(row, "initpid", 0)
    if pid in (0, -1):
        wanted = [one for one in vx.members(trap.store, row) if not (pid and one.id == init)]
    else:
        named = init if pid == 1 and init else pid
        wanted = [one for one in vx.members(trap.store, row) if one.id == named]
    if not wanted:
        trap.fail(Errno.ESRCH, N_("The context has no such process."), CITE)
    for task in wanted:
        trap.touch("process", task.domain, "signal", pids.label(task))
        signals.send(trap.store, task.id, signo, trap.task)
    return 0


def _tagged(attribute: str) -> Handler:
    def number(trap: Trap, ident: int, row: Context | None, data: Mapping[str, Any]) -> int:
        """vc_task_xid(), vc_task_nid(): a task's own number; ESRCH."""
        del row, data
        task = trap.task if ident == 0 else trap.store.get(Task, ident)
        if task is None:
            trap.fail(Errno.ESRCH, N_("No process has this number."), CITE)
        return trap.store.row(Context, getattr(task, attribute)).number

    return number


def _vx_info(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> Result:
    del trap, data
    return Returned(0, {"xid": ident, "initpid": vx.count(row, "initpid", 0)})


def _get_version(trap: Trap, ident: int, row: None, data: Mapping[str, Any]) -> int:
    del trap, ident, row, data
    return vx.VCI_VERSION


def _get_vci(trap: Trap, ident: int, row: None, data: Mapping[str, Any]) -> int:
    del trap, ident, row, data
    return vx.VCI_KERNEL


def _nx_info(trap: Trap, ident: int, row: Context, data: Mapping[str, Any]) -> Result:
    del trap, data
    return Returned(0, {"nid": ident, "addresses": list(row.addresses)})


HANDLERS: dict[str, Callable[..., Result | int]] = {
    "VCMD_get_version": _get_version,
    "VCMD_get_vci": _get_vci,
    "VCMD_task_xid": _tagged("context"),
    "VCMD_task_nid": _tagged("net_context"),
    "VCMD_vx_info": _vx_info,
    "VCMD_nx_info": _nx_info,
    "VCMD_ctx_create": _ctx_create,
    "VCMD_ctx_migrate": _ctx_migrate,
    "VCMD_net_create": _net_create,
    "VCMD_net_migrate": _net_migrate,
    "VCMD_net_add": _net_add,
    "VCMD_net_remove": _net_remove,
    "VCMD_set_space": _set_space,
    "VCMD_enter_space": _enter_space,
    "VCMD_set_cflags": _set_cflags,
    "VCMD_get_cflags": _getter("flags"),
    "VCMD_set_ccaps": _setter("ccaps", "ccaps", "cmask"),
    "VCMD_get_ccaps": _getter("ccaps"),
    "VCMD_set_bcaps": _set_bcaps,
    "VCMD_get_bcaps": _get_bcaps,
    "VCMD_set_rlimit": _set_rlimit,
    "VCMD_get_rlimit": _get_rlimit,
    "VCMD_set_nflags": _setter("flags", "flagword", "mask"),
    "VCMD_get_nflags": _getter("flags"),
    "VCMD_set_ncaps": _setter("ncaps", "ncaps", "cmask"),
    "VCMD_get_ncaps": _getter("ncaps"),
    "VCMD_ctx_kill": _ctx_kill,
}
"""What each command does; ``vserver_files`` and ``vserver_names`` add theirs."""
