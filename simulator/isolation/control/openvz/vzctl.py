"""vzctl(8): ``vzctl [options] <command> <ctid> [parameters]``. Source: vzctl src/vzctl.c."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from simulator.isolation.control.openvz import (
    config,
    disk,
    inside,
    lifecycle,
    passwords,
    setting,
    snapshots,
    state,
    status,
)
from simulator.isolation.control.openvz.config import Container
from simulator.isolation.control.openvz.state import say
from simulator.isolation.technologies.options.openvz import TABLE
from simulator.machine.abi.constants import O_RDWR
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

VERSION = "4.11.1"
USAGE = f"""vzctl version {VERSION}
Copyright (C) 2000-2013, Parallels, Inc.
This program may be distributed under the terms of the GNU GPL License.

Usage: vzctl [options] <command> <ctid> [parameters]

vzctl create <ctid> [--ostemplate <name>] [--config <name>]
   [--layout ploop|simfs] [--hostname <name>] [--name <name>] [--ipadd <addr>]
   [--diskspace <kbytes>] [--diskinodes <NUM> [--private <path>] [--root <path>]
vzctl start <ctid> [--force] [--wait]
vzctl destroy | mount | umount | stop | restart | status <ctid>
vzctl convert <ctid> [--layout ploop[:mode]]
vzctl compact <ctid>
vzctl snapshot <ctid> [--id <uuid>] [--name <name>] [--description <desc>]
   [--skip-suspend]
vzctl snapshot-switch <ctid> --id <uuid> [--skip-resume | --must-resume]
   [--skip-config]
vzctl snapshot-delete <ctid> --id <uuid>
vzctl snapshot-mount <ctid> --id <uuid> --target <dir>
vzctl snapshot-umount <ctid> --id <uuid>
vzctl snapshot-list <ctid> [-H] [-o field[,field...]] [--id <uuid>]
vzctl quotaon | quotaoff | quotainit <ctid>
vzctl enter <ctid> [--exec <command> [arg ...]]
vzctl exec | exec2 <ctid> <command> [arg ...]
vzctl runscript <ctid> <script>
vzctl suspend | resume <ctid> [--dumpfile <name>]
vzctl set <ctid> [--save] [--force] [--setmode restart|ignore]
   [--ram <bytes>[KMG]] [--swap <bytes>[KMG]]
   [--ipadd <addr>] [--ipdel <addr>|all] [--hostname <name>]
   [--onboot yes|no] [--userpasswd <user>:<passwd>]
   [--cpuunits <N>] [--cpulimit <N>] [--cpus <N>]
   [--diskspace <soft>[:<hard>]] [--diskinodes <soft>[:<hard>]]
   [--capability <name>:on|off ...]
   [--devices b|c:major:minor|all:r|w|rw]
   [--devnodes device:r|w|rw|none]
   [--netif_add <ifname[,mac,host_ifname,host_mac,bridge]]>]
   [--applyconfig <name>] [--features <name:on|off>] [--name <vename>]
   [UBC parameters]
