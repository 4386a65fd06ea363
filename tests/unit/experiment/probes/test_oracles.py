"""Each oracle on runs made up for it: what leaks, what holds, and when nothing can be said."""

import msgspec
import pytest

from simulator.experiment.probes.language import parse
from simulator.experiment.probes.observation import Crossing, Use
from simulator.experiment.probes.observe import Case, Observation
from simulator.experiment.probes.oracles import NEEDS, ORACLES, judge
from simulator.experiment.probes.trace import Entry, Status, Trace
from simulator.experiment.probes.verdict import Outcome
from simulator.machine.abi.errno import Errno

CONSTANTS = {
    "HOST_PID": 300,
    "HOST_NAME": "vitrina-host",
    "HOST_DAEMON": "vitrinad",
    "HOST_SHM_KEY": 77,
}
PROGRAM = parse("guest.f()\nguest.g()\nneighbour.h()")


def entry(call="f", actor="guest", line=1, **fields):
    status = Status.FAILED if fields.get("errno") else Status.RETURNED
    base = {"status": status, "value": -1 if fields.get("errno") else 0}
    return Entry(step=line - 1, line=line, rep=0, actor=actor, call=call, **{**base, **fields})


def seen(*entries, **fields):
    return Observation(trace=Trace(entries, CONSTANTS), **fields)


def case(main, program=PROGRAM, **fields):
    return Case(program=program, technology="docker", main=main, **fields)


def crossing(operation="read", granted=False, owner="host"):
    return (Crossing(kind="file", owner=owner, operation=operation, granted=granted),)


def outcome(asks, subject):
    return judge(asks, subject).outcome


@pytest.mark.parametrize("asks", ORACLES)
def test_a_harness_failure_is_never_an_answer(asks):
    broken = Observation(failure="the agent is gone")
    verdict = judge(asks, case(broken))
    assert (verdict.outcome, verdict.reason) == (Outcome.INCONCLUSIVE, "the agent is gone")
    also = judge(asks, case(seen(entry()), twin=broken))
    assert also.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("asks", ORACLES)
def test_a_guest_that_made_no_call_proves_nothing(asks):
    skipped = entry(status=Status.SKIPPED, value=None)
    assert outcome(asks, case(seen(skipped))) is Outcome.INCONCLUSIVE
    assert outcome(asks, case(seen(entry(actor="host")))) is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("asks", ORACLES)
def test_a_technology_that_the_program_leaves_out_is_not_asked(asks):
    program = parse("# on: -docker\nguest.f()")
    assert outcome(asks, case(seen(entry()), program)) is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("asks", ORACLES)
@pytest.mark.parametrize(
    "missing",
    [
        {"errno": Errno.ENOSYS},
        {"errno": Errno.ENOSYS, "stopped_by": "kernel-release"},
        {"status": Status.SILENT, "value": None},
    ],
)
def test_a_call_that_the_kernel_lacks_makes_the_question_not_applicable(asks, missing):
    run = seen(entry(**missing), entry("h", "neighbour", 3))
    subject = case(run, twin=run, alone=run)
    assert outcome(asks, subject) is Outcome.NOT_APPLICABLE


def test_a_call_that_another_actor_lacks_puts_nothing_to_the_test():
    run = seen(entry(), entry("h", "neighbour", 3, status=Status.SILENT, value=None))
    assert outcome("interference", case(run, alone=run)) is Outcome.INCONCLUSIVE


def test_a_wall_that_pretends_a_call_is_missing_is_a_wall():
    run = seen(entry(errno=Errno.ENOSYS, stopped_by="sysvipc", crossings=()))
    verdict = judge("visibility", case(run))
    assert (verdict.outcome, verdict.stopped_by) == (Outcome.HOLDS, "sysvipc")


# Secrecy


def test_secrecy_leaks_where_twin_worlds_look_different():
    here, there = (seen(entry(), entry("g", line=2, data=data)) for data in ("A", "B"))
    verdict = judge("secrecy", case(here, twin=there))
    assert (verdict.outcome, verdict.evidence) == (Outcome.LEAKS, (1,))


