"""System V message queues. msgget(2), msgsnd(2), msgrcv(2), msgctl(2); ``ipc/msg.c``."""

import msgspec

from simulator.machine.abi.call import Data, Result, Returned, Value
from simulator.machine.abi.constants import (
    IPC_INFO,
    IPC_NOWAIT,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    MSG_EXCEPT,
    MSG_INFO,
    MSG_NOERROR,
    MSG_STAT,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import N_
from simulator.machine.abi.ids import HOST, Domain
from simulator.machine.kernel.ipc import params, perm
from simulator.machine.kernel.ipc.perm import READ, WRITE, Perm
from simulator.machine.kernel.resource.charge import charge
from simulator.machine.kernel.trap import NotModelled, Sleep, Trap
from simulator.machine.state.store import Row

MSG_STAT_ANY = 13
MSG_COPY = 0o40000


class Queue(Row, frozen=True, kw_only=True):
    """A message queue; ``id`` is (ipc namespace, number), a message (type, text)."""

    perm: Perm
    messages: tuple[tuple[int, bytes], ...] = ()
    limit: int
    domain: Domain = HOST


def get(trap: Trap, key: int, flags: int) -> int:
    """msgget(2). EEXIST, ENOENT, EACCES, ENOSPC."""
    found = perm.existing(trap, Queue, "msg", key, flags)
    if found is not None:
        perm.need(trap, found.perm, flags & 0o777)
        perm.touch(trap, found, "msg", "name")
        return found.id[1]
    ns = perm.space(trap)
    if len(perm.in_space(trap, Queue)) >= params.number(trap.store, ns, "kernel.msgmni"):
        trap.deny(
            Errno.ENOSPC,
            "ipc-limit",
            N_("The ipc namespace holds as many queues as kernel.msgmni allows."),
            "msgget(2)",
        )
    charge(trap, "message-queue")
    number = perm.next_id(trap, "msg")
    trap.store.put(
        Queue(
            id=(ns, number),
            perm=perm.made(trap, key, flags),
            limit=params.number(trap.store, ns, "kernel.msgmnb"),
            domain=trap.task.domain,
        )
    )
    return number


def send(trap: Trap, number: int, message: Value, size: int, flags: int) -> int:
    """msgsnd(2) of ``(type, text)``. EINVAL, EACCES, EAGAIN, EFAULT."""
    if message is None:
        trap.fail(Errno.EFAULT, "", "msgsnd(2)")
    kind, text = (
        message if isinstance(message, (tuple, list)) and len(message) == 2 else (1, message)
    )
    if not isinstance(kind, int) or not isinstance(text, (str, bytes)):
        raise NotModelled("a message is (type, text)")
    biggest = params.number(trap.store, perm.space(trap), "kernel.msgmax")
    if number < 0 or not 0 <= size <= biggest or kind < 1:
        trap.ask("may_use_sysv", "msg")
        trap.fail(Errno.EINVAL, N_("The type is below 1, or the size out of range."), "msgsnd(2)")
    content = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    queue = perm.find(trap, Queue, "msg", number)
    perm.need(trap, queue.perm, WRITE)
    charge(trap, "message", size)
    held = sum(len(body) for _kind, body in queue.messages)
    if held + size > queue.limit or len(queue.messages) + 1 > queue.limit:
        if flags & IPC_NOWAIT:
            trap.fail(Errno.EAGAIN, N_("The queue is full."), "msgsnd(2)")
        raise Sleep("msgsnd", {(Queue, queue.id)})
    sent = (kind, content[:size].ljust(size, b"\0"))
    trap.store.put(msgspec.structs.replace(queue, messages=(*queue.messages, sent)))
    perm.touch(trap, queue, "msg", "write")
    return 0


def receive(trap: Trap, number: int, size: int, kind: int, flags: int) -> Result:
    """msgrcv(2): ``(type, text)`` as data. EINVAL, EACCES, E2BIG, ENOMSG."""
    if flags & MSG_COPY:
        raise NotModelled("MSG_COPY")
    if number < 0 or size < 0:
        trap.ask("may_use_sysv", "msg")
        trap.fail(Errno.EINVAL, N_("The size is negative."), "msgrcv(2)")
    queue = perm.find(trap, Queue, "msg", number)
    perm.need(trap, queue.perm, READ)
    place = _choose(queue, kind, flags)
    if place is None:
        if flags & IPC_NOWAIT:
            trap.fail(Errno.ENOMSG, N_("No message of that type waits."), "msgrcv(2)")
        raise Sleep("msgrcv", {(Queue, queue.id)})
    found, text = queue.messages[place]
    if len(text) > size and not flags & MSG_NOERROR:
        trap.fail(Errno.E2BIG, N_("The message is longer than the buffer."), "msgrcv(2)")
    rest = (*queue.messages[:place], *queue.messages[place + 1 :])
    trap.store.put(msgspec.structs.replace(queue, messages=rest))
    perm.touch(trap, queue, "msg", "read")
    text = text[:size]
    return Returned(len(text), (found, text))


def control(trap: Trap, number: int, command: int, value: Value) -> Result | int:
    """msgctl(2). EINVAL, EACCES, EPERM."""
    if command in (IPC_INFO, MSG_INFO):
        trap.ask("may_use_sysv", "msg")
        return perm.highest(trap, Queue)
    if command not in (IPC_STAT, MSG_STAT, MSG_STAT_ANY, IPC_RMID, IPC_SET):
        trap.fail(Errno.EINVAL, N_("There is no such command."), "msgctl(2)")
    queue = perm.find(trap, Queue, "msg", number)
    if command in (IPC_STAT, MSG_STAT, MSG_STAT_ANY):
        return _stat(trap, queue, command)
    perm.need_owner(trap, queue.perm)
    if command == IPC_SET:
        changed = perm.changed(trap, queue.perm, value)
        trap.store.put(msgspec.structs.replace(queue, perm=changed, limit=0))
    else:
        perm.tell_removed(trap, queue)
        trap.store.drop(Queue, queue.id)
    perm.touch(trap, queue, "msg", "write")
    return 0


def _stat(trap: Trap, queue: Queue, command: int) -> Result:
    if command != MSG_STAT_ANY:
        perm.need(trap, queue.perm, READ)
    perm.touch(trap, queue, "msg", "name")
    data: dict[str, Data] = {
        **perm.shown(trap, queue.perm),
        "cbytes": sum(len(text) for _kind, text in queue.messages),
        "qnum": len(queue.messages),
        "qbytes": queue.limit,
    }
    return Returned(queue.id[1] if command != IPC_STAT else 0, data)


def _choose(queue: Queue, kind: int, flags: int) -> int | None:
    """The place of the message that msgrcv(2) takes: the first, of a type, of the lowest type."""
    if not kind:
        return 0 if queue.messages else None
    if kind > 0:
        other = bool(flags & MSG_EXCEPT)
        fits = [i for i, (t, _text) in enumerate(queue.messages) if (t != kind) is other]
        return fits[0] if fits else None
    low = [(t, i) for i, (t, _text) in enumerate(queue.messages) if t <= -kind]
    return min(low)[1] if low else None
