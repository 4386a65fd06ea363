"""The embedded name server, seen from inside containers."""

import pytest
from engine_client import Client


@pytest.fixture(scope="module")
def named(engine: Client) -> Client:
    for network, internal in (("front", False), ("back", True)):
        engine.post("/networks/create", {"Name": network, "Internal": internal})
    aliases = {"EndpointsConfig": {"back": {"Aliases": ["db"]}}}
    back = {"HostConfig": {"NetworkMode": "back"}}
    engine.run("sleep", "1000", name="store", NetworkingConfig=aliases, **back)
    engine.run("sleep", "1000", name="asker", **back)
    engine.run("sleep", "1000", name="other", HostConfig={"NetworkMode": "front"})
    return engine


def test_names_and_aliases_lead_to_the_container(named: Client) -> None:
    assert named.execute("asker", "cat", "/etc/resolv.conf").startswith(b"nameserver 127.0.0.11\n")
    address = named.execute("asker", "getent", "hosts", "store").split()[0]
    assert named.execute("asker", "getent", "hosts", "db").split()[0] == address
    told = named.execute("asker", "nslookup", "store.back")
    assert told.startswith(b"Server:\t\t127.0.0.11\nAddress:\t127.0.0.11:53\n")
    assert b"Address: " + address in told
    assert b"2 packets received" in named.execute("asker", "ping", "-c", "2", "db")


def test_a_name_of_another_network_is_unknown(named: Client) -> None:
    assert b"can't find store: NXDOMAIN" in named.execute("other", "nslookup", "store")
    assert named.execute("other", "ping", "-c", "1", "db") == b"ping: bad address 'db'\n"
    named.post("/networks/front/connect", {"Container": "store"})
    assert b"1 packets received" in named.execute("other", "ping", "-c", "1", "store")
    named.post("/networks/front/disconnect", {"Container": "store"})
    assert b"NXDOMAIN" in named.execute("other", "nslookup", "store")


def test_only_a_network_with_a_way_out_asks_the_hosts_servers(named: Client) -> None:
    inside = named.execute("asker", "nslookup", "example.org")
    assert b"can't find example.org: NXDOMAIN" in inside  # at once: the network is internal


def test_the_default_bridge_has_links_and_no_names(named: Client) -> None:
    named.run("sleep", "1000", name="first")
    named.run("sleep", "1000", name="second", HostConfig={"Links": ["first:friend"]})
    assert named.execute("second", "getent", "hosts", "friend").split()[1] == b"friend"
    assert named.execute("first", "getent", "hosts", "second") == b""
    assert b"127.0.0.11" not in named.execute("first", "cat", "/etc/resolv.conf")


def test_a_program_may_ask_for_names_as_soon_as_it_runs(named: Client) -> None:
    made = named.run("getent", "hosts", "store", HostConfig={"NetworkMode": "back"})
    assert named.wait(made) == 0


def test_nobody_is_left_when_the_container_has_ended(named: Client) -> None:
    from simulator.machine.kernel.net.socket import Socket
    from simulator.machine.kernel.task import Task

    store = named.machine.kernel.store
    before = store.count(Task), store.count(Socket)
    for _ in range(3):
        made = named.run("true", HostConfig={"NetworkMode": "back"})
        named.wait(made)
        named.delete(f"/containers/{made}")
    named.settle()
    assert (store.count(Task), store.count(Socket)) == before
