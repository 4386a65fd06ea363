"""``vitrina matrix --ablate``: what each mechanism is good for."""

import json

from click.testing import CliRunner

from simulator.cli.main import cli


def told(*words):
    result = CliRunner().invoke(cli, ["matrix", "--ablate", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_one_wall_or_several_before_one_door():
    asked = ["docker", "--json"]
    for probe in ("fs.chroot-escape", "ipc.shared-memory", "kernel.reboot"):
        asked += ["--scenario", probe]
    found = json.loads(told(*asked))
    opened = {one["probe"]: one["opened_by"] for one in found["probes"]}
    assert opened["fs.chroot-escape"] == [["pivot-root"]]
    assert opened["ipc.shared-memory"] == [["ipc-ns"]]
    assert opened["kernel.reboot"] == [["capabilities", "pid-ns"]]
    flips = {(c["probe"], *c["without"]) for c in found["cells"] if c["flips"]}
    assert ("ipc.shared-memory", "ipc-ns") in flips
    assert not any(probe == "kernel.reboot" for probe, *_ in flips)
    assert "ipc-ns" not in found["idle"]
    assert "uts-ns" in found["idle"]


def test_the_table_names_sets_and_counts():
    text = told("chroot", "--scenario", "fs.read-canary")
    assert "chroot" in text
    assert "fs.read-canary  HOLDS" in text
    assert "Defence in depth" not in text


def test_it_goes_alone():
    result = CliRunner().invoke(cli, ["matrix", "--ablate", "docker", "--on", "none"])
    assert result.exit_code == 2
