"""The trigger of system requests: what its letters do to the machine."""

import pytest

from simulator.experiment.engine.compare import traced
from simulator.experiment.probes.language import parse
from simulator.experiment.probes.trace import Status
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec


@pytest.mark.parametrize(("key", "last"), [("b", Status.SKIPPED), ("h", Status.RETURNED)])
def test_the_letter_b_ends_everybody_and_a_question_nobody(key: str, last: Status) -> None:
    program = parse(
        'fd = guest.open("/proc/sysrq-trigger", O_WRONLY)\n'
        f'guest.write(fd, "{key}", 1)\n'
        "host.getpid()\n"
    )
    found = traced(program, load_world(), parse_spec("docker@0.1")).entries
    assert found[-1].status is last
