"""What ``vitrina verify`` runs when nobody says what: every product, and each of its doors."""

CONFIGURATIONS: tuple[str, ...] = (
    "none",
    "none --userspec=1000:1000",
    "chroot",
    "chroot --userspec=1000:1000",
    "unshare -m -u -i -n -p -C -f",
    "unshare -m -p -f --mount-proc",
    "unshare -U -r",
    "cgroups",
    "cgroups pids.max=20",
    "runc",
    "runc root.readonly=false process.noNewPrivileges=false",
    "crun",
    "lxc",
    "lxc-unpriv",
    "bwrap",
    "bwrap --unshare-all --proc /proc --dev /dev",
    "docker",
    "docker --pid=host --uts=host --ipc=host",
    "docker --net=host",
    "docker --net=none --read-only",
    "docker -u 1000 --security-opt no-new-privileges",
    "docker --cap-drop ALL --pids-limit 20",
    "docker --security-opt seccomp=unconfined --cap-add SYS_ADMIN",
    "docker -v /:/host --memory 64m",
)
"""SPECs, each with a reason of its own: a technology, or an option that opens or closes a wall."""
