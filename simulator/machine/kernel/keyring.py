"""Keys that the kernel keeps for processes: keyrings(7), security/keys/.

User keyrings hang on a user id within a user namespace, and on nothing else: two containers whose
root is the same user share one. Session keyrings go down with fork(2).
"""

from typing import TYPE_CHECKING

import msgspec

from simulator.machine.abi.constants import (
    KEY_SPEC_PROCESS_KEYRING,
    KEY_SPEC_SESSION_KEYRING,
    KEY_SPEC_THREAD_KEYRING,
    KEY_SPEC_USER_KEYRING,
    KEY_SPEC_USER_SESSION_KEYRING,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain, KGid, KUid, NsId
from simulator.machine.kernel.cred import in_group
from simulator.machine.kernel.namespace import UserNs, from_kernel
from simulator.machine.state.store import Index, Row

if TYPE_CHECKING:
    from simulator.machine.kernel.trap import Trap

VIEW, READ, WRITE, SEARCH, LINK, SETATTR = 1, 2, 4, 8, 16, 32
POSSESSOR_ALL = 0x3F000000
USER_VIEW, USER_READ, USER_LINK, USER_ALL = 0x010000, 0x020000, 0x100000, 0x3F0000
SERIAL_BASE = 0x10000000
KEYRING = "keyring"


class Key(Row, frozen=True, kw_only=True):
    """A key; ``id`` is its serial number. A keyring's ``links`` are the keys in it."""

    type: str
    description: str
    uid: KUid
    gid: KGid
    user_ns: NsId
    perm: int
    payload: bytes = b""
    links: tuple[int, ...] = ()
    revoked: bool = False
    domain: Domain = HOST


class UserKeyring(Row, frozen=True, kw_only=True):
    """The keyring of a user (``id`` is (user namespace, uid, session?))."""

    key: int


OWNED_BY = Index(Key, lambda key: ((key.user_ns, key.uid),), "user_ns", "uid")


def make(
    trap: "Trap",
    kind: str,
    description: str,
    perm: int,
    payload: bytes = b"",
    *,
    check: bool = True,
) -> Key:
    """A new key of the caller's. EDQUOT beyond kernel.keys.maxkeys of its user."""
    cred = trap.cred
    owned = trap.store.many(OWNED_BY, (cred.user_ns, cred.fsuid))
    name = "kernel.keys.root_maxkeys" if cred.fsuid == 0 else "kernel.keys.maxkeys"
    if check and owned >= int(trap.family.sysctls.get(name, "200")):
        trap.deny(
            Errno.EDQUOT,
            "key-quota",
            N_("The user has as many keys as one user may, wherever they were made."),
            "keyrings(7)",
        )
    key = Key(
        id=SERIAL_BASE + trap.store.new_id(Key),
        type=kind,
        description=description,
        uid=cred.fsuid,
        gid=cred.fsgid,
        user_ns=cred.user_ns,
        perm=perm,
        payload=payload,
        domain=trap.task.domain,
    )
    trap.store.put(key)
    return key


def lookup(trap: "Trap", serial: int, need: int, *, create: bool = False) -> Key:
    """The key that a system call names, or ENOKEY, EKEYREVOKED, EACCES, EINVAL."""
    if serial > 0:
        key = trap.store.get(Key, serial)
    elif serial >= KEY_SPEC_USER_SESSION_KEYRING and serial:
        key = _special(trap, serial, create)
    else:
        trap.fail(Errno.EINVAL, N_("There is no such special keyring."), "keyrings(7)")
    if key is None:
        trap.fail(Errno.ENOKEY, N_("No key has this number."), "keyrings(7)")
    if key.revoked:
        trap.fail(Errno.EKEYREVOKED, N_("The key was revoked."), "keyrings(7)")
    if need and not permits(trap, key, need, possessed=serial < 0 or possesses(trap, key.id)):
        trap.deny(
            Errno.EACCES,
            "key-permission",
            N_("The key's owner and permissions do not let this process do that."),
            "keyrings(7)",
        )
    return key


def permits(trap: "Trap", key: Key, need: int, *, possessed: bool) -> bool:
    """key_task_permission(): owner, group or other, and what the possessor may on top.

    A keyring named by a special number counts as possessed, and so does what is found in it.
    """
    cred = trap.cred
    if key.uid == cred.fsuid:
        bits = key.perm >> 16
    elif key.perm & 0x3F00 and in_group(cred, key.gid):
        bits = key.perm >> 8
    else:
        bits = key.perm
    if possessed:
        bits |= key.perm >> 24
    return bits & need == need


def possesses(trap: "Trap", serial: int) -> bool:
    """Whether a key hangs, through any depth of keyrings, on one of the caller's own."""
    seen: set[int] = set()
    pending = list(rings(trap))
    while pending:
        current = pending.pop()
        if current == serial:
            return True
        if current not in seen:
            seen.add(current)
            key = trap.store.get(Key, current)
            if key is not None:
                pending.extend(key.links)
    return False


def rings(trap: "Trap") -> tuple[int, ...]:
    """The keyrings that the caller possesses: thread, process, and session or user session."""
    task = trap.task
    session = task.session_keyring or user_ring(trap, session=True).id
    return tuple(ring for ring in (task.thread_keyring, task.process_keyring, session) if ring)


def user_ring(trap: "Trap", *, session: bool = False) -> Key:
    """The keyring of the caller's real user, made when it is first asked for."""
    cred = trap.cred
    found = trap.store.get(UserKeyring, (cred.user_ns, cred.ruid, session))
    if found is not None and (key := trap.store.get(Key, found.key)) is not None:
        return key
    shown = from_kernel(trap.store.row(UserNs, cred.user_ns).uid_map, cred.ruid)
    name = f"_uid_ses.{shown}" if session else f"_uid.{shown}"
    links = (user_ring(trap).id,) if session else ()
    perm = POSSESSOR_ALL & ~(SETATTR << 24) | USER_ALL
    key = make(trap, KEYRING, name, perm, check=False)
    key = msgspec.structs.replace(key, uid=cred.ruid, links=links)
    trap.store.put(key)
    trap.store.put(UserKeyring(id=(cred.user_ns, cred.ruid, session), key=key.id))
    return key


def join_session(trap: "Trap", name: str | None) -> Key:
    """A session keyring of the caller's own: a new one, or the one called ``name``."""
    for key in trap.store.all(Key) if name else ():
        named = key.type == KEYRING and key.description == name
        mine = key.user_ns == trap.cred.user_ns
        if named and mine and permits(trap, key, SEARCH, possessed=possesses(trap, key.id)):
            trap.touch("keyring", key.domain, "read", name or "")
            trap.update(session_keyring=key.id)
            return key
    perm = POSSESSOR_ALL | USER_VIEW | USER_READ | (USER_LINK if name else 0)
    key = make(trap, KEYRING, name or "_ses", perm)
    trap.update(session_keyring=key.id)
    return key


def link(trap: "Trap", ring: Key, key: Key) -> None:
    """Put ``key`` into ``ring``, in place of one with the same type and description."""
    kept = tuple(serial for serial in ring.links if not _displaced(trap, serial, key))
    trap.store.put(msgspec.structs.replace(ring, links=(*kept, key.id)))


def search(
    trap: "Trap", ring: Key, kind: str, description: str, *, possessed: bool = True
) -> Key | None:
    """The first key of that name below ``ring`` that the caller may search for."""
    seen: set[int] = set()
    pending = list(ring.links)
    while pending:
        serial = pending.pop(0)
        key = trap.store.get(Key, serial)
        if key is None or serial in seen or key.revoked:
            continue
        seen.add(serial)
        if not permits(trap, key, SEARCH, possessed=possessed):
            continue
        if key.type == kind and key.description == description:
            return key
        if key.type == KEYRING:
            pending.extend(key.links)
    return None


def _displaced(trap: "Trap", serial: int, key: Key) -> bool:
    other = trap.store.get(Key, serial)
    return other is None or (other.type, other.description) == (key.type, key.description)


def _special(trap: "Trap", serial: int, create: bool) -> Key | None:
    if serial == KEY_SPEC_USER_KEYRING:
        return user_ring(trap)
    if serial == KEY_SPEC_USER_SESSION_KEYRING:
        return user_ring(trap, session=True)
    field, name = {
        KEY_SPEC_THREAD_KEYRING: ("thread_keyring", "_tid"),
        KEY_SPEC_PROCESS_KEYRING: ("process_keyring", "_pid"),
        KEY_SPEC_SESSION_KEYRING: ("session_keyring", "_ses"),
    }[serial]
    have: int | None = getattr(trap.task, field)
    if have is not None:
        return trap.store.get(Key, have)
    if serial == KEY_SPEC_SESSION_KEYRING and not create:
        return user_ring(trap, session=True)
    if not create:
        return None
    key = make(trap, KEYRING, name, POSSESSOR_ALL | USER_VIEW | USER_READ)
    trap.update(**{field: key.id})
    return key
