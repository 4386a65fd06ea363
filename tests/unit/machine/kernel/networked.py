"""A machine with a network, and programs on it."""

from collections.abc import Callable

from simulator.machine.abi.call import Blocked, Call, Failed, Killed, Result, Returned, Value
from simulator.machine.abi.constants import CLONE_NEWNET
from simulator.machine.abi.ids import NsId, Pid
from simulator.machine.families.linux import LINUX
from simulator.machine.kernel.boot import INIT, boot
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.net import interface as links
from simulator.machine.kernel.task import Task
from simulator.machine.state.store import Store

Ask = Callable[..., Value]


def host_network(store: Store, ns: NsId) -> None:
    """A machine on a network: loopback up, eth0 with an address and a gateway."""
    if links.named(store, ns, "lo") is None:
        links.populate(store, ns)
    lo = links.named(store, ns, "lo")
    assert lo is not None
    links.set_up(store, lo, True)
    card = links.add(store, ns, links.Link("eth0", "ether", mac="02:fc:00:00:00:01"))
    card = links.set_up(store, links.add_address(store, card, "192.0.2.2", 24), True)
    links.add_route(store, ns, "0.0.0.0", 0, gateway="192.0.2.1", interface=card)


class Machine:
    """A booted kernel; ``ask`` makes a call and says how it ended in one word or value."""

    def __init__(self) -> None:
        self.kernel: Kernel = boot(LINUX)
        self.store = self.kernel.store
        if links.named(self.store, self.net(), "lo") is None:
            links.populate(self.store, self.net())
        lo = links.named(self.store, self.net(), "lo")
        assert lo is not None
        links.set_up(self.store, lo, True)

    def net(self, pid: int = INIT) -> NsId:
        return self.store.row(Task, pid).ns.net

    def call(self, pid: int, name: str, *args: Value) -> Result:
        return self.kernel.call(Pid(pid), Call(name, args))

    def ask(self, name: str, *args: Value, pid: int = INIT) -> Value:
        """The data, else the value, else the errno's name, ``Blocked`` or the signal."""
        match self.call(pid, name, *args):
            case Returned(value, data):
                return value if data is None else data
            case Failed(denial):
                return str(denial.errno)
            case Blocked():
                return "Blocked"
            case Killed(signal):
                return signal
            case other:
                return repr(other)

    def fork(self) -> int:
        child = self.ask("fork")
        assert isinstance(child, int)
        return child

    def user(self) -> int:
        """A process of uid 1000."""
        pid = self.fork()
        self.ask("setresgid", 1000, 1000, 1000, pid=pid)
        self.ask("setresuid", 1000, 1000, 1000, pid=pid)
        return pid

    def elsewhere(self) -> int:
        """A process in a network namespace of its own."""
        pid = self.fork()
        assert self.ask("unshare", CLONE_NEWNET, pid=pid) == 0
        return pid

    def cable(self, pid: int, here: str, there: str) -> None:
        """Join the host and ``pid``'s namespace by a veth pair with these /24 addresses."""
        near, far = links.add_veth(self.store, self.net(), "veth0", self.net(pid), "eth0")
        for end, address in ((near, here), (far, there)):
            end = links.add_address(
                self.store, self.store.row(links.Interface, end.id), address, 24
            )
            links.set_up(self.store, end, True)

    def word(self, pid: int) -> str:
        """How a call that had slept ended."""
        match self.kernel.woken[Pid(pid)]:
            case Returned(value, data):
                return str(value if data is None else data)
            case Failed(denial):
                return str(denial.errno)
            case other:
                return repr(other)
