"""Keys and keyrings: add_key(2), request_key(2), keyctl(2)."""

from collections.abc import Callable
from typing import Any

import msgspec

from simulator.machine.abi import constants as c
from simulator.machine.abi.call import Result, Returned
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.kernel import features, keyring
from simulator.machine.kernel.keyring import KEYRING, Key
from simulator.machine.kernel.namespace import UserNs, from_kernel
from simulator.machine.kernel.trap import NotModelled, Trap
from simulator.machine.syscalls import decode
from simulator.machine.syscalls.registry import linux

TYPES = ("user", "logon", KEYRING)
MAX_PAYLOAD = 32767
"""The longest payload of a ``user`` key, in bytes."""
KEYCTL_SETPERM, KEYCTL_UNLINK = 5, 9
LAST_COMMAND = 32


@linux("add_key", since=(2, 6, 10))
def add_key(
    trap: Trap, kind: str, description: str, payload: Any = None, size: int = 0, ring: int = 0
) -> int:
    """add_key(2): EACCES EDQUOT EINVAL ENODEV ENOKEY. The value is the key's serial number."""
    features.need(trap, "keys")
    if kind.startswith("."):
        trap.fail(Errno.EPERM, N_("Types that begin with a dot are the kernel's."), "add_key(2)")
    if kind == KEYRING and description.startswith("."):
        trap.fail(Errno.EPERM, N_("Keyrings that begin with a dot are the kernel's."), "add_key(2)")
    if not 0 <= size <= (1 << 20) - 1:
        trap.fail(Errno.EINVAL, "", "add_key(2)")
    content = _payload(payload)[:size]
    destination = keyring.lookup(trap, decode.signed(ring), keyring.WRITE, create=True)
    if destination.type != KEYRING:
        trap.fail(Errno.ENOTDIR, N_("The destination is no keyring."), "add_key(2)")
    _check_type(trap, kind, content)
    if not description:
        trap.fail(Errno.EINVAL, N_("A key needs a description."), "add_key(2)")
    trap.touch("keyring", destination.domain, "write", destination.description)
    old = _present(trap, destination, kind, description)
    held = ring & 0x80000000 != 0 or keyring.possesses(trap, destination.id)
    if (
        old is not None
        and kind != KEYRING
        and keyring.permits(trap, old, keyring.WRITE, possessed=held)
    ):
        trap.touch("keyring", old.domain, "write", old.description)
        trap.store.put(msgspec.structs.replace(old, payload=content))
        return old.id
    perm = keyring.POSSESSOR_ALL | keyring.USER_VIEW
    if kind == "logon":
        perm &= ~(keyring.READ << 24)
    key = keyring.make(trap, kind, description, perm, content)
    keyring.link(trap, trap.store.row(Key, destination.id), key)
    return key.id


@linux("request_key", since=(2, 6, 10))
def request_key(
    trap: Trap, kind: str, description: str, _callout: Any = None, _ring: int = 0
) -> int:
    """request_key(2): ENODEV ENOKEY. The program that could make a missing key is not there."""
    features.need(trap, "keys")
    if kind not in TYPES:
        trap.fail(Errno.ENODEV, N_("The kernel has no such type of key."), "request_key(2)")
    for serial in keyring.rings(trap):
        found = keyring.search(trap, trap.store.row(Key, serial), kind, description)
        if found is not None:
            trap.touch("keyring", found.domain, "name", found.description)
            return found.id
    return trap.fail(Errno.ENOKEY, N_("No key of this name is found."), "request_key(2)")


@linux("keyctl", since=(2, 6, 10))
def keyctl(
    trap: Trap, command: int, arg2: Any = 0, arg3: Any = 0, arg4: Any = 0, arg5: Any = 0
) -> Result | int:
    """keyctl(2): EOPNOTSUPP for a command that there is not."""
    features.need(trap, "keys")
    handler = COMMANDS.get(command)
    if handler is None:
        if 0 <= command <= LAST_COMMAND:
            raise NotModelled("this command of keyctl")
        trap.fail(Errno.EOPNOTSUPP, N_("keyctl has no such command."), "keyctl(2)")
    return handler(trap, (arg2, arg3, arg4, arg5))


Arguments = tuple[Any, Any, Any, Any]


def _get_id(trap: Trap, args: Arguments) -> int:
    return keyring.lookup(trap, decode.signed(args[0]), keyring.SEARCH, create=bool(args[1])).id


def _join(trap: Trap, args: Arguments) -> int:
    name = None if args[0] in (None, 0) else decode.text(args[0])
    if name is not None and name.startswith("."):
        trap.fail(Errno.EPERM, N_("Names that begin with a dot are the kernel's."), "keyctl(2)")
    return keyring.join_session(trap, name).id


def _update(trap: Trap, args: Arguments) -> int:
    key = _key(trap, args[0], keyring.WRITE)
    if key.type == KEYRING:
        trap.fail(Errno.EOPNOTSUPP, N_("A keyring has no payload."), "keyctl(2)")
    content = _payload(args[1])[: int(args[2])]
    trap.touch("keyring", key.domain, "write", key.description)
    trap.store.put(msgspec.structs.replace(key, payload=content))
    return 0


