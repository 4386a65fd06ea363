"""A mechanism is left out in the product's own words, or the reason why it can't be is said."""

from types import SimpleNamespace

import pytest

from simulator.experiment.real import facts
from simulator.experiment.real.lifting import Counterfactual, together
from simulator.experiment.real.products import request
from simulator.isolation.technologies.registry import parse_spec


def words(spec: str, *lifted: str) -> tuple[str, ...]:
    return request(spec, lifted).spec.options


def test_an_option_that_made_the_mechanism_goes_with_its_value() -> None:
    assert words("docker -v /:/host --init", "volumes") == ("--init",)
    assert words("docker --read-only --memory=64m", "readonly-root") == ("--memory=64m",)
    spec = "docker --security-opt no-new-privileges --security-opt seccomp=unconfined"
    assert words(spec, "no-new-privs") == ("--security-opt", "seccomp=unconfined")
    kept = ("--device-cgroup-rule", "c 1:11 rwm")
    assert words("docker --device /dev/kmsg", "devices") == kept
    lifted = ("cgroup-limits", "device-list")
    assert words("docker --memory 64m --init", *lifted)[0] == "--init"
    assert words("nspawn --bind /srv:/x --register=no", "volumes") == ("--register=no",)


def test_a_switch_replaces_what_dockerd_refuses_beside_it() -> None:
    assert words("docker --net=none", "net-ns") == ("--network=host",)
    assert words("docker -h own", "uts-ns") == ("--uts=host",)
    assert words("docker --net=host", "sysctls") == ("--net=host",)


def test_the_engine_has_a_switch_for_either_list_of_paths_where_the_client_has_one_for_both() -> (
    None
):
    assert request("docker", ("masked-paths",)).api == {"MaskedPaths": []}
    both = request("docker", ("masked-paths", "readonly-paths"))
    assert both.api == {"MaskedPaths": [], "ReadonlyPaths": []}
    assert both.spec.options == ()


def test_no_capability_is_asked_for_that_a_machine_withholds_or_an_old_dockerd_has_no_name_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = SimpleNamespace(bounding=("CAP_CHOWN", "CAP_BPF"))
    monkeypatch.setattr(facts, "gather", lambda: here)
    assert words("docker", "capabilities") == ("--cap-add=CHOWN",)


def test_flags_of_unshare_are_taken_one_by_one() -> None:
    assert words("unshare -mpf", "pid-ns") == ("-m", "-f")
    assert words("unshare -p -f --mount-proc", "own-proc") == ("-p", "-f", "--mount")
    assert words("unshare -p -f --mount-proc", "mount-ns", "own-proc") == ("-p", "-f")
    with pytest.raises(Counterfactual, match="lift own-proc too"):
        words("unshare --mount-proc", "mount-ns")


def test_what_a_runtime_does_not_start_without_goes_too() -> None:
    lifted = ("mount-ns", "pivot-root", "readonly-root")
    with pytest.raises(Counterfactual, match="lift readonly-paths, masked-paths too"):
        request("runc", lifted)
    every = together(parse_spec("runc"), lifted)
    assert every == (*lifted, "readonly-paths", "masked-paths")
    assert request("runc", every).technology.get("masked-paths") is None
    assert together(parse_spec("crun"), lifted) == lifted


def test_the_configuration_of_a_container_may_be_elsewhere() -> None:
    less = request("lxc", ("lxc-config", "proc-mixed")).technology.get("lxc-config")
    assert less is not None
    assert "lxc.mount.auto = proc:rw" in less.lines  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("spec", "mechanism", "why"),
    [
        ("docker", "pivot-root", "MS_MOVE"),
        ("runc", "default-mounts", "/proc/self/fd"),
        ("lxc-unpriv", "pivot-root", "lxc_pivot_root"),
        ("nspawn --register=no --keep-unit", "session-keyring", "always"),
        ("bwrap", "no-new-privs", "always"),
    ],
)
def test_why_there_is_no_switch_is_said(spec: str, mechanism: str, why: str) -> None:
    with pytest.raises(Counterfactual, match=f"^counterfactual: .*lifts {mechanism}: .*{why}"):
        request(spec, (mechanism,))


def test_sandboxes_less_a_mechanism_are_of_another_kind() -> None:
    assert request("runc", ("ipc-ns",)).kind != request("runc").kind
