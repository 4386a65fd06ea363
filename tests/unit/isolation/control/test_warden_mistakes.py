"""Warden's client and daemon: lib/warden/repl/, lib/warden/server.rb."""

from mistakes import Mistake, host, unlike

MISTAKES = [
    Mistake("warden -- bogus", 1, "Command: 'bogus' is non-existent."),
    Mistake("warden -- create --bogus", 1, "In flag: '--bogus', the field: 'bogus' is invalid."),
    Mistake("warden -- create bogus", 1, "In flag: 'bogus', the field: 'bogus' is invalid."),
    Mistake("warden -- spawn", 1, "Field 'handle' is required but nil"),
    Mistake("warden -- spawn --handle nosuch --script ls", 1, "unknown handle"),
    Mistake("warden -- spawn --handle guest", 1, "Field 'script' is required but nil"),
    Mistake("warden -- run --script ls", 1, "Field 'handle' is required but nil"),
    Mistake("warden -- link --handle guest", 1, "Field 'job_id' is required but nil"),
    Mistake("warden -- link --handle guest --job_id 99", 1, "no such job"),
    Mistake("warden -- link --handle guest --job_id abc", 1, 'invalid value for Integer(): "abc"'),
    Mistake("warden -- stream --handle guest --job_id 99", 1, "no such job"),
    Mistake("warden -- stop --handle nosuch", 1, "unknown handle"),
    Mistake("warden -- stop", 1, "Field 'handle' is required but nil"),
    Mistake("warden -- destroy --handle nosuch", 1, "unknown handle"),
    Mistake("warden -- info --handle nosuch", 1, "unknown handle"),
    Mistake(
        "warden -- limit_memory --handle guest --limit_in_bytes abc",
        1,
        'invalid value for Integer(): "abc"',
    ),
    Mistake("warden -- limit_memory --handle nosuch --limit_in_bytes 100", 1, "unknown handle"),
    Mistake(
        "warden -- limit_cpu --handle guest --limit_in_shares x",
        1,
        'invalid value for Integer(): "x"',
    ),
    Mistake(
        "warden -- limit_disk --handle guest --byte lots", 1, 'invalid value for Integer(): "lots"'
    ),
    Mistake("warden -- limit_bandwidth --handle guest", 1, "Field 'rate' is required but nil"),
    Mistake(
        "warden -- net_in --handle guest --host_port abc", 1, 'invalid value for Integer(): "abc"'
    ),
    Mistake("warden -- net_in --handle nosuch", 1, "unknown handle"),
    Mistake(
        "warden -- net_out --handle guest", 1, "Please specify network, port, and/or port_range."
    ),
    Mistake("warden -- net_out --handle guest --network bogus", 1, "command exited with failure"),
    Mistake("warden -- copy_in --handle guest", 1, "Field 'src_path' is required but nil"),
    Mistake(
        "warden -- copy_in --handle guest --src_path /nosuch --dst_path /tmp",
        1,
        "rsync: /nosuch: No such file or directory",
    ),
    Mistake("warden -- create --handle guest", 1, "container with handle: guest already exists."),
    Mistake("warden -- create --grace_time abc", 1, 'invalid value for Integer(): "abc"'),
    Mistake(
        "warden -- create --bind_mounts bogus",
        1,
        "In flag: '--bind_mounts', the field: 'bind_mounts' is invalid.",
    ),
    Mistake("warden -- echo", 1, "Field 'message' is required but nil"),
    Mistake("warden --bogus", 1, "warden: invalid option: --bogus (OptionParser::InvalidOption)"),
    Mistake(
        "warden --socket", 1, "warden: missing argument: --socket (OptionParser::MissingArgument)"
    ),
    Mistake(
        "warden --socket /nosuch -- list",
        1,
        "warden: No such file or directory - connect(2) for /nosuch",
    ),
    Mistake("echo 'bogus' | warden", 1, "warden> Command: 'bogus' is non-existent."),
    Mistake("echo 'create \"' | warden", 1, 'warden> Unmatched double quote: create "'),
]


def test_bad_input_gets_the_answer_of_the_real_tool() -> None:
    assert unlike(host("warden", "warden"), MISTAKES) == []