def _revoke(trap: Trap, args: Arguments) -> int:
    key = keyring.lookup(trap, decode.signed(args[0]), 0)
    if not keyring.permits(trap, key, keyring.WRITE, possessed=_held(trap, args[0])):
        key = _key(trap, args[0], keyring.SETATTR)
    trap.touch("keyring", key.domain, "write", key.description)
    trap.store.put(msgspec.structs.replace(key, revoked=True))
    return 0


def _set_permissions(trap: Trap, args: Arguments) -> int:
    key = _key(trap, args[0], keyring.SETATTR)
    trap.store.put(msgspec.structs.replace(key, perm=args[1] & 0x3F3F3F3F))
    return 0


def _describe(trap: Trap, args: Arguments) -> Result:
    key = _key(trap, args[0], keyring.VIEW)
    space = trap.store.row(UserNs, trap.cred.user_ns)
    uid, gid = from_kernel(space.uid_map, key.uid), from_kernel(space.gid_map, key.gid)
    text = f"{key.type};{uid};{gid};{key.perm:08x};{key.description}\0".encode()
    trap.touch("keyring", key.domain, "name", key.description)
    return Returned(len(text), text if int(args[1]) >= len(text) else b"")


def _clear(trap: Trap, args: Arguments) -> int:
    ring = _ring(trap, args[0], keyring.WRITE)
    trap.touch("keyring", ring.domain, "write", ring.description)
    trap.store.put(msgspec.structs.replace(ring, links=()))
    return 0


def _link(trap: Trap, args: Arguments) -> int:
    ring = _ring(trap, args[1], keyring.WRITE)
    key = _key(trap, args[0], keyring.LINK)
    trap.touch("keyring", ring.domain, "write", ring.description)
    keyring.link(trap, ring, key)
    return 0


def _unlink(trap: Trap, args: Arguments) -> int:
    ring = _ring(trap, args[1], keyring.WRITE)
    key = keyring.lookup(trap, decode.signed(args[0]), 0)
    if key.id not in ring.links:
        trap.fail(Errno.ENOENT, N_("The keyring does not hold it."), "keyctl(2)")
    rest = tuple(serial for serial in ring.links if serial != key.id)
    trap.store.put(msgspec.structs.replace(ring, links=rest))
    return 0


def _search(trap: Trap, args: Arguments) -> int:
    ring = _ring(trap, args[0], keyring.SEARCH)
    kind, name = decode.text(args[1]), decode.text(args[2])
    found = keyring.search(trap, ring, kind, name, possessed=_held(trap, args[0]))
    if found is None:
        trap.fail(Errno.ENOKEY, N_("No key of this name is found."), "keyctl(2)")
    trap.touch("keyring", found.domain, "name", found.description)
    return found.id


def _read(trap: Trap, args: Arguments) -> Result:
    key = keyring.lookup(trap, decode.signed(args[0]), 0)
    if not (_held(trap, args[0]) and keyring.permits(trap, key, keyring.SEARCH, possessed=True)):
        key = _key(trap, args[0], keyring.READ)
    if key.type == "logon":
        trap.fail(Errno.EOPNOTSUPP, N_("Only the kernel reads such a key."), "keyctl(2)")
    content = key.payload
    if key.type == KEYRING:
        content = b"".join(serial.to_bytes(4, "little") for serial in key.links)
    trap.touch("keyring", key.domain, "read", key.description)
    return Returned(len(content), content[: int(args[1])])


COMMANDS: dict[int, Callable[[Trap, Arguments], Result | int]] = {
    c.KEYCTL_GET_KEYRING_ID: _get_id,
    c.KEYCTL_JOIN_SESSION_KEYRING: _join,
    c.KEYCTL_UPDATE: _update,
    c.KEYCTL_REVOKE: _revoke,
    KEYCTL_SETPERM: _set_permissions,
    c.KEYCTL_DESCRIBE: _describe,
    c.KEYCTL_CLEAR: _clear,
    c.KEYCTL_LINK: _link,
    KEYCTL_UNLINK: _unlink,
    c.KEYCTL_SEARCH: _search,
    c.KEYCTL_READ: _read,
}


def _key(trap: Trap, serial: Any, need: int) -> Key:
    return keyring.lookup(trap, decode.signed(serial), need)


def _ring(trap: Trap, serial: Any, need: int) -> Key:
    key = _key(trap, serial, need)
    if key.type != KEYRING:
        trap.fail(Errno.ENOTDIR, N_("This key is no keyring."), "keyctl(2)")
    return key


def _held(trap: Trap, serial: Any) -> bool:
    number = decode.signed(serial)
    return number < 0 or keyring.possesses(trap, number)


def _present(trap: Trap, ring: Key, kind: str, description: str) -> Key | None:
    for serial in ring.links:
        key = trap.store.get(Key, serial)
        if key is not None and (key.type, key.description) == (kind, description):
            return key
    return None


def _payload(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value or "").encode()


def _check_type(trap: Trap, kind: str, content: bytes) -> None:
    if kind not in TYPES:
        trap.fail(Errno.ENODEV, N_("The kernel has no such type of key."), "add_key(2)")
    fits = not content if kind == KEYRING else 0 < len(content) <= MAX_PAYLOAD
    if not fits:
        trap.fail(Errno.EINVAL, N_("A key of this type has no such payload."), "add_key(2)")
