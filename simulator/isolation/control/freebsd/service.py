"""service(8): scripts of /etc/rc.d by name. Source: usr.sbin/service/service.sh"""

from collections.abc import Sequence

from simulator.isolation.control.freebsd import rc, rcconf, rcjail
from simulator.isolation.control.freebsd.etc import JAIL_SCRIPT, LOCAL_STARTUP
from simulator.isolation.control.freebsd.rc import Ended
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_USAGE = f"""
Usage:
service [-j <jail name or id>] -e
service [-j <jail name or id>] -R
service [-j <jail name or id>] [-v] -l | -r
service [-j <jail name or id>] [-v] <rc.d script> start|stop|etc.
service -h

-j	Perform actions within the named jail
-e	Show services that are enabled
-R	Stop and start enabled {LOCAL_STARTUP} services
-l	List all scripts in /etc/rc.d and {LOCAL_STARTUP}
-r	Show the results of boot time rcorder
-v	Verbose

"""
_PLACES = ("/etc/rc.d", LOCAL_STARTUP)


@enter("service", collection=TOOLS)
async def service(sys: Process, argv: Sequence[str]) -> int:
    """The script's exit status; 1 without one."""
    try:
        given = parse(argv, "j:ehlrRv", stop_early=True)
    except UsageError as error:
        await sys.err(f"{rc.getopts(error)}\n")
        return await _usage(sys, 1)
    if given.has("h"):
        return await _usage(sys, 0)
    if given.has("j"):
        switches = [f"-{letter}" for letter in "elrRv" if given.has(letter)]
        words = ["jexec", "-l", given.value("j"), "/usr/sbin/service", *switches, *given.rest]
        await sys.execve("/usr/sbin/jexec", words, sys.env)
    if given.has("R"):
        # What is in /usr/local: the model comes with none, and rcorder(8) is not there.
        return 0
    if any(given.has(letter) for letter in "elr"):
        return await _listed(sys, given)
    if len(given.rest) < 2:  # as of the script, which wants a command too
        return await _usage(sys, 1)
    script, *words = given.rest
    await sys.call("chdir", "/")
    sys.env = {"HOME": "/", "PATH": "/sbin:/bin:/usr/sbin:/usr/bin"}
    for place in _PLACES:
        path = f"{place}/{script}"
        if not await sys.succeeds("access", path, 1):
            continue
        if given.has("v"):
            await sys.out(f"{script} is located in {place}\n")
        if path != JAIL_SCRIPT:
            await sys.execve(path, [path, *words], sys.env)
        try:
            return await rcjail.jail(sys, words)
        except Ended as end:
            return end.status
    await sys.out(
        f"{script} does not exist in /etc/rc.d or the local startup\n"
        f"directories ({LOCAL_STARTUP}), or is not executable\n"
    )
    return 1


async def _usage(sys: Process, status: int) -> int:
    await sys.out(_USAGE)
    return status


async def _listed(sys: Process, given: Options) -> int:
    """-e: what is enabled; -l: what there is; -r: in which order it starts."""
    for place in _PLACES:
        if given.has("l") and not given.has("e") and given.has("v"):
            await sys.out(f"From {place}:\n")
        names = sorted(await sys.names(place)) if await sys.succeeds("stat", place) else []
        for name in names:
            if not given.has("e"):
                await sys.out(f"{name}\n" if given.has("l") else f"{place}/{name}\n")
                continue
            variable = f"{name}_enable"
            value = (await rcconf.load(sys, name, [variable]))[variable]
            if value.lower() in rc.YES:
                await sys.out(f"{place}/{name}\n")
    return 0
