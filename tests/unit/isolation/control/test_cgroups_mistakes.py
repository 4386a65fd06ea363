"""libcgroup's tools and the files of cgroupfs: src/tools/, Documentation/admin-guide/cgroup-v2.rst."""
# ruff: noqa: E501 (the answers are lines of the tools)

from mistakes import Mistake, host, unlike

MISTAKES = [
    Mistake("cgcreate", 255, "Wrong input parameters, try cgcreate -h' for more information."),
    Mistake("cgcreate -z", 255, "Wrong input parameters, try cgcreate -h' for more information."),
    Mistake(
        "cgcreate -g memory", 255, "Wrong input parameters, try cgcreate -h' for more information."
    ),
    Mistake(
        "cgcreate -g nosuch:x",
        84,
        "cgcreate: can't create cgroup x: Cgroup one of the needed subsystems is not mounted",
    ),
    Mistake(
        "cgcreate -g memory:x extra",
        255,
        "Wrong input parameters, try cgcreate -h' for more information.",
    ),
    Mistake("cgcreate -a nobody2 -g memory:y", 255, "cgcreate: can't find uid of user nobody2."),
    Mistake("cgcreate -d 99x -g memory:y", 255, "cgcreate wrong mode format 99x"),
    Mistake("cgcreate -g memory:x", 0),
    Mistake("cgset", 255, "Usage is cgset -r <name=value> <relative path to cgroup>"),
    Mistake(
        "cgset -r memory.max x", 255, "Usage is cgset -r <name=value> <relative path to cgroup>"
    ),
    Mistake(
        "cgset -r nosuch=1 x",
        84,
        "cgset: cgroup modify error: Cgroup one of the needed subsystems is not mounted",
    ),
    Mistake(
        "cgset -r memory.nosuch=1 x",
        95,
        "cgset: cgroup modify error: Cgroup, requested group parameter does not exist",
    ),
    Mistake("cgset -r memory.max=many x", 96, "cgset: cgroup modify error: Invalid argument"),
    Mistake(
        "cgset -r memory.max=1M nogroup",
        95,
        "cgset: cgroup modify error: Cgroup, requested group parameter does not exist",
    ),
    Mistake("cgset -z x", 255, "Wrong input parameters, try cgset --help' for more information."),
    Mistake("cgget", 255, "Wrong input parameters, try cgget -h' for more information."),
    Mistake(
        "cgget -g memory:nogroup",
        96,
        "cannot find group /sys/fs/cgroup/nogroup: No such file or directory",
    ),
    Mistake("cgget -r memory.nosuch x", 96, "variable file read failed No such file or directory"),
    Mistake("cgexec", 1, "Wrong input parameters, try cgexec --help' for more information."),
    Mistake("cgexec -z", 255, "Wrong input parameters, try cgexec --help' for more information."),
    Mistake(
        "cgexec -g memory:x", 1, "Wrong input parameters, try cgexec --help' for more information."
    ),
    Mistake("cgexec -g memory:nogroup ls", 82, "cgroup change of group failed"),
    Mistake("cgexec -g memory:x nosuch", 255, "No such file or directory"),
    Mistake("cgclassify", 2, "Wrong input parameters, try cgclassify -h' for more information."),
    Mistake(
        "cgclassify -g memory:x 99999", 1, "Error changing group of pid 99999: No such process"
    ),
    Mistake("cgclassify -g memory:x abc", 1, "Error changing group of pid abc: Invalid argument"),
    Mistake(
        "cgdelete memory", 255, "Wrong input parameters, try cgdelete -h' for more information."
    ),
    Mistake(
        "cgdelete memory:nogroup",
        96,
        "cgdelete: cannot remove group 'nogroup': No such file or directory",
    ),
    Mistake(
        "cgcreate -g memory:x/y; cgdelete memory:x",
        96,
        "cgdelete: cannot remove group 'x': Device or resource busy",
    ),
    Mistake("lscgroup -z", 255, "Wrong input parameters, try lscgroup -h' for more information."),
    Mistake("lssubsys -z", 255, "Wrong input parameters, try lssubsys -h' for more information."),
    Mistake("echo abc > /sys/fs/cgroup/x/cgroup.procs", 1, "sh: write error: Invalid argument"),
    Mistake("echo many > /sys/fs/cgroup/x/memory.max", 1, "sh: write error: Invalid argument"),
    Mistake(
        "echo 1 > /sys/fs/cgroup/x/cgroup.nosuch",
        1,
        "sh: can't create /sys/fs/cgroup/x/cgroup.nosuch: Permission denied",
    ),
    Mistake(
        "mkdir /sys/fs/cgroup/x", 1, "mkdir: can't create directory '/sys/fs/cgroup/x': File exists"
    ),
    Mistake(
        "rmdir /sys/fs/cgroup/nosuch",
        1,
        "rmdir: '/sys/fs/cgroup/nosuch': No such file or directory",
    ),
    Mistake(
        "su user -c 'cgcreate -g memory:u'",
        96,
        "cgcreate: can't create cgroup u: Permission denied",
    ),
    Mistake("su user -c 'cgexec -g memory:x ls'", 96, "cgroup change of group failed"),
]


def test_bad_input_gets_the_answer_of_the_real_tool() -> None:
    assert unlike(host("cgroups"), MISTAKES) == []