def test_secrecy_holds_where_they_look_the_same_and_names_the_last_wall():
    run = seen(
        entry(errno=Errno.EPERM, stopped_by="capability"),
        entry("g", line=2, errno=Errno.ENOENT),
    )
    verdict = judge("secrecy", case(run, twin=run))
    assert (verdict.outcome, verdict.stopped_by, verdict.evidence) == (
        Outcome.HOLDS,
        "capability",
        (0,),
    )


def test_secrecy_is_about_the_guest_and_its_children_only():
    program = parse("kid = guest.fork()\nkid.f()\nhost.g()")
    host = [seen(entry(), entry("g", "host", 3, data=data)) for data in ("A", "B")]
    kid = [seen(entry("f", "kid", 2, data=data)) for data in ("A", "B")]
    assert outcome("secrecy", case(host[0], program, twin=host[1])) is Outcome.HOLDS
    assert outcome("secrecy", case(kid[0], program, twin=kid[1])) is Outcome.LEAKS


def test_secrecy_that_an_operator_gave_away_is_granted():
    here, there = (seen(entry(crossings=crossing(granted=True), data=data)) for data in ("A", "B"))
    assert outcome("secrecy", case(here, twin=there)) is Outcome.GRANTED


def test_secrecy_leaks_where_the_guest_got_further_in_one_world():
    """A run that ended early in the twin world differs in what it never came to."""
    here, there = seen(entry(), entry("g", line=2)), seen(entry())
    assert judge("secrecy", case(here, twin=there)).evidence == (1,)


def test_secrecy_without_a_twin_is_inconclusive():
    assert outcome("secrecy", case(seen(entry()))) is Outcome.INCONCLUSIVE


def test_noise_between_two_runs_in_one_world_neither_fakes_nor_hides_a_leak():
    def run(noise, secret):
        return seen(entry(data=noise), entry("g", line=2, data=secret))

    quiet = case(run("1", "A"), twin=run("2", "A"), again=run("3", "A"))
    loud = case(run("1", "A"), twin=run("2", "B"), again=run("3", "A"))
    only_noise = case(run("1", "A"), twin=run("2", "B"), again=run("3", "C"))
    assert outcome("secrecy", quiet) is Outcome.HOLDS
    assert judge("secrecy", loud).evidence == (1,)
    assert outcome("secrecy", only_noise) is Outcome.INCONCLUSIVE


def test_descriptors_and_pids_of_twin_runs_may_have_other_numbers():
    here = seen(entry("open", value=3, value_class="fd"))
    there = seen(entry("open", value=9, value_class="fd"))
    assert outcome("secrecy", case(here, twin=there)) is Outcome.HOLDS


# Integrity


def test_integrity_leaks_when_the_hosts_state_differs_afterwards():
    run = seen(
        entry(errno=Errno.EPERM),
        entry("g", line=2),
        before={"/srv/x": "1", "pid 300": "up"},
        after={"/srv/x": "1"},
    )
    verdict = judge("integrity", case(run))
    assert (verdict.outcome, verdict.evidence) == (Outcome.LEAKS, (1,))


def test_integrity_points_at_the_call_that_wrote():
    run = seen(entry(crossings=crossing("write")), entry("g", line=2), after={"/srv/x": "1"})
    assert judge("integrity", case(run)).evidence == (0,)


def test_a_host_that_was_changed_is_not_half_safe_because_a_later_call_was_refused():
    run = seen(
        entry(crossings=crossing("write")),
        entry("g", line=2, errno=Errno.EPERM, stopped_by="capability", crossings=()),
        after={"/srv/x": "1"},
    )
    assert outcome("integrity", case(run)) is Outcome.LEAKS


