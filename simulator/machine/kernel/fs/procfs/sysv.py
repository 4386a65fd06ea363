"""/proc/sysvipc and /proc/keys: objects of the reader's IPC namespace, keys that it may see."""

from simulator.machine.kernel.fs.procfs.node import Look, Node, file, fixed

_SHM = (
    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid "
    "     atime      dtime      ctime                   rss                  swap\n"
)
_SEM = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"
_MSG = (
    "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      "
    "stime      rtime      ctime\n"
)

FILES: dict[str, Node] = {
    "msg": file(fixed(_MSG)),
    "sem": file(fixed(_SEM)),
    "shm": file(fixed(_SHM)),
}


def keys(look: Look) -> str:
    """proc_keys(5)."""
    del look
    return ""


def key_users(look: Look) -> str:
    """proc_key_users(5)."""
    del look
    return ""
