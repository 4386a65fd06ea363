"""Kernel-wide settings of FreeBSD at boot: sysctl(8), security(7), chroot(2), GENERIC.

What the kernel computes when it is asked (host name, processes, prisons) is in
``syscalls/freebsd_sysctl.py``.
"""

SYSCTLS: dict[str, str] = {
    "hw.machine": "amd64",
    "hw.model": "Vitrina virtual CPU",
    "hw.ncpu": "2",
    "hw.pagesize": "4096",
    "hw.physmem": "1073741824",
    "kern.bootfile": "/boot/kernel/kernel",
    "kern.chroot_allow_open_directories": "1",
    "kern.corefile": "%N.core",
    "kern.features.racct": "1",
    "kern.features.rctl": "1",
    "kern.maxfiles": "30000",
    "kern.maxproc": "6000",
    "kern.racct.enable": "0",
    "kern.randompid": "0",
    "kern.securelevel": "-1",
    "security.bsd.hardlink_check_uid": "0",
    "security.bsd.see_other_gids": "1",
    "security.bsd.see_other_uids": "1",
    "security.bsd.unprivileged_mlock": "1",
    "security.bsd.unprivileged_proc_debug": "1",
    "security.bsd.unprivileged_read_msgbuf": "1",
    "vfs.usermount": "0",
    "vm.loadavg": "{ 0.15 0.10 0.05 }",
    "vm.overcommit": "0",
}
