"""/proc/PID: the files about one process. Source: fs/proc/base.c (tgid_base_stuff)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from simulator.machine.abi.constants import O_ACCMODE, O_RDONLY
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import CgroupId
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.fs.procfs import links, netfiles, status
from simulator.machine.kernel.fs.procfs.node import (
    Look,
    Node,
    directory,
    fixed,
    link,
    process_file,
    touch_machine,
)
from simulator.machine.kernel.namespace import CgroupNs, MountNs, UserNs
from simulator.machine.kernel.namespaces import idmap, offsets
from simulator.machine.kernel.resource import group as cgroups
from simulator.machine.kernel.resource import memory
from simulator.machine.kernel.task import TaskState
from simulator.machine.kernel.vfs import mount_tree, mountinfo

_OOM_LIMIT = 1000
_ADJ_SCALE = 17
"""oom_adj of old runs from -17 (never) to 15."""


def _cmdline(look: Look) -> str:
    if look.task.state is TaskState.ZOMBIE:
        return ""
    return "".join(f"{argument}\0" for argument in look.task.argv)


def _environ(look: Look) -> str:
    if look.task.state is TaskState.ZOMBIE:
        return ""
    return "".join(f"{name}={value}\0" for name, value in look.task.env)


def _write_comm(look: Look, data: bytes) -> int:
    if look.task.id != look.trap.task.id:
        look.trap.fail(Errno.EINVAL, N_("A process names only itself."), "proc_pid_comm(5)")
    text = data.decode("utf-8", "surrogateescape").split("\0")[0].rstrip("\n")
    look.trap.update(comm=text[:15])
    return len(data)


def _cgroup(look: Look) -> str:
    """proc_pid_cgroup(5): paths from the reader's cgroup namespace."""
    store = look.trap.store
    roots = {
        store.row(cgroups.Cgroup, root).hierarchy: root
        for root in _reader_roots(look)
        if store.get(cgroups.Cgroup, root) is not None
    }
    lines: list[str] = []
    for tree in sorted(store.all(cgroups.Hierarchy), key=lambda row: -row.id):
        group = cgroups.group_of(store, look.task, tree.id)
        if group is None:
            continue
        words = sorted(tree.controllers) if tree.version == 1 else []
        if tree.name:
            words.append(f"name={tree.name}")
        root = roots.get(tree.id)
        path = cgroups.path(store, group, root)
        for shown in cgroups.upward(store, group):
            look.trap.touch("cgroup", shown.domain, "name", path)
            if shown.id == root:
                break
        lines.append(f"{tree.id}:{','.join(words)}:{path}\n")
    return "".join(lines)


def _reader_roots(look: Look) -> tuple[CgroupId, ...]:

    return look.trap.store.row(CgroupNs, look.trap.task.ns.cgroup).roots


def _map(which: str) -> Node:
    def read(look: Look) -> str:
        reader = look.trap.task.cred.user_ns
        return idmap.show_id_map(look.trap.store, look.task.cred.user_ns, which, reader)

    def write(look: Look, data: bytes) -> int:
        text = data.decode("utf-8", "surrogateescape")
        return idmap.write_id_map(look.trap, look.task.cred.user_ns, which, text)

    return process_file(read, 0o644, write=write, at_once=True)


def _setgroups(look: Look) -> str:
    allowed = look.trap.store.row(UserNs, look.task.cred.user_ns).setgroups
    return "allow\n" if allowed else "deny\n"


def _write_setgroups(look: Look, data: bytes) -> int:
    text = data.decode("utf-8", "surrogateescape")
    return idmap.write_setgroups(look.trap, look.task.cred.user_ns, text)


def _need_admin(look: Look, flags: int) -> None:
    """proc_setgroups_open(): writing needs CAP_SYS_ADMIN over the user namespace."""
    if flags & O_ACCMODE != O_RDONLY and not look.trap.has(Privilege.MOUNT, look.task.cred.user_ns):
        look.trap.deny(
            Errno.EACCES,
            "capability",
            N_("Writing setgroups needs CAP_SYS_ADMIN over the user namespace."),
            "user_namespaces(7)",
        )


def _oom_score(look: Look) -> str:
    """oom_badness() in thousandths of the machine's memory, from 0 to 2000."""

    share = look.task.memory * 1000 // memory.total(look.trap.store)
    return f"{max(0, (share + look.task.oom_score_adj + 1000) * 2 // 3)}\n"


