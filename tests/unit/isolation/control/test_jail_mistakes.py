"""jail(8), jls(8) and jexec(8): usr.sbin/jail/{jail,config}.c, jaillex.l, lib/libjail/jail.c."""
# ruff: noqa: E501 (the answers are lines of the tools)

from mistakes import Mistake, host, unlike

MISTAKES = [
    Mistake("jail", 1, "usage: jail [-dhilqv] [-J jid_file] [-u username] [-U username]"),
    Mistake("jail -z", 1, "jail: illegal option -- z"),
    Mistake("jail -c -f", 1, "jail: option requires an argument -- f"),
    Mistake("jail -c nobody", 1, "jail: /etc/jail.conf: No such file or directory"),
    Mistake("jail -r", 1, "usage: jail [-dhilqv] [-J jid_file] [-u username] [-U username]"),
    Mistake("jail -r nobody", 1, 'jail: "nobody" not found'),
    Mistake(
        "jail -c name=a path=/nosuch persist", 1, "jail: path /nosuch: No such file or directory"
    ),
    Mistake(
        "jail -c name=a path=/etc/passwd persist", 1, "jail: path /etc/passwd: Not a directory"
    ),
    Mistake("jail -c name=a path=/srv/guest persist bogus=1", 1, "jail: unknown parameter: bogus"),
    Mistake(
        "jail -c name=a path=/srv/guest persist allow.mount=maybe",
        1,
        'jail: allow.mount: unknown boolean value "maybe"',
    ),
    Mistake(
        "jail -c name=a path=/srv/guest persist children.max=many",
        1,
        'jail: children.max: non-integer value "many"',
    ),
    Mistake(
        "jail -c name=a path=/srv/guest persist ip4.addr=1.2.3",
        1,
        "jail: ip4.addr: not an IPv4 address: 1.2.3",
    ),
    Mistake(
        "jail -c name=a path=/srv/guest persist ip4=sometimes",
        1,
        'jail: ip4: unknown jailsys value "sometimes"',
    ),
    Mistake(
        "jail -c name=a path=/srv/guest persist enforce_statfs=7",
        1,
        "jail: jail_set: Invalid argument",
    ),
    Mistake("jail -c name=a path=/srv/guest", 1, "jail: new jail must persist or attach"),
    Mistake(
        "jail -c name=7 path=/srv/guest persist",
        1,
        "jail: name cannot be numeric (unless it is the jid)",
    ),
    Mistake("jail -c name=guest path=/srv/guest persist", 1, 'jail: "guest" already exists'),
    Mistake("jail -m name=a host.hostname=b", 1, 'jail: "a" not found'),
    Mistake(
        "jail -c name=b path=/srv/guest command=/nosuch",
        1,
        "jail: exec /nosuch: No such file or directory",
    ),
    Mistake("jls -z", 1, "jls: illegal option -- z"),
    Mistake("jls -j nobody", 1, 'jls: jail "nobody" not found'),
    Mistake("jls -j 99", 1, "jls: jail 99 not found"),
    Mistake("jls nosuch", 1, "jls: unknown parameter: nosuch"),
    Mistake(
        "jexec", 1, "usage: jexec [-l] [-d working-directory] [-u username] jail [command ...]"
    ),
    Mistake("jexec nobody ls", 1, 'jexec: jail "nobody" not found'),
    Mistake("jexec 99 ls", 1, "jexec: jail_attach(99): Invalid argument"),
    Mistake("jexec guest nosuch", 1, "jexec: execvp: nosuch: No such file or directory"),
    Mistake("jexec -u nobody2 guest id", 1, "jexec: nobody2: no such user"),
    Mistake(
        "jexec -U root -u root guest id",
        1,
        "usage: jexec [-l] [-d working-directory] [-u username] jail [command ...]",
    ),
    Mistake(
        "echo 'web { path = \"/srv/guest\" persist; }' > /etc/jail.conf; jail -c web",
        1,
        "jail: /etc/jail.conf line 1: persist: syntax error",
    ),
    Mistake(
        "echo 'web { path = \"/srv/guest\"; persist;' > /etc/jail.conf; jail -c web",
        1,
        "jail: /etc/jail.conf: unexpected EOF",
    ),
    Mistake(
        "echo 'web { path = \"/srv/guest; persist; }' > /etc/jail.conf; jail -c web",
        1,
        "jail: /etc/jail.conf line 1: unterminated string",
    ),
    Mistake(
        "echo 'web { path = \"$x\"; persist; }' > /etc/jail.conf; jail -c web",
        1,
        'jail: web: path: variable "x" not found',
    ),
    Mistake(
        "echo 'web { path = \"/srv/guest\"; persist; exec.timeout = abc; }' > /etc/jail.conf; jail -c web",
        1,
        'jail: web: exec.timeout: non-integer value "abc"',
    ),
    Mistake(
        "echo 'web { path = \"/srv/nosuch\"; persist; }' > /etc/jail.conf; jail -c web",
        1,
        "jail: web: path /srv/nosuch: No such file or directory",
    ),
    Mistake(
        "echo 'web { path = \"srv\"; persist; }' > /etc/jail.conf; jail -c web",
        1,
        "jail: web: path srv: not an absolute pathname",
    ),
    Mistake(
        "echo 'web { path = \"/srv/guest\"; persist; nosuch; }' > /etc/jail.conf; jail -c web",
        1,
        "jail: web: unknown parameter: nosuch",
    ),
    Mistake(
        "echo 'web { path = \"/srv/guest\"; persist; depend = other; }' > /etc/jail.conf; jail -c web",
        1,
        'jail: web: depends on undefined jail "other"',
    ),
    Mistake(
        'echo \'web { path = "/srv/guest"; persist; exec.start = "false"; }\' > /etc/jail.conf; jail -q -c web',
        1,
        "jail: web: false: failed",
    ),
    Mistake("jail -f /nosuch -c web", 1, "jail: /nosuch: No such file or directory"),
    Mistake(
        "su user -c 'jail -c name=u path=/srv/guest persist'",
        1,
        "jail: jail_set: Operation not permitted",
    ),
    Mistake("su user -c 'jail -r guest'", 1, "jail: guest: jail_remove: Operation not permitted"),
    Mistake("su user -c 'jexec guest id'", 1, "jexec: jail_attach(1): Operation not permitted"),
    Mistake(
        "jail /srv/guest host", 1, "usage: jail [-dhilqv] [-J jid_file] [-u username] [-U username]"
    ),
]


def test_bad_input_gets_the_answer_of_the_real_tool() -> None:
    assert unlike(host("jail"), MISTAKES) == []
