"""LXC's tools: src/lxc/tools/, confile.c, parse.c."""
# ruff: noqa: E501 (the answers are lines of the tools)

from mistakes import Mistake, host, unlike

MISTAKES = [
    Mistake("lxc-start", 1, "lxc-start: No container name specified"),
    Mistake("lxc-start -Z x", 1, "lxc-start: invalid option -- 'Z'"),
    Mistake("lxc-start --bogus", 1, "lxc-start: unrecognized option '--bogus'"),
    Mistake("lxc-start -n", 1, "lxc-start: option requires an argument -- 'n'"),
    Mistake(
        "lxc-start --name nosuch",
        1,
        "lxc-start: nosuch: ../src/lxc/tools/lxc_start.c: main: 266 No container config specified",
    ),
    Mistake(
        "lxc-start guest",
        1,
        "lxc-start: guest: ../src/lxc/tools/lxc_start.c: main: 279 Container is already running",
    ),
    Mistake("lxc-info nosuch", 1, "nosuch doesn't exist"),
    Mistake(
        "lxc-stop nosuch",
        2,
        "lxc-stop: nosuch: ../src/lxc/tools/lxc_stop.c: main: 168 nosuch is not running",
    ),
    Mistake("lxc-stop -t abc guest", 1, "lxc-stop: could not parse command line"),
    Mistake(
        "lxc-stop -k -N guest",
        1,
        "lxc-stop: guest: ../src/lxc/tools/lxc_stop.c: main: 117 -k can't be used with --nokill",
    ),
    Mistake(
        "lxc-destroy nosuch",
        1,
        "lxc-destroy: nosuch: ../src/lxc/tools/lxc_destroy.c: main: 240 Container is not defined",
    ),
    Mistake(
        "lxc-destroy guest",
        1,
        "lxc-destroy: guest: ../src/lxc/tools/lxc_destroy.c: do_destroy: 91 guest is running",
    ),
    Mistake(
        "lxc-attach -n nosuch",
        1,
        "lxc-attach: nosuch: ../src/lxc/attach.c: get_attach_context: 406 Connection refused - Failed to get init pid",
    ),
    Mistake(
        "lxc-attach -n guest -- nosuch",
        127,
        'lxc-attach: guest: ../src/lxc/attach.c: lxc_attach_run_command: 1845 No such file or directory - Failed to exec "nosuch"',
    ),
    Mistake("lxc-attach -n guest -u abc", 1, "lxc-attach: could not parse command line"),
    Mistake("lxc-create", 1, "lxc-create: No container name specified"),
    Mistake(
        "lxc-create -n a",
        1,
        "lxc-create: a: ../src/lxc/tools/lxc_create.c: main: 214 A template must be specified",
    ),
    Mistake(
        "lxc-create -n a -t nosuch",
        1,
        "lxc-create: a: ../src/lxc/utils.c: get_template_path: 900 No such file or directory - bad template: nosuch",
    ),
    Mistake(
        "lxc-create -n a -t busybox -B nosuch",
        1,
        "lxc-create: a: ../src/lxc/tools/lxc_create.c: main: 240 nosuch is not a valid backing storage type",
    ),
    Mistake("lxc-create -n a -t busybox", 0),
    Mistake(
        "lxc-create --name=a --template=busybox",
        1,
        "lxc-create: a: ../src/lxc/tools/lxc_create.c: main: 264 Container already exists",
    ),
    Mistake("lxc-cgroup -n guest", 1, "lxc-cgroup: could not parse command line"),
    Mistake(
        "lxc-cgroup -n guest memory.nosuch",
        1,
        "lxc-cgroup: guest: ../src/lxc/tools/lxc_cgroup.c: main: 125 Failed to retrieve value of 'memory.nosuch' for '/var/lib/lxc:guest'",
    ),
    Mistake(
        "lxc-cgroup -n guest memory.max abc",
        1,
        "lxc-cgroup: guest: ../src/lxc/tools/lxc_cgroup.c: main: 110 Failed to assign 'abc' value to 'memory.max' for '/var/lib/lxc:guest'",
    ),
    Mistake(
        "lxc-cgroup -n a memory.max",
        1,
        "lxc-cgroup: a: ../src/lxc/tools/lxc_cgroup.c: main: 102 '/var/lib/lxc:a' is not running",
    ),
    Mistake(
        "lxc-copy -n nosuch -N c",
        1,
        "lxc-copy: nosuch: ../src/lxc/tools/lxc_copy.c: main: 209 Container nosuch is not defined",
    ),
    Mistake(
        "lxc-copy -n a",
        1,
        "lxc-copy: a: ../src/lxc/tools/lxc_copy.c: main: 167 You must provide a NEWNAME for the clone",
    ),
    Mistake(
        "lxc-copy -n a -N guest",
        1,
        "lxc-copy: a: ../src/lxc/tools/lxc_copy.c: do_clone: 394 Failed to clone",
    ),
    Mistake(
        "lxc-start a -f /nosuch",
        1,
        'lxc-start: a: ../src/lxc/parse.c: lxc_file_for_each_line_mmap: 79 No such file or directory - Failed to open file "/nosuch"',
    ),
    Mistake(
        "echo 'lxc.nosuch = 1' > /tmp/c; lxc-start a -f /tmp/c",
        1,
        'lxc-start: a: ../src/lxc/confile.c: parse_line: 2925 Unknown configuration key "lxc.nosuch"',
    ),
    Mistake(
        "echo 'lxc.uts.name' > /tmp/c; lxc-start a -f /tmp/c",
        1,
        "lxc-start: a: ../src/lxc/confile.c: parse_line: 2903 Invalid argument - Invalid configuration line: lxc.uts.name",
    ),
    Mistake(
        "echo 'lxc.idmap = x 0 100000 65536' > /tmp/c; lxc-start a -f /tmp/c",
        1,
        'lxc-start: a: ../src/lxc/parse.c: lxc_file_for_each_line_mmap: 129 Failed to parse config file "/tmp/c" at line "lxc.idmap = x 0 100000 65536"',
    ),
    Mistake(
        "echo 'lxc.rootfs.path = dir:/nosuch' > /tmp/c; lxc-start a -f /tmp/c",
        1,
        'lxc-start: a: ../src/lxc/conf.c: lxc_rootfs_init: 295 No such file or directory - Failed to access to "/nosuch". Check it is present',
    ),
    Mistake(
        "lxc-execute -n q -- ls",
        1,
        "lxc-execute: q: ../src/lxc/tools/lxc_execute.c: main: 179 Executing a container with no configuration file may crash the host",
    ),
    Mistake(
        "su user -c 'lxc-start -n guest'",
        1,
        "lxc-start: guest: ../src/lxc/tools/lxc_start.c: main: 266 No container config specified",
    ),
    Mistake(
        "su user -c 'lxc-attach -n guest -- id'",
        1,
        "lxc-attach: guest: ../src/lxc/attach.c: get_attach_context: 406 Connection refused - Failed to get init pid",
    ),
    Mistake(
        "su user -c 'lxc-create -n u -t busybox'",
        1,
        "lxc-create: u: ../src/lxc/lxccontainer.c: create_run_template: 1445 You must either run as root, or define uid mappings",
    ),
    Mistake(
        "su user -c 'lxc-stop -P /var/lib/lxc -n guest'",
        1,
        "lxc-stop: guest: ../src/lxc/tools/lxc_stop.c: main: 152 Insufficent privileges to control guest",
    ),
    Mistake(
        "su user -c 'lxc-destroy -f -P /var/lib/lxc -n guest'",
        1,
        "lxc-destroy: guest: ../src/lxc/tools/lxc_destroy.c: main: 235 Insufficent privileges to control guest",
    ),
]


def test_bad_input_gets_the_answer_of_the_real_tool() -> None:
    assert unlike(host("lxc"), MISTAKES) == []
