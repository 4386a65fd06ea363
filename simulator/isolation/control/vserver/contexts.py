"""vcontext: make a security context, or migrate into one, and run a program there.

Source: src/vcontext.c, src/context-sync.hc, ensc_wrappers/wrappers-vserver.hc.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from simulator.isolation.control.vserver import config, kernel
from simulator.isolation.control.vserver.small import Wrong, execute, options
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import gettext as _
from simulator.machine.userland.process import Process, SysError
from simulator.machine.userland.registry import TOOLS, enter

_HELP = """\
Usage:
    {name} --create [--xid <xid>] <opts>* [--] <program> <args>*
    {name} [(--migrate --xid <xid>)|--migrate-self]  <opts>* [--] <program> <args>*

<opts> can be:
    --chroot	 ...  chroot into current directory
    --namespace     ...  execute namespace management operations
    --uid <uid>     ...  change uid
    --initpid       ...  set current process as general process reaper
                         for ctx (possible for --migrate only)
    --endsetup      ...  clear the setup flag; usefully for migrate only
    --disconnect    ...  start program in background
    --personality-type <type>
                    ...  execute <program> in the given execution domain
    --personality-flags <flags>+
                    ...  set special flags for the given execution domain
    --silent        ...  be silent
    --silentexist   ...  be silent when context exists already; usefully
                         for '--create' only
    --syncsock <file-name>
                    ...  before executing the program, send a message
                         to the socket and wait until it closes.
                         <file-name> must be a SOCK_STREAM unix socket
    --syncmsg <message>
                    ...  use <message> as synchronization message; by
                         default, 'ok' will be used
    --vlogin        ...  enable terminal proxy
    --closefd       ...  close all open file descriptors >2

'vcontext --create' exits with code 254 iff the context exists already.

"""
_VALUES = (
    "--ctx", "--xid", "--uid", "--syncsock", "--syncmsg", "--personality-type",
    "--personality-flags",
)  # fmt: skip
_SWITCHES = (
    "--create", "--migrate", "--migrate-self", "--initpid", "--fakeinit", "--endsetup",
    "--disconnect", "--silent", "--silentexist", "--chroot", "--namespace", "--vlogin",
    "--pivot-root", "--closefd", "--help", "--version",
)  # fmt: skip
_BEYOND = (
    "--syncsock", "--vlogin", "--pivot-root", "--personality-type", "--personality-flags",
)  # fmt: skip
"""What the model's vcontext refuses, as it can't be held."""
_FAILED, _EXISTS = 255, 254
_DYNAMIC = -1
"""VC_DYNAMIC_XID: the kernel is to choose, which the modelled one refuses."""

Given = dict[str, list[str]]


@enter("vcontext", collection=TOOLS)
async def vcontext(sys: Process, argv: Sequence[str]) -> int:
    """The program's own status; 255 when it could not be run, 254 when the context exists."""
    try:
        given, command = options(list(argv[1:]), _VALUES, _SWITCHES)
    except Wrong as error:
        text = f"vcontext: {error}\nTry '{argv[0]} --help' for more information.\n"
        await sys.err(text)
        return _FAILED
    if "--help" in given or "--version" in given:
        version = "vcontext 0.30.216 -- manages the creation of security contexts\n"
        await sys.out(_HELP.format(name=argv[0]) if "--help" in given else version)
        return 0
    for name in _BEYOND:
        if name in given:
            text = _("{name}: the simulated kernel lacks this parameter").format(name=name)
            await sys.err(f"vcontext: {text}\n")
            return _FAILED
    number = await _number(sys, given)
    if number is None:
        return _FAILED
    wrong = _unfit(given, number, command)
    if wrong:
        await sys.err(f"{wrong}\n")
        return _FAILED
    if "--disconnect" not in given:
        return await _run(sys, given, number, command)
    return await _apart(sys, lambda child: _run(child, given, number, command))


async def _number(sys: Process, given: Given) -> int | None:
    """Evc_xidopt2xid(); None after a complaint."""
    if "--migrate-self" in given:
        return await kernel.context_of(sys, 0)
    wanted = [*given.get("--ctx", []), *given.get("--xid", [])][-1:]
    if not wanted:
        return _DYNAMIC
    if wanted[0] == "self":
        return await kernel.context_of(sys, 0)
    if wanted[0].isdigit():
        return int(wanted[0])
    guest = await config.find(sys, wanted[0].removeprefix(":"))
    if guest is None:
        await sys.err(f'vcontext: vc_xidopt2xid("{wanted[0]}"): No such file or directory\n')
        return None
    return guest.context


def _unfit(given: Given, number: int, command: list[str]) -> str:
    """What doesn't go together; or nothing."""
    create = "--create" in given
    migrate = "--migrate" in given or "--migrate-self" in given
    more = "try '--help' for more information"
    if not create and not migrate:
        return f"Neither '--create' nor '--migrate' specified; {more}"
    if create and migrate:
        return f"Can not specify '--create' and '--migrate' at the same time; {more}"
    if create and ("--initpid" in given or "--fakeinit" in given):
        return "'--initpid' is possible in combination with '--migrate' only"
    if not create and number == _DYNAMIC:
        return "vcontext: Can not migrate to an unknown context"
    return "" if command else "No command given; use '--help' for more information."


async def _run(sys: Process, given: Given, number: int, command: list[str]) -> int:
    """doit()."""
    call = "vc_ctx_create()"
    try:
        if "--create" in given:
            await kernel.command(sys, "ctx_create", number)
            if "--silent" not in given:
                await sys.out(f"New security context is {number}\n")
        if "--chroot" in given:
            call = "chroot()"
            await sys.call("chroot", ".")
            if "--namespace" in given and "--create" not in given:
                own = "--migrate-self" in given
                call = "vc_set_namespace()" if own else "vc_enter_namespace()"
                await kernel.command(sys, "set_space" if own else "enter_space", number)
        mask = ["state_init"] if {"--initpid", "--fakeinit"} & set(given) else []
        mask += ["state_setup"] if "--endsetup" in given else []
        call = "vc_set_cflags()"
        if mask:
            await kernel.command(sys, "set_cflags", number, {"flagword": [], "mask": mask})
        if "--migrate" in given and "--migrate-self" not in given:
            call = "vc_ctx_migrate()"
            await kernel.command(sys, "ctx_migrate", number)
        if "--uid" in given:
            call = "setuid()"
            uid = given["--uid"][-1]
            if not uid.isdigit():
                await sys.err(f"vcontext: Uid '{uid}' is not a number\n")
                return _FAILED
            await sys.call("setuid", int(uid))
    except SysError as error:
        if call == "vc_ctx_create()" and error.errno is Errno.EEXIST:
            if "--silentexist" not in given:
                await sys.err(f"vcontext: {call}: {error.message}\n")
            return _EXISTS
        await sys.err(f"vcontext: {call}: {error.message}\n")
        return _FAILED
    return await execute(sys, command)


async def _apart(sys: Process, body: Callable[[Process], Coroutine[Any, Any, int]]) -> int:
    """--disconnect: the program has a session of its own, and nobody waits for its end."""

    async def begun(child: Process) -> int:
        await child.succeeds("setsid")
        null = await child.open("/dev/null")
        await child.call("dup2", null, 0)
        return await body(child)

    await sys.spawn(begun)
    return 0
