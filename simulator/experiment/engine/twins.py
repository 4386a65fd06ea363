"""A launch in a twin world, from the same launch in the other: they differ in a secret only.

Two boots with secrets of one length make the same rows, some of which hold the secret. An
operator's launch neither reads nor copies those, so what it left behind is the same in both worlds
but for them. Where it did touch one of them, or where a boot comes out differently, ``carried``
says so and the launch is carried out for real.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

from simulator.machine.kernel.vfs.inode import Inode
from simulator.machine.state.store import Key, Row, Tables, World, Write

Differing: TypeAlias = Mapping[tuple[type[Row], Key], Mapping[str, tuple[object, object]]]
"""The fields of rows that hold the secret, here and there."""


def differing(here: Tables, there: Tables) -> Differing | None:
    """What two boots differ in; None where one has a row that the other lacks."""
    found: dict[tuple[type[Row], Key], dict[str, tuple[object, object]]] = {}
    if here.keys() != there.keys():
        return None
    for table, rows in here.items():
        others = there[table]
        if list(rows) != list(others):
            return None
        for key, row in rows.items():
            other = others[key]
            if row is not other and row != other:
                found[table, key] = {
                    name: (mine, its)
                    for name in row.__struct_fields__
                    if (mine := getattr(row, name)) != (its := getattr(other, name))
                }
    return found


def carried(
    launched: Tables, fields: Differing, written: Iterable[Write], secret: str
) -> World | None:
    """The tables after a launch with the other world's secret in place of this one's.

    ``written`` is what the launch wrote, ``secret`` what none of it may hold.
    """
    text = secret.encode()
    for write in written:
        new = write.new
        if isinstance(new, Inode) and text in new.content and (Inode, new.id) not in fields:
            return None
    tables = launched.copy()
    for table in {table for table, _key in fields}:
        tables[table] = launched[table].copy()
    for (table, key), values in fields.items():
        row = tables[table].get(key)
        if row is None or any(getattr(row, name) != here for name, (here, _) in values.items()):
            return None
        there = {name: value for name, (_, value) in values.items()}
        tables[table][key] = msgspec.structs.replace(row, **there)
    return World(tables)
