"""vzctl(8), vzlist(8) and vzmigrate(8): vzctl src/{vzctl,vzctl-actions,vzlist}.c, src/lib/."""

from mistakes import Mistake, host, unlike

MISTAKES = [
    Mistake("vzctl", 20, "vzctl version 4.11.1"),
    Mistake("vzctl bogus 101", 20, "Bad command: bogus"),
    Mistake("vzctl start", 21, "CT ID missing"),
    Mistake("vzctl start abc", 21, "Bad CT ID abc"),
    Mistake("vzctl start 999", 14, "Container config file does not exist"),
    Mistake("vzctl create 0", 21, "Only set actions are allowed for CT0"),
    Mistake("vzctl create 99999999999", 21, "Bad CT ID 99999999999"),
    Mistake("vzctl create 103 --bogus", 20, "vzctl: unrecognized option '--bogus'"),
    Mistake(
        "vzctl create 103 --ostemplate nosuch",
        91,
        "Cached OS template /var/lib/vz/template/cache/nosuch.tar.{gz,bz2,xz} not found",
    ),
    Mistake("vzctl create 103 --config nosuch", 82, "ve-nosuch.conf-sample not found"),
    Mistake(
        "vzctl create 101 --config basic",
        82,
        "Error: container config file /etc/vz/conf/101.conf already exists, can not use --config",
    ),
    Mistake("vzctl create 102", 44, "Private area already exists in /srv/neighbour"),
    Mistake("vzctl create 103 --layout bogus", 21, "Bad parameter for --layout: bogus"),
    Mistake(
        "vzctl create 103 --layout ploop",
        99,
        "No ploop support in the kernel, or kernel is way too old.",
    ),
    Mistake("vzctl create 103 --numproc abc", 21, "Bad parameter for --numproc: abc"),
    Mistake("vzctl start 101", 32, "Container is already running"),
    Mistake("vzctl destroy 101", 32, "Container is currently running. Stop it first."),
    Mistake("vzctl set 101 --numproc abc", 21, "Bad parameter for --numproc: abc"),
    Mistake("vzctl set 101 --numproc", 20, "vzctl: option '--numproc' requires an argument"),
    Mistake("vzctl set 101 --ipadd 1.2.3", 21, "Bad parameter for --ipadd: 1.2.3"),
    Mistake("vzctl set 101 --bogus 1", 20, "vzctl: unrecognized option '--bogus'"),
    Mistake("vzctl set 101 --name 'a;b' --save", 131, "Error: invalid name a;b"),
    Mistake("vzctl set 999 --numproc 10 --save", 14, "Container config file does not exist"),
    Mistake("vzctl exec 101", 20, "No command line given for exec"),
    Mistake("vzctl exec 101 nosuch", 8, "/bin/sh: nosuch: not found"),
    Mistake("vzctl exec2 101 false", 1),
    Mistake("vzctl enter 101 ls", 20, "Invalid option 'ls'"),
    Mistake("vzctl runscript 101", 20, "Script not specified"),
    Mistake("vzctl runscript 101 /nosuch", 11, "Script not found: /nosuch"),
    Mistake("vzctl stop 102 >/dev/null; vzctl exec 102 ls", 31, "Container is not running"),
    Mistake("vzctl umount 102", 40, "CT is not mounted"),
    Mistake("vzlist -z", 1, "vzlist: invalid option -- 'z'"),
    Mistake("vzlist 999", 1, "Container(s) not found"),
    Mistake("vzlist abc", 1, "CT ID abc is invalid."),
    Mistake("vzlist -o bogus", 1, "Unknown field: bogus"),
    Mistake("vzlist -s bogus", 1, "Invalid sort field name: bogus"),
    Mistake("vzmigrate", 1, "This program is used for container migration to another node."),
    Mistake("vzmigrate host 999", 10, "Error: CT #999 doesn't exist"),
    Mistake(
        "vzmigrate --online host 102",
        2,
        "Error: Can't perform live migration of a stopped container",
    ),
    Mistake("vzmigrate nowhere 102", 4, "Starting migration of CT 102 to nowhere"),
    Mistake(
        "echo 'NUMPROC=\"abc\"' >> /etc/vz/conf/102.conf; vzctl start 102",
        0,
        'Warning at /etc/vz/conf/102.conf:11: invalid value for NUMPROC ("abc"), skipped',
    ),
    Mistake("su user -c 'vzctl start 101'", 5, "Unable to open /dev/vzctl: Permission denied"),
]


def test_bad_input_gets_the_answer_of_the_real_tool() -> None:
    assert unlike(host("openvz"), MISTAKES) == []