def test_integrity_holds_when_nothing_of_the_hosts_changed():
    same = {"/srv/x": "1"}
    run = seen(entry(errno=Errno.EROFS, stopped_by="readonly-paths"), before=same, after=dict(same))
    verdict = judge("integrity", case(run))
    assert (verdict.outcome, verdict.stopped_by) == (Outcome.HOLDS, "readonly-paths")


def test_integrity_of_a_volume_is_granted():
    run = seen(entry(crossings=crossing("write", granted=True)), after={"/srv/x": "1"})
    assert outcome("integrity", case(run)) is Outcome.GRANTED


# Visibility


def test_visibility_leaks_limits_grants_or_holds_by_what_was_crossed():
    wall = entry("g", line=2, errno=Errno.EPERM, stopped_by="pid-ns", crossings=())
    leak = entry(crossings=crossing("name"))
    granted = entry(crossings=crossing("name", granted=True))
    home = entry(crossings=())
    assert outcome("visibility", case(seen(leak))) is Outcome.LEAKS
    assert judge("visibility", case(seen(leak, wall))).outcome is Outcome.LIMITED
    assert judge("visibility", case(seen(leak, wall))).stopped_by == "pid-ns"
    assert outcome("visibility", case(seen(granted))) is Outcome.GRANTED
    assert outcome("visibility", case(seen(granted, leak))) is Outcome.LEAKS
    assert outcome("visibility", case(seen(home))) is Outcome.HOLDS


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (entry(data={"nodename": "vitrina-host"}), Outcome.LEAKS),
        (entry(data=b"  300 root vitrinad --serve"), Outcome.LEAKS),
        (entry("kill", args=(300, 0)), Outcome.LEAKS),
        (entry("kill", args=(300, 0), errno=Errno.ESRCH), Outcome.HOLDS),
        (entry("kill", args=(301, 0)), Outcome.HOLDS),
        (entry(data="my-vitrina-hosts"), Outcome.HOLDS),
        (entry("open", args=("/proc/meminfo", 0)), Outcome.INCONCLUSIVE),
    ],
)
def test_on_a_real_kernel_planted_names_tell(found, expected):
    assert outcome("visibility", case(seen(found))) is expected


# Interference


def test_interference_leaks_when_the_neighbours_run_differs():
    calm = seen(entry("h", "neighbour", 3))
    harmed = seen(entry(), entry("h", "neighbour", 3, errno=Errno.EADDRINUSE))
    verdict = judge("interference", case(harmed, alone=calm))
    assert (verdict.outcome, verdict.evidence) == (Outcome.LEAKS, (1,))
    unharmed = seen(entry(), entry("h", "neighbour", 3))
    assert outcome("interference", case(unharmed, alone=calm)) is Outcome.HOLDS


def test_interference_is_also_a_neighbour_that_gets_further_than_alone():
    disturbed = seen(entry(), entry("h", "neighbour", 3), entry("h", "neighbour", 4))
    alone = seen(entry("h", "neighbour", 3))
    assert judge("interference", case(disturbed, alone=alone)).evidence == (2,)


def test_interference_without_a_run_alone_or_a_neighbour_is_inconclusive():
    assert outcome("interference", case(seen(entry(), entry("h", "neighbour")))) is (
        Outcome.INCONCLUSIVE
    )
    assert outcome("interference", case(seen(entry()), alone=seen())) is Outcome.INCONCLUSIVE


# Budget


@pytest.mark.parametrize(
    ("uses", "refused", "expected"),
    [
        ((Use(resource="pids", used=64),), False, Outcome.LEAKS),
        ((Use(resource="pids", used=64, granted=64),), True, Outcome.HOLDS),
        ((Use(resource="pids", used=65, granted=64),), True, Outcome.LEAKS),
        ((Use(resource="pids", used=30),), True, Outcome.LIMITED),
        ((Use(resource="memory", used=30, granted=1),), False, Outcome.LEAKS),
        ((), True, Outcome.HOLDS),
        ((), False, Outcome.LEAKS),
    ],
)
def test_budget_compares_what_was_taken_with_what_was_granted(uses, refused, expected):
    entries = [entry("fork")]
    if refused:
        entries.append(entry("fork", line=2, errno=Errno.EAGAIN, stopped_by="pids-limit"))
    verdict = judge("budget", case(seen(*entries, uses=uses), resource="pids"))
    assert verdict.outcome is expected
    if expected in (Outcome.HOLDS, Outcome.LIMITED):
        assert verdict.stopped_by == "pids-limit"


