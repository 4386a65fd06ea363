"""LXC's tools on the model's host: what they print, what they leave, what they refuse."""

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.control.lxc import container
from simulator.isolation.control.lxc.container import BARE
from simulator.isolation.technologies.defaults import lxc_files as files
from simulator.isolation.technologies.options import lxc as options
from simulator.isolation.technologies.registry import parse_spec


@pytest.fixture
def host() -> SimSession:
    return open_session(load_world(), parse_spec("lxc"))


def typed(host: SimSession, line: str, actor: str = "host") -> tuple[int, str]:
    """Exit status and output of a line."""
    done = host.shell(actor, line)
    assert hasattr(done, "value"), done
    return done.value, (done.data or b"").decode()  # pyright: ignore


def said(host: SimSession, line: str) -> str:
    """The output of a line that succeeds."""
    status, output = typed(host, line)
    assert status == 0, output
    return output


def test_the_sessions_own_sandboxes_are_containers(host: SimSession) -> None:
    assert said(host, "lxc-ls -1") == "guest\nneighbour\n"
    assert "State:          RUNNING\n" in said(host, "lxc-info guest")
    assert said(host, "lxc-info -H -i guest") == "10.0.3.2\n"
    assert said(host, "lxc-attach guest -- hostname") == "guest\n"


@pytest.mark.parametrize("spec", ["lxc", "lxc-unpriv"])
def test_the_file_of_a_sandbox_asks_for_what_the_technology_is(spec: str) -> None:
    technology = parse_spec(spec)
    written = technology.get("lxc-config")
    text = "\n".join(written.lines).replace("{root}", "/srv/guest")  # pyright: ignore
    pairs = files.keys(text)
    read = options.configured(BARE, pairs)
    mine = {one.about.id: one for one in technology.mechanisms if one.about.id != "lxc-config"}
    assert {one.about.id: one for one in read.mechanisms} == mine


def test_a_container_from_its_making_to_its_end(host: SimSession) -> None:
    said(host, "lxc-create -n web -t busybox")
    said(host, "lxc-start web")
    assert "web       RUNNING 0         -      10.0.3.4 -    false" in said(host, "lxc-ls -f")
    assert "1 root     /sbin/init" in said(host, "lxc-attach web -- ps")
    assert typed(host, "lxc-attach -n web -- sh -c 'exit 3'") == (3, "")
    said(host, "lxc-stop web")
    assert "State:          STOPPED\n" in said(host, "lxc-info web")
    said(host, "lxc-destroy web")
    assert said(host, "lxc-ls") == "guest      neighbour  \n"
    assert said(host, "ls /sys/fs/cgroup | grep -c lxc.payload") == "2\n"


def test_an_attached_shell_has_no_more_rights_than_the_container(host: SimSession) -> None:
    inside = said(host, "lxc-attach guest -- grep CapEff /proc/self/status")
    assert inside == "CapEff:\t000001fcfdfcffff\n"
    more = said(host, "lxc-attach -e guest -- grep CapEff /proc/self/status")
    assert more == "CapEff:\t000001ffffffffff\n"


def test_root_inside_is_somebody_else_where_ids_are_mapped() -> None:
    host = open_session(load_world(), parse_spec("lxc-unpriv"))
    assert said(host, "lxc-attach guest -- id -u") == "0\n"
    assert "100000" in said(host, "lxc-attach guest -- cat /proc/self/uid_map")
    assert said(host, "lxc-ls -f").count("true") == 2


def test_limits_and_the_freezer_go_through_the_group(host: SimSession) -> None:
    said(host, "lxc-cgroup guest memory.max 64M")
    assert said(host, "lxc-cgroup guest memory.max") == "67108864\n"
    said(host, "lxc-freeze guest")
    assert said(host, "lxc-info -s guest") == "State:          FROZEN\n"
    said(host, "lxc-unfreeze guest")
    assert said(host, "lxc-info -s guest") == "State:          RUNNING\n"


def test_a_word_on_the_command_line_comes_after_the_file(host: SimSession) -> None:
    said(host, "lxc-create -n web -t busybox")
    line = "lxc-execute -n web -s lxc.cap.drop= -- grep CapEff /proc/self/status"
    assert said(host, line) == "CapEff:\t000001ffffffffff\n"
    assert typed(host, "lxc-execute -n web -- sh -c 'exit 4'")[0] == 4


