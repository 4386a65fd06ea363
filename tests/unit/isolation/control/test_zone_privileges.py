"""limitpriv: libzonecfg's verify_privset() and verify_limitpriv() of zoneadm(1M)."""

import pytest
from mistakes import host, said, typed

from simulator.experiment.engine.session import SimSession
from simulator.isolation.mechanisms.zone_limitpriv import DEFAULT, PrivilegeError, limit_set
from simulator.isolation.technologies.base import SpecError
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.kernel import privset

SHARED = DEFAULT["shared"]
WITHOUT_PROHIBITED = (
    "all,!dtrace_kernel,!proc_zone,!sys_config,!sys_devices,!sys_linkdir,!sys_net_config,"
    "!sys_res_config,!sys_suser_compat,!sys_ip_config"
)


@pytest.fixture
def configured() -> SimSession:
    """A host on which a zone web is configured."""
    session = host("zone")
    said(session, 'zonecfg -z web "create; set zonepath=/zones/web"')
    return session


def limited(session: SimSession, limitpriv: str) -> None:
    """web with another limitpriv, which zonecfg doesn't look into."""
    said(session, f"zonecfg -z web 'set limitpriv=\"{limitpriv}\"'")


@pytest.mark.parametrize(
    ("limitpriv", "told"),
    [
        ("default,bogus", 'unknown privilege "bogus" specified in'),
        ("default,!bogus,sys_config", 'unknown privilege "!bogus" specified in'),
        ("sys_time,default", 'unknown privilege "default" specified in'),
        ("default, sys_time", 'unknown privilege " sys_time" specified in'),
        ("default,!basic", 'unknown privilege "!basic" specified in'),
        ("zone", 'unknown privilege "zone" specified in'),
        ("default,bogus,zone", 'unknown privilege "zone" specified in'),
        ("default,sys_linkdir,proc_zone", 'privilege "proc_zone" is not permitted within'),
        ("default,PRIV_SYS_CONFIG", 'privilege "sys_config" is not permitted within'),
        ("default,sys_ip_config", 'privilege "sys_ip_config" is not permitted within'),
        ("all", 'privilege "dtrace_kernel" is not permitted within'),
        ("basic", 'required privilege "sys_mount" is missing from'),
        ("basic,none", 'required privilege "proc_exec" is missing from'),
        ("default,!proc_fork", 'required privilege "proc_fork" is missing from'),
        ("default,-proc_fork", 'required privilege "proc_fork" is missing from'),
        ("basic,sys_mount,!proc_exec,sys_config", 'privilege "sys_config" is not permitted within'),
    ],
)
def test_what_does_not_verify_is_said_in_zoneadms_words(
    configured: SimSession, limitpriv: str, told: str
) -> None:
    limited(configured, limitpriv)
    words = f"{told} the zone's privilege set\nzoneadm: zone web failed to verify\n"
    for command in ("verify", "install"):
        assert typed(configured, f"zoneadm -z web {command}") == (1, words)
    assert "configured" in said(configured, "zoneadm -z web list -v")


def test_an_exclusive_zone_may_and_must_configure_its_addresses(configured: SimSession) -> None:
    said(configured, "zonecfg -z web set ip-type=exclusive")
    limited(configured, "default,!sys_ip_config")
    assert typed(configured, "zoneadm -z web verify")[1].startswith(
        'required privilege "sys_ip_config" is missing from'
    )
    limited(configured, "basic,sys_mount,sys_ip_config")
    said(configured, "zoneadm -z web verify")


def test_what_is_wrong_is_said_before_a_zone_that_was_installed_boots(
    configured: SimSession,
) -> None:
    said(configured, "zoneadm -z web install")
    limited(configured, "default,sys_devices")
    status, text = typed(configured, "zoneadm -z web boot")
    assert status == 1
    assert text.startswith('privilege "sys_devices" is not permitted within')
    assert "installed" in said(configured, "zoneadm -z web list -v")


@pytest.mark.parametrize(
    ("limitpriv", "bits"),
    [
        ("", SHARED),
        ("default", SHARED),
        ("default,sys_time,-proc_chroot", SHARED ^ privset.mask("sys_time proc_chroot")),
        ("default,+sys_time", SHARED | privset.mask("sys_time")),
        ("default,!PROC_CHROOT,Priv_Sys_Time", SHARED ^ privset.mask("sys_time proc_chroot")),
        ("basic,sys_mount", privset.BASIC | privset.mask("sys_mount")),
        ("default,none,basic,sys_mount", privset.BASIC | privset.mask("sys_mount")),
        ("proc_fork,proc_exec,sys_mount", privset.mask("proc_fork proc_exec sys_mount")),
        ("def,sys_time", SHARED | privset.mask("sys_time")),
    ],
)
def test_words_for_whole_sets_and_names_with_a_sign(limitpriv: str, bits: int) -> None:
    assert limit_set(limitpriv, "shared") == bits


def test_a_set_by_its_exceptions_is_the_zones_limit_set(configured: SimSession) -> None:
    limited(configured, WITHOUT_PROHIBITED)
    said(configured, "zoneadm -z web install && zoneadm -z web boot")
    shown = said(configured, "zlogin web 'ppriv -v $$'")
    limit = next(line for line in shown.splitlines() if line.startswith("\tL:"))
    assert "sys_time" in limit
    assert "dtrace_proc" in limit
    assert "sys_devices" not in limit


def test_what_is_taken_from_the_default_set_nobody_inside_can_do(configured: SimSession) -> None:
    limited(configured, "default,!file_chown")
    said(configured, "zoneadm -z web install && zoneadm -z web boot")
    status, text = typed(configured, "zlogin web 'touch /tmp/f; chown 7 /tmp/f'")
    assert status == 1
    assert "Not owner" in text or "Operation not permitted" in text
    said(configured, "zoneadm -z web halt")
    limited(configured, "default")
    said(configured, "zoneadm -z web boot && zlogin web 'touch /tmp/f; chown 7 /tmp/f'")


def test_the_same_is_told_of_a_description(configured: SimSession) -> None:
    with pytest.raises(SpecError, match="there is no privilege 'zone'"):
        parse_spec("zone limitpriv=zone")
    with pytest.raises(PrivilegeError) as caught:
        limit_set("all", "exclusive")
    assert (caught.value.wrong, caught.value.name) == ("prohibited", "dtrace_kernel")