@pytest.mark.parametrize(
    ("errno", "wall", "expected"),
    [
        (Errno.EPERM, "rlimit", Outcome.LIMITED),
        (Errno.EPERM, None, Outcome.LEAKS),
        (Errno.EINVAL, None, Outcome.LEAKS),
        (Errno.ENOSPC, None, Outcome.LIMITED),
        (Errno.ENOENT, None, Outcome.LEAKS),
    ],
)
def test_a_refusal_is_a_limit_when_it_says_so_or_names_a_wall(errno, wall, expected):
    run = seen(
        entry("mlock"),
        entry("mlock", line=2, errno=errno, stopped_by=wall),
        uses=(Use(resource="memory", used=30),),
    )
    assert outcome("budget", case(run, resource="memory")) is expected


def test_a_starved_neighbour_is_a_leak_whatever_the_grant():
    run = seen(
        entry(crossings=crossing("exhaust", owner="neighbour")),
        uses=(Use(resource="memory", used=1, granted=2),),
    )
    assert outcome("budget", case(run, resource="memory")) is Outcome.LEAKS


# Authority


def test_authority_is_judged_by_what_was_commanded_not_by_success():
    past = entry("reboot", errno=Errno.EINVAL, crossings=crossing("privilege"))
    refused = entry("reboot", errno=Errno.EPERM, stopped_by="capability", crossings=())
    own = entry("mount", crossings=())
    assert outcome("authority", case(seen(past))) is Outcome.LEAKS
    assert judge("authority", case(seen(refused))).stopped_by == "capability"
    assert outcome("authority", case(seen(own))) is Outcome.HOLDS
    assert outcome("authority", case(seen(entry(crossings=crossing("name"))))) is Outcome.HOLDS


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (entry("reboot", errno=Errno.EINVAL), Outcome.LEAKS),
        (entry("reboot", errno=Errno.EPERM), Outcome.HOLDS),
        (entry("mount"), Outcome.INCONCLUSIVE),
        (entry("mount", errno=Errno.EPERM), Outcome.HOLDS),
        (entry("kill", errno=Errno.ESRCH), Outcome.HOLDS),
        (entry("kill", errno=Errno.EINVAL), Outcome.INCONCLUSIVE),
    ],
)
def test_on_a_real_kernel_authority_is_read_from_refusals(found, expected):
    assert outcome("authority", case(seen(found))) is expected


def test_extra_runs_are_asked_for_oracles_that_exist():
    assert NEEDS.keys() <= ORACLES.keys()


def test_a_leak_stays_a_leak_when_a_later_call_is_missing():
    run = seen(
        entry(crossings=crossing("name")),
        entry("g", line=2, status=Status.SILENT, value=None, crossings=()),
    )
    assert outcome("visibility", case(run)) is Outcome.LEAKS


def test_verdicts_are_plain_rows_that_can_be_stored():
    verdict = judge("visibility", case(seen(entry(crossings=()))))
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=type(verdict)) == verdict


@pytest.mark.parametrize(
    ("args", "errno", "expected"),
    [
        ((77, 4096, 0), None, Outcome.LEAKS),
        ((77, 4096, 0o1000), None, Outcome.HOLDS),
        ((78, 4096, 0), None, Outcome.HOLDS),
        ((77, 4096, 0), Errno.ENOENT, Outcome.HOLDS),
    ],
)
def test_on_a_real_kernel_a_hosts_key_is_only_found_where_the_host_made_it(args, errno, expected):
    subject = case(seen(entry("shmget", args=args, errno=errno)))
    assert outcome("visibility", subject) is expected
