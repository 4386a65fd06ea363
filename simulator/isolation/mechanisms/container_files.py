"""Three files that Docker writes for each container and binds over the image's own."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import About, Fill, LaunchPlan, Length, Phase
from simulator.isolation.mechanisms.volumes import Volumes
from simulator.machine.abi.constants import (
    MS_BIND,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    O_CREAT,
    O_TRUNC,
    O_WRONLY,
    S_IFREG,
)
from simulator.machine.abi.i18n import N_

ABOUT = About(
    id="container-files",
    title=N_("/etc/hostname, /etc/hosts, /etc/resolv.conf"),
    hides=frozenset({"hostname"}),
    cite="moby container/container_unix.go",
)


@dataclass(frozen=True, slots=True)
class ContainerFiles:
    """Below ``directory`` on the host, one directory a container. ``hosts`` is /etc/hosts; without
    it, the sandbox's own name with its address on the default bridge.
    """

    directory: str = "/var/lib/docker/containers"
    resolver: str = "nameserver 192.0.2.1\n"
    hosts: str = ""

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """Written by the runtime, bound by the child, which may write to them."""
        place = f"{self.directory}/{plan.name}"
        name = plan.guest.hostname
        lines = f"127.0.0.1\tlocalhost\n172.17.0.{plan.ordinal + 1}\t{name}\n"
        prepare = plan.caller(Phase.PREPARE, "runtime", self.about.id)
        # daemon_unix.go, setupDaemonRoot(): root of the mapped ids gets through by its group.
        for path in (self.directory.rpartition("/")[0], self.directory, place):
            prepare("mkdir", path, 0o710, tolerates=("EEXIST",))
            self._hand_over(plan, path, 0)
        for file, text in (
            ("hostname", f"{name}\n"),
            ("hosts", self.hosts or lines),
            ("resolv.conf", self.resolver),
        ):
            handle = f"{file.replace('.', '-')}-fd"
            flags = O_CREAT | O_WRONLY | O_TRUNC
            prepare("open", f"{place}/{file}", flags, 0o644, binds=handle)
            prepare("write", Fill("{" + handle + "}"), text, Length(text))
            prepare("close", Fill("{" + handle + "}"))
            self._hand_over(plan, f"{place}/{file}", plan.image.uid_shift)
            self._bind(plan, f"{place}/{file}", f"{plan.root}/etc/{file}")

    def _hand_over(self, plan: LaunchPlan, path: str, uid: int) -> None:
        """With ids mapped, root inside is another user outside and must still get at its files."""
        if plan.image.uid_shift:
            shift = plan.image.uid_shift
            plan.call(Phase.PREPARE, "runtime", self.about.id, "chown", path, uid, shift)

    def _bind(self, plan: LaunchPlan, source: str, target: str) -> None:
        held = plan.mechanisms.get("volumes")
        binds = held.binds if isinstance(held, Volumes) else ()
        if any(plan.root + one.target == target for one in binds):
            return  # the operator's own file is used instead (moby TrySetNetworkMount())
        child = plan.caller(Phase.CHILD_ROOT, "guest", self.about.id)
        child("mknod", target, S_IFREG | 0o755, 0, tolerates=("EEXIST",))
        child("mount", source, target, "bind", MS_BIND | MS_REC, None)
        child("@grant", target, why=N_("The operator handed this in on purpose."))
        if plan.has("readonly-root"):
            flags = MS_BIND | MS_REMOUNT | MS_RDONLY
            child("mount", "none", target, None, flags, None)
