"""The commands of vserver(2): names, numbers, and who may give them. kernel/vserver/switch.c.

A number is made of a category, a command and a version (VC_CMD). A program may also write the
name, as strace(1) prints it.
"""

from typing import NamedTuple

_CATEGORIES = {
    "VERSION": 0,
    "VHOST": 2,
    "VPROC": 9,
    "PROCALT": 10,
    "PROCMIG": 11,
    "PROCTRL": 12,
    "VNET": 25,
    "NETALT": 26,
    "NETMIG": 27,
    "DLIMIT": 36,
    "INODE": 38,
    "VINFO": 46,
    "FLAGS": 52,
    "VSPACE": 54,
    "RLIMIT": 60,
}


class Command(NamedTuple):
    """``level`` above 1 asks for CAP_SYS_ADMIN; ``needs`` are its VCF_* flags, ``of`` what ``id``
    names: ``xid``, ``nid`` or nothing."""

    name: str
    number: int
    level: int
    of: str
    needs: frozenset[str]


def _command(line: str) -> Command:
    name, category, index, version, level, of, *needs = line.split()
    number = _CATEGORIES[category] << 24 | int(index) << 16 | int(version)
    of = "" if of == "-" else of
    return Command(f"VCMD_{name}", number, int(level), of, frozenset(needs))


_LINES = """
get_version       VERSION 0 0  0 -
get_vci           VERSION 1 0  0 -
task_xid          VINFO   1 0  2 -
vx_info           VINFO   5 0  3 xid INFO
task_nid          VINFO   2 0  2 -
nx_info           VINFO   6 0  3 nid INFO
get_space_default VSPACE  1 0  0 -
get_vhi_name      VHOST   2 0  3 xid INFO
set_vhi_name      VHOST   1 0  7 xid ARES SETUP
ctx_create        VPROC   1 1  5 -
ctx_migrate       PROCMIG 1 1  5 xid ADMIN
enter_space       PROCALT 1 2  5 xid ADMIN
set_space         PROCALT 3 2  7 xid ARES SETUP
ctx_kill          PROCTRL 1 0  6 xid ARES
get_cflags        FLAGS   1 0  3 xid INFO
set_cflags        FLAGS   2 0  7 xid ARES SETUP
get_ccaps         FLAGS   3 1  3 xid INFO
set_ccaps         FLAGS   4 1  7 xid ARES SETUP
get_bcaps         FLAGS   9 0  3 xid INFO
set_bcaps         FLAGS  10 0  7 xid ARES SETUP
get_rlimit        RLIMIT  1 0  3 xid INFO
set_rlimit        RLIMIT  2 0  7 xid ARES SETUP
net_create        VNET    1 1  5 -
net_migrate       NETMIG  1 0  5 nid ADMIN
net_add           NETALT  1 0  8 nid ARES SETUP
net_remove        NETALT  2 0  8 nid ARES SETUP
get_nflags        FLAGS   5 0  3 nid INFO
set_nflags        FLAGS   6 0  7 nid ARES SETUP
get_ncaps         FLAGS   7 0  3 nid INFO
set_ncaps         FLAGS   8 0  7 nid ARES SETUP
get_iattr         INODE   1 1  2 -
set_iattr         INODE   2 1  7 -
add_dlimit        DLIMIT  1 0  8 - ARES
rem_dlimit        DLIMIT  2 0  8 - ARES
set_dlimit        DLIMIT  5 0  7 - ARES
get_dlimit        DLIMIT  6 0  3 - INFO
"""

COMMANDS = {one.name: one for one in map(_command, _LINES.split("\n")[1:-1])}
BY_NUMBER = {one.number: one for one in COMMANDS.values()}
