"""What sysfs shows whatever the kernel's state: devices, buses, knobs. sysfs(5)."""

from functools import cache
from typing import TypeAlias

import msgspec


class File(msgspec.Struct, frozen=True):
    """A file with fixed content; ``feature`` as in procfs, ``kind`` what a write reaches."""

    content: str = ""
    mode: int = 0o444
    feature: str = ""
    kind: str = ""


class Link(msgspec.Struct, frozen=True):
    """A symbolic link."""

    target: str


Tree: TypeAlias = "dict[str, Tree | File | Link]"
Entry: TypeAlias = "Tree | File | Link"

_DISK = "pci0000:00/0000:00:04.0/virtio1/block/sda"
_TREE: Tree = {
    "block": {"sda": Link(f"../devices/{_DISK}")},
    "bus": {"cpu": {}, "pci": {"devices": {}, "drivers": {}}, "platform": {}, "virtio": {}},
    "class": {"block": {"sda": Link(f"../../devices/{_DISK}")}, "mem": {}, "tty": {}},
    "dev": {"block": {"8:0": Link(f"../../devices/{_DISK}")}, "char": {}},
    "devices": {
        "pci0000:00": {
            "0000:00:04.0": {
                "vendor": File("0x1af4\n"),
                "virtio1": {
                    "block": {
                        "sda": {
                            "dev": File("8:0\n"),
                            "size": File("41943040\n"),
                            "ro": File("0\n"),
                            "queue": {"scheduler": File("[none]\n", 0o644, kind="disk")},
                        }
                    }
                },
            }
        },
        "system": {
            "cpu": {
                "online": File("0-1\n"),
                "possible": File("0-1\n"),
                "cpu0": {},
                "cpu1": {"online": File("1\n", 0o644, kind="cpu")},
                "vulnerabilities": {"meltdown": File("Not affected\n")},
            }
        },
        "virtual": {
            "dmi": {"id": {"product_uuid": File("0\n", 0o400)}},
            "mem": {},
            "powercap": {
                "intel-rapl": {
                    "intel-rapl:0": {
                        "name": File("package-0\n"),
                        "energy_uj": File("52480119\n", 0o400, kind="power"),
                    }
                }
            },
            "tty": {},
        },
    },
    "firmware": {"acpi": {"tables": {}}, "memmap": {}},
    "fs": {"bpf": {}, "cgroup": {}, "ext4": {"sda1": {}}, "fuse": {"connections": {}},
           "pstore": {}},
    "kernel": {
        "address_bits": File("64\n"),
        "cgroup": {"delegate": File("cgroup.procs\n"), "features": File("nsdelegate\n")},
        "cpu_byteorder": File("little\n"),
        "debug": {},
        "fscaps": File("1\n"),
        "irq": {},
        "kexec_crash_loaded": File("0\n", feature="kexec"),
        "kexec_loaded": File("0\n", feature="kexec"),
        "mm": {"hugepages": {}, "ksm": {"run": File("0\n", 0o644, kind="memory")},
               "transparent_hugepage": {"enabled": File("always [madvise] never\n", 0o644,
                                                         kind="memory")}},
        "notes": File(""),
        "profiling": File("0\n", 0o644, kind="cpu"),
        "rcu_expedited": File("0\n", 0o644, kind="cpu"),
        "rcu_normal": File("0\n", 0o644, kind="cpu"),
        "security": {},
        "slab": {},
        "tracing": {},
        "uevent_helper": File("\n", 0o644, feature="uevent_helper", kind="kernel"),
        "uevent_seqnum": File("1000\n"),
        "vmcoreinfo": File("0000000000000000 1000\n", kind="memory"),
    },
    "module": {"kernel": {"parameters": {"panic": File("0\n", 0o644, kind="kernel")}}},
    "power": {
        "mem_sleep": File("[s2idle]\n", 0o644, kind="reboot"),
        "pm_freeze_timeout": File("20000\n", 0o644, kind="reboot"),
        "state": File("freeze mem\n", 0o644, kind="reboot"),
        "wake_lock": File("\n", 0o644, feature="wakelock", kind="reboot"),
    },
}  # fmt: skip

_SMALL_TREE: Tree = {
    "class": {"mem": {}, "tty": {}},
    "devices": {"system": {"cpu": {"cpu0": {}, "cpu1": {}}}, "virtual": {"mem": {}, "tty": {}}},
    "fs": {"cgroup": {}},
    "kernel": {"uevent_seqnum": File("1000\n")},
}
"""What a sandbox has where ``Traits.sysfs_of_network``: names, and nothing to turn."""


@cache
def fixed(small: bool, features: frozenset[str]) -> Tree:
    """What a kernel of these features shows whatever its state."""
    tree = _with_features(_SMALL_TREE if small else _TREE, features)
    devices = below(tree, "devices", "virtual")
    if "powercap" not in features:
        devices.pop("powercap", None)
    devices["net"], below(tree, "class")["net"] = {}, {}
    return tree


def below(tree: Tree, *names: str) -> Tree:
    """The directory that the names lead to, which there must be."""
    for name in names:
        found = tree[name]
        assert isinstance(found, dict)
        tree = found
    return tree


def _with_features(tree: Tree, features: frozenset[str]) -> Tree:
    return {
        name: _with_features(below, features) if isinstance(below, dict) else below
        for name, below in tree.items()
        if not isinstance(below, File) or not below.feature or below.feature in features
    }
