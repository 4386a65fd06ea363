"""/proc/sysvipc and /proc/keys: objects of the reader's IPC namespace, keys that it may see.

Source: ipc/{shm,sem,msg}.c (sysvipc_*_proc_show), security/keys/proc.c.
"""

from simulator.machine.abi.ids import KGid, KUid
from simulator.machine.kernel import keyring, pids
from simulator.machine.kernel.fs.procfs.node import Look, Node, file
from simulator.machine.kernel.ipc import perm
from simulator.machine.kernel.ipc.msg import Queue
from simulator.machine.kernel.ipc.perm import Perm
from simulator.machine.kernel.ipc.sem import SemSet
from simulator.machine.kernel.ipc.shm import ATTACHED, Segment
from simulator.machine.kernel.namespace import OVERFLOW_ID, UserNs, from_kernel

_SHM = (
    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid "
    "     atime      dtime      ctime                   rss                  swap\n"
)
_SEM = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"
_MSG = (
    "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      "
    "stime      rtime      ctime\n"
)
_TIMES = f" {0:10} {0:10}"


def _ids(look: Look, row: Perm) -> str:
    user_ns = look.trap.store.row(UserNs, look.trap.task.cred.user_ns)
    uids = [from_kernel(user_ns.uid_map, KUid(uid)) for uid in (row.uid, row.cuid)]
    gids = [from_kernel(user_ns.gid_map, KGid(gid)) for gid in (row.gid, row.cgid)]
    return f"{uids[0]:5} {gids[0]:5} {uids[1]:5} {gids[1]:5}"


def _key(row: Perm) -> int:
    return row.key - (1 << 32) if row.key >= 1 << 31 else row.key


def _shm(look: Look) -> str:
    trap, out = look.trap, _SHM
    for row in perm.in_space(trap, Segment):
        perm.touch(trap, row, "shm", "name")
        attached = trap.store.many(ATTACHED, row.id)
        maker = pids.number(trap, row.maker)
        last = pids.number(trap, row.last) if row.last is not None else 0
        out += (
            f"{_key(row.perm):10} {row.id[1]:10}  {row.perm.mode & 0o7777:4o} {row.size:21} "
            f"{maker:5} {last:5}  {attached:5} {_ids(look, row.perm)}{_TIMES} {0:10} "
            f"{0:21} {0:21}\n"
        )
    return out


def _sem(look: Look) -> str:
    out = _SEM
    for row in perm.in_space(look.trap, SemSet):
        perm.touch(look.trap, row, "sem", "name")
        out += (
            f"{_key(row.perm):10} {row.id[1]:10}  {row.perm.mode & 0o777:4o} "
            f"{len(row.values):10} {_ids(look, row.perm)}{_TIMES}\n"
        )
    return out


def _msg(look: Look) -> str:
    out = _MSG
    for row in perm.in_space(look.trap, Queue):
        perm.touch(look.trap, row, "msg", "name")
        size = sum(len(text) for _, text in row.messages)
        out += (
            f"{_key(row.perm):10} {row.id[1]:10}  {row.perm.mode & 0o777:4o}  {size:10} "
            f"{len(row.messages):10} {0:5} {0:5} {_ids(look, row.perm)}{_TIMES} {0:10}\n"
        )
    return out


FILES: dict[str, Node] = {"msg": file(_msg), "sem": file(_sem), "shm": file(_shm)}


def keys(look: Look) -> str:
    """proc_keys(5): keys that the reader may view, whatever container made them."""
    trap, out = look.trap, ""
    user_ns = trap.store.row(UserNs, trap.task.cred.user_ns)
    for key in sorted(trap.store.all(keyring.Key), key=lambda row: row.id):
        shown = from_kernel(user_ns.uid_map, key.uid)
        unmapped = shown == OVERFLOW_ID and key.uid != OVERFLOW_ID
        held = keyring.possesses(trap, key.id)
        if unmapped or not keyring.permits(trap, key, keyring.VIEW, possessed=held):
            continue
        trap.touch("keyring", key.domain, "name", key.description)
        size = len(key.links) if key.type == "keyring" else len(key.payload)
        out += (
            f"{key.id:08x} I--Q---     1 perm {key.perm:08x} {shown:5} {key.gid:5} "
            f"{key.type:<9} {key.description}: {size or 'empty'}\n"
        )
    return out


def key_users(look: Look) -> str:
    """proc_key_users(5): users whom the reader's user namespace has a number for."""
    user_ns = look.trap.store.row(UserNs, look.trap.task.cred.user_ns)
    owners: dict[int, int] = {}
    for key in look.trap.store.all(keyring.Key):
        shown = from_kernel(user_ns.uid_map, key.uid)
        if shown == OVERFLOW_ID and key.uid != OVERFLOW_ID:
            continue
        owners[shown] = owners.get(shown, 0) + 1
        look.trap.touch("keyring", key.domain, "read", f"keys of user {shown}")
    return "".join(
        f"{uid:5}: {count:5} {count}/{count} {count}/200 {count * 16}/20000\n"
        for uid, count in sorted(owners.items())
    )
