"""A process inside a prison: fork(2), jail_attach(2), execve(2). usr.sbin/jail/command.c"""

from simulator.machine.abi.call import Call, Executed, Failed, Value
from simulator.machine.userland.process import Process, SysError

PATH = "/sbin:/bin:/usr/sbin:/usr/bin"


async def enter_prison(
    sys: Process, jid: int, name: str, command: list[str], console: int = -1
) -> int:
    """Start ``command`` there, printing to descriptor ``console``; its pid. Raises ``SysError``."""
    pid, number = await sys.bear(Call("fork"), "prison")
    for standard in (1, 2) if console >= 0 else ():
        await sys.drive(pid, Call("dup2", (console, standard)), "", "")
    result = await sys.drive(pid, Call("jail_attach", (jid,)), "", "prison")
    if isinstance(result, Failed):
        await sys.drive(pid, Call("exit", (1,)), "", "")
        await sys.call("wait4", number, 0)
        raise SysError(result.errno, "jail_attach")
    await sys.succeeds("@domain", number, name)
    places = [""] if "/" in command[0] else [f"{one}/" for one in PATH.split(":")]
    env: list[Value] = [f"{key}={value}" for key, value in sys.env.items()]
    words: list[Value] = list(command)
    for place in places:
        call = Call("execve", (f"{place}{command[0]}", words, env))
        result = await sys.drive(pid, call, "", "")
        if isinstance(result, Executed):
            return number
    what = "exec" if sys.name == "jail" else "execvp:"
    await sys.err(f"{sys.name}: {what} {command[0]}: No such file or directory\n")
    await sys.drive(pid, Call("exit", (1,)), "", "")
    return number
