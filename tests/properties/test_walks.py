"""A remembered walk leads where a walk leads: whatever is moved, mounted, closed or taken back."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from simulator.machine.abi.constants import MS_BIND, MS_REMOUNT, S_IFCHR
from simulator.machine.abi.ids import Pid
from simulator.machine.kernel.fs.overlay.layers import OPAQUE
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.task import At, Task
from simulator.machine.kernel.trap import Denied, NotModelled, Trap
from simulator.machine.kernel.vfs import path as paths
from simulator.machine.kernel.vfs.walks import Walks
from tests.unit.machine.bare import Machine

SHORT = ("/d", "/d/a", "/d/b", "/d/a/b", "/d/b/a", "/d/a/b/f")
LOOKED_AT = (
    *SHORT,
    "/d/b/a/f",
    "/d/a/../b/f",
    "/d/l/f",
    "/d/a/l",
    "/d/f/a",
    "/d/a/b/",
    "/d//a/./f",
    "b",
    "b/a",
    "./b",
    "../d/a/b",
    "..",
    ".",
    "/",
)
MERGED = ("/m", "/m/a", "/m/b", "/m/a/b", "/m/a/b/f", "/up/a", "/up/b", "/low/a", "/low/a/b")
LOOKED_AT_MERGED = (
    *MERGED,
    "/m/a/f",
    "/m/b/a/f",
    "/m/b/b",
    "/m/a/../b/f",
    "/p/sys/kernel/hostname",
    "/p/self/fd",
    "/s/fs/cgroup/x",
    "a/b",
)
OVERLAY = "lowerdir=/low:/low2,upperdir=/up,workdir=/work"


def calls_on(places: st.SearchStrategy[str], directory: str) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.one_of(
        st.tuples(st.just("mkdir"), places, st.sampled_from((0o755, 0o700, 0o711))),
        st.tuples(st.just("rmdir"), places),
        st.tuples(st.just("creat"), places, st.just(0o644)),
        st.tuples(st.just("unlink"), places),
        st.tuples(st.just("rename"), places, places),
        st.tuples(
            st.just("symlink"),
            st.sampled_from(("a", directory, "b/a")),
            st.just(f"{directory}/l"),
        ),
        st.tuples(st.just("symlink"), st.just(f"{directory}/b"), places),
        st.tuples(st.just("chmod"), places, st.sampled_from((0o755, 0o700, 0o744))),
        st.tuples(st.just("chown"), places, st.just(1000), st.just(1000)),
        st.tuples(st.just("mount"), st.just("t"), places, st.just("tmpfs"), st.just(0)),
        st.tuples(st.just("mount"), places, places, st.just(""), st.just(MS_BIND)),
        st.tuples(
            st.just("mount"), st.just(""), places, st.just(""), st.just(MS_REMOUNT | MS_BIND)
        ),
        st.tuples(st.just("umount2"), places, st.just(2)),
        st.tuples(st.just("open"), places, st.just(0)),
        st.tuples(st.just("chdir"), places),
        st.tuples(st.just("chroot"), places),
    )


calls = calls_on(st.sampled_from(SHORT), "/d")
merged_calls = st.one_of(
    calls_on(st.sampled_from(MERGED), "/m"),
    st.tuples(st.just("mount"), st.just("o"), st.just("/m"), st.just("overlay"), st.just(0),
              st.just(OVERLAY)),
    st.tuples(st.just("mknod"), st.sampled_from(("/up/a", "/up/b", "/low/b")), st.just(S_IFCHR),
              st.just(0)),
    st.tuples(st.just("setxattr"), st.sampled_from(("/up/a", "/low/a")), st.just(OPAQUE),
              st.just(b"y"), st.just(1), st.just(0)),
    st.tuples(st.just("mount"), st.just("p"), st.sampled_from(("/p", "/m/a")), st.just("proc"),
              st.just(0)),
)  # fmt: skip


def outcome(trap: Trap, path: str, follow: bool) -> At | str:
    """Where ``path`` leads, or the errno."""
    try:
        return paths.walk(trap, path, follow=follow)
    except Denied as refusal:
        return str(refusal.denial.errno)


def remembered(
    calls: st.SearchStrategy[tuple[Any, ...]],
    looked_at: tuple[str, ...],
    prepare: Callable[[Machine], None],
    examples: int,
) -> Any:
    """A test that makes ``calls`` and looks at the same paths after each of them."""

    class Remembered(RuleBasedStateMachine):
        """Calls by root; root and another user look, once with the memory and once without."""

        def __init__(self) -> None:
            super().__init__()
            it = Machine()
            self.kernel = it.kernel
            self.pid = it.pid
            self.user = it.become(it.fork(), 1000)
            prepare(it)
            self.first = len(self.kernel.timeline)
            self.others: list[tuple[Kernel, int]] = []

        def trap(self, pid: Pid, walks: Walks | None) -> Trap:
            store = self.kernel.store
            return Trap(store, self.kernel.family, store.row(Task, pid), walks=walks)

        def run_quietly(self, call: tuple[Any, ...]) -> None:
            trap = self.trap(self.pid, self.kernel.walks)
            try:
                self.kernel.family.table[call[0]].run(trap, call[1:])
            except (Denied, NotModelled):
                return

        @rule(call=calls)
        def change(self, call: tuple[Any, ...]) -> None:
            mark = len(self.kernel.store.journal)
            try:
                trap = self.trap(self.pid, self.kernel.walks)
                self.kernel.family.table[call[0]].run(trap, call[1:])
            except (Denied, NotModelled):
                self.kernel.store.rollback(mark)
            self.kernel.timeline.commit(None)  # pyright: ignore

        @rule(first=calls, second=calls, looking=st.booleans())
        def take_back(self, first: tuple[Any, ...], second: tuple[Any, ...], looking: bool) -> None:
            """What a failing call does, but the walks that it made on its way were remembered."""
            mark = len(self.kernel.store.journal)
            self.run_quietly(first)
            self.same()
            self.kernel.store.rollback(mark)
            if looking:
                self.same()
            self.change(second)

        @rule(back=st.integers(0, 8))
        def branch(self, back: int) -> None:
            """Another past: the store is another, which begins with what was known of that step."""
            timeline = self.kernel.timeline
            step = max(self.first, len(timeline) - back)
            self.others.append((self.kernel, self.first))
            self.kernel, self.first = Kernel(self.kernel.family, timeline.branch(step)), 0

        @rule(which=st.integers(0, 8))
        def turn_to(self, which: int) -> None:
            """A branch that was left goes on: what others learnt meanwhile may be wrong for it."""
            if self.others:
                left = self.others.pop(which % len(self.others))
                self.others.append((self.kernel, self.first))
                self.kernel, self.first = left

        @rule(call=calls)
        def forget(self, call: tuple[Any, ...]) -> None:
            """History begins anew in the middle of what nobody has looked at yet."""
            self.run_quietly(call)
            self.kernel.timeline.commit(None)  # pyright: ignore
            origins = [other.timeline.origin for other, _first in self.others]
            if not any(one and one.timeline is self.kernel.timeline for one in origins):
                self.kernel.timeline.forget()
                self.first = 0

        @invariant()
        def same(self) -> None:
            for pid in (self.pid, self.user):
                aware, plain = self.trap(pid, self.kernel.walks), self.trap(pid, None)
                for path in looked_at:
                    for follow in (True, False):
                        # The first walk may be the one that is remembered, the second its last name
                        outcome(aware, path, follow)
                        outcome(aware, path, follow)
                        assert outcome(aware, path, follow) == outcome(plain, path, follow), path

    Remembered.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    return Remembered.TestCase


def stored(it: Machine) -> None:
    for made in ("/d", "/d/a", "/d/b", "/d/a/b", "/d/b/a"):
        it.do("mkdir", made, 0o755)
    it.do("creat", "/d/a/b/f", 0o644)
    it.do("chdir", "/d")


def computed(it: Machine) -> None:
    for made in ("/low", "/low/a", "/low/a/b", "/low2", "/low2/a", "/low2/b", "/up", "/work", "/m"):
        it.do("mkdir", made, 0o755)
    for made in ("/low/a/b/f", "/low2/a/f"):
        it.do("creat", made, 0o644)
    it.do("mount", "o", "/m", "overlay", 0, OVERLAY)
    for made, fstype in (("/p", "proc"), ("/s", "sysfs")):
        it.do("mkdir", made, 0o755)
        it.do("mount", fstype, made, fstype, 0)
    it.do("mount", "t", "/s/fs/cgroup", "tmpfs", 0)
    it.do("chdir", "/m")


TestRemembered = remembered(calls, LOOKED_AT, stored, 12)
TestRememberedThroughComputed = remembered(merged_calls, LOOKED_AT_MERGED, computed, 6)