"""
_FLAGS = frozenset(
    ("--save", "--force", "--wait", "--fast", "--skip-umount", "--skip-fsck", "--skip-remount")
)
_PLAIN = frozenset(
    ("--ostemplate", "--layout", "--name", "--description", "--onboot", "--disabled", "--setmode",
     "--applyconfig", "--nameserver", "--searchdomain", "--dumpfile", "--quotatime",
     "--userpasswd")
)  # fmt: skip


class Given(NamedTuple):
    """Parameters: flags, and the others with their values in the order given."""

    flags: frozenset[str]
    pairs: list[tuple[str, str]]

    @property
    def last(self) -> dict[str, str]:
        """The last value of each."""
        return dict(self.pairs)


class BadOption(Exception):
    """A parameter that vzctl does not have, or one without its value."""


def parse(words: list[str]) -> Given:
    """getopt_long(). Raises ``BadOption``."""
    flags: set[str] = set()
    pairs: list[tuple[str, str]] = []
    pending = list(words)
    while pending:
        word = pending.pop(0)
        name, found, value = word.partition("=")
        if name in _FLAGS:
            flags.add(name)
            continue
        if name not in TABLE and name not in _PLAIN:
            raise BadOption(
                f"non-option ARGV-elements: {word}"
                if not name.startswith("-")
                else f"vzctl: unrecognized option '{word}'"
            )
        if not found:
            if not pending:
                raise BadOption(f"vzctl: option '{name}' requires an argument")
            value = pending.pop(0)
        pairs.append((name, value))
    return Given(frozenset(flags), pairs)


@enter("vzctl", collection=TOOLS)
async def vzctl(sys: Process, argv: Sequence[str]) -> int:
    """The status is 0, one of vzerror.h, or the command's own (exec2, enter)."""
    words = [word for word in argv[1:] if word not in ("--quiet", "--verbose", "--skiplock")]
    if not words or words[0] == "--help":
        await (sys.out if words else sys.err)(USAGE)
        return 0 if words else status.INVALID_PARAMETER_SYNTAX
    if words[0] == "--version":
        return await say(sys, f"vzctl version {VERSION}")
    command = words[0]
    if command not in ACTIONS and command not in ("create", "set", "status"):
        await sys.err(f"Bad command: {command}\n")
        return status.INVALID_PARAMETER_SYNTAX
    if len(words) < 2:
        await sys.err("CT ID missing\n")
        return status.INVALID_PARAMETER_VALUE
    veid = await number_of(sys, words[1])
    if veid is None or not 0 <= veid <= config.LARGEST:
        await sys.err(f"Bad CT ID {words[1]}\n")
        return status.INVALID_PARAMETER_VALUE
    if veid == 0:
        await sys.err("Only set actions are allowed for CT0\n")
        return status.INVALID_PARAMETER_VALUE
    try:
        return await _carry_out(sys, command, veid, words[2:])
    except BadOption as error:
        await sys.err(f"{error}\n")
        return status.INVALID_PARAMETER_SYNTAX


async def _carry_out(sys: Process, command: str, veid: int, words: list[str]) -> int:
    if not await _opened(sys):
        return status.BAD_KERNEL
    container = await config.load(sys, veid)
    if container is not None:
        container = await config.checked(sys, container)
    if command == "status":
        return await lifecycle.show(sys, veid, container)
    if command == "create":
        given = parse(words)
        if "--userpasswd" in given.last:
            raise BadOption("vzctl: unrecognized option '--userpasswd'")
        wrong = setting.misfit([one for one in given.pairs if one[0] != "--config"])
        if wrong is not None:
            return await say(sys, wrong, status.INVALID_PARAMETER_VALUE)
        refused = await setting.check_name(sys, veid, given.last.get("--name", ""))
        return refused or await lifecycle.create(sys, veid, given.last)
    if container is None:
        await say(sys, "Container config file does not exist", 1)
        return status.NOVECONFIG
    if command == "set":
        return await _set(sys, container, parse(words), len(words))
    return await ACTIONS[command](sys, container, words)


async def _opened(sys: Process) -> bool:
    """vz_do_open(): whether /dev/vzctl can be opened; else it is said why not."""
    try:
        await sys.close(await sys.open(state.DEVICE, O_RDWR))
    except SysError as error:
        await say(sys, f"Unable to open {state.DEVICE}: {error.message}", 1)
        text = "Please check that vzdev kernel module is loaded and you have sufficient permissions"
        await say(sys, f"{text} to access the file.", 1)
        return False
    return True


async def _set(sys: Process, container: Container, given: Given, words: int) -> int:
    pairs = [(name, value) for name, value in given.pairs if name not in _HANDLED]
    refused = await setting.check_name(sys, container.veid, given.last.get("--name", ""))
    if refused:
        return refused
    accounts = [value for name, value in given.pairs if name == "--userpasswd"]
    if accounts:
        failed = await passwords.change(sys, container, accounts)
        # Two words are --userpasswd and its value alone: nothing is left to save.
        if failed or words == 2:
            return failed
    sample = given.last.get("--applyconfig")
    if sample is not None:
        changed = await setting.apply_config(sys, container, sample)
        if changed is None:
            return status.APPLY_CONFIG_ERROR
        container = changed
    return await setting.change(sys, container, pairs, "--save" in given.flags)


