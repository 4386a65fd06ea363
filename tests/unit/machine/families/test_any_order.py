"""Kernels are loaded when first asked for, in any order within one process."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("order", [("sunos", "freebsd"), ("freebsd", "sunos")], ids="-".join)
def test_families_are_imported_in_any_order(order: tuple[str, str]) -> None:
    lines = ";".join(f"import simulator.machine.families.{name}" for name in order)
    done = subprocess.run(
        [sys.executable, "-c", lines], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
