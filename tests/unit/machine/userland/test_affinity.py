"""taskset(1) and nproc(1) in busybox's words."""

from scene import line, machine, output


def test_a_shell_that_keeps_to_one_processor_counts_one() -> None:
    assert output("nproc; taskset 1 nproc; taskset -c 1 nproc --all") == "2\n1\n2\n"
    assert output("taskset -c 1 grep Cpus_allowed /proc/self/status") == (
        "Cpus_allowed:\t2\nCpus_allowed_list:\t1\n"
    )


def test_a_process_is_asked_and_moved() -> None:
    kernel = machine()
    assert output("taskset -p 1", kernel) == "pid 1's current affinity mask: 3\n"
    assert output("taskset -cp 0 1", kernel) == (
        "pid 1's current affinity list: 0-1\npid 1's new affinity list: 0\n"
    )


def test_what_cannot_be_is_refused() -> None:
    for words, complaint in (
        ("taskset zz true", "taskset: bad affinity 'zz'\n"),
        ("taskset -c 7 true", "taskset: can't set pid 0's affinity: Invalid argument\n"),
        ("taskset -p 99999", "taskset: can't get pid 99999's affinity: No such process\n"),
    ):
        result = line(machine(), words)
        assert (result.status, result.output.decode()) == (1, complaint)
    assert "HEXMASK" in line(machine(), "taskset").output.decode()
