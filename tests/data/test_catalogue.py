"""Every row of the catalogue is asked by probes that exist, or says why it is not."""

import tomllib

from simulator.experiment.scenarios.load import data_root, load_all

ROWS = {
    "DET": 19, "PID": 28, "FSR": 51, "PRC": 36, "NET": 35, "IPC": 11, "UTS": 7, "USR": 20,
    "CAP": 26, "SYS": 15, "DEV": 11, "RES": 24, "TIM": 7, "CTL": 13, "SEC": 10, "CVE": 11, "SCH": 5,
}  # fmt: skip
"""How many rows each group of the catalogue has."""

CATALOGUE = tomllib.loads((data_root() / "catalogue.toml").read_text("utf-8"))
ASKED: dict[str, list[str]] = CATALOGUE["asked"]
UNASKED: dict[str, str] = CATALOGUE["unasked"]


def test_every_row_is_accounted_for_once() -> None:
    every = {
        f"{group}{number:02}" for group, count in ROWS.items() for number in range(1, count + 1)
    }
    assert set(ASKED) | set(UNASKED) == every
    assert not set(ASKED) & set(UNASKED)


def test_what_asks_a_row_exists() -> None:
    known = {scenario.id for scenario in load_all()}
    for row, probes in ASKED.items():
        assert probes, row
        assert set(probes) <= known, row


def test_what_is_not_asked_says_why() -> None:
    assert all(reason.strip() for reason in UNASKED.values())


def test_most_of_it_is_asked_by_that_many_probes() -> None:
    assert len(load_all()) >= 220
