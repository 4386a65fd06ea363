"""Configuration files from the products' own manuals: written, started, looked at, stopped."""

import pytest
from mistakes import host

from simulator.experiment.engine.session import SimSession
from simulator.machine.abi.call import Returned

JAIL_CONF_5 = """
# Typical static defaults: use the rc scripts to start and stop jails, /var/jail/NAME as root.
exec.start = "/bin/sh /etc/rc";
exec.stop = "/bin/sh /etc/rc.shutdown";
exec.clean;
mount.devfs;
path = "/var/jail/$name";

// A typical jail.
foo {
        host.hostname = "foo.com";
        ip4.addr = 10.1.1.1, 10.1.1.2, 10.1.1.3;
        persist;
}

/* This jail overrides the defaults. */
bar {
        exec.start = '';
        exec.start += "echo booted as $name";
        exec.consolelog = "/var/log/jail_${name}_console.log";
        path = /srv/guest;
        persist;
        depend = foo;
}
"""
HANDBOOK = """
classic {
    exec.start = "/bin/sh /etc/rc";
    exec.consolelog = "/var/log/jail_console_${name}.log";
    allow.raw_sockets;
    exec.clean;
    mount.devfs;
    host.hostname = "${name}";
    path = "/var/jail/${name}";
    ip4.addr = 192.168.1.151;
    interface = enp3s0;
    persist;
}
"""
ZONECFG_EXAMPLE = """
create
set zonepath=/export/home/my-zone
set autoboot=true
add fs
set dir=/usr/local
set special=/opt/local
set type=lofs
add options [ro,nodevices]
end
add net
set address=192.168.0.1/24
set physical=enp3s0
end
add rctl
set name=zone.cpu-shares
add value (priv=privileged,limit=5,action=none)
end
add capped-memory
set physical=50m
set swap=100m
end
add attr
set name=comment
set type=string
set value="my zone"
end
"""
CTID_CONF = """
ONBOOT="no"
PHYSPAGES="0:256M"
SWAPPAGES="0:512M"
KMEMSIZE="14372700:14790164"
NUMPROC="240:240"
DISKSPACE="2G:2.2G"
DISKINODES="131072:144179"
QUOTATIME="0"
CPUUNITS="1000"
VE_ROOT="/var/lib/vz/root/$VEID"
VE_PRIVATE="/var/lib/vz/private/$VEID"
OSTEMPLATE="centos-6-x86"
HOSTNAME="test101.my.org"
IP_ADDRESS="10.1.2.3"
NAMESERVER="192.168.0.1"
CAPABILITY="NET_ADMIN:on SYS_TIME:off"
"""
COMPLEX = """
lxc.uts.name = complex
lxc.net.0.type = veth
lxc.net.0.flags = up
lxc.net.0.link = lxcbr0
lxc.net.0.hwaddr = 4a:49:43:49:79:bf
lxc.net.0.ipv4.address = 10.0.3.23/24 10.0.3.255
lxc.cgroup2.cpu.weight = 1234
lxc.cgroup2.devices.deny = a
lxc.cgroup2.devices.allow = c 1:3 rw
lxc.cgroup2.devices.allow = c *:* m
lxc.rootfs.path = dir:/srv/guest
lxc.cap.drop = sys_module mknod setuid net_raw
lxc.cap.drop = mac_override
"""
PLAYTIME = """
# A container as lxc-create leaves it
lxc.include = /usr/share/lxc/config/common.conf
lxc.rootfs.path = dir:/srv/guest
lxc.uts.name = playtime
lxc.arch = amd64
lxc.net.0.type = veth
lxc.net.0.link = lxcbr0
lxc.start.auto = 1
lxc.tty.max = 4
"""


def told(session: SimSession, line: str) -> str:
    result = session.shell("host", line)
    assert isinstance(result, Returned), result
    return result.data.decode()


def written(session: SimSession, path: str, text: str) -> None:
    told(session, f"mkdir -p {path.rpartition('/')[0]}")
    told(session, f"cat > {path} <<'END'\n{text}END")


def test_the_example_of_jail_conf_5() -> None:
    session = host("jail")
    written(session, "/etc/jail.conf", JAIL_CONF_5)
    told(session, "mkdir -p /var/jail; cp -r /srv/guest /var/jail/foo; touch /var/jail/foo/etc/rc")
    told(session, "touch /var/jail/foo/etc/rc.shutdown /srv/guest/etc/rc.shutdown")
    assert told(session, "jail -c bar") == "foo: created\nbar: created\n"
    assert told(session, "cat /var/log/jail_bar_console.log") == "booted as bar\n"
    assert told(session, "jls -j foo ip4.addr host.hostname").split() == [
        "10.1.1.1,10.1.1.2,10.1.1.3",
        "foo.com",
    ]
    assert told(session, "jail -r bar foo") == "bar: removed\nfoo: removed\n"


