"""ipcs, ipcrm, ipcmk: System V objects of the caller's IPC namespace (util-linux's columns)."""

from collections.abc import Sequence

from simulator.machine.abi.constants import IPC_CREAT, IPC_RMID
from simulator.machine.userland.accounts import Names
from simulator.machine.userland.options import UsageError, parse, to_number
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import enter

_TITLES = {
    "m": ("Shared Memory Segments", "shm"),
    "s": ("Semaphore Arrays", "sem"),
    "q": ("Message Queues", "msg"),
}
_HEADS = {
    "m": "key        shmid      owner      perms      bytes      nattch     status      ",
    "s": "key        semid      owner      perms      nsems     ",
    "q": "key        msqid      owner      perms      used-bytes   messages    ",
}


@enter("ipcs")
async def ipcs(sys: Process, argv: Sequence[str]) -> int:
    """ipcs(1) with -m, -s, -q, by /proc/sysvipc."""
    options = parse(argv, "msqatclpui:")
    names = Names(sys)
    chosen = [letter for letter in "qms" if options.has(letter)] or list("qms")
    for letter in chosen:
        title, kind = _TITLES[letter]
        await sys.out(f"\n------ {title} --------\n{_HEADS[letter]}\n")
        for line in (await sys.text_or_empty(f"/proc/sysvipc/{kind}")).splitlines()[1:]:
            await sys.out(await _row(letter, line.split(), names) + "\n")
    await sys.out("\n")
    return 0


async def _row(letter: str, cells: list[str], names: Names) -> str:
    key, number, perms = int(cells[0]) & 0xFFFFFFFF, cells[1], int(cells[2], 8) & 0o777
    uid = {"m": 7, "s": 4, "q": 7}[letter]
    owner = (await names.user(int(cells[uid])))[:10]
    head = f"0x{key:08x} {number:<10} {owner:<10} {perms:<10o} "
    if letter == "m":
        return f"{head}{cells[3]:<10} {cells[6]:<10} "
    if letter == "s":
        return f"{head}{cells[3]:<10}"
    return f"{head}{cells[3]:<12} {cells[4]:<12}"


@enter("ipcrm")
async def ipcrm(sys: Process, argv: Sequence[str]) -> int:
    """ipcrm(1) with -m, -s, -q by id and -M, -S, -Q by key."""
    options = parse(argv, "m:s:q:M:S:Q:")
    status = 0
    for letter, call in (("m", "shmctl"), ("s", "semctl"), ("q", "msgctl")):
        ids = list(options.values.get(letter, []))
        for key in options.values.get(letter.upper(), []):
            get = {"m": "shmget", "s": "semget", "q": "msgget"}[letter]
            args = (to_number(key, 0), 0) if letter == "q" else (to_number(key, 0), 0, 0)
            try:
                ids.append(str(await sys.value(get, *args)))
            except SysError as error:
                status = await sys.complain(f"invalid key ({key}): {error.message}")
        for number in ids:
            args = (
                (to_number(number), 0, IPC_RMID, 0)
                if letter == "s"
                else (to_number(number), IPC_RMID, None)
            )
            try:
                await sys.call(call, *args)
            except SysError as error:
                status = await sys.complain(f"invalid id ({number}): {error.message}")
    return status


@enter("ipcmk")
async def ipcmk(sys: Process, argv: Sequence[str]) -> int:
    """ipcmk(1) with -M SIZE, -S COUNT, -Q and -p MODE."""
    options = parse(argv, "M:S:Qp:")
    mode = to_number(options.value("p", "644"), 8) | IPC_CREAT
    if options.has("M"):
        number = await sys.value("shmget", 0, to_number(options.value("M")), mode)
        await sys.out(f"Shared memory id: {number}\n")
    elif options.has("S"):
        number = await sys.value("semget", 0, to_number(options.value("S")), mode)
        await sys.out(f"Semaphore id: {number}\n")
    elif options.has("Q"):
        await sys.out(f"Message queue id: {await sys.value('msgget', 0, mode)}\n")
    else:
        raise UsageError("ipcmk -M SIZE | -S COUNT | -Q")
    return 0
