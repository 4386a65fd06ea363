"""The configuration files that LXC 5.0 installs, as its templates' containers include them.

Read from lxc ``config/templates/*.conf.in`` and ``config/etc/default.conf.lxcbr.in``, without their
comments and without the keys that only name hooks of packages.
"""

CONFIG = "/usr/share/lxc/config"

_ALLOWED = (
    ("Allow any mknod (but not reading/writing the node)", "c *:* m", "b *:* m"),
    ("/dev/null", "c 1:3 rwm"),
    ("/dev/zero", "c 1:5 rwm"),
    ("/dev/full", "c 1:7 rwm"),
    ("/dev/tty", "c 5:0 rwm"),
    ("/dev/console", "c 5:1 rwm"),
    ("/dev/ptmx", "c 5:2 rwm"),
    ("/dev/random", "c 1:8 rwm"),
    ("/dev/urandom", "c 1:9 rwm"),
    ("/dev/pts/*", "c 136:* rwm"),
    ("fuse", "c 10:229 rwm"),
)
DEVICES: tuple[str, ...] = tuple(rule for _comment, *rules in _ALLOWED for rule in rules)
"""``lxc.cgroup.devices.allow`` and its twin of version 2."""


def _devices(key: str) -> str:
    lines = [f"{key}.devices.deny = a"]
    for comment, *rules in _ALLOWED:
        lines.append(f"## {comment}")
        lines += [f"{key}.devices.allow = {rule}" for rule in rules]
    return "\n".join(lines)


COMMON = f"""\
# Default configuration shared by all containers

# Setup the LXC devices in /dev/lxc/
lxc.tty.dir = lxc

# Allow for 1024 pseudo terminals
lxc.pty.max = 1024

# Setup 4 tty devices
lxc.tty.max = 4

# Drop some harmful capabilities
lxc.cap.drop = mac_admin mac_override sys_time sys_module sys_rawio

# CGroup whitelist
{_devices("lxc.cgroup")}

{_devices("lxc.cgroup2")}

# Setup the default mounts
lxc.mount.auto = cgroup:mixed proc:mixed sys:mixed

# Blacklist some syscalls which are not safe in privileged
# containers
lxc.seccomp.profile = {CONFIG}/common.seccomp
"""

USERNS = """\
# CAP_SYS_ADMIN in init-user-ns is required for cgroup.devices
lxc.cgroup.devices.deny =
lxc.cgroup.devices.allow =

lxc.cgroup2.devices.deny =
lxc.cgroup2.devices.allow =

# Start with a full set of capabilities in user namespaces.
lxc.cap.drop =
lxc.cap.keep =

# We can't move bind-mounts, so don't use /dev/lxc/
lxc.tty.dir =

# Setup the default mounts
lxc.mount.auto = sys:rw
"""

NESTING = """\
# Use a profile which allows nesting
lxc.apparmor.profile = lxc-container-default-with-nesting

# Add uncovered mounts of proc and sys, else unprivileged users
# cannot remount those
lxc.mount.entry = proc dev/.lxc/proc proc create=dir,optional 0 0
lxc.mount.entry = sys dev/.lxc/sys sysfs create=dir,optional 0 0
"""

LXCFS = """\
lxc.hook.mount = /usr/share/lxcfs/lxc.mount.hook
"""

SECCOMP = """\
2
denylist
reject_force_umount  # comment this to allow umount -f;  not recommended
[all]
kexec_load errno 1
open_by_handle_at errno 1
init_module errno 1
finit_module errno 1
delete_module errno 1
"""

DEFAULT = """\
lxc.net.0.type = veth
lxc.net.0.link = lxcbr0
lxc.net.0.flags = up
lxc.net.0.hwaddr = 00:16:3e:xx:xx:xx
"""

INCLUDES: dict[str, str] = {
    f"{CONFIG}/common.conf": COMMON,
    f"{CONFIG}/userns.conf": USERNS,
    f"{CONFIG}/nesting.conf": NESTING,
    f"{CONFIG}/common.conf.d/00-lxcfs.conf": LXCFS,
}
"""What ``lxc.include`` finds on a host where nobody has changed them."""

FILES: tuple[tuple[str, int, str], ...] = (
    *((path, 0o644, text) for path, text in INCLUDES.items()),
    (f"{CONFIG}/common.seccomp", 0o644, SECCOMP),
    ("/etc/lxc/default.conf", 0o644, DEFAULT),
    ("/etc/subuid", 0o644, "root:100000:65536\n"),
    ("/etc/subgid", 0o644, "root:100000:65536\n"),
)


def keys(text: str) -> list[tuple[str, str]]:
    """A configuration file as (key, value) pairs in order; what doesn't begin with ``lxc.`` is left
    out, as LXC leaves it out.

    Raises ``ValueError`` with the line that is no ``key = value`` (lxc ``confile.c``).
    """
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped.startswith("lxc."):
            continue
        key, equals, value = stripped.partition("=")
        if not equals:
            raise ValueError(stripped)
        value = value.strip()
        if len(value) > 1 and value[0] in "'\"" and value[-1] == value[0]:
            value = value[1:-1]
        found.append((key.strip(), value))
    return found
