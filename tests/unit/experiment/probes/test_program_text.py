"""The grammar: what a program may say, and how everything else is refused."""

import tracemalloc

import pytest

from simulator.experiment.probes.language import MAX_REPEAT, ProgramError, parse
from simulator.experiment.probes.program import (
    DictOf,
    Filter,
    ListOf,
    Literal,
    Makedev,
    Or,
    Plus,
    Ref,
    Text,
    Times,
    TupleOf,
    lineage,
    without,
)
from simulator.experiment.probes.values import evaluate, makedev
from simulator.machine.abi.constants import BY_NAME


def argument(text):
    return parse(f"guest.f({text})").steps[0].args[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0o755", Literal(0o755)),
        ("-1", Literal(-1)),
        ("0xFFFFFFFFFFFFFFFF", Literal(2**64 - 1)),
        ('"ñandú"', Literal("ñandú")),
        ('"\\0abstract"', Literal("\0abstract")),
        ('b"\\xff"', Literal(b"\xff")),
        ('"a" "b"', Literal("ab")),
        ("None", Literal(None)),
        ("O_RDONLY", Ref("O_RDONLY")),
        ("CANARY", Ref("CANARY")),
        ("O_CREAT | O_EXCL", Or(Ref("O_CREAT"), Ref("O_EXCL"))),
        ('"x" * 300', Times(Literal("x"), Literal(300))),
        ('CANARY + "/.."', Plus(Ref("CANARY"), Literal("/.."))),
        ('("127.0.0.1", 80)', TupleOf((Literal("127.0.0.1"), Literal(80)))),
        ("[]", ListOf(())),
        ("[1, -2]", ListOf((Literal(1), Literal(-2)))),
        ('{"modes": ADJ_TICK, 3: "x"}', DictOf((("modes", Ref("ADJ_TICK")), (3, Literal("x"))))),
        ("makedev(8, 0)", Makedev(Literal(8), Literal(0))),
        (
            'f"/proc/{HOST_PID}/root"',
            Text((Literal("/proc/"), Ref("HOST_PID"), Literal("/root"))),
        ),
        ('f"plain"', Text((Literal("plain"),))),
    ],
)
def test_every_form_of_value_is_read(text, expected):
    assert argument(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("O_CREAT | O_EXCL", BY_NAME["O_CREAT"] | BY_NAME["O_EXCL"]),
        ('"x" * 300', "x" * 300),
        ('3 * b"ab"', b"ababab"),
        ('"a" + "b" * 2', "abb"),
        ("S_IFBLK | 0o600", 0o060600),
        ("makedev(8, 1)", makedev(8, 1)),
        ('{"a": [1, (2, None)]}', {"a": [1, (2, None)]}),
        ('f"fd {AT_FDCWD}"', "fd -100"),
        ('"x" * -1', ""),
    ],
)
def test_constant_arguments_have_the_value_that_c_gives_them(text, value):
    assert evaluate(argument(text), BY_NAME) == value


def test_makedev_packs_large_numbers_as_glibc_does():
    assert (makedev(8, 0), makedev(0x12345, 0x6789A)) == (0x800, 0x120006783459A)


def test_a_step_keeps_line_actor_call_names_repeat_and_comment():
    step = parse("# title\n\na, b = guest.pipe() * 3   # two ends # of it").steps[0]
    assert (step.line, step.actor, step.call, step.binds, step.repeat, step.comment) == (
        3,
        "guest",
        "pipe",
        ("a", "b"),
        3,
        "two ends # of it",
    )


@pytest.mark.parametrize(
    ("line", "command", "comment"),
    [
        ("guest$ ps aux | grep x   # who?", "ps aux | grep x", "who?"),
        ("guest$ echo '# not' \"# this\" \\# $# a#b", "echo '# not' \"# this\" \\# $# a#b", ""),
        ("guest$ echo it\\'s # yes", "echo it\\'s", "yes"),
        ("guest$ ls;# gone", "ls;", "gone"),
        ("guest$\tid", "id", ""),
    ],
)
def test_a_shell_line_ends_where_sh_would_begin_a_comment(line, command, comment):
    step = parse(line).steps[0]
    assert (step.kind, step.args, step.comment) == ("shell", (Literal(command),), comment)


