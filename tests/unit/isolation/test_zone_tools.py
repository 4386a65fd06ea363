"""zonecfg, zoneadm and zlogin, typed on the host of a zone."""

import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.engine.session import SimSession
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.control.solaris.language import Editor, Fault, split
from simulator.isolation.technologies.options import zonecfg
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.abi.call import Returned

WEB = (
    "create; set zonepath=/zones/web;"
    "add net; set physical=enp3s0; set address=192.0.2.30/24; end; set max-lwps=20"
)


@pytest.fixture
def host() -> SimSession:
    return open_session(load_world(), parse_spec("zone"))


def run(host: SimSession, line: str, actor: str = "host") -> tuple[int, str]:
    result = host.shell(actor, line)
    assert isinstance(result, Returned), result
    data = result.data
    return result.value, data.decode() if isinstance(data, bytes) else str(data)


def ok(host: SimSession, line: str) -> str:
    status, text = run(host, line)
    assert status == 0, text
    return text


def test_a_zone_goes_through_its_states(host: SimSession) -> None:
    ok(host, f'zonecfg -z web "{WEB}"')
    assert "   - web              configured /zones/web" in ok(host, "zoneadm list -cv")
    assert run(host, "zoneadm -z web boot") == (
        1,
        "zoneadm: zone 'web': must be installed before boot.\n",
    )
    ok(host, "zoneadm -z web install")
    assert ok(host, "ls -ld /zones/web").startswith("drwx------")
    ok(host, "zoneadm -z web boot")
    assert "   3 web              running    /zones/web" in ok(host, "zoneadm list -v")
    assert run(host, "zoneadm -z web boot") == (
        0,
        "zoneadm: zone 'web': zone is already booted\n",
    )
    assert ok(host, "zlogin web 'zonename; hostname'") == "web\nweb\n"
    assert run(host, "zlogin web 'exit 7'")[0] == 7
    ok(host, "zoneadm -z web reboot")
    ok(host, "zoneadm -z web halt")
    assert "/zones/web" not in ok(host, "mount")
    ok(host, "zoneadm -z web uninstall -F")
    ok(host, "zonecfg -z web delete -F")
    assert run(host, "zoneadm -z web list") == (1, "zoneadm: web: No such zone configured\n")


def test_a_zone_is_cloned_detached_and_attached(host: SimSession) -> None:
    ok(host, 'zonecfg -z one "create -b; set zonepath=/zones/one"')
    ok(host, "zoneadm -z one install")
    ok(host, "echo hello > /zones/one/root/etc/motd")
    ok(host, 'zonecfg -z two "create -t one; set zonepath=/zones/two"')
    ok(host, "zoneadm -z two clone one")
    assert ok(host, "cat /zones/two/root/etc/motd") == "hello\n"
    ok(host, "zoneadm -z one detach")
    ok(host, "zonecfg -z one delete -F")
    ok(host, 'zonecfg -z three "create -a /zones/one"')
    ok(host, "zoneadm -z three attach")
    assert "three            installed  /zones/one" in ok(host, "zoneadm list -cv")


def test_the_sessions_own_zones_are_known_to_the_tools(host: SimSession) -> None:
    listed = ok(host, "zoneadm list -p")
    assert "1:guest:running:/srv/guest::native:shared" in listed
    assert "address: 192.0.2.21/24" in ok(host, "zonecfg -z guest info net")
    assert ok(host, "zlogin guest zonename") == "guest\n"


def test_in_a_zone_the_tools_only_list_it(host: SimSession) -> None:
    assert run(host, "zoneadm list", "guest") == (0, "guest\n")
    assert run(host, "zoneadm -z guest halt", "guest") == (
        1,
        "zoneadm: zone 'guest': use halt(1M) to halt this zone.\n",
    )
    assert run(host, "zlogin neighbour", "guest")[0] == 1
    assert run(host, "zonecfg -z x info", "guest")[0] == 1


def test_what_a_zone_halts_is_gone_and_can_boot_again(host: SimSession) -> None:
    ok(host, f'zonecfg -z web "{WEB}"')
    ok(host, "zoneadm -z web install && zoneadm -z web boot")
    run(host, "zlogin web halt")
    assert "web              installed" in ok(host, "zoneadm list -cv")
    assert "/zones/web" not in ok(host, "mount")
    ok(host, "zoneadm -z web boot")


def test_a_command_file_stops_at_its_first_mistake(host: SimSession) -> None:
    ok(host, "printf 'create\\nset zonepath=/zones/f\\nset colour=red\\n' > /tmp/f")
    status, text = run(host, "zonecfg -z f -f /tmp/f")
    assert (status, text.startswith("On line 3:\n")) == (1, True)
    assert "f" not in ok(host, "zoneadm list -c").split()
    assert run(host, "zonecfg -z f -f /nowhere")[0] == 1
    assert run(host, "zonecfg")[0] == 2
    assert run(host, "zonecfg -z SUNWx create")[0] == 1


def test_a_physical_cap_is_seen_and_stops_nothing() -> None:
    host = open_session(load_world(), parse_spec("zone capped-memory:physical=64k"))
    assert run(host, "dd if=/dev/zero of=/tmp/x bs=1024 count=256", "guest")[0] == 0
    lines = ok(host, "rcapstat -z").splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["guest", "neighbour"]
    assert lines[1].split()[5] == "64K"