def test_snapshots_share_what_is_below_them(host: SimSession) -> None:
    said(host, "lxc-create -n web -t busybox")
    said(host, "lxc-copy -n web -N two -s")
    said(host, "lxc-start two")
    said(host, "lxc-attach two -- sh -c 'echo new > /etc/mark'")
    assert said(host, "ls /var/lib/lxc/two/overlay/delta/etc") == "mark\n"
    assert typed(host, "cat /var/lib/lxc/web/rootfs/etc/mark")[0] == 1


def test_an_ephemeral_copy_is_gone_when_it_stops(host: SimSession) -> None:
    said(host, "lxc-create -n web -t busybox")
    assert said(host, "lxc-copy -n web -N once -e") == "Created once as clone of web\n"
    said(host, "lxc-stop -k once")
    assert "once" not in said(host, "lxc-ls -1")


def test_without_a_root_filesystem_the_hosts_is_the_containers(host: SimSession) -> None:
    said(host, "lxc-create -n bare -t none")
    assert said(host, "lxc-execute -n bare -- cat /srv/canary/secret")


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        ("lxc-start nope", 1, "No container config specified"),
        ("lxc-start guest", 1, "Container is already running"),
        ("lxc-stop nope", 2, "nope is not running"),
        ("lxc-attach nope", 1, "Connection refused - Failed to get init pid"),
        ("lxc-info nope", 1, "nope doesn't exist"),
        ("lxc-destroy guest", 1, "guest is running"),
        ("lxc-destroy nope", 1, "Container is not defined"),
        ("lxc-create -n guest -t busybox", 1, "Container already exists"),
        ("lxc-create -n x -t gentoo", 1, "bad template: gentoo"),
        ("lxc-create -n x", 1, "A template must be specified"),
        (
            "lxc-attach guest -- /etc/passwd",
            126,
            'Permission denied - Failed to exec "/etc/passwd"',
        ),
        ("lxc-copy -n guest -N x", 1, "Original container (guest) is running. Use --allowrunning"),
        ("lxc-start --version", 0, "7.0.0"),
        ("lxc-stop -h", 0, "Usage: lxc-stop --name=NAME"),
        ("lxc-cgroup guest", 1, "could not parse command line"),
        ("lxc-freeze nope", 1, "Failed to freeze /var/lib/lxc:nope"),
        ("lxc-execute nope", 1, "no configuration file may crash the host"),
        ("lxc-start --nosuch", 1, "unrecognized option"),
        ("lxc-copy -n guest", 1, "You must provide a NEWNAME"),
    ],
)
def test_what_the_real_tools_say(host: SimSession, line: str, status: int, text: str) -> None:
    """As lxc 5.0.2 prints it."""
    answered, output = typed(host, line)
    assert answered == status, output
    assert text in output


def test_a_bad_line_of_the_file_is_named(host: SimSession) -> None:
    said(host, "lxc-create -n web -t busybox")
    said(host, "echo lxc.bad.key = 1 >> /var/lib/lxc/web/config")
    status, output = typed(host, "lxc-start web")
    assert status == 1
    assert 'Unknown configuration key "lxc.bad.key"' in output


def test_the_bare_container_has_its_own_empty_network() -> None:
    net = BARE.get("net-ns")
    assert net is not None
    assert container.built([]).image.root == "/"


def test_an_attached_command_keeps_the_environment_unless_told_otherwise(host: SimSession) -> None:
    see = "guest -- sh -c 'echo $container $HERE $MORE'"
    said(host, "echo 'lxc.environment = MORE=configured' >> /var/lib/lxc/guest/config")
    assert said(host, f"export HERE=out; lxc-attach {see}") == "lxc out configured\n"
    assert said(host, f"export HERE=out; lxc-attach --clear-env {see}") == "lxc configured\n"
    kept = said(host, f"export HERE=out; lxc-attach --clear-env --keep-var HERE {see}")
    assert kept == "lxc out configured\n"
    assert said(host, f"lxc-attach -v HERE=set -v MORE=too {see}") == "lxc set too\n"


def test_a_command_that_can_t_be_run_leaves_nobody_inside(host: SimSession) -> None:
    before = said(host, "lxc-attach guest -- ps | wc -l")
    assert typed(host, "lxc-attach guest -- nosuch")[0] == 127
    assert said(host, "lxc-attach guest -- ps | wc -l") == before


def test_one_thing_without_words_is_what_info_says_bare(host: SimSession) -> None:
    assert said(host, "lxc-info -n guest -s -H") == "RUNNING\n"
    assert said(host, "lxc-info -n guest -s -p -H").startswith("State:          RUNNING\nPID:")
    stats = said(host, "lxc-info -n guest -S -H").splitlines()
    assert [line.partition(":")[0] for line in stats[:3]] == ["CPU use", "Memory use", "KMem use"]