_HANDLED = frozenset(
    ("--applyconfig", "--setmode", "--ostemplate", "--layout", "--quotatime", "--userpasswd")
)


async def number_of(sys: Process, text: str) -> int | None:
    """A container's number, given as such or by its name."""
    if text.isdigit():
        return int(text)
    for veid in await config.known(sys):
        container = await config.load(sys, veid)
        if container is not None and container.get("NAME") == text:
            return veid
    return None


Action = Callable[[Process, Container, list[str]], Awaitable[int]]


async def _stop(sys: Process, container: Container, words: list[str]) -> int:
    return await lifecycle.stop(sys, container, fast="--fast" in parse(words).flags)


async def _suspend(sys: Process, container: Container, words: list[str]) -> int:
    return await inside.suspend(sys, container, parse(words).last)


async def _resume(sys: Process, container: Container, words: list[str]) -> int:
    return await inside.resume(sys, container, parse(words).last)


async def _exec(sys: Process, container: Container, words: list[str]) -> int:
    if not words:
        return await _nothing_given(sys, "No command line given for exec")
    return await inside.execute(sys, container, words, False)


async def _nothing_given(sys: Process, text: str) -> int:
    await sys.err(f"{text}\n")
    return status.INVALID_PARAMETER_SYNTAX


async def _enter(sys: Process, container: Container, words: list[str]) -> int:
    if words and words[0] != "--exec":
        return await _nothing_given(sys, f"Invalid option '{words[0]}'")
    if words and (len(words) == 1 or not words[1]):
        return await _nothing_given(sys, "No command line given for --exec")
    return await inside.enter(sys, container, words)


async def _runscript(sys: Process, container: Container, words: list[str]) -> int:
    if not words:
        return await _nothing_given(sys, "Script not specified")
    return await inside.runscript(sys, container, words)


async def _exec2(sys: Process, container: Container, words: list[str]) -> int:
    if not words:
        return await _nothing_given(sys, "No command line given for exec")
    return await inside.execute(sys, container, words, True)


def _alone(action: Callable[[Process, Container], Awaitable[int]]) -> Action:
    """An action whose parameters change nothing."""

    async def run(sys: Process, container: Container, words: list[str]) -> int:
        parse(words)
        return await action(sys, container)

    return run


def _bare(action: Callable[[Process, Container], Awaitable[int]]) -> Action:
    """An action that takes no parameters at all."""

    async def run(sys: Process, container: Container, words: list[str]) -> int:
        if words:
            text = f"Invalid options: {' '.join(words)} "
            return await say(sys, text, status.INVALID_PARAMETER_SYNTAX)
        return await action(sys, container)

    return run


def _of_ploop(name: str) -> Action:
    """One of the commands about snapshots."""

    async def run(sys: Process, container: Container, words: list[str]) -> int:
        return await snapshots.run(sys, name, container, words)

    return run


ACTIONS: dict[str, Action] = {
    "start": _alone(lifecycle.start),
    "stop": _stop,
    "restart": _alone(lifecycle.restart),
    "destroy": _alone(lifecycle.destroy),
    "delete": _alone(lifecycle.destroy),
    "mount": _alone(lifecycle.mount),
    "umount": _alone(lifecycle.umount),
    "enter": _enter,
    "exec": _exec,
    "exec2": _exec2,
    "runscript": _runscript,
    "suspend": _suspend,
    "chkpnt": _suspend,
    "resume": _resume,
    "restore": _resume,
    "quotaon": _bare(disk.quota_on),
    "quotaoff": _bare(disk.quota_off),
    "quotainit": _bare(disk.quota_init),
    "convert": snapshots.convert,
    "compact": snapshots.compact,
    "snapshot-list": snapshots.listed,
    **{name: _of_ploop(name) for name in snapshots.COMMANDS},
}
