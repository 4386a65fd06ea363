"""Kernel-wide settings of FreeBSD at boot: sysctl(8), security(7), jail(8)."""

SYSCTLS: dict[str, str] = {
    "fs.nr_open": "1048576",
    "hw.machine": "amd64",
    "hw.model": "Vitrina virtual CPU",
    "hw.ncpu": "2",
    "hw.physmem": "8589934592",
    "kern.boottime": "1699996400",
    "kern.chroot_allow_open_directories": "1",
    "kern.maxproc": "31000",
    "kern.osrelease": "14.2-RELEASE",
    "kern.ostype": "FreeBSD",
    "kern.securelevel": "-1",
    "security.bsd.see_other_uids": "1",
    "security.bsd.unprivileged_proc_debug": "1",
    "security.bsd.unprivileged_read_msgbuf": "1",
    "vfs.usermount": "0",
    "vm.loadavg": "{ 0.15 0.10 0.05 }",
}