def test_the_classic_jail_of_the_handbook() -> None:
    session = host("jail")
    written(session, "/etc/jail.conf", HANDBOOK)
    told(session, "mkdir -p /var/jail; cp -r /srv/guest /var/jail/classic")
    written(session, "/var/jail/classic/etc/rc", "echo Starting services\n")
    assert told(session, "jail -c classic") == "classic: created\n"
    assert told(session, "cat /var/log/jail_console_classic.log") == "Starting services\n"
    assert told(session, "jexec classic hostname") == "classic\n"
    assert told(session, "jail -r classic") == "classic: removed\n"


def test_the_command_file_of_zonecfg() -> None:
    session = host("zone")
    written(session, "/tmp/my-zone.cfg", ZONECFG_EXAMPLE)
    told(session, "mkdir -p /opt/local /usr/local; echo tool > /opt/local/made")
    assert (
        told(session, "zonecfg -z my-zone -f /tmp/my-zone.cfg && zoneadm -z my-zone verify") == ""
    )
    told(session, "zoneadm -z my-zone install && zoneadm -z my-zone boot")
    assert told(session, "zlogin my-zone cat /usr/local/made") == "tool\n"
    assert "51200K" in told(session, "rcapstat -z")
    again = told(session, "zonecfg -z my-zone export > /tmp/x; zonecfg -z two -f /tmp/x; echo $?")
    assert again == "0\n"
    told(session, "zoneadm -z my-zone halt")
    assert "installed" in told(session, "zoneadm list -cv | grep my-zone")


def test_a_ctid_conf() -> None:
    session = host("openvz")
    told(session, "vzctl create 777")
    written(session, "/etc/vz/conf/777.conf", CTID_CONF)
    assert "Container is mounted" in told(session, "vzctl start 777")
    assert told(session, "vzctl exec 777 hostname") == "test101.my.org\n"
    beans = told(session, "vzctl exec 777 cat /proc/user_beancounters")
    assert "240" in next(line for line in beans.splitlines() if "numproc" in line)
    assert "10.1.2.3" in told(session, "vzlist -H -o ctid,ip 777")
    assert "Container was stopped" in told(session, "vzctl stop 777")


@pytest.mark.parametrize("style", ["plain", "sysv"])
def test_a_configuration_directory_of_vserver(style: str) -> None:
    session = host("vserver")
    told(session, "vserver web build -m skeleton --hostname web.example.org --context 1060")
    told(session, "cp -r /srv/guest/* /vservers/web/")
    conf = "/etc/vservers/web"
    for path, text in {
        "uts/nodename": "other.example.org",
        "rlimits/nproc.hard": "40",
        "bcapabilities": "NET_RAW",
        "flags": "virt_uptime",
        "interfaces/0/ip": "192.0.2.60",
        "interfaces/0/dev": "enp3s0",
        "apps/init/style": style,
    }.items():
        written(session, f"{conf}/{path}", f"{text}\n")
    assert told(session, "vserver web start") == ""
    assert told(session, "vserver web exec hostname") == "other.example.org\n"
    assert "1060" in told(session, "vserver-stat")
    assert told(session, "vserver web stop; vserver web status") == "Vserver 'web' is stopped\n"


def test_the_complex_example_of_lxc_container_conf_5() -> None:
    session = host("lxc")
    written(session, "/tmp/complex.conf", COMPLEX)
    run = "lxc-execute -n complex -f /tmp/complex.conf --"
    assert told(session, f"{run} hostname") == "complex\n"
    assert "10.0.3.23/24" in told(session, f"{run} ip -4 addr show eth0")


def test_a_configuration_as_lxc_create_leaves_it() -> None:
    session = host("lxc")
    written(session, "/var/lib/lxc/playtime/config", PLAYTIME)
    assert told(session, "lxc-start -n playtime -- /bin/sleep 1000") == ""
    assert "RUNNING" in told(session, "lxc-ls -f | grep playtime")
    assert told(session, "lxc-attach -n playtime -- hostname") == "playtime\n"
    assert told(session, "lxc-stop -n playtime --kill; lxc-info -n playtime -s -H") == "STOPPED\n"
