"""mount, umount, pivot_root, chroot, unshare, nsenter, df, mountpoint."""

from collections.abc import Sequence

from simulator.machine.abi.constants import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    MNT_DETACH,
    MNT_FORCE,
    MS_BIND,
    MS_MOVE,
    MS_NOATIME,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
    MS_SHARED,
    MS_SILENT,
    MS_SLAVE,
    MS_UNBINDABLE,
    O_RDONLY,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.programs.basic import become
from simulator.machine.userland.registry import enter

_FLAGS = {
    "ro": MS_RDONLY,
    "nosuid": MS_NOSUID,
    "nodev": MS_NODEV,
    "noexec": MS_NOEXEC,
    "noatime": MS_NOATIME,
    "relatime": MS_RELATIME,
    "remount": MS_REMOUNT,
    "bind": MS_BIND,
    "rbind": MS_BIND | MS_REC,
    "move": MS_MOVE,
    "shared": MS_SHARED,
    "slave": MS_SLAVE,
    "private": MS_PRIVATE,
    "unbindable": MS_UNBINDABLE,
    "rshared": MS_SHARED | MS_REC,
    "rslave": MS_SLAVE | MS_REC,
    "rprivate": MS_PRIVATE | MS_REC,
    "runbindable": MS_UNBINDABLE | MS_REC,
}
_CLEARING = {"rw": MS_RDONLY, "suid": MS_NOSUID, "dev": MS_NODEV, "exec": MS_NOEXEC}
_IGNORED = ("defaults", "auto", "noauto", "user", "users", "loop")
_NO_DEVICE = MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE
_SPACES = {
    "m": (CLONE_NEWNS, "mnt"),
    "u": (CLONE_NEWUTS, "uts"),
    "i": (CLONE_NEWIPC, "ipc"),
    "n": (CLONE_NEWNET, "net"),
    "p": (CLONE_NEWPID, "pid"),
    "U": (CLONE_NEWUSER, "user"),
    "C": (CLONE_NEWCGROUP, "cgroup"),
    "T": (CLONE_NEWTIME, "time"),
}
_LONG = {
    "mount": "m",
    "uts": "u",
    "ipc": "i",
    "net": "n",
    "pid": "p",
    "user": "U",
    "cgroup": "C",
    "time": "T",
    "fork": "f",
    "map-root-user": "r",
    "mount-proc": "M",
    "propagation": "P",
    "setgroups": "S",
    "target": "t",
    "root": "R",
    "wd": "w",
    "no-fork": "F",
}


@enter("mount")
async def mount(sys: Process, argv: Sequence[str]) -> int:
    """mount(8): list mounts, or mount(2) with -t, -o, --bind, --rbind, --move, --make-*."""
    words = [argv[0]]
    extra: list[str] = []
    for word in argv[1:]:
        if word.startswith("--"):
            extra.append(word[2:].removeprefix("make-"))
        else:
            words.append(word)
    options = parse(words, "at:o:rwvnfOT:i")
    wishes = [word for text in options.values.get("o", []) for word in text.split(",")] + extra
    wishes += ["ro"] if options.has("r") else []
    if not options.rest and not extra:
        return await _list(sys, options.value("t"))
    if not options.rest:
        raise UsageError("missing operand")
    flags, data = _split(wishes)
    fstype = options.value("t") or None
    if len(options.rest) == 1:
        source, target = "none", options.rest[0]
        if not flags & _NO_DEVICE:
            return await sys.complain(f"can't find {target} in /etc/fstab")
        if flags & MS_REMOUNT:
            known = [line.split(" ") for line in (await sys.text("/proc/mounts")).splitlines()]
            found = [row for row in known if row[1] == target]
            if not found:
                return await sys.complain(f"can't find {target} in /proc/mounts")
            source, fstype = found[-1][0], fstype or found[-1][2]
    else:
        source, target = options.rest[0], options.rest[1]
    return await _mount(sys, source, target, fstype, flags, data)


def _split(wishes: list[str]) -> tuple[int, str]:
    flags = 0
    data: list[str] = []
    for word in wishes:
        if word in _FLAGS:
            flags |= _FLAGS[word]
        elif word in _CLEARING:
            flags &= ~_CLEARING[word]
        elif word and word not in _IGNORED:
            data.append(word)
    return flags, ",".join(data)


async def _mount(
    sys: Process, source: str, target: str, fstype: str | None, flags: int, data: str
) -> int:
    kinds = [fstype] if fstype else [None] if flags & _NO_DEVICE else await _device_kinds(sys)
    failure: SysError | None = None
    for kind in kinds:
        try:
            await sys.call("mount", source, target, kind, flags | MS_SILENT, data or None)
        except SysError as error:
            failure = error
            if error.errno is Errno.EPERM:
                break
        else:
            return 0
    if failure is None:
        return await sys.complain(f"mounting {source} on {target} failed: Invalid argument")
    if failure.errno is Errno.EPERM:
        await sys.complain("permission denied (are you root?)")
        return 1
    await sys.complain(f"mounting {source} on {target} failed: {failure.message}")
    return 255


async def _device_kinds(sys: Process) -> list[str | None]:
    lines = (await sys.text_or_empty("/proc/filesystems")).splitlines()
    return [line.strip() for line in lines if not line.startswith("nodev")]


async def _list(sys: Process, kind: str) -> int:
    try:
        text = await sys.text("/proc/mounts")
    except SysError as error:
        return await sys.fault("/proc/mounts", error)
    for line in text.splitlines():
        source, target, fstype, options, *_ = line.split(" ")
        if source != "rootfs" and kind in ("", fstype):
            await sys.out(f"{source} on {target} type {fstype} ({options})\n")
    return 0


