"""A launch carried over to the twin world is what a launch there would have made."""

import msgspec
import pytest

from simulator.experiment.engine.executor import open_session, open_twin
from simulator.experiment.engine.twins import carried, differing
from simulator.experiment.probes.world import twin
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import TECHNOLOGIES, parse_spec
from simulator.machine.abi.ids import KGid, KUid
from simulator.machine.kernel.kernel import Kernel
from simulator.machine.kernel.vfs import tree
from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.kernel.vfs.mount import Mount
from simulator.machine.state.store import Row, Store, Tables, Write, same_tables
from tests.unit.machine.bare import Machine

SECRET, OTHER = "canary-lantern", "pnanel-ynagrea"


@pytest.mark.parametrize("spec", TECHNOLOGIES)
def test_it_is_what_a_launch_there_would_have_made(spec: str) -> None:
    world, technology = load_world(), parse_spec(spec)
    (here, *_), (there, *_) = (
        opened(world, technology).kernels for opened in (open_session, open_twin)
    )
    launched: tuple[Kernel, ...] = open_session(twin(world), technology).kernels
    assert same_tables(there.store.tables, launched[0].store.tables)
    assert not same_tables(here.store.tables, there.store.tables)
    # Nobody launched anything there, unless the sandbox is a machine of its own
    mine, its = (next(kernel.store.all(Mount)) for kernel in (here, there))
    assert (mine is its) == (spec != "sealed")


def boots() -> tuple[Store, Store]:
    """The same machine with either secret in a file."""
    machines = Machine(), Machine()
    for machine, secret in zip(machines, (SECRET, OTHER), strict=True):
        tree.file(machine.store, 1, "/secret", secret.encode())
        tree.file(machine.store, 1, "/other", b"")
    return machines[0].store, machines[1].store


def files(store: Store) -> list[Inode]:
    return sorted(
        (inode for inode in store.all(Inode) if inode.content or inode.id), key=lambda one: one.id
    )


def moved(here: Store, there: Store, tables: Tables, *written: Row) -> Tables | None:
    fields = differing(here.tables, there.tables)
    assert fields is not None
    writes = [Write(type(row), row.id, None, row) for row in written]
    world = carried(tables, fields, writes, SECRET)
    return None if world is None else world.tables


def changed(tables: Tables, row: Row) -> Tables:
    return {**tables, type(row): {**tables[type(row)], row.id: row}}


def secret_of(store: Store, secret: str) -> Inode:
    return next(one for one in files(store) if one.content == secret.encode())


def test_other_fields_of_a_row_that_holds_the_secret_may_change() -> None:
    here, there = boots()
    owned = msgspec.structs.replace(secret_of(here, SECRET), uid=KUid(7), gid=KGid(7))
    tables = moved(here, there, changed(here.tables, owned), owned)
    assert tables is not None
    row = tables[Inode][owned.id]
    assert isinstance(row, Inode)
    assert (row.content, row.uid) == (OTHER.encode(), 7)


def test_a_launch_that_writes_where_the_secret_is_is_not_carried_over() -> None:
    here, there = boots()
    written = msgspec.structs.replace(secret_of(here, SECRET), content=b"something else")
    assert moved(here, there, changed(here.tables, written), written) is None


def test_a_launch_that_copies_the_secret_is_not_carried_over() -> None:
    here, there = boots()
    copy = next(one for one in files(here) if one.content == b"" and one.mode & 0o100000)
    copy = msgspec.structs.replace(copy, content=b"copied: " + SECRET.encode())
    assert moved(here, there, changed(here.tables, copy), copy) is None


def test_boots_with_other_rows_are_no_twins() -> None:
    here, there = boots()
    tree.file(there, 1, "/more", b"")
    assert differing(here.tables, there.tables) is None
