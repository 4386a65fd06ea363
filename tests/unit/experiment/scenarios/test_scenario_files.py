"""Loading: all mistakes at once, each with its file and place, and never a traceback."""

import os

import pytest

from simulator.experiment.probes.constants import plain_constants
from simulator.experiment.probes.source import UnreadableError, read_text
from simulator.experiment.probes.world import World, twin
from simulator.experiment.scenarios import check as checking
from simulator.experiment.scenarios import load as loading
from simulator.experiment.scenarios.load import find, load, load_all, load_world, words
from simulator.experiment.scenarios.structure import ScenarioError, structure

GOOD = """
format = 1
id = "fs.mine"
group = "fs"
asks = "secrecy"
program = "guest.open(CANARY, O_RDONLY)"
[[claim]]
technology = "none"
outcome = "leaks"
source = "by definition"
"""


def write(tmp_path, text, name="mine.toml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def mistakes(path):
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert all(str(path) in line for line in str(caught.value).splitlines())
    return str(caught.value)


def test_a_good_file_is_a_scenario(tmp_path):
    scenario = load(write(tmp_path, GOOD))
    assert (scenario.id, scenario.world, len(scenario.program.steps)) == ("fs.mine", "default", 1)
    assert scenario.claimed("none").outcome == "leaks"
    assert scenario.claimed("docker") is None


@pytest.mark.parametrize(
    "spec", ["docker@0.11", "docker --userns-remap=default", "vserver rlimits/rss.hard=65536"]
)
def test_a_claim_may_be_about_an_era_or_a_spec_with_options(tmp_path, spec):
    scenario = load(write(tmp_path, GOOD.replace('"none"', f'"{spec}"')))
    assert scenario.claimed(spec).outcome == "leaks"


@pytest.mark.parametrize("spec", ["", "Docker", "docker  --read-only", "docker; ls"])
def test_a_claim_is_about_something_that_may_be_a_spec(tmp_path, spec):
    assert "claim[0].technology: must be" in mistakes(
        write(tmp_path, GOOD.replace('"none"', f'"{spec}"'))
    )


def test_all_mistakes_of_shape_come_at_once(tmp_path):
    text = """
    format = "1"
    id = 3
    colour = "red"
    program = "guest.getpid()"
    requires = ["root", 1]
    [[claim]]
    technology = "none"
    outcome = "maybe"
    """
    found = mistakes(write(tmp_path, text))
    for expected in (
        "format: must be a whole number",
        "id: must be a string",
        "group: missing",
        "asks: missing",
        "requires[1]: must be a string",
        "claim[0].source: missing",
        "claim[0].outcome: maybe is not one of",
        "unknown key colour",
    ):
        assert expected in found


def test_all_mistakes_of_meaning_come_at_once(tmp_path):
    text = """
    format = 2
    id = "Mine"
    group = "cooking"
    world = "../../etc/passwd"
    asks = "kindly"
    resource = "time"
    requires = ["luck"]
    program = "guest.f(1.5)"
    [[claim]]
    technology = "none"
    outcome = "leaks"
    source = " "
    [[claim]]
    technology = "none"
    outcome = "holds"
    source = "x"
    """
    found = mistakes(write(tmp_path, text))
    for expected in (
        "format: must be 1",
        "id: must be 'cooking.'",
        "group: 'cooking' is not one of fs",
        "world: no such world",
        "asks: 'kindly' is not one of secrecy",
        "resource: only a budget probe",
        "requires[0]: 'luck' is not one of root",
        "claim[0].source: a claim needs its source",
        "claim[1].technology: a second claim",
        "program: line 1: the kernel takes whole numbers",
    ):
        assert expected in found


def test_a_budget_probe_names_its_resource(tmp_path):
    assert "resource: '' is not one of memory" in mistakes(
        write(tmp_path, GOOD.replace('"secrecy"', '"budget"'))
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("format = ", "not TOML"),
        (b"\xff\xfe", "not UTF-8"),
        ("x = " + "[" * 5000, "not TOML"),
        ("x = " + "9" * 5000, "not TOML"),
        ("a = 1\na = 2", "not TOML"),
        ("# big\n" * 200_000, "larger than"),
        ("", "missing"),
        (GOOD.replace("guest.open(CANARY, O_RDONLY)", ""), "has no step"),
        (GOOD.replace('"by definition"', "[1]"), "must be a string"),
        ("claim = 3", "claim"),
        ("claim = [3]", "claim[0]: must be a table"),
    ],
)
def test_whatever_is_wrong_with_a_file_is_said_and_not_raised(tmp_path, text, expected):
    assert expected in mistakes(write(tmp_path, text))


