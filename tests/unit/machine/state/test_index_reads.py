"""Every index says all that it reads of a row: else a write would leave it as it was."""

import inspect
import sys
from operator import attrgetter

import msgspec
import pytest

from simulator.experiment.engine.executor import open_session
from simulator.experiment.scenarios.load import load_world
from simulator.isolation.technologies.registry import parse_spec
from simulator.machine.state.store import Index

WORLDS = ("docker", "jail", "vserver")


def declared():
    """The indexes of the model by module and name, one for each object."""
    found = {}
    for module in sorted(name for name in sys.modules if name.startswith("simulator.")):
        for name, value in vars(sys.modules[module]).items():
            if isinstance(value, Index):
                found.setdefault(value, f"{module}.{name}")
    return {name: index for index, name in found.items()}


def test_what_an_index_names_are_fields_and_its_code_names_no_other():
    for name, index in declared().items():
        read = {one.partition(".")[0] for one in index.reads}
        fields = set(index.table.__struct_fields__)
        assert read, name
        assert read <= fields, name

        code = index.of.__code__
        inner = [const for const in code.co_consts if inspect.iscode(const)]
        named = {one for part in (code, *inner) for one in part.co_names}
        assert named & fields <= {part for one in index.reads for part in one.split(".")}, name


@pytest.fixture(scope="module")
def stores():
    opened = [open_session(load_world(), parse_spec(spec)) for spec in WORLDS]
    return [kernel.store for session in opened for kernel in session.kernels]


def test_an_index_files_a_row_the_same_whatever_else_is_in_it(stores):
    indexes, tried = declared(), set()
    for name, index in indexes.items():
        read = {one.partition(".")[0] for one in index.reads}
        beside = {field: None for field in index.table.__struct_fields__ if field not in read}
        of, reads = index.of, attrgetter(*index.reads)
        for row in (row for store in stores for row in store.all(index.table)):
            other = msgspec.structs.replace(row, **beside)
            assert reads(other) == reads(row)
            assert of(other) == of(row), name
            tried.add(name)

    assert len(tried) > len(indexes) // 2
