"""A session of real processes: the protocol of ``probes.session`` over agents."""

import contextlib
import errno
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from simulator.experiment.probes.constants import ACTOR_PIDS, plain_constants
from simulator.experiment.probes.observation import Extra, Fingerprint, Use
from simulator.experiment.probes.session import HarnessError
from simulator.experiment.probes.world import World
from simulator.experiment.real import around, fingerprint, guard, usage
from simulator.experiment.real.addresses import Addresses
from simulator.experiment.real.agent import wire
from simulator.experiment.real.calls import fork
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.gate import Gate
from simulator.experiment.real.link import (
    QUIET,
    Asleep,
    Gone,
    Link,
    inner_pids,
    proc_state,
    stirring,
)
from simulator.experiment.real.purity import passing, pure
from simulator.experiment.real.sandbox import Machine
from simulator.machine.abi.call import (
    Blocked,
    Call,
    Denial,
    Executed,
    Exited,
    Failed,
    Killed,
    Result,
    Returned,
    Silent,
    Value,
)
from simulator.machine.abi.errno import Errno
from simulator.machine.abi.i18n import gettext as _

Launch = Callable[[Machine, str], Link]
"""Start the actor of this name on the machine, behind whatever walls."""

_SIGNALLING = {"kill", "tkill", "tgkill", "pidfd_send_signal", "exit", "exit_group", "ptrace"}
_SHELL_LIMIT = 8.0
_RUNNING, _DYING = 0.5, 3.0
"""Seconds that a signal is given to take effect while somebody runs, and while somebody dies."""
_OPERATORS = ("host", "runtime")
_TENANTS = ("guest", "neighbour")


class Left(msgspec.Struct, frozen=True):
    """What a session leaves: tenants' processes that wait for a call as when they began.

    ``pure``: nothing happened; ``passing``: nothing that a look at machine and sandbox can't see.
    """

    idle: tuple[Link, ...]
    pure: bool
    passing: bool


class RealSession:
    """Actors by name, each a process; ``launch`` knows the technology.

    ``world`` is the machine's, perhaps with constants of this session's own.
    ``finish`` ends the machine, or lends it on.
    """

    def __init__(
        self,
        machine: Machine,
        world: World,
        launch: Launch,
        actors: set[str],
        finish: Callable[[Left], None],
    ) -> None:
        self.world = world
        self.pure = self.passing = True
        self.quiet = QUIET
        self.machine = machine
        self._launch = launch
        self._finish = finish
        self._watched: tuple[str, ...] | None = None
        self._gate = Gate()
        self._addresses = Addresses()
        self._links: dict[str, Link] = {}
        self._nameless: list[Link] = []
        self._constants = plain_constants(world)
        self._constants["HOST_KEY"] = machine.key
        if machine.disk is not None:
            self._constants["HOST_DISK_MAJOR"] = machine.disk.major
            self._constants["HOST_DISK_MINOR"] = machine.disk.minor
            self._constants["HOST_DISK"] = f"loop{machine.disk.minor}"
        self._host_pid = self._seen(machine.daemons[0]) if machine.daemons else None
        for actor in sorted(actors | {"guest"}):
            self._actor(actor)

    def _left(self) -> Left:
        tenants = [self._links[name] for name in _TENANTS if name in self._links]
        idle = tuple(link for link in tenants if not link.pending) if self.pure else ()
        return Left(tuple(link for link in idle if link.tidy()), self.pure, self.passing)

    def _actor(self, name: str) -> Link:
        if name not in self._links:
            if name in _OPERATORS:
                self._links[name] = self.machine.spawn()
            else:
                self._links[name] = self._launch(self.machine, name)
            self._check_apart(name)
        return self._links[name]

    def _check_apart(self, name: str) -> None:
        """No actor may live in this machine's own namespaces."""
        same = guard.apart(self._links[name].pid)
        shared = [kind for kind in same if kind not in self.machine.shared]
        if shared:
            raise HarnessError(
                _("actor {name} shares namespaces with this machine: {kinds}").format(
                    name=name, kinds=", ".join(shared)
                )
            )

    def _seen(self, link: Link) -> int:
        """The pid as the host of the probe sees it.

        That is one level below this machine's, except for a container of a running engine,
        whose host is this machine.
        """
        pids = inner_pids(link.pid)
        inside = not self.machine.shared or link.pid in self.machine.members()
        return pids[1] if inside and len(pids) > 1 else pids[0]

    def call(self, actor: str, call: Call) -> Result:
        """One raw system call; refused ones come back ``Silent``."""
        link = self._actor(actor)
        reason = guard.refusal(link.pid, call, self.machine.supervisor.pid)
        reason = reason or self._addresses.refusal(link.pid, call)
        meanwhile = around.meanwhile(link.pid, call) if reason is None else None
        reason = meanwhile if meanwhile is not None and self._gate.busy() else reason
        if reason is not None:
            return Silent(_("model only: {reason}").format(reason=_(reason)))
        if call.name in ("execve", "execveat"):
            result = _result(call, self._gate.execve(link, call, self._ask))
        else:
            args = [wire.pack(arg) for arg in call.args]
            request = {"do": "call", "call": call.name, "args": args}
            result = _result(call, self._ask(link, request, quiet=self.quiet))
        self._addresses.note(link.pid, call, result)
        self.pure = self.pure and pure(call, result)
        self.passing = self.passing and passing(call, result)
        if isinstance(result, Returned):
            host = self.machine.supervisor.pid
            self.machine.spoilt |= guard.turns_a_setting(link.pid, call, host)
        if call.name in _SIGNALLING or isinstance(result, Executed):
            # Behind an execve(2) a whole program may have run, and its end have ended others.
            self._settle()
        return self._told(result)

    def _told(self, result: Result) -> Result:
        """The result, or what a program that runs was refused: the machines differ from there."""
        reason = self._gate.news()
        if reason is None:
            return result
        return Silent(_("model only: {reason}").format(reason=reason))

    def _ask(self, link: Link, request: dict[str, Any], **limits: float) -> Any:
        try:
            return link.ask(request, **limits)
        except RealError as error:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(link.pidfd, signal.SIGKILL)
            raise HarnessError(str(error)) from error

    def shell(self, actor: str, line: str) -> Result:
        """A child of the actor runs ``/bin/sh -c line``."""
        link = self._actor(actor)
        self.pure = self.passing = False
        answer = self._gate.line(link, line, self._ask, _SHELL_LIMIT)
        result = self._told(_result(Call("shell", (line,)), answer))
        if isinstance(result, Returned) and isinstance(result.data, bytes):
            return Returned(result.value, result.data.decode("utf-8", "backslashreplace"))
        return result

    def fork(self, actor: str, child: str, call: Call) -> Result:
        """fork, vfork or clone: the child becomes an actor."""
        link = self._actor(actor)
        name = "fork" if call.name == "vfork" else call.name
        self.pure = self.passing = False
        answer, born = fork(link, name, call.args)
        if born is not None:
            self._addresses.forked(link.pid, born.pid)
            if child in self._links:
                self._nameless.append(self._links[child])
            if child:
                self._links[child] = born
            else:
                self._nameless.append(born)
        return _result(call, answer)

    def asleep(self, actor: str) -> bool:
        """Whether the actor sleeps in a call or is stopped."""
        link = self._actor(actor)
        if link.pending and link.poll(0.03) is None:
            return True
        return proc_state(link.pid)[0] in "Tt"

    def alive(self, actor: str) -> bool:
        """Whether the actor's process still exists."""
        if actor not in self._links:
            self._actor(actor)
        link = self._links[actor]
        if link.pending:
            link.poll(0)
        return link.alive

    def constants(self) -> Mapping[str, Value]:
        """World constants, with the pids that the host sees."""
        pids: dict[str, Value] = {
            name: self._seen(self._links[actor])
            for actor, name in ACTOR_PIDS.items()
            if actor in self._links
        }
        if self._host_pid is not None:
            pids["HOST_PID"] = self._host_pid
        return self._constants | pids

    def extra(self) -> Extra:
        """Nothing: a real kernel does not explain itself."""
        return Extra()

    def fingerprint(self) -> Fingerprint:
        """Digests of the host's files, mounts, daemons, IPC objects, names and disk."""
        if self._watched is None:
            self._watched = fingerprint.paths(self.machine)
        return fingerprint.take(self.machine, self._watched)

    def uses(self) -> tuple[Use, ...]:
        """What the guest holds, and its limits, as far as control groups say."""
        return usage.uses(self.machine, self._links["guest"])

    def _settle(self) -> None:
        """Let signals take effect: the model delivers them before the next step.

        Whoever runs may run for ever; dying has an end, but may take more than a moment.
        """
        begun = time.monotonic()
        links = [*self._links.values(), *self._nameless]
        quiet, patience = 0, _RUNNING
        while quiet < 2 and time.monotonic() < begun + patience:
            time.sleep(0.003)
            moods = {stirring(link.pid) for link in links}
            quiet = 0 if moods - {""} else quiet + 1
            patience = _DYING if "is struck" in moods else _RUNNING

    def close(self) -> None:
        """End everything of the session, or lend its sandboxes on."""
        left = self._left()
        for link in [*self._links.values(), *self._nameless]:
            if link not in left.idle:
                link.kill()
                link.close()
        self._finish(left)


