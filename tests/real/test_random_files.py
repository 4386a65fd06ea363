"""Random file calls: the model and this machine's kernel say the same, errno by errno."""

from typing import Any

import pytest

from simulator.cli.real import traced as on_this_machine
from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.language import parse
from simulator.experiment.probes.trace import Entry
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.constants import S_IFDIR, S_IFMT
from tests.real.conftest import requires_spec
from tests.real.file_programs import program

STEPS = 200


def _told(entry: Entry) -> tuple[object, ...]:
    """What must agree; a directory's size and all numbers of inodes are the filesystem's own."""
    data: Any = entry.data
    if isinstance(data, dict):
        left_out = {"dev", "ino", "mtime"}
        if data.get("mode", 0) & S_IFMT == S_IFDIR:
            left_out.add("size")
        data = {key: value for key, value in data.items() if key not in left_out}
    value = None if entry.call == "fork" else entry.value
    return entry.line, entry.call, entry.status, entry.errno, value, data


@pytest.mark.real
@pytest.mark.parametrize("spec", ["none", "chroot", "docker"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_file_calls_agree_with_this_kernel(seed: int, spec: str) -> None:
    requires_spec(spec)
    text = program(seed, STEPS)
    parsed, world = parse(text, f"seed {seed}"), load_world()
    model = traced(parsed, world, parse_spec(spec))
    real = on_this_machine(parsed, world, spec)
    assert [_told(entry) for entry in model.entries] == [_told(entry) for entry in real.entries]
