"""What jails depend on: usr.sbin/jail/state.c and the main loop of jail.c."""

import asyncio

import pytest
from mistakes import host, said, typed

from simulator.experiment.engine.session import SimSession
from simulator.isolation.control.freebsd.depending import (
    SET,
    START,
    STOP,
    Order,
    is_wild,
    matches,
)

CONF = """\
persist; path = /srv/guest;
app { depend = web; }
web { depend = db; }
db { }
other { }
"""


@pytest.fixture
def jails() -> SimSession:
    """A host with a jail.conf of four, three in a row."""
    session = host("jail")
    said(session, f"printf '%s' '{CONF}' > /etc/jail.conf")
    return session


def test_what_a_jail_depends_on_starts_before_and_stops_behind_it(jails: SimSession) -> None:
    assert said(jails, "jail -c app") == "db: created\nweb: created\napp: created\n"
    assert said(jails, "jail -r web") == "app: removed\nweb: removed\n"
    assert said(jails, "jls name").split()[2:] == ["db"]
    assert said(jails, "jail -c") == "other: created\nweb: created\napp: created\n"
    assert said(jails, "jail -r '*'") == (
        "other: removed\napp: removed\nweb: removed\ndb: removed\n"
    )
    # Those that the file does not know are not meant by a star.
    assert said(jails, "jls name") == "guest\nneighbour\n"


def test_one_that_runs_is_told_so_before_anything_is_started_for_it(jails: SimSession) -> None:
    said(jails, "jail -c name=app path=/srv/guest persist")
    assert typed(jails, "jail -c app") == (1, 'jail: "app" already exists\n')
    assert "web" not in said(jails, "jls name")


def test_what_depends_on_a_failure_is_skipped(jails: SimSession) -> None:
    said(jails, "sed -i 's,^db .*,db { path = /nosuch; },' /etc/jail.conf")
    failure = "jail: db: path /nosuch: No such file or directory\n"
    assert typed(jails, "jail -c app") == (1, f"{failure}jail: app: skipped\n")
    assert typed(jails, "jail -q -c app") == (1, failure)
    assert typed(jails, "jail -c") == (
        1,
        f"{failure}jail: web: skipped\nother: created\njail: app: skipped\n",
    )


def test_what_is_wrong_with_others_is_said_and_no_hindrance(jails: SimSession) -> None:
    said(jails, "echo 'x { depend = nowhere; } y { host.hostname = $z; }' >> /etc/jail.conf")
    said(jails, "echo 'one { depend = two; } two { depend = one; }' >> /etc/jail.conf")
    wrong = (
        'jail: y: host.hostname: variable "z" not found\n'
        'jail: x: depends on undefined jail "nowhere"\n'
        "jail: one: dependency loop\n"
    )
    assert typed(jails, "jail -c other") == (0, f"{wrong}other: created\n")
    assert typed(jails, "jail -c x") == (1, wrong)


def test_without_a_file_a_name_is_one_that_runs(jails: SimSession) -> None:
    said(jails, "rm /etc/jail.conf")
    assert typed(jails, "jail -r '*'") == (0, "")
    assert said(jails, "jls name") == "guest\nneighbour\n"
    assert typed(jails, "jail -r neighbour nobody") == (
        1,
        'jail: "nobody" not found\nneighbour: removed\n',
    )
    assert said(jails, "jail -R '*'") == "guest: removed\n"
    assert said(jails, "jls name") == ""


def test_a_star_is_a_component_of_a_name() -> None:
    assert [is_wild(name) for name in ("*", "a.*", "*.b", "a*", "a")] == [
        *(True, True, True),
        *(False, False),
    ]
    assert matches("a.b.c", "a.*")
    assert matches("a.b", "*.b")
    assert not matches("a.b.c", "*.c")
    assert not matches("a", "a.*")


class Fake:
    """What is done to jails, written down."""

    def __init__(self, *running: str) -> None:
        self.now = set(running)
        self.told: list[str] = []

    async def running(self, name: str) -> bool:
        return name in self.now

    async def warn(self, name: str, text: str) -> None:
        self.told.append(f"{name}: {text}")

    async def absent(self, name: str) -> None:
        self.told.append(f"no {name}")

    async def exists(self, name: str) -> None:
        self.told.append(f"{name} already")

    async def create(self, name: str) -> int:
        self.told.append(f"+{name}")
        self.now.add(name)
        return 0

    async def update(self, name: str) -> int:
        self.told.append(f"={name}")
        return 0

    async def remove(self, name: str) -> int:
        self.told.append(f"-{name}")
        self.now.discard(name)
        return 0


@pytest.mark.parametrize(
    ("running", "wanted", "done"),
    [
        ("", ("a.b", START), "+a +a.b"),
        ("a", ("a.b", START), "+a.b"),
        ("a a.b", ("a", STOP), "-a.b -a"),
        ("a", ("a", STOP), "-a"),
        ("a a.b", ("a.b", STOP), "-a.b"),
        ("a a.b", ("a", START | STOP), "-a.b -a +a"),
        ("", ("a", START | STOP), "no a"),
        ("", ("a", SET), "no a a.b: skipped"),
        ("a", ("a", SET), "=a"),
        ("a", ("a", START | SET), "=a"),
        ("", ("a", START | SET), "+a"),
        ("a", ("a.b", START | SET), "+a.b"),
    ],
)
def test_a_child_depends_on_its_parent(running: str, wanted: tuple[str, int], done: str) -> None:
    deeds = Fake(*running.split())

    async def whole() -> None:
        order = Order(["a.b", "a"], deeds, tells=True)
        await order.connect({})
        order.want(*wanted)
        await order.run()

    asyncio.run(whole())
    assert " ".join(deeds.told) == done