def test_missing_files_directories_and_odd_names_are_one_line(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / ("x" * 500), tmp_path / "a\0b"):
        with pytest.raises(UnreadableError) as caught:
            read_text(path)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_that_nobody_writes_to_is_refused(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(UnreadableError, match="waits for a writer"):
        read_text(tmp_path / "fifo")


def test_an_endless_file_is_not_read_to_its_end():
    with pytest.raises(UnreadableError, match="larger than"):
        read_text(loading.Path("/dev/zero"), limit=4096)


def test_a_scenario_is_found_by_id_by_path_and_by_file(tmp_path):
    own = write(tmp_path, GOOD)
    assert find("fs.chroot-escape") is find("fs/chroot-escape") is find("fs/chroot-escape.toml")
    assert find(str(own)).id == "fs.mine"


@pytest.mark.parametrize(
    "name", ["fs.chroot-escap", "nonsense", "", "x" * 5000, "../../x", "a\0b/"]
)
def test_a_scenario_that_does_not_exist_is_one_line(name):
    with pytest.raises(ScenarioError) as caught:
        find(name)
    assert "\n" not in str(caught.value)


def test_a_near_miss_is_helped():
    with pytest.raises(ScenarioError, match=r"did you mean fs\.chroot-escape"):
        find("fs.chroot-escap")


def test_scenarios_are_ordered_by_subject():
    assert load_all()[0].id.startswith("fs.")
    assert load_all()[-1].id.startswith("proc.")


def test_an_unknown_world_is_one_line():
    for name in ("nowhere", "../default", "a\0b", ""):
        with pytest.raises(ScenarioError, match="no such world"):
            load_world(name)


def test_a_twin_world_differs_in_its_secret_only_and_not_in_its_length():
    world = load_world()
    other = twin(world)
    assert other.secret != world.secret
    assert len(other.secret) == len(world.secret)
    assert twin(other) == world


def test_a_worlds_mistakes_come_with_their_places():
    table = {
        "id": "x",
        "hostname": "x",
        "users": [{"name": "a", "uid": "0"}],
        "constants": {"A": 1.5},
    }
    with pytest.raises(ScenarioError) as caught:
        structure(table, World, "x.toml")
    found = str(caught.value)
    for expected in ("users[0].uid: must be a whole number", "users[0].home: missing", "constants"):
        assert expected in found


def test_a_worlds_own_constants_win():
    table = {
        "id": "x", "hostname": "x", "secret": "s", "canary": "/c", "guest_root": "/g",
        "constants": {"HOST_NAME": "mine"},
    }  # fmt: skip
    assert plain_constants(structure(table, World, "x.toml"))["HOST_NAME"] == "mine"


def test_words_of_an_unknown_scenario_are_its_id():
    assert words("fs.of-my-own", "en").title == "fs.of-my-own"


def test_words_are_spoken_in_both_languages():
    english, spanish = words("fs.mount", "en"), words("fs.mount", "es")
    assert english.title != spanish.title
    assert words("fs.mount", "xx") == english


def test_the_linter_names_probes_that_ask_nothing(tmp_path):
    text = GOOD.replace("guest.open(CANARY, O_RDONLY)", "host.getpid()").replace('"none"', '"lxc"')
    found = "\n".join(map(str, checking.check([write(tmp_path, text)])))
    assert "the guest makes no call" in found
    assert "no claim for 'none'" in found


def test_the_linter_keeps_interference_honest(tmp_path):
    program = "fd = guest.socket(1, 1, 0)\\nneighbour.close(fd)"
    text = GOOD.replace('"secrecy"', '"interference"').replace(
        "guest.open(CANARY, O_RDONLY)", program
    )
    assert "line 2 uses fd" in str(checking.check([write(tmp_path, text)])[0])
    lonely = GOOD.replace('"secrecy"', '"interference"')
    assert "steps of the neighbour" in str(checking.check([write(tmp_path, lonely)])[0])


def test_the_linter_reports_unreadable_files_and_goes_on(tmp_path):
    bad, good = write(tmp_path, "format =", "bad.toml"), write(tmp_path, GOOD)
    assert len(checking.check([bad, good])) == 1


def test_of_several_of_a_kind_the_first_is_the_constant():
    table = {
        "id": "x", "hostname": "x", "secret": "s", "canary": "/c", "guest_root": "/g",
        "processes": [
            {"name": "db", "argv": ["db"], "uid": 5},
            {
                "name": "web",
                "argv": ["web"],
                "listens": [{"kind": "inet", "address": "::1", "port": port} for port in (80, 81)],
            },
        ],
        "interfaces": [
            {"name": "lo", "address": "127.0.0.1", "prefix": 8, "loopback": True},
            {"name": "eth0", "address": "192.0.2.1", "prefix": 24},
            {"name": "eth1", "address": "192.0.2.2", "prefix": 24},
        ],
    }  # fmt: skip
    found = plain_constants(structure(table, World, "x.toml"))

    assert found["HOST_DAEMON"] == "web", "a daemon is root's"
    assert found["HOST_PORT"] == 80
    assert (found["HOST_INTERFACE"], found["HOST_ADDRESS"]) == ("eth0", "192.0.2.1")
