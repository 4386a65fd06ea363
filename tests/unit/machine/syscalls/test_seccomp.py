"""Filters on calls and other attributes of one's own: seccomp(2), prctl(2)."""

import pytest

from simulator.machine.abi.call import Silent
from simulator.machine.abi.constants import (
    PR_GET_NAME,
    PR_GET_NO_NEW_PRIVS,
    PR_GET_SECCOMP,
    PR_SET_NAME,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECCOMP,
    SECCOMP_GET_ACTION_AVAIL,
    SECCOMP_MODE_STRICT,
    SECCOMP_SET_MODE_FILTER,
    SECCOMP_SET_MODE_STRICT,
)
from simulator.machine.abi.ids import Pid
from tests.unit.machine.bare import Machine

ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD_NUMBER, EQUAL, RETURN = 0x20, 0x15, 0x06
MKDIR, GETPID = 83, 39
DENY_MKDIR = [
    (LOAD_NUMBER, 0, 0, 0),
    (EQUAL, 0, 1, MKDIR),
    (RETURN, 0, 0, ERRNO | 13),
    (RETURN, 0, 0, ALLOW),
]
RULES = {
    "default": "EPERM",
    "allow": ["getpid", "seccomp", "socket"],
    "rules": [
        {"calls": ["clone3"], "action": "ENOSYS"},
        {"calls": ["socket"], "action": "EAFNOSUPPORT", "index": 0, "op": "eq", "value": 40},
    ],
}


@pytest.fixture
def machine() -> Machine:
    return Machine()


def install(machine: Machine, given: object, pid: Pid | None = None) -> object:
    return machine.do("seccomp", SECCOMP_SET_MODE_FILTER, 0, given, pid=pid)


def test_a_filter_that_is_not_there_is_efault(machine: Machine) -> None:
    assert install(machine, None) == "EFAULT"


def test_an_empty_program_is_einval(machine: Machine) -> None:
    assert install(machine, []) == "EINVAL"


def test_a_program_that_does_not_return_is_einval(machine: Machine) -> None:
    assert install(machine, [(LOAD_NUMBER, 0, 0, 0)]) == "EINVAL"


def test_a_filter_needs_no_new_privs_or_cap_sys_admin(machine: Machine) -> None:
    user = machine.become(Pid(machine.do("fork")), 1000)
    assert install(machine, DENY_MKDIR, user) == "EACCES"
    machine.do("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, pid=user)
    assert install(machine, DENY_MKDIR, user) == 0


def test_a_program_answers_by_the_number_of_the_call(machine: Machine) -> None:
    install(machine, DENY_MKDIR)
    assert machine.do("mkdir", "/x", 0o755) == "EACCES"
    assert machine.do("getpid") == machine.pid


def test_rules_answer_before_the_list(machine: Machine) -> None:
    install(machine, RULES)
    assert machine.do("clone3", None, 0) == "ENOSYS"
    assert machine.do("socket", 40, 1, 0) == "EAFNOSUPPORT"
    assert machine.do("socket", 1, 1, 0) >= 0
    assert machine.do("mkdir", "/x", 0o755) == "EPERM"


def test_of_several_filters_the_strictest_counts(machine: Machine) -> None:
    install(machine, {"default": "ALLOW"})
    install(machine, {"default": "ALLOW", "rules": [{"calls": ["getpid"], "action": "EPERM"}]})
    install(machine, {"default": "ALLOW"})
    assert machine.do("getpid") == "EPERM"


def test_a_filter_can_kill(machine: Machine) -> None:
    child = Pid(machine.do("fork"))
    install(machine, [(RETURN, 0, 0, KILL)], child)
    assert machine.do("getpid", pid=child) == "SIGSYS"


def test_children_have_their_parents_filters(machine: Machine) -> None:
    install(machine, DENY_MKDIR)
    child = Pid(machine.do("fork"))
    assert machine.do("mkdir", "/x", 0o755, pid=child) == "EACCES"


def test_strict_mode_leaves_four_calls(machine: Machine) -> None:
    child = Pid(machine.do("fork"))
    machine.do("prctl", PR_SET_SECCOMP, SECCOMP_MODE_STRICT, pid=child)
    assert machine.do("write", 99, b"", 0, pid=child) == "EBADF"
    assert machine.do("getpid", pid=child) == "SIGKILL"


def test_strict_mode_takes_no_flags(machine: Machine) -> None:
    assert machine.do("seccomp", SECCOMP_SET_MODE_STRICT, 1, None) == "EINVAL"


def test_the_mode_can_be_read(machine: Machine) -> None:
    assert machine.do("prctl", PR_GET_SECCOMP) == 0
    install(machine, DENY_MKDIR)
    assert machine.do("prctl", PR_GET_SECCOMP) == 2


def test_actions_can_be_asked_for(machine: Machine) -> None:
    assert machine.do("seccomp", SECCOMP_GET_ACTION_AVAIL, 0, ALLOW) == 0
    assert machine.do("seccomp", SECCOMP_GET_ACTION_AVAIL, 0, 0x12340000) == "EOPNOTSUPP"


def test_no_new_privs_cannot_be_taken_back(machine: Machine) -> None:
    machine.do("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    assert machine.do("prctl", PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == "EINVAL"
    assert machine.do("prctl", PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1


def test_a_name_has_fifteen_letters(machine: Machine) -> None:
    machine.do("prctl", PR_SET_NAME, "a-very-long-process-name")
    assert machine.data("prctl", PR_GET_NAME) == "a-very-long-pro"


def test_no_such_option_is_einval(machine: Machine) -> None:
    assert machine.do("prctl", 9999) == "EINVAL"


def test_a_filter_answers_for_a_call_that_the_model_lacks(machine: Machine) -> None:
    said = machine.raw("remap_file_pages", 0, 0)
    assert isinstance(said, Silent)
    assert said.note == "the model does not know this call"
    install(machine, RULES)
    assert machine.do("remap_file_pages", 0, 0) == "EPERM"
    misspelt = machine.raw("opne", "/x", 0)
    assert isinstance(misspelt, Silent)
    assert misspelt.note.endswith("did you mean open?")