def test_forked_children_are_actors_and_their_children_too():
    program = parse(
        "child = guest.fork()\ngrand = child.clone(CLONE_NEWPID)\ngrand.getpid()\ngrand$ id\n"
        "guest.kill(child, SIGKILL)\nhost.getpid()"
    )
    assert lineage(program, "guest") == {"guest", "child", "grand"}
    assert [step.actor for step in without(program, lineage(program, "guest")).steps] == ["host"]


def test_windows_line_ends_a_byte_order_mark_and_indentation_are_no_error():
    assert len(parse("\ufeff# title\r\n  guest.getpid()\r\n").steps) == 1


def test_an_empty_program_has_no_steps():
    assert parse("").steps == parse("\n# only this\n").steps == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# on: docker lxc\nguest.f()", Filter(("docker", "lxc"), ())),
        ("# on: -none -chroot\nguest.f()", Filter((), ("none", "chroot"))),
        ("# one\n# on: jail\n# on: zone\nguest.f()", Filter(("jail", "zone"), ())),
        ("# once: upon\nguest.f()", Filter()),
    ],
)
def test_the_filter_is_read_from_the_first_comments(text, expected):
    assert parse(text).on == expected


def test_a_filter_asks_those_named_or_all_but_those_left_out():
    only, but = Filter(only=("docker",)), Filter(but=("none",))
    assert [only.asks("docker"), only.asks("lxc"), but.asks("none"), but.asks("lxc")] == [
        True,
        False,
        False,
        True,
    ]


