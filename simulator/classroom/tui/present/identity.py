"""Who a task is and what bounds it: ids, capabilities, filters, names, limits."""

from simulator.classroom.tui.present.line import Line, heading
from simulator.machine.abi.constants import BY_NAME, RLIM_INFINITY
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.context import Context
from simulator.machine.kernel.cred import ALL_CAPABILITIES, names
from simulator.machine.kernel.family import Family
from simulator.machine.kernel.hostname import hostname_of
from simulator.machine.kernel.namespace import UserNs, from_kernel
from simulator.machine.kernel.task import Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.state.store import Store, World

_LIMITS = ("RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_AS", "RLIMIT_FSIZE")


def identity(world: World, family: Family, viewer: Pid) -> list[Line]:
    """The viewer's host name, ids, limits; capabilities and filters, or what its prison allows."""
    task = world.get(Task, viewer)
    if task is None:
        return []
    name, owner = hostname_of(Trap(Store(world), family, task))
    user_ns = world.row(UserNs, task.cred.user_ns)
    cred = task.cred
    lines = [
        Line(
            text=_("host name {name}").format(name=name),
            domain=owner,
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
        *(_linux_rights(task) if family.traits.has_namespaces else ()),
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
    words = [f"{row.kind} {row.number} {row.name}", *row.addresses]
    allowed = [name for name, value in row.params.items() if name.startswith("allow.") and value]
    lines = [Line(text="  ".join(words), domain=row.domain)]
    if allowed:
        lines.append(Line(text=" ".join(allowed), domain=row.domain))
    return lines


def _linux_rights(task: Task) -> list[Line]:
    filters = ", ".join(one.name for one in task.seccomp) or _("no filter")
    return [
        *_capabilities(task),
        Line(text=_("seccomp {filters}").format(filters=filters), domain=task.domain),
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