def _write_oom(look: Look, data: bytes) -> int:
    trap, task = look.trap, look.task
    try:
        value = int(data.split(b"\0")[0].strip())
    except ValueError:
        trap.fail(Errno.EINVAL, N_("A number was expected."), "proc_pid_oom_score_adj(5)")
    if look.name == "oom_adj":
        value = _OOM_LIMIT if value == 15 else value * _OOM_LIMIT // _ADJ_SCALE
    if not -_OOM_LIMIT <= value <= _OOM_LIMIT:
        trap.fail(Errno.EINVAL, N_("The value is out of range."), "proc_pid_oom_score_adj(5)")
    if value < task.oom_score_adj_min:
        if not trap.has(Privilege.RESOURCE_RAISE):
            trap.deny(
                Errno.EACCES,
                "capability",
                N_(
                    "Only CAP_SYS_RESOURCE of the machine lowers what the OOM killer thinks of one."
                ),
                "proc_pid_oom_score_adj(5)",
            )
        trap.authority("memory", look.name)
    low = value if trap.has(Privilege.RESOURCE_RAISE) else task.oom_score_adj_min
    trap.store.put(msgspec.structs.replace(task, oom_score_adj=value, oom_score_adj_min=low))
    trap.touch("process", task.domain, "write", f"/proc/{look.number(task)}/{look.name}")
    return len(data)


def _offsets(look: Look) -> str:
    return offsets.show_offsets(look.trap.store, look.task.ns.time_for_children)


def _write_offsets(look: Look, data: bytes) -> int:
    text = data.decode("utf-8", "surrogateescape")
    return offsets.write_offsets(look.trap, look.task.ns.time_for_children, text)


def _label(look: Look) -> str:
    if "apparmor" not in look.trap.family.features:
        look.trap.fail(Errno.EINVAL, N_("No security module answers here."), "proc_pid_attr(5)")
    mode = "" if look.task.lsm_label == "unconfined" else " (enforce)"
    return f"{look.task.lsm_label}{mode}\n"


def _refuse_label(look: Look, data: bytes) -> int:
    del data
    look.trap.fail(Errno.EINVAL, N_("No security module answers here."), "proc_pid_attr(5)")


def _no_memory(look: Look) -> bytes:
    look.trap.fail(Errno.EIO, N_("Nothing is mapped at this address."), "proc_pid_mem(5)")


def _stack(look: Look) -> str:
    if not look.trap.has(Privilege.MOUNT):
        look.trap.deny(
            Errno.EACCES,
            "capability",
            N_("Kernel stacks are for CAP_SYS_ADMIN of the machine."),
            "proc_pid_stack(5)",
        )
    return "[<0>] proc_pid_stack+0xb1/0x150\n[<0>] proc_single_show+0x51/0xe0\n"


def _unchanged(look: Look, data: bytes) -> int:
    del look
    return len(data)


def _io(look: Look) -> str:
    del look
    return (
        "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\n"
        "cancelled_write_bytes: 0\n"
    )


def _noted_mounts(look: Look, shown: Sequence[str]) -> str:
    """Whoever reads a namespace's table of mounts learns of its owner's; with a root of one's own
    below the namespace's only of what is in one's own tree."""
    store, task = look.trap.store, look.task
    if task.root == mount_tree.root_of(store, task.ns.mnt):
        touch_machine(look, "mount", "name", store.row(MountNs, task.ns.mnt).domain)
    return "".join(f"{line}\n" for line in shown)


def _mounts(look: Look) -> str:
    return _noted_mounts(look, mountinfo.mounts(look.trap, look.task))


def _mountinfo(look: Look) -> str:
    return _noted_mounts(look, mountinfo.lines(look.trap, look.task))


def _mountstats(look: Look) -> str:
    return _noted_mounts(look, mountinfo.mountstats(look.trap, look.task))


def _threads(look: Look) -> Iterable[str]:
    return (str(look.number(look.task)),) if look.process is not None else ()


def _thread(look: Look, name: str) -> Node | None:
    if look.process is None or name != str(look.number(look.process)):
        return None
    return THREAD


def _sched(look: Look) -> str:
    return f"{look.task.comm} ({look.number(look.task)}, #threads: 1)\n{'-' * 67}\n"


_ATTR = {
    name: process_file(_label, 0o666, write=_refuse_label)
    for name in ("current", "exec", "fscreate", "keycreate", "sockcreate")
} | {"prev": process_file(_label)}

