"""A machine with its control groups mounted where distributions mount them."""

from simulator.machine.abi.call import Value
from simulator.machine.abi.constants import O_RDONLY, O_WRONLY
from simulator.machine.kernel.boot import INIT
from simulator.machine.kernel.resource import layout
from simulator.machine.kernel.vfs import tree
from tests.unit.machine.kernel.networked import Machine

TOP = "/sys/fs/cgroup"


class Grouped(Machine):
    """``put`` writes a control group's file and ``text`` reads it, each as one system call."""

    def __init__(self, version: str) -> None:
        super().__init__()
        layout.setup(self.store, version)
        tree.mkdirs(self.store, 1, TOP)
        for path, fstype, options in layout.mounts(version):
            self.ask("mkdir", path, 0o755)
            assert self.ask("mount", fstype, path, fstype, 0, options) == 0

    def put(self, path: str, text: str, pid: int = INIT) -> Value:
        fd = self.ask("open", f"{TOP}/{path}", O_WRONLY, pid=pid)
        if not isinstance(fd, int):
            return fd
        result = self.ask("write", fd, text, len(text), pid=pid)
        self.ask("close", fd, pid=pid)
        return result

    def text(self, path: str, pid: int = INIT) -> Value:
        fd = self.ask("open", f"{TOP}/{path}", O_RDONLY, pid=pid)
        if not isinstance(fd, int):
            return fd
        result = self.ask("read", fd, 4096, pid=pid)
        self.ask("close", fd, pid=pid)
        return result.decode() if isinstance(result, bytes) else result

    def make(self, path: str, pid: int = INIT) -> Value:
        return self.ask("mkdir", f"{TOP}/{path}", 0o755, pid=pid)

    def remove(self, path: str, pid: int = INIT) -> Value:
        return self.ask("rmdir", f"{TOP}/{path}", pid=pid)
