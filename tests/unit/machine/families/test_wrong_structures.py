"""Structures of another shape, as a stranger may write them, are beyond the model: no traceback."""

from typing import Any

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Call, Returned, Silent
from simulator.machine.abi.constants import (
    O_RDWR,
    VENETCTL_VE_IP_MAP,
    VZCTL_ENV_CREATE,
    VZCTL_QUOTA_NEW_CTL,
)


@pytest.mark.parametrize(
    ("spec", "name", "args"),
    [
        ("vserver", "vserver", ("VCMD_set_rlimit", 101, {"id": "nproc", "maximum": "x"})),
        ("vserver", "vserver", ("VCMD_set_bcaps", 101, {"bcaps": []})),
        ("vserver", "vserver", ("VCMD_ctx_kill", 101, {"pid": "1"})),
        ("vserver", "vserver", ("VCMD_set_cflags", 101, {"flagword": 7})),
        ("jail", "jail_get", ({"lastjid": "x"}, 0)),
        ("jail", "jail_get", ({"jid": []}, 0)),
        ("zone", "zone_create", ({"name": "z", "root": "/srv", "flags": "x"},)),
        ("zone", "zone_create", ({"name": "z", "root": "/home", "rctls": {"zone.max-lwps": ""}},)),
        ("openvz", "setublimit", (101, 1, 5)),
        ("openvz", "setublimit", (101, 1, (5,))),
        ("openvz", "setublimit", (101, 1, ("a", "b"))),
    ],
)
def test_a_structure_of_another_shape_is_silent(
    spec: str, name: str, args: tuple[Any, ...]
) -> None:
    session = open_session(load_world(), parse_spec(spec))
    assert isinstance(session.call("host", Call(name, args)), Silent)


@pytest.mark.parametrize(
    ("request_number", "argument"),
    [
        (VZCTL_ENV_CREATE, {}),
        (VZCTL_ENV_CREATE, {"veid": "x"}),
        (VENETCTL_VE_IP_MAP, {"veid": 101, "op": 1}),
        (VZCTL_QUOTA_NEW_CTL, {"cmd": "on", "quota_id": 7, "root": "/proc"}),
    ],
)
def test_so_is_one_of_vzctl_s_that_lacks_a_field(
    request_number: int, argument: dict[str, Any]
) -> None:
    session = open_session(load_world(), parse_spec("openvz"))
    door = session.call("host", Call("open", ("/dev/vzctl", O_RDWR, 0)))
    assert isinstance(door, Returned)
    call = Call("ioctl", (door.value, request_number, argument))
    assert isinstance(session.call("host", call), Silent)
