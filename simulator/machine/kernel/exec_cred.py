"""Who a task is after execve(2): set-uid bits, file capabilities, the five sets of a thread.

Source: capabilities(7) "Transformation of capabilities during execve()", security/commoncap.c
(cap_bprm_creds_from_file), fs/exec.c (bprm_fill_uid).
"""

from struct import unpack_from
from typing import NamedTuple

import msgspec

from simulator.machine.abi.constants import (
    MS_NOSUID,
    S_ISGID,
    S_ISUID,
    S_IXGRP,
    SECBIT_KEEP_CAPS,
    SECBIT_NOROOT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import KUid
from simulator.machine.abi.privilege import Privilege
from simulator.machine.kernel.cred import ALL_CAPABILITIES, Credentials
from simulator.machine.kernel.namespace import (
    UserNs,
    from_kernel,
    has_mapping,
    is_ancestor,
    to_kernel,
)
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.trap import Trap
from simulator.machine.kernel.vfs.inode import Inode, Superblock
from simulator.machine.kernel.vfs.mount import Mount

XATTR = "security.capability"
_REVISION = 0xFF000000
_REVISION_2 = 0x02000000
_REVISION_3 = 0x03000000
_EFFECTIVE = 1


class FileCapabilities(NamedTuple):
    """The sets of a file; ``effective`` is one bit for them all."""

    permitted: int
    inheritable: int
    effective: bool


def transform(trap: Trap, at: At, inode: Inode) -> tuple[Credentials, bool]:
    """The caller's credentials after running ``inode``, and whether the run is a secure one.

    Secure as in AT_SECURE: the program has more rights than whoever started it. EPERM when a file
    must have capabilities that the bounding set withholds.
    """
    old = trap.task.cred
    honoured = _honours_suid(trap, at, inode)
    new = _set_ids(trap, inode, old) if honoured else old
    file = _file_capabilities(trap, inode) if honoured else None
    permitted, effective = 0, False
    if file is not None:
        permitted = old.bounding & file.permitted | old.inheritable & file.inheritable
        effective = file.effective
        if effective and file.permitted & ~permitted:
            trap.deny(
                Errno.EPERM,
                "bounding-set",
                N_("The file must run with capabilities that the bounding set withholds."),
                "capabilities(7)",
            )
    root = to_kernel(trap.store.row(UserNs, old.user_ns).uid_map, 0)
    if not old.securebits & SECBIT_NOROOT:
        by_suid = file is not None and new.euid == root and new.ruid != root
        if not by_suid and root is not None and root in (new.euid, new.ruid):
            permitted = old.bounding | old.inheritable
        if not by_suid and root is not None and new.euid == root:
            effective = True
    return _finish(trap, old, new, permitted, effective, file is not None, root)


def _finish(
    trap: Trap,
    old: Credentials,
    new: Credentials,
    permitted: int,
    effective: bool,
    has_file: bool,
    root: int | None,
) -> tuple[Credentials, bool]:
    set_id = new.euid != old.euid or new.egid != old.egid
    gained = permitted & ~old.permitted
    if (set_id or gained) and (trap.task.no_new_privs or _traced_by_lesser(trap)):
        if trap.task.no_new_privs or not trap.has(Privilege.SETUID, old.user_ns):
            new = msgspec.structs.replace(new, euid=new.ruid, egid=new.rgid)
        permitted &= old.permitted
    ambient = 0 if has_file or set_id else old.ambient
    permitted |= ambient
    secure = set_id or (new.ruid != root and (effective or bool(permitted & ~ambient)))
    return (
        msgspec.structs.replace(
            new,
            suid=new.euid,
            fsuid=new.euid,
            sgid=new.egid,
            fsgid=new.egid,
            permitted=permitted & ALL_CAPABILITIES,
            effective=permitted if effective else ambient,
            ambient=ambient,
            securebits=new.securebits & ~SECBIT_KEEP_CAPS,
        ),
        secure,
    )


def restricts_dump(old: Credentials, new: Credentials) -> bool:
    """commit_creds(): other ids, or capabilities not had before, make a task undumpable."""
    return (
        (new.euid, new.egid) != (new.ruid, new.rgid)
        or (new.euid, new.egid, new.fsuid, new.fsgid) != (old.euid, old.egid, old.fsuid, old.fsgid)
        or bool(new.permitted & ~old.permitted)
    )


def parse(xattr: bytes) -> tuple[FileCapabilities, int | None] | None:
    """What security.capability says: the sets, and revision 3's root uid; None if broken."""
    if len(xattr) not in (20, 24):
        return None
    magic, low, low_inherited, high, high_inherited = unpack_from("<5I", xattr)
    revision = magic & _REVISION
    if revision != (_REVISION_2 if len(xattr) == 20 else _REVISION_3):
        return None
    root = unpack_from("<I", xattr, 20)[0] if len(xattr) == 24 else None
    sets = FileCapabilities(
        (high << 32 | low) & ALL_CAPABILITIES,
        (high_inherited << 32 | low_inherited) & ALL_CAPABILITIES,
        bool(magic & _EFFECTIVE),
    )
    return sets, root


def _honours_suid(trap: Trap, at: At, inode: Inode) -> bool:
    """mnt_may_suid(): no nosuid, a mount of the caller's, a filesystem its user ns trusts."""
    mount = trap.store.row(Mount, at.mount)
    owner = trap.store.row(Superblock, inode.sb).owner
    return (
        not mount.flags & MS_NOSUID
        and mount.ns == trap.task.ns.mnt
        and is_ancestor(trap.store, owner, trap.task.cred.user_ns)
    )


def _set_ids(trap: Trap, inode: Inode, old: Credentials) -> Credentials:
    if trap.task.no_new_privs or not inode.mode & (S_ISUID | S_ISGID):
        return old
    space = trap.store.row(UserNs, old.user_ns)
    if not has_mapping(space.uid_map, inode.uid) or not has_mapping(space.gid_map, inode.gid):
        return old
    new = old
    if inode.mode & S_ISUID:
        new = msgspec.structs.replace(new, euid=inode.uid)
    if inode.mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP:
        new = msgspec.structs.replace(new, egid=inode.gid)
    return new


def _file_capabilities(trap: Trap, inode: Inode) -> FileCapabilities | None:
    value = (inode.xattrs or {}).get(XATTR)
    parsed = parse(value) if value is not None else None
    if parsed is None:
        return None
    sets, root = parsed
    owner = trap.store.row(Superblock, inode.sb).owner
    kernel_root = to_kernel(trap.store.row(UserNs, owner).uid_map, root or 0)
    if kernel_root is None or not _is_root_here(trap, KUid(kernel_root)):
        return None
    return sets


def _is_root_here(trap: Trap, uid: KUid) -> bool:
    """rootid_owns_currentns(): uid 0 of the caller's user namespace or of one above."""
    current = trap.task.cred.user_ns
    while current is not None:
        space = trap.store.row(UserNs, current)
        if from_kernel(space.uid_map, uid) == 0:
            return True
        current = space.parent
    return False


def _traced_by_lesser(trap: Trap) -> bool:
    """ptracer_capable(): a tracer without CAP_SYS_PTRACE holds its tracee's rights down."""
    tracer = trap.store.get(Task, trap.task.tracer)
    if tracer is None:
        return False
    return not Trap(trap.store, trap.family, tracer).has(Privilege.PTRACE, trap.task.cred.user_ns)