def test_the_editor_keeps_scopes_apart() -> None:
    editor = Editor("web", None)
    with pytest.raises(Fault, match="No such zone configured"):
        editor.run("info")
    editor.run("create -b; set zonepath=/zones/web; add net")
    assert editor.prompt == "zonecfg:web:net> "
    editor.run("set address=192.0.2.1; cancel")
    assert editor.config is not None
    assert not editor.config.of("net")
    editor.run("add net; set physical=enp3s0; set address=192.0.2.1; end")
    editor.run("select net address=192.0.2.1; set address=192.0.2.2; end")
    assert editor.run("info net").splitlines()[1] == "\taddress: 192.0.2.2"
    with pytest.raises(Fault, match="only makes sense in the resource scope"):
        editor.run("end")
    editor.run("add fs")
    with pytest.raises(Fault, match="dir not specified"):
        editor.run("end")
    with pytest.raises(Fault, match="syntax error at 'frobnicate'"):
        editor.run("frobnicate")


def test_export_makes_the_same_configuration_again() -> None:
    editor = Editor("web", None)
    editor.run(WEB)
    again = Editor("web", None)
    for line in editor.run("export").splitlines():
        again.run(line)
    assert again.config is not None
    assert editor.config is not None
    assert again.config.resources == editor.config.resources
    assert dict(again.config.properties) == dict(editor.config.properties)


def test_semicolons_in_quotes_do_not_separate() -> None:
    assert split('set a="b;c"; end') == ['set a="b;c"', "end"]
    assert zonecfg.amount("x", "1.5k") == 1536


def test_rcapd_pages_a_zone_out_that_is_above_its_cap() -> None:
    host = open_session(load_world(), parse_spec("zone capped-memory:physical=8m"))
    ok(host, "rcapadm -E")
    assert "state: enabled" in ok(host, "rcapadm")
    host.shell("guest", "stress --vm 1 --vm-bytes 32M --vm-keep -t 60 >/dev/null 2>&1 &")
    before = ok(host, "sleep 1; rcapstat -z").splitlines()[1].split()
    assert before[4:6] == ["32768K", "8192K"]
    after = ok(host, "sleep 6; sleep 6; rcapstat -z").splitlines()[1].split()
    assert after[4:7] == ["8192K", "8192K", "24576K"]
    ok(host, "rcapadm -D")
    assert "state: disabled" in ok(host, "rcapadm")


def test_a_zone_boots_without_a_card_that_the_machine_lacks(host: SimSession) -> None:
    ok(host, 'zonecfg -z web "create; set zonepath=/zones/web; add net; set physical=bge0;'
       ' set address=192.0.2.30/24; end"')  # fmt: skip
    warning = (
        "WARNING: skipping network interface 'bge0' which may not be present/plumbed in the"
        " global zone.\n"
    )
    assert ok(host, "zoneadm -z web verify") == warning
    ok(host, "zoneadm -z web install")
    assert ok(host, "zoneadm -z web boot") == warning
    assert "192.0.2.30" not in ok(host, "zlogin web ifconfig -a")
    assert "physical: bge0" in ok(host, "zonecfg -z web info net")


def test_a_ready_zone_has_its_mounts_and_no_process_until_it_boots(host: SimSession) -> None:
    ok(host, f'zonecfg -z web "{WEB}"')
    ok(host, "zoneadm -z web install && zoneadm -z web ready")
    assert "   3 web              ready " in ok(host, "zoneadm list -v")
    assert "/zones/web/root/usr" in ok(host, "mount")
    assert ok(host, "ps -ef -z web | wc -l").strip() == "1"
    assert ok(host, "zoneadm -z web ready") == "zoneadm: zone 'web': zone is already ready\n"
    assert run(host, "zlogin web id")[0] == 1
    ok(host, "zoneadm -z web boot")
    assert "   3 web              running " in ok(host, "zoneadm list -v")
    assert ok(host, "zlogin web zonename") == "web\n"
    ok(host, "zoneadm -z web ready")
    assert "   4 web              ready " in ok(host, "zoneadm list -v")
    ok(host, "zoneadm -z web halt")
    assert ok(host, "zoneadm -z web halt") == "zoneadm: zone 'web': zone is already halted\n"


def test_a_zone_is_moved_and_boots_where_it_is_now(host: SimSession) -> None:
    ok(host, f'zonecfg -z web "{WEB}"')
    ok(host, "zoneadm -z web install && zoneadm -z web move /elsewhere/web")
    assert "zonepath: /elsewhere/web" in ok(host, "zonecfg -z web info zonepath")
    assert run(host, "ls /zones/web")[0] != 0
    ok(host, "zoneadm -z web boot")
    assert ok(host, "zlogin web zonename") == "web\n"


def test_a_zone_that_is_marked_has_to_be_uninstalled(host: SimSession) -> None:
    ok(host, f'zonecfg -z web "{WEB}"')
    ok(host, "zoneadm -z web install && zoneadm -z web mark incomplete")
    assert run(host, "zoneadm -z web boot") == (
        1,
        "zoneadm: zone 'web': must be installed before boot.\n",
    )
    assert "zone is incomplete; uninstall required." in run(host, "zoneadm -z web install")[1]
    ok(host, "zoneadm -z web uninstall -F && zoneadm -z web install")


def test_a_privilege_that_does_not_exist_fails_to_verify(host: SimSession) -> None:
    ok(host, f'zonecfg -z web "{WEB}; set limitpriv=default,bogus"')
    status, text = run(host, "zoneadm -z web install")
    assert (status, text.splitlines()[-1]) == (1, "zoneadm: zone web failed to verify")
