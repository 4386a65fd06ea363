"""A sandbox that does not start: an agreement only where the model can't build it either."""

from simulator.experiment.probes.language import parse
from simulator.experiment.probes.program import Program
from simulator.experiment.probes.session import HarnessError
from simulator.experiment.probes.trace import Trace
from simulator.experiment.real.errors import RealError
from simulator.experiment.real.report import Row
from simulator.experiment.real.verify import Probe, verify

PROBE = Probe("a.probe", parse("guest.getpid()"))


def compared(model: Exception | None, real: Exception, why: str | None = None) -> Row:
    def here(_spec: str, _program: Program) -> Trace:
        if model is not None:
            raise model
        return Trace()

    def there(_spec: str, _program: Program, _fresh: bool) -> Trace:
        raise real

    (row,) = verify(["lxc"], [PROBE], here, there, why_not=lambda _spec: why).rows
    return row


def test_two_sandboxes_that_nobody_can_build_agree() -> None:
    row = compared(HarnessError("mount: EPERM"), HarnessError("lxc-start: not permitted"))
    assert (row.kind, row.model, row.real) == ("agree", "mount: EPERM", "lxc-start: not permitted")


def test_one_that_the_model_can_build_is_not_here() -> None:
    assert compared(None, HarnessError("lxc-start: not permitted")).kind == "not_here"


def test_trouble_of_the_apparatus_is_no_agreement() -> None:
    assert compared(HarnessError("mount: EPERM"), RealError("no machine")).kind == "not_here"


def test_what_can_not_be_asked_for_is_told_without_trying() -> None:
    row = compared(None, AssertionError("never called"), "counterfactual: no switch")
    assert (row.kind, row.real, row.reason) == ("not_here", "", "counterfactual: no switch")