_EVERYWHERE: dict[str, Node] = {
    "arch_status": process_file(fixed("")),
    "attr": directory(_ATTR),
    "auxv": process_file(fixed(""), 0o400, traced=True),
    "cgroup": process_file(_cgroup),
    "clear_refs": Node(mode=0o100200, write=_unchanged),
    "cmdline": process_file(_cmdline),
    "comm": process_file(lambda look: f"{look.task.comm}\n", 0o644, write=_write_comm),
    "cpuset": process_file(fixed("/\n")),
    "cwd": link(links.cwd, traced=True),
    "environ": process_file(_environ, 0o400, traced=True),
    "exe": link(links.exe, traced=True),
    "fd": directory({}, 0o500, names=links.fd_names, child=links.fd_child),
    "fdinfo": directory({}, names=links.fd_names, child=links.fdinfo_child),
    "gid_map": _map("gid"),
    "io": process_file(_io, 0o400, traced=True),
    "ksm_merging_pages": process_file(fixed("0\n"), 0o400),
    "ksm_stat": process_file(fixed("ksm_rmap_items 0\n"), 0o400),
    "limits": process_file(status.limits),
    "loginuid": process_file(fixed("4294967295"), 0o644),
    "maps": process_file(status.maps, traced=True),
    "mem": Node(
        mode=0o100600, read=_no_memory, write=lambda look, _d: len(_no_memory(look)), traced=True
    ),
    "mountinfo": process_file(_mountinfo),
    "mounts": process_file(_mounts),
    "net": directory(netfiles.FILES),
    "ns": directory({}, 0o511, names=links.ns_names, child=links.ns_child),
    "numa_maps": process_file(fixed(""), traced=True),
    "oom_adj": process_file(
        lambda look: f"{look.task.oom_score_adj * _ADJ_SCALE // _OOM_LIMIT}\n",
        0o644,
        write=_write_oom,
    ),
    "oom_score": process_file(_oom_score),
    "oom_score_adj": process_file(
        lambda look: f"{look.task.oom_score_adj}\n", 0o644, write=_write_oom
    ),
    "pagemap": process_file(fixed(""), 0o400, traced=True),
    "personality": process_file(lambda look: f"{look.task.personality:08x}\n", 0o400, traced=True),
    "projid_map": process_file(fixed("         0          0 4294967295\n"), 0o644),
    "root": link(links.root, traced=True),
    "sched": process_file(_sched, 0o644, write=_unchanged),
    "schedstat": process_file(status.schedstat),
    "sessionid": process_file(fixed("4294967295")),
    "setgroups": replace(
        process_file(_setgroups, 0o644, write=_write_setgroups, at_once=True), check=_need_admin
    ),
    "smaps": process_file(status.maps, traced=True),
    "smaps_rollup": process_file(fixed(""), traced=True),
    "stack": process_file(_stack, 0o400, traced=True),
    "stat": process_file(status.stat),
    "statm": process_file(status.statm),
    "status": process_file(status.status),
    "syscall": process_file(status.syscall, 0o400, traced=True),
    "uid_map": _map("uid"),
    "wchan": process_file(status.wchan),
}

_TASK_ONLY = {"children": process_file(status.children)}
_PROCESS_ONLY: dict[str, Node] = {
    "autogroup": process_file(fixed("/autogroup-1 nice 0\n"), 0o644, write=_unchanged),
    "coredump_filter": process_file(fixed("00000033\n"), 0o644, write=_unchanged),
    "map_files": directory({}, 0o500),
    "mountstats": process_file(_mountstats, 0o400),
    "task": directory({}, names=_threads, child=_thread),
    "timens_offsets": process_file(_offsets, 0o644, write=_write_offsets, at_once=True),
    "timers": process_file(fixed(""), traced=True),
    "timerslack_ns": process_file(fixed("50000\n"), 0o666, write=_unchanged),
}


def _added(look: Look) -> Mapping[str, Node | None]:
    """What a kernel with containers of its own adds."""
    inside = look.trap.family.inside
    if inside is None or inside.process is None or look.process is None:
        return {}
    return inside.process(look.trap, look.process)


THREAD = directory(_EVERYWHERE | _TASK_ONLY)
PROCESS = directory(
    _EVERYWHERE | _PROCESS_ONLY, names=_added, child=lambda look, name: _added(look).get(name)
)
