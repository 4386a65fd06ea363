"""Facts of this machine that a model needs before it is compared with it."""

import contextlib
import functools
import gzip
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from simulator.experiment.real import cgroups, host

_FEATURES = {
    "modules": "CONFIG_MODULES",
    "kexec": "CONFIG_KEXEC",
    "dev_mem": "CONFIG_DEVMEM",
    "keys": "CONFIG_KEYS",
    "kcore": "CONFIG_PROC_KCORE",
    "sysrq": "CONFIG_MAGIC_SYSRQ",
    "userfaultfd": "CONFIG_USERFAULTFD",
    "io_uring": "CONFIG_IO_URING",
    "bsd_acct": "CONFIG_BSD_PROCESS_ACCT",
    "swap": "CONFIG_SWAP",
    "quota": "CONFIG_QUOTA",
    "iopl": "CONFIG_X86_IOPL_IOPERM",
    "fanotify": "CONFIG_FANOTIFY",
    "landlock": "CONFIG_SECURITY_LANDLOCK",
    "yama": "CONFIG_SECURITY_YAMA",
    "apparmor": "CONFIG_SECURITY_APPARMOR",
}
"""Features that the model is told of, or that a known difference names, by kernel option."""

_SYSCTLS = (
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "fs.suid_dumpable",
    "kernel.dmesg_restrict",
    "kernel.io_uring_disabled",
    "kernel.kptr_restrict",
    "kernel.perf_event_paranoid",
    "kernel.unprivileged_bpf_disabled",
    "kernel.yama.ptrace_scope",
    "vm.unprivileged_userfaultfd",
)
"""Settings of the whole machine on which answers depend, and which distributions set otherwise."""

_VERSIONS = {
    "dockerd": ("dockerd", "--version"),
    "docker": ("docker", "--version"),
    "containerd": ("containerd", "--version"),
    "runc": ("runc", "--version"),
    "crun": ("crun", "--version"),
    "lxc": ("lxc-execute", "--version"),
    "bubblewrap": ("bwrap", "--version"),
    "systemd": ("systemd-nspawn", "--version"),
    "busybox": ("busybox", "--help"),
}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One machine. A feature is ``True``, ``False`` or absent when nobody can tell."""

    release: str
    machine: str
    cgroups: str
    controllers: dict[str, str]
    features: dict[str, bool]
    sysctls: dict[str, str]
    bounding: tuple[str, ...]
    effective: tuple[str, ...]
    versions: dict[str, str]


@functools.cache
def gather() -> Facts:
    """Read everything that can be read without changing anything; once a process."""
    return Facts(
        release=platform.release(),
        machine=platform.machine(),
        cgroups=cgroups.layout(),
        controllers=_controllers(),
        features=_features(),
        sysctls=_sysctls(),
        bounding=_bounding(),
        effective=tuple(sorted(host.effective())),
        versions=_versions(),
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _controllers() -> dict[str, str]:
    """Each cgroup controller and the version of the hierarchy that has it."""
    found: dict[str, str] = {}
    for hierarchy in cgroups.hierarchies():
        if hierarchy.kind == "cgroup":
            found |= {word: "v1" for word in hierarchy.options.split(",") if "=" not in word}
        else:
            names = _text(f"{hierarchy.path}/cgroup.controllers").split()
            found |= {name: "v2" for name in names}
    return found


def _config() -> str:
    with contextlib.suppress(OSError):
        return gzip.decompress(Path("/proc/config.gz").read_bytes()).decode("utf-8", "replace")
    return _text(f"/boot/config-{platform.release()}")


def _features() -> dict[str, bool]:
    """From the kernel's configuration, else from files that only a feature has."""
    config = _config()
    if config:
        on = set(re.findall(r"^(CONFIG_\w+)=[ym]$", config, re.MULTILINE))
        return {name: option in on for name, option in _FEATURES.items()} | _shown()
    signs = {
        "modules": "/proc/modules",
        "kexec": "/sys/kernel/kexec_loaded",
        "dev_mem": "/dev/mem",
        "keys": "/proc/keys",
        "kcore": "/proc/kcore",
        "sysrq": "/proc/sysrq-trigger",
        "swap": "/proc/swaps",
        "yama": "/proc/sys/kernel/yama",
    }
    return {name: os.path.exists(path) for name, path in signs.items()} | _shown()


def _shown() -> dict[str, bool]:
    """Features whose file is there or not, whatever the configuration's name for them."""
    files = {"kcore": "kcore", "sysrq": "sysrq-trigger", "mtrr": "mtrr", "acpi": "acpi"}
    files["ikconfig"] = "config.gz"
    return {name: os.path.exists(f"/proc/{file}") for name, file in files.items()} | {
        "scsi": os.path.exists("/proc/scsi"),
        "rt_groups": os.path.exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"),
        "powercap": os.path.exists("/sys/devices/virtual/powercap/intel-rapl"),
    }


def _sysctls() -> dict[str, str]:
    values = {name: _text("/proc/sys/" + name.replace(".", "/")) for name in _SYSCTLS}
    return {name: value for name, value in values.items() if value}


def _bounding() -> tuple[str, ...]:
    lines = _text("/proc/self/status").splitlines()
    masks = [int(line.split()[1], 16) for line in lines if line.startswith("CapBnd:")]
    mask = masks[0] if masks else 0
    names = host.CAPABILITY_NAMES
    return tuple(name for number, name in enumerate(names) if mask >> number & 1)


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, command in _VERSIONS.items():
        program = shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if program is None:
            continue
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run(
                [program, *command[1:]], capture_output=True, check=False, timeout=10
            )
            lines = (done.stdout or done.stderr).decode("utf-8", "replace").splitlines()
            found[name] = lines[0].strip() if lines else "?"
    return found
