"""Shell lines print what the real busybox 1.35 printed for them (recorded in ``busybox.json``)."""

import json
from pathlib import Path

import pytest
from scene import line, machine

RECORDED = json.loads((Path(__file__).parent / "busybox.json").read_text())


@pytest.mark.parametrize("case", RECORDED, ids=[case["line"][:60] for case in RECORDED])
def test_a_line_prints_what_busybox_prints(case: dict[str, str]) -> None:
    result = line(machine(), case["line"])
    assert result.silent is None
    assert result.blocked is None
    assert (result.status, result.output.decode()) == (case["status"], case["output"])
