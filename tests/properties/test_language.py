"""The probe language under random programs: what is written is read back, the rest refused."""

import itertools
import string

from hypothesis import given
from hypothesis import strategies as st

from simulator.experiment.probes.language import KNOWN_CONSTANTS, ProgramError, parse
from simulator.experiment.probes.program import (
    DictOf,
    ListOf,
    Literal,
    Makedev,
    Or,
    Plus,
    Ref,
    Text,
    Times,
    TupleOf,
)
from simulator.experiment.probes.values import BadValueError, UnboundError, evaluate
from simulator.machine.abi.constants import BY_NAME

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=12)
NUMBERS = st.integers(-(1 << 63), (1 << 64) - 1)
LITERALS = st.builds(Literal, st.none() | NUMBERS | TEXT | st.binary(max_size=8))
REFS = st.builds(Ref, st.sampled_from(sorted(KNOWN_CONSTANTS)))
FLAGS = st.builds(Or, *[st.builds(Ref, st.sampled_from(["O_CREAT", "O_EXCL", "O_RDWR"]))] * 2)
PIECES = st.lists(st.builds(Literal, TEXT.filter(bool)) | REFS, min_size=1, max_size=4).filter(
    lambda parts: (
        not any(
            isinstance(one, Literal) and isinstance(two, Literal)
            for one, two in itertools.pairwise(parts)
        )
    )
)
TEXTS = st.builds(lambda parts: Text(tuple(parts)), PIECES)
TIMES = st.builds(
    Times,
    st.builds(Literal, TEXT | st.binary(max_size=4)),
    st.builds(Literal, st.integers(0, 999)),
)
LEAVES = LITERALS | REFS | FLAGS | TEXTS | TIMES
KEYS = st.integers(0, 99) | st.text(string.ascii_letters, min_size=1, max_size=5)


def _containers(inner):
    items = st.lists(inner, max_size=3).map(tuple)
    return (
        st.builds(TupleOf, items)
        | st.builds(ListOf, items)
        | st.builds(DictOf, st.lists(st.tuples(KEYS, inner), max_size=3).map(tuple))
    )


EXPRESSIONS = st.recursive(LEAVES, _containers, max_leaves=6) | st.builds(
    Makedev, *[st.builds(Literal, st.integers(0, 255))] * 2
)


def written(expr):
    """``expr`` as a person would write it."""
    match expr:
        case Literal(value):
            return repr(value)
        case Ref(name):
            return name
        case Text(parts):
            return 'f"' + "".join(map(_piece, parts)) + '"'
        case Times(left, right):
            return f"{written(left)} * {written(right)}"
        case Plus(left, right):
            return f"{written(left)} + {written(right)}"
        case Or(left, right):
            return f"{written(left)} | {written(right)}"
        case TupleOf(items):
            return "(" + "".join(written(item) + ", " for item in items) + ")"
        case ListOf(items):
            return "[" + ", ".join(map(written, items)) + "]"
        case DictOf(items):
            return "{" + ", ".join(f"{key!r}: {written(item)}" for key, item in items) + "}"
        case Makedev(major, minor):
            return f"makedev({written(major)}, {written(minor)})"


def _piece(part):
    if isinstance(part, Ref):
        return f"{{{part.name}}}"
    plain = string.ascii_letters + string.digits + " /._-"
    return "".join(char if char in plain else f"\\U{ord(char):08x}" for char in part.value)


@given(st.lists(EXPRESSIONS, max_size=4), st.integers(1, 99))
def test_what_is_written_is_read_back(args, repeat):
    text = f"got = guest.call({', '.join(map(written, args))}) * {repeat}  # why"
    if len(text) > 8000:
        return
    step = parse(text).steps[0]
    assert step.args == tuple(args)
    assert (step.binds, step.repeat, step.comment) == (("got",), repeat, "why")


def refused_or_read(text):
    """The program, or ``None`` and an error of one line; anything else raised is a failure."""
    refusal = ""
    program = None
    try:
        program = parse(text)
    except ProgramError as error:
        refusal = str(error)
    assert (program is None) == bool(refusal)
    assert "\n" not in refusal
    return program


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_line(text):
    refused_or_read(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_line(content):
    refused_or_read(content)


SCRAPS = st.sampled_from(
    ["guest", ".", "open", "(", ")", "[", "]", "{", "}", ",", "=", "*", "|", "+", "-", "**", "10",
     '"x"', "'", "f'", "{x}", "b'", "lambda", ":", "for", "in", "if", "else", "$", "#", "\\", "\n",
     " ", "O_RDONLY", "CANARY", "None", "True", "...", "@", "await", "yield", "~", "not", "1e9",
     "0x", "fork", "child", "makedev", "\0", "\ud800", "\u2028", "\x0c", "# on:", "-", ";", ":=",
     "__class__", "import", "*args", "9" * 50, "\t", "1_0", "ﬁ"]
)  # fmt: skip


@given(st.lists(SCRAPS, max_size=40).map("".join))
def test_scraps_of_programs_are_read_or_refused_in_one_line(text):
    refused_or_read(text)


@given(st.lists(SCRAPS, max_size=25).map("".join))
def test_whatever_is_read_can_be_evaluated_or_says_why_not(scraps):
    program = refused_or_read(f"guest.call({scraps})")
    for step in program.steps if program else ():
        for arg in step.args:
            reason = "evaluated"
            try:
                evaluate(arg, BY_NAME)
            except (BadValueError, UnboundError) as error:
                reason = str(error)
            assert reason
