"""What each product installs: its programs are there, and imported only when one is executed."""

import subprocess
import sys

import pytest

from simulator.isolation.control.toolset import Toolset, toolsets
from simulator.machine.families import KERNELS
from simulator.machine.userland.registry import TOOLS, program


@pytest.mark.parametrize("tools", toolsets(), ids=lambda one: one.product)
def test_every_program_is_entered(tools: Toolset) -> None:
    assert tools.kernels <= set(KERNELS)
    for name in tools.programs:
        assert program(name, TOOLS) is not None, name


def test_no_tool_is_imported_before_it_is_used() -> None:
    asked = (
        "import sys; from simulator.experiment.engine.executor import open_session;"
        "from simulator.experiment.scenarios.load import load_world;"
        "from simulator.isolation.technologies.registry import parse_spec;"
        "open_session(load_world(), parse_spec('docker'));"
        "print(*(name for name in sys.modules if name.startswith('simulator.isolation.control.')"
        " and name.count('.') > 3))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    used = {name.rpartition(".")[2] for name in done.stdout.split()}
    assert not used & {module.partition(".")[2] for one in toolsets() for module in one.modules}