REFUSED = [
    ('guest.f("x" * 10000000000000)', "smaller"),
    ('guest.f("x" * 1000000000 * 1000000000)', "smaller"),
    ('guest.f(["x" * 99999999])', "smaller"),
    ("guest.f(9223372036854775807 * 4)", "64 bits"),
    ("guest.f() * 1000000000", f"1 to {MAX_REPEAT}"),
    ("guest.f() * 0", "1 to"),
    ("guest.f() * -1", "1 to"),
    ("guest.f() * n", "plain number"),
    ("guest.f() * True", "plain number"),
    ("3 * guest.f()", "actor.call"),
    ("guest.f() + guest.f()", "actor.call"),
    ("guest.f(" + "(" * 3000, "simpler"),
    ("guest.f(" + "[" * 60 + "]" * 60 + ")", "nesting"),
    ("guest.f(" + "-" * 5000 + "1)", "simpler"),
    ("guest.f(" + "1+" * 3500 + "1)", "simpler"),
    ("guest.f(" + "9" * 5000 + ")", "64 bits"),
    ("guest.f(18446744073709551616)", "64 bits"),
    ("guest.f(" + "x" * 9000 + ")", "characters"),
    ("guest.f(missing)", "neither bound nor a constant"),
    ("guest.f(CANRY)", "did you mean CANARY"),
    ("ghost.f()", "no actor named"),
    ("ghost$ id", "no actor named"),
    ("guest.f(*[1])", "one by one"),
    ("guest.f(a=1)", "no names"),
    ("guest.f(**{})", "no names"),
    ("guest.f([x for x in y])", "write the list out"),
    ("guest.f({x: x for x in y})", "write the dict out"),
    ("guest.f(x for x in y)", "write the tuple out"),
    ("guest.f({1})", "write a list"),
    ("guest.f(lambda: 1)", "plain values"),
    ("guest.f(guest.g())", "line of its own"),
    ("guest.f(open('x'))", "makedev"),
    ("guest.f(makedev(1))", "two numbers"),
    ("guest.f(guest.pid)", "attribute"),
    ("guest.f(guest[0])", "pipe()"),
    ("guest.f(1 if 2 else 3)", "straight line"),
    ("guest.f(1 < 2)", "straight line"),
    ("guest.f(1 or 2)", "'|'"),
    ("guest.f(x := 1)", "bind a name"),
    ("guest.f(1 - 1)", "only '|'"),
    ("guest.f(2 ** 99999999)", "only '|'"),
    ("guest.f(1 << 99999999)", "only '|'"),
    ("guest.f(~0)", "negative"),
    ("guest.f(-AT_FDCWD)", "negative"),
    ("guest.f(1.5)", "whole numbers"),
    ("guest.f(1j)", "whole numbers"),
    ("guest.f(True)", "1 for True"),
    ("guest.f(...)", "write the argument out"),
    ('guest.f(1 + "a")', "both must be"),
    ('guest.f("a" * "b")', "multiplied"),
    ('guest.f("a" | 1)', "not a number"),
    ('guest.f(f"{1 + 1}")', "plain names"),
    ('guest.f(f"{HOST_PID!r}")', "plain names"),
    ('guest.f(f"{HOST_PID:9999999999}")', "plain names"),
    ("guest.f({**{}})", "keys"),
    ("guest.f({O_RDONLY: 1})", "keys"),
    ('guest.f("\\ud800")', "surrogate"),
    ("guest.__class__()", "system call"),
    ("guest.Open()", "system call"),
    ("guest", "actor.call(args)"),
    ("guest.open", "actor.call(args)"),
    ("guest.a.b()", "actor.call(args)"),
    ("open('/etc/passwd')", "guest.open"),
    ("__import__('os').system('id')", "actor.call(args)"),
    ("import os", "'import'"),
    ("del guest", "'delete'"),
    ("with x: pass", "'with'"),
    ("guest.f(); guest.g()", "line of its own"),
    ("guest.f();", "one step a line"),
    ("guest.f(", "not closed"),
    ('guest.f("', "not closed"),
    ("guest.f(\0)", "NUL"),
    ("guest$ echo \0", "NUL"),
    ("guest$", "empty shell line"),
    ("guest$   # nothing", "empty shell line"),
    ("x = 5", "actor.call(args)"),
    ("a = b = guest.f()", "binds names"),
    ("a += guest.f()", "'augassign'"),
    ("[a] = guest.f()", "binds names"),
    ("a.b = guest.f()", "binds names"),
    ("a, a = guest.pipe()", "twice"),
    ("O_RDONLY = guest.f()", "constant"),
    ("guest = guest.f()", "actor"),
    ("_x = guest.f()", "can't be bound"),
    ("makedev = guest.f()", "can't be bound"),
    ("ñ = guest.f()", "can't be bound"),
    ("a, b = guest.fork()", "one child"),
    ("c = guest.fork()\nc = guest.open(CANARY, 0)", "bears"),
    ("# on:", "names no technology"),
    ("# on: docker -none", "either"),
    ("# on: Docker!", "no technology's name"),
    ("guest.f()\n# on: docker", "before the first step"),
    ("guest.f() * 9000\n" * 6, "repeat less"),
    ("guest.f()\n" * 5001, "steps"),
]


@pytest.mark.parametrize(("text", "hint"), REFUSED, ids=[text[:24] for text, _ in REFUSED])
def test_everything_else_is_refused_in_one_line_that_says_what_to_write(text, hint):
    with pytest.raises(ProgramError) as caught:
        parse(text)
    message = str(caught.value)
    assert hint in message
    assert message.startswith("line ")
    assert "\n" not in message
    assert len(message) < 300


def test_an_error_names_the_file_and_the_line():
    with pytest.raises(ProgramError) as caught:
        parse("guest.f()\n\nguest.f(1.5)", "escape.probe")
    assert (caught.value.line, str(caught.value)[:20]) == (3, "escape.probe, line 3")


def test_bytes_that_are_not_utf8_are_refused_with_their_line():
    with pytest.raises(ProgramError, match=r"not UTF-8 text \(line 2\)"):
        parse(b"guest.f()\n\xff\n")


def test_a_name_bound_later_is_no_error_but_one_never_bound_is():
    assert len(parse("guest.close(fd)\nfd = guest.open(CANARY, O_RDONLY)").steps) == 2
    with pytest.raises(ProgramError, match="neither bound"):
        parse("guest.close(fd)")


def test_refusing_a_huge_value_costs_no_memory():
    tracemalloc.start()
    with pytest.raises(ProgramError):
        parse('guest.f("x" * 999999999999)')
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20