@enter("umount")
async def umount(sys: Process, argv: Sequence[str]) -> int:
    """umount(8) with -l and -f."""
    options = parse(argv, "lfarndt:")
    if not options.rest:
        raise UsageError("no mount point")
    flags = (MNT_DETACH if options.has("l") else 0) | (MNT_FORCE if options.has("f") else 0)
    status = 0
    for path in options.rest:
        try:
            await sys.call("umount2", path, flags)
        except SysError as error:
            status = await sys.complain(f"can't unmount {path}: {error.message}")
    return status


@enter("pivot_root")
async def pivot_root(sys: Process, argv: Sequence[str]) -> int:
    """pivot_root(8)."""
    if len(argv) != 3:
        raise UsageError("pivot_root NEW_ROOT PUT_OLD")
    try:
        await sys.call("pivot_root", argv[1], argv[2])
    except SysError as error:
        return await sys.complain(f"pivot_root: {error.message}")
    return 0


@enter("mountpoint")
async def mountpoint(sys: Process, argv: Sequence[str]) -> int:
    """mountpoint(1)."""
    options = parse(argv, "qdxn")
    if len(options.rest) != 1:
        raise UsageError("mountpoint [-q] <[-dn] DIR | -x DEVICE>")
    path = options.rest[0]
    here, above = await sys.stat(path), await sys.stat(f"{path}/..")
    is_one = here["dev"] != above["dev"] or here["ino"] == above["ino"]
    if not options.has("q"):
        await sys.out(f"{path} is {'' if is_one else 'not '}a mountpoint\n")
    return int(not is_one)


@enter("chroot")
async def chroot(sys: Process, argv: Sequence[str]) -> int:
    """chroot(8): chroot(2), chdir(2) to the new root, then a program or a shell."""
    if len(argv) < 2:
        raise UsageError("missing operand")
    try:
        await sys.call("chroot", argv[1])
    except SysError as error:
        return await sys.complain(f"can't change root directory to '{argv[1]}': {error.message}")
    await sys.call("chdir", "/")
    return await become(sys, list(argv[2:]) or ["/bin/sh", "-i"])


@enter("unshare")
async def unshare(sys: Process, argv: Sequence[str]) -> int:
    """unshare(1)."""
    letters = "muinpUCTfrM::P:S:"
    options = parse(argv, letters, _LONG, stop_early=True)
    flags = 0
    for letter, (flag, _) in _SPACES.items():
        flags |= flag if options.has(letter) else 0
    if options.has("r"):
        flags |= CLONE_NEWUSER
    if options.has("M"):
        flags |= CLONE_NEWNS
    uid, gid = await sys.value("geteuid"), await sys.value("getegid")
    try:
        await sys.call("unshare", flags)
    except SysError as error:
        return await sys.complain(f"unshare(0x{flags:x}): {error.message}")
    if options.has("r"):
        await _write(sys, "/proc/self/setgroups", "deny")
        await _write(sys, "/proc/self/uid_map", f"0 {uid} 1")
        await _write(sys, "/proc/self/gid_map", f"0 {gid} 1")
    if flags & CLONE_NEWNS and options.value("P", "private") != "unchanged":
        await sys.call("mount", "none", "/", None, MS_REC | MS_PRIVATE, None)
    command = options.rest or ["/bin/sh"]
    if options.has("f"):
        return await _forked(sys, command, options)
    if options.has("M"):
        await sys.call("mount", "proc", options.value("M") or "/proc", "proc", 0, None)
    return await become(sys, command)


async def _write(sys: Process, path: str, text: str) -> None:
    fd = await sys.open(path, 1)
    await sys.write(fd, text.encode())
    await sys.close(fd)


async def _forked(sys: Process, command: list[str], options: Options) -> int:
    async def body(child: Process) -> int:
        if options.has("M"):
            await child.call("mount", "proc", options.value("M") or "/proc", "proc", 0, None)
        return await become(child, command)

    pid = await sys.spawn(body)
    reply = await sys.call("wait4", pid, 0)
    word = reply.data if isinstance(reply.data, int) else 0
    return 128 + (word & 0x7F) if word & 0x7F else word >> 8 & 0xFF


@enter("nsenter")
async def nsenter(sys: Process, argv: Sequence[str]) -> int:
    """nsenter(1) with -t and the namespaces to enter."""
    options = parse(argv, "t:m::u::i::n::p::U::C::T::R::r::w::FS:G:", _LONG, stop_early=True)
    target = options.value("t")
    fds: list[tuple[int, int, str]] = []
    for letter in "UiunpCTm":
        flag, name = _SPACES[letter]
        if not options.has(letter):
            continue
        path = options.value(letter) or f"/proc/{target}/ns/{name}"
        try:
            fds.append((await sys.open(path, O_RDONLY), flag, name))
        except SysError as error:
            return await sys.fault(f"can't open '{path}'", error)
    for fd, flag, name in fds:
        try:
            await sys.call("setns", fd, flag)
        except SysError as error:
            about = f"setns(): can't reassociate to namespace '{name}'"
            return await sys.complain(f"{about}: {error.message}")
        await sys.close(fd)
    if options.has("p") and not options.has("F"):
        return await _forked(sys, options.rest or ["/bin/sh"], options)
    return await become(sys, options.rest or ["/bin/sh"])
