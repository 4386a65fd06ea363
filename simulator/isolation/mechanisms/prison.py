"""A FreeBSD prison: one tag on the process that its kernel asks about everywhere. jail(2)."""

from dataclasses import dataclass

from simulator.isolation.mechanisms.base import ROOT_SWITCH, About, Fill, LaunchPlan, Phase
from simulator.isolation.mechanisms.devfs_rules import mount_devfs
from simulator.machine.abi.constants import JAIL_CREATE, JAIL_UPDATE
from simulator.machine.abi.i18n import N_

Setting = str | int | tuple[str, ...]


ABOUT = About(
    id="prison",
    title=N_("prison"),
    family="freebsd",
    hides=frozenset(
        {
            "file",
            "process",
            "mount",
            "hostname",
            "shm",
            "sem",
            "msg",
            "socket",
            "port",
            "clock",
            "kernel-log",
            "module",
            "reboot",
            "sysctl",
            "device",
            "interface",
        }
    ),
    walls=frozenset({"prison"}),
    role=ROOT_SWITCH,
    cite="jail(8)",
)


@dataclass(frozen=True, slots=True)
class Prison:
    """``params`` are jail(8)'s own parameters; what isn't given keeps the kernel's default.

    ``lifted`` are finer walls of the prison that only the model can take away, one by one.
    """

    params: tuple[tuple[str, Setting], ...] = ()

    about: About = ABOUT

    def plan(self, plan: LaunchPlan) -> None:
        """As jail(8): make the prison outside, attach to it from the child."""
        params: dict[str, Setting] = {"name": plan.name, "persist": 1, "path": plan.root}
        if plan.guest.hostname:
            params["host.hostname"] = plan.guest.hostname
        params.update(self.params)
        persists = params["persist"]
        params["persist"] = 1
        self._addresses(plan, params)
        if not plan.has("devfs-rules"):
            mount_devfs(plan, self.about.id, 0)
        for wall in FINER_WALLS:
            if not plan.has(wall):
                params[f"@without.{wall}"] = 1
        plan.call(
            Phase.PREPARE,
            "runtime",
            self.about.id,
            "jail_set",
            params,
            JAIL_CREATE,
            binds="jid",
            why=N_("The prison exists before anybody is in it."),
        )
        child = plan.caller(Phase.CHILD_PIVOT, "guest", self.about.id)
        child(
            "jail_attach",
            Fill("{jid}"),
            why=N_("The process gets the tag and the prison's root; there is no way back."),
        )
        if not persists:
            plan.call(
                Phase.CHILD_HOSTNAME,
                "runtime",
                self.about.id,
                "jail_set",
                {"jid": Fill("{jid}"), "persist": 0},
                JAIL_UPDATE,
                why=N_("From now on the prison ends with its last process."),
            )

    def _addresses(self, plan: LaunchPlan, params: dict[str, Setting]) -> None:
        """``interface`` of jail(8): the prison's addresses are put on the machine's card."""
        for name in ("ip4.addr", "ip6.addr"):
            listed = params.get(name, ())
            if isinstance(listed, tuple):
                own = tuple(text.format(ordinal=plan.ordinal) for text in listed)
                params |= {name: own} if own else {}
                for address in own:
                    plan.call(
                        Phase.PREPARE,
                        "runtime",
                        self.about.id,
                        "@alias",
                        address,
                        why=N_("The machine answers to the prison's address from now on."),
                    )


FINER_WALLS = ("prison-visibility", "prison-privileges", "prison-addresses", "prison-root")
"""What a prison is made of inside the kernel; each can be lifted on its own in the model."""
