"""Switches that a product has for closing doors, one at a time: what a person would try first."""

HARDER: dict[str, tuple[tuple[str, ...], ...]] = {
    "docker": (
        ("--cap-drop", "ALL"),
        ("-u", "1000"),
        ("--security-opt", "no-new-privileges"),
        ("--read-only",),
        ("--network=none",),
        ("--pids-limit=100",),
        ("--memory=256m",),
        ("--cpus=1",),
        ("--userns-remap=default",),
    ),
    "runc": (
        ("process.capabilities=",),
        ("process.user.uid=1000",),
        ("process.noNewPrivileges=true",),
        ("root.readonly=true",),
        ("linux.namespaces=mount,uts,ipc,pid,network,cgroup",),
        ("linux.resources.pids.limit=100",),
        ("linux.resources.memory.limit=268435456",),
    ),
    "lxc": (
        ("lxc.cap.drop=sys_admin",),
        ("lxc.cap.drop=net_admin net_raw",),
        ("lxc.cap.drop=mknod",),
        ("lxc.cap.drop=dac_read_search",),
        ("lxc.mount.auto=proc:ro sys:ro",),
        ("lxc.net.0.type=none",),
        ("lxc.no_new_privs=1",),
        ("lxc.cgroup2.pids.max=100",),
        ("lxc.cgroup2.memory.max=256M",),
        ("lxc.prlimit.nproc=100",),
    ),
    "jail": (
        ("vnet",),
        ("enforce_statfs=2",),
        ("children.max=0",),
        ("securelevel=3",),
        ("sysvshm=new", "sysvsem=new", "sysvmsg=new"),
        ("allow.noraw_sockets",),
        ("allow.noset_hostname",),
        ("devfs_ruleset=4",),
    ),
    "zone": (
        ("ip-type=exclusive",),
        ("max-lwps=200",),
        ("capped-memory:physical=256m",),
        ("capped-memory:swap=256m",),
        ("capped-cpu:ncpus=1",),
        ("limitpriv=basic",),
    ),
    "openvz": (
        ("--ram", "256M", "--swap", "0"),
        ("--numproc", "100"),
        ("--cpulimit", "50"),
        ("--diskspace", "1G"),
        ("--capability", "net_admin:off"),
        ("--capability", "sys_admin:off"),
    ),
}
"""By the technology's name, option words each; some don't apply and are then passed over."""

HARDER["lxc-unpriv"] = HARDER["lxc"]
