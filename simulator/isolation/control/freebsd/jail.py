"""jail(8): make, change and remove prisons, from the command line or from /etc/jail.conf.

Source: usr.sbin/jail/jail.c; jail(8).
"""

from collections.abc import Sequence

from simulator.isolation.control.freebsd.conf import ConfError
from simulator.isolation.control.freebsd.filed import of_file, remove_all
from simulator.isolation.control.freebsd.making import Job, create, one
from simulator.isolation.control.freebsd.params import JailError, Params, check, switches
from simulator.isolation.control.getopt import misread
from simulator.machine.userland.options import Options, UsageError, parse
from simulator.machine.userland.process import Process
from simulator.machine.userland.registry import TOOLS, enter

_USAGE = """usage: jail [-dhilqv] [-J jid_file] [-u username] [-U username]
            -[cmr] param=value ... [command=command ...]
       jail [-dqv] [-f file] -[cmr] [jail]
       jail [-qv] [-f file] -[rR] ['*' | jail ...]
       jail [-dhilqv] [-J jid_file] [-u username] [-U username]
            [-n jailname] [-s securelevel]
            path hostname [ip[,...]] command ...
"""


@enter("jail", collection=TOOLS)
async def jail(sys: Process, argv: Sequence[str]) -> int:
    """-c, -m and -r, of one jail or of every one in the file; and the old form without them."""
    try:
        given = parse(argv, "cde:f:hiJ:lmn:p:qrRs:u:U:v", stop_early=True)
    except UsageError as error:
        return await misread(sys, error, _USAGE, 1)
    doing = [letter for letter in "cmrR" if given.has(letter)]
    try:
        if not doing:
            return await _old_form(sys, given)
        if doing == ["r"] or "R" in doing:
            typed = any("=" in word for word in given.rest)
            if not given.rest or (typed and not given.has("R")):
                return await _usage(sys)
            return await remove_all(sys, given)
        if given.rest and (len(given.rest) > 1 or "=" in given.rest[0]):
            params = {**switches(given), **_typed(given.rest)}
            return await one(sys, Job(given, doing), params)
        return await of_file(sys, given, doing)
    except (JailError, ConfError) as error:
        return await sys.complain(str(error))


async def _usage(sys: Process) -> int:
    await sys.err(_USAGE)
    return 1


def _typed(words: list[str]) -> Params:
    """``name=value`` words; ``command=`` takes all that follows."""
    found: Params = {}
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "command":
            found["command"] = [value, *words[at + 1 :]]
            break
        found[name] = [value] if equals else []
    return found


async def _old_form(sys: Process, given: Options) -> int:
    """``jail path hostname [ip] command``: the command line of FreeBSD 4."""
    if len(given.rest) < 4 or not given.rest[0].startswith("/"):
        return await _usage(sys)
    path, hostname, address, *command = given.rest
    params = {**switches(given), "path": [path], "host.hostname": [hostname], "command": command}
    if address:
        params["ip4.addr"] = address.split(",")
    check(params)
    return await create(sys, Job(given, ["c"]), given.value("n"), params)