def _result(call: Call, answer: Any) -> Result:
    """An agent's answer as the closed union of results."""
    if isinstance(answer, Asleep):
        return Blocked("stopped" if answer.stopped else "")
    if isinstance(answer, Gone):
        return _ending(call, answer)
    if "refused" in answer:
        return Silent(_("model only: {reason}").format(reason=answer["refused"]))
    if "broken" in answer:
        raise HarnessError(answer["broken"].strip().rpartition("\n")[2])
    if answer["errno"]:
        name = errno_name(answer["errno"])
        if name is None:
            return Silent(_("errno {number} has no name").format(number=answer["errno"]))
        return Failed(Denial(name))
    return Returned(answer["value"], wire.unpack(answer.get("data")))


def _ending(call: Call, gone: Gone) -> Result:
    if gone.alive or (call.name in ("execve", "execveat") and not (gone.status or 0) & 0x7F):
        return Executed()
    if gone.status is None:
        return _ending_unseen(call)
    if gone.status & 0x7F:
        return Killed(signal_name(gone.status & 0x7F))
    return Exited(gone.status >> 8 & 0xFF)


def _ending_unseen(call: Call) -> Result:
    """A process that its own parent reaped before anybody looked: what the call itself says."""
    if call.name in ("exit", "exit_group"):
        status = call.args[0] if call.args else 0
        return Exited(status & 0xFF if isinstance(status, int) else 0)
    if call.name in ("kill", "tkill", "tgkill", "pidfd_send_signal"):
        at = {"kill": 1, "tkill": 1, "tgkill": 2, "pidfd_send_signal": 1}[call.name]
        number = call.args[at] if at < len(call.args) else 9
        return Killed(signal_name(number if isinstance(number, int) else 9))
    return Killed("SIGKILL")


def signal_name(number: int) -> str:
    """``SIGKILL`` for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRT{number}"


def errno_name(number: int) -> Errno | None:
    """This machine's errno as a name; 95 is EOPNOTSUPP."""
    name = "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number, "")
    return Errno.__members__.get({"EDEADLOCK": "EDEADLK", "EWOULDBLOCK": "EAGAIN"}.get(name, name))
