"""What a shell remembers between commands; a subshell starts from a copy of it."""

from dataclasses import dataclass, field, replace

from simulator.machine.userland.process import Process
from simulator.machine.userland.shell.syntax import Command

DEFAULT_PATH = "/sbin:/usr/sbin:/bin:/usr/bin"
"""BB_PATH_ROOT_PATH of busybox: the PATH of a shell that was given none."""
DEFAULT_IFS = " \t\n"


class BreakLoop(Exception):
    """``break`` or, when ``again``, ``continue``, out of ``levels`` loops."""

    def __init__(self, levels: int, *, again: bool) -> None:
        super().__init__(levels)
        self.levels = levels
        self.again = again


class ReturnFromFunction(Exception):
    """``return`` with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class ExitShell(Exception):
    """``exit`` with ``status``, or a ``fault`` that ends a shell that is not interactive."""

    def __init__(self, status: int, *, fault: bool = False) -> None:
        super().__init__(status)
        self.status = status
        self.fault = fault


@dataclass
class Shell:
    """One shell. ``variables`` holds values by name; ``exported`` goes to what it executes."""

    sys: Process
    name: str
    applets: bool = True
    """Whether it is a busybox, which finds its own programs before it looks at PATH."""
    arguments: list[str] = field(default_factory=list[str])
    variables: dict[str, str] = field(default_factory=dict[str, str])
    exported: set[str] = field(default_factory=set[str])
    read_only: set[str] = field(default_factory=set[str])
    functions: dict[str, Command] = field(default_factory=dict[str, Command])
    traps: dict[str, str] = field(default_factory=dict[str, str])
    options: set[str] = field(default_factory=set[str])
    option_place: int = 0
    """How far ``getopts`` is in a word of several letters."""
    status: int = 0
    pid: int = 0
    user: int = 0
    """The effective user id when the shell began, for its prompt."""
    background: int = 0
    jobs: list[int] = field(default_factory=list[int])
    substituted: int | None = None
    """The status of the last command substitution, for a command that is only assignments."""
    last: bool = False
    """Whether the command being run is the shell's last: it may be executed without a fork."""
    depth: int = 0
    """How many functions are being called."""
    tested: int = 0
    """How many conditions enclose the command: ``set -e`` does not apply in one."""

    def copy(self, sys: Process) -> "Shell":
        """The same shell in a forked process."""
        return replace(
            self,
            sys=sys,
            arguments=list(self.arguments),
            variables=dict(self.variables),
            exported=set(self.exported),
            read_only=set(self.read_only),
            functions=dict(self.functions),
            traps={},
            options=set(self.options),
            jobs=[],
            last=False,
        )

    def get(self, name: str) -> str:
        """A variable's value, empty when unset."""
        return self.variables.get(name, "")

    def put(self, name: str, value: str) -> None:
        """Set a variable. ``ExitShell`` is for the caller when it is read-only."""
        if name in self.read_only:
            raise ReadOnlyError(name)
        self.variables[name] = value
        if "a" in self.options:
            self.exported.add(name)

    def environment(self) -> dict[str, str]:
        """What a program is given: the exported variables."""
        return {name: self.variables[name] for name in self.variables if name in self.exported}


class ReadOnlyError(Exception):
    """A read-only variable was to be changed; ``str(error)`` is its name."""
