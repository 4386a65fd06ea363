"""zonecfg(1M), zoneadm(1M) and zlogin(1): cmd/{zonecfg,zoneadm,zlogin} of illumos."""

from mistakes import Mistake, host, unlike

MISTAKES = [
    Mistake("zonecfg", 2, "usage:\tzonecfg help"),
    Mistake("zonecfg -Q", 2, "zonecfg: illegal option -- Q"),
    Mistake("zonecfg -z", 2, "zonecfg: option requires an argument -- z"),
    Mistake("zonecfg -z a bogus", 1, "syntax error at 'bogus'"),
    Mistake("zonecfg -z nosuch info", 1, "nosuch: No such zone configured"),
    Mistake("zonecfg -z 'bad name' create", 1, "zonecfg: bad name: Bogus zone name"),
    Mistake("zonecfg -z global create", 1, "zonecfg: global: Bogus zone name"),
    Mistake("zonecfg -z a create", 1, "a: zonepath cannot be empty."),
    Mistake('zonecfg -z a "create; set zonepath=/zones/a"', 0),
    Mistake("zonecfg -z a create", 1, "Zone a already exists; use '-F' to replace it."),
    Mistake("zonecfg -z b create -t nosuch", 1, "nosuch: No such zone configured"),
    Mistake('zonecfg -z a "set zonepath=relative"', 1, "relative is not an absolute path."),
    Mistake('zonecfg -z a "set bogus=1"', 1, "syntax error at 'bogus'"),
    Mistake('zonecfg -z a "set bogus"', 1, "usage:"),
    Mistake('zonecfg -z a "set autoboot=maybe"', 1, "autoboot value must be 'true' or 'false'."),
    Mistake(
        'zonecfg -z a "set ip-type=bogus"', 1, "ip-type value must be 'shared' or 'exclusive'."
    ),
    Mistake('zonecfg -z a "add bogus"', 1, "syntax error at 'bogus'"),
    Mistake('zonecfg -z a "add net; end"', 1, "physical not specified"),
    Mistake('zonecfg -z a "add net; set bogus=1; end"', 1, "syntax error at 'bogus'"),
    Mistake(
        'zonecfg -z a "add net"', 1, "a: The commit command only makes sense in the global scope."
    ),
    Mistake('zonecfg -z a "remove net address=9.9.9.9"', 1, "No such net resource."),
    Mistake('zonecfg -z a "end"', 1, "The end command only makes sense in the resource scope."),
    Mistake(
        'zonecfg -z a "add capped-memory; set physical=lots; end"',
        1,
        "A non-negative number with a required scale suffix (K, M, G or T) was expected.",
    ),
    Mistake(
        'zonecfg -z a "add capped-memory; end"',
        1,
        "No property was specified.  One of physical, swap or locked is required.",
    ),
    Mistake(
        'zonecfg -z a "add capped-cpu; set ncpus=x; end"', 1, "ncpus property is out of range."
    ),
    Mistake('zonecfg -z a "add rctl; set name=bogus; end"', 1, "value not specified"),
    Mistake('zonecfg -z a "delete"', 1, "Use '-F' to delete zone a without being asked."),
    Mistake(
        "zonecfg -z a -f /nosuch",
        1,
        "zonecfg: could not open file /nosuch: No such file or directory",
    ),
    Mistake("printf 'add net\\nset bogus=1\\n' > /tmp/f; zonecfg -z a -f /tmp/f", 1, "On line 2:"),
    Mistake("zoneadm", 2, "usage:\tzoneadm help"),
    Mistake("zoneadm list -z", 2, "zoneadm: illegal option -- z"),
    Mistake("zoneadm bogus", 2, "usage:\tzoneadm help"),
    Mistake("zoneadm -z nosuch boot", 1, "zoneadm: nosuch: No such zone configured"),
    Mistake("zoneadm -z a bogus", 2, "usage:\tzoneadm help"),
    Mistake("zoneadm -z a boot", 1, "zoneadm: zone 'a': must be installed before boot."),
    Mistake(
        "zoneadm -z a halt",
        1,
        "zoneadm: zone 'a': halt operation is invalid for zones in state 'configured'",
    ),
    Mistake("zoneadm -z a reboot", 1, "zoneadm: zone 'a': not running"),
    Mistake("zoneadm boot", 1, "zoneadm: no zone specified"),
    Mistake("zoneadm -z a move /zones/b", 1, "zoneadm: zone 'a': must be installed before move."),
    Mistake("zoneadm -z guest move", 1, "zoneadm: zone 'guest': move operation is invalid"),
    Mistake("zoneadm -z a mark ready", 2, "usage:\tmark incomplete"),
    Mistake("zoneadm -z a detach", 1, "zoneadm: zone 'a': must be installed before detach."),
    Mistake("zoneadm -z a uninstall -F", 1, "zoneadm: zone 'a': is already in state 'configured'."),
    Mistake(
        "zoneadm -z a clone",
        2,
        "usage:\tclone [-m method] [-s <ZFS snapshot>] [brand-specific args] zonename",
    ),
    Mistake(
        "zoneadm -z a clone nosuch",
        1,
        "zoneadm: nosuch: could not get state: No such zone configured",
    ),
    Mistake("zoneadm -z guest boot", 0, "zoneadm: zone 'guest': zone is already booted"),
    Mistake(
        "zoneadm -z guest install",
        1,
        "zoneadm: zone 'guest': install operation is invalid for running zones.",
    ),
    Mistake(
        "zoneadm -z global halt",
        1,
        "zoneadm: zone 'global': halt operation is invalid for the global zone.",
    ),
    Mistake(
        "zlogin",
        2,
        "usage: zlogin [ -QCES ] [ -e cmdchar ] [-l user] zonename [command [args ...] ]",
    ),
    Mistake("zlogin -Z guest", 2, "zlogin: illegal option -- Z"),
    Mistake("zlogin nosuch", 1, "zlogin: zone 'nosuch' unknown"),
    Mistake("zlogin a", 1, "zlogin: login allowed only to running zones (a is 'configured')."),
    Mistake("zlogin guest /nosuch", 127, "/bin/sh: /nosuch: not found"),
    Mistake(
        "su user -c 'zoneadm -z guest halt'",
        1,
        "zoneadm: zone 'guest': only a privileged user may halt a zone.",
    ),
    Mistake("su user -c 'zonecfg -z u create'", 1, "u: cannot create in read-only mode."),
    Mistake(
        "su user -c 'zlogin guest id'",
        1,
        "zlogin: You lack sufficient privilege to run this command (all privs required)",
    ),
    Mistake("rcapadm -Z", 2, "rcapadm: illegal option -- Z"),
    Mistake("rcapadm -i scan=x", 1, "rcapadm: invalid suboption or value: scan=x"),
    Mistake("rcapadm -c 101", 1, "is out of range"),
    Mistake("rcapstat -z x", 2, "usage: rcapstat"),
    Mistake("su user -c 'rcapadm -E'", 1, "Permission denied"),
]


def test_bad_input_gets_the_answer_of_the_real_tool() -> None:
    assert unlike(host("zone"), MISTAKES) == []
