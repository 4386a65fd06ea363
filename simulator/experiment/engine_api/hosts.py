"""Machines on which the engine can run: distributions that differ, as a container finds out.

The kernel is the model's own in all of them; what differs is what it calls itself, what it was
built without, and the kind of processor.
"""

from typing import NamedTuple


class Host(NamedTuple):
    """A distribution: its /etc/os-release, and facts about its kernel (``worlds.family_of``).

    Without ``cgroup2`` its control groups are version 1's, and the second is there for no
    controller (systemd's hybrid hierarchy).
    """

    os_release: str
    facts: frozenset[str] = frozenset()
    cgroup2: bool = True


def _release(name: str, ident: str, version: str) -> str:
    return f'PRETTY_NAME="{name}"\nID={ident}\nVERSION_ID="{version}"\n'


DEFAULT = Host(_release("Vitrina, a simulated machine", "vitrina", "1"))
HOSTS: dict[str, Host] = {
    "vitrina": DEFAULT,
    "debian": Host(
        _release("Debian GNU/Linux 12 (bookworm)", "debian", "12"),
        frozenset({"release 6.1.0-28-amd64"}),
    ),
    "ubuntu": Host(
        _release("Ubuntu 22.04.5 LTS", "ubuntu", "22.04"),
        frozenset({"release 5.15.0-126-generic"}),
    ),
    "ubuntu-20.04": Host(
        _release("Ubuntu 20.04.6 LTS", "ubuntu", "20.04"),
        frozenset({"release 5.4.0-205-generic"}),
        cgroup2=False,
    ),
    "fedora": Host(
        _release("Fedora Linux 41 (Server Edition)", "fedora", "41"),
        frozenset({"release 6.11.10-300.fc41.x86_64"}),
    ),
    "raspberry": Host(
        _release("Debian GNU/Linux 12 (bookworm)", "debian", "12"),
        frozenset({"release 6.6.51+rpt-rpi-v8", "machine aarch64"}),
    ),
    "minimal": Host(
        _release("A kernel built by hand, without overlayfs", "lfs", "12"),
        frozenset({"release 6.1.119-custom", "without overlay"}),
    ),
}
"""By the name that ``vitrina engine --host`` takes."""
