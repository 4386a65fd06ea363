"""Who a task is and what bounds it: ids, capabilities, filters, names, limits."""

from simulator.classroom.tui.present.line import Line, heading
from simulator.machine.abi.constants import BY_NAME, RLIM_INFINITY
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.cred import ALL_CAPABILITIES, names
from simulator.machine.kernel.namespace import UserNs, UtsNs, from_kernel
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import World

_LIMITS = ("RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_AS", "RLIMIT_FSIZE")


def identity(world: World, viewer: Pid) -> list[Line]:
    """The viewer's host name, ids, capabilities, seccomp filters, limits."""
    task = world.get(Task, viewer)
    if task is None:
        return []
    uts = world.row(UtsNs, task.ns.uts)
    user_ns = world.row(UserNs, task.cred.user_ns)
    cred = task.cred
    lines = [
        Line(
            text=_("host name {name}").format(name=uts.hostname),
            domain=uts.domain,
        ),
        Line(
            text=_("uid {uid} gid {gid}, on the host {kuid}").format(
                uid=from_kernel(user_ns.uid_map, cred.euid),
                gid=from_kernel(user_ns.gid_map, cred.egid),
                kuid=cred.euid,
            ),
            domain=task.domain,
        ),
        *_context(world, task),
        *_capabilities(task),
        Line(
            text=_("seccomp {filters}").format(
                filters=", ".join(f.name for f in task.seccomp) or _("no filter")
            ),
            domain=task.domain,
        ),
        heading(_("Limits")),
    ]
    for limit in _LIMITS:
        soft, hard = task.rlimits.get(BY_NAME[limit], (RLIM_INFINITY, RLIM_INFINITY))
        lines.append(
            Line(
                text=f"{limit[7:].lower():<8} {_amount(soft)} / {_amount(hard)}",
                domain=task.domain,
            )
        )
    return lines


def _context(world: World, task: Task) -> list[Line]:
    if task.context == 0:
        return []
    row = world.row(Context, task.context)
    return [
        Line(
            text=f"{row.kind} {row.number} {row.name}",
            domain=row.domain,
        )
    ]


def _capabilities(task: Task) -> list[Line]:
    held = names(task.cred.effective)
    if task.cred.effective == ALL_CAPABILITIES:
        text = _("all {count} capabilities").format(count=len(held))
    elif not held:
        text = _("no capability")
    else:
        text = _("{count} capabilities: {names}").format(
            count=len(held), names=" ".join(name[4:].lower() for name in held)
        )
    return [Line(text=text, domain=task.domain)]


def _amount(limit: int) -> str:
    return "∞" if limit >= RLIM_INFINITY else f"{limit:,}".replace(",", " ")
